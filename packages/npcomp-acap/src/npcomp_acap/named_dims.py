"""Does the capture hold for every size that the user's named dimensions allow?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy
import torch
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from npcomp_acap.errors import CaptureError


def check_guards(shapes: ShapeEnv, inputs: Sequence[torch.Tensor], dims_of_input: Sequence[Mapping[int, str]]) -> None:
    """Raises `CaptureError` for the first relation between sizes that the run assumed and the names do not imply: a
    named dimension fixed to a number, or two names that have to be equal."""
    named: dict[sympy.Symbol, sympy.Symbol] = {}
    for fake, dims in zip(inputs, dims_of_input, strict=True):
        for dim, name in dims.items():
            size = fake.shape[dim]
            if isinstance(size, int):
                raise CaptureError(_fixed(name, str(size), None))
            expression = size.node.expr
            if isinstance(expression, sympy.Symbol):
                named[expression] = sympy.Symbol(name, integer=True, positive=True)
    for symbol, value in shapes.replacements.items():
        if symbol in named and value.is_number:
            raise CaptureError(_fixed(named[symbol].name, str(value), None))
    for guard in shapes.guards:
        relation = guard.expr.subs(named)
        if relation != sympy.true and not _implied(relation):
            raise CaptureError(_assumed(relation, guard))


def _implied(relation: sympy.Basic) -> bool:
    """True where the relation only excludes sizes 0 and 1, which the lowering treats like any other size."""
    if isinstance(relation, sympy.Ne) and relation.rhs in (0, 1):
        return True
    return sympy.simplify(relation) == sympy.true


def _line(guard: object) -> str:
    summary = getattr(getattr(guard, "sloc", None), "maybe_user_loc", None)
    return f" at {summary}" if summary else ""


def _fixed(name: str, value: str, guard: object) -> str:
    return (
        f"dimension {name!r} is declared dynamic, but the function works only where it is {value}{_line(guard)}\n"
        f"  do: leave it out of dynamic=, or make the function independent of it"
    )


def _assumed(relation: sympy.Basic, guard: object) -> str:
    if isinstance(relation, sympy.Eq) and relation.rhs.is_number and isinstance(relation.lhs, sympy.Symbol):
        return _fixed(relation.lhs.name, str(relation.rhs), guard)
    return (
        f"the function works only where {relation}{_line(guard)}, which the dynamic dimensions do not promise\n"
        "  do: give dimensions that must be equal the same name, or make the function independent of them"
    )
