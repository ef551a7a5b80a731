"""Does the capture hold for every size that the user's named dimensions allow?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy
import torch
from torch.fx.experimental.symbolic_shapes import ShapeEnv

from npcomp_acap.decisions import Decision, Recorder
from npcomp_acap.errors import CaptureError


def check_guards(shapes: ShapeEnv, inputs: Sequence[torch.Tensor], dims_of_input: Sequence[Mapping[int, str]]) -> None:
    """Raises `CaptureError` for the first relation between sizes that the recording depends on and the names do not
    imply: a named dimension fixed to a number, two names that have to be equal, a Python decision on a size."""
    named = _names_of_symbols(inputs, dims_of_input)
    assert isinstance(shapes.guards, Recorder)
    for decision in shapes.guards.decisions:
        relation = decision.guard.expr.xreplace(named)
        binds = isinstance(relation, sympy.Eq) or (decision.in_python and not _about_zero_or_one(relation))
        if binds and sympy.simplify(relation) != sympy.true:  # simplify is slow: milliseconds a relation
            raise _assumed(relation, decision)


def _names_of_symbols(
    inputs: Sequence[torch.Tensor], dims_of_input: Sequence[Mapping[int, str]]
) -> dict[sympy.Symbol, sympy.Symbol]:
    named: dict[sympy.Symbol, sympy.Symbol] = {}
    for fake, dims in zip(inputs, dims_of_input, strict=True):
        for dim, name in dims.items():
            size: Any = fake.shape[dim]
            symbol = size.node._expr  # as declared, before the run unified symbols
            named[symbol] = sympy.Symbol(name, integer=True, positive=True)
    return named


def _about_zero_or_one(relation: Any) -> bool:
    """Sizes 0 and 1 decide about broadcasting and contiguity, which the lowering decides again for every size."""
    return isinstance(relation, sympy.Ne) and relation.rhs in (0, 1)


def _assumed(relation: Any, decision: Decision) -> CaptureError:
    if isinstance(relation, sympy.Eq) and isinstance(relation.lhs, sympy.Symbol) and relation.rhs.is_number:
        return CaptureError(
            f"dimension {relation.lhs.name!r} is declared dynamic, but the function works only where it is "
            f"{relation.rhs}",
            decision.line,
            do="leave it out of dynamic=, or make the function independent of it",
        )
    return CaptureError(
        f"the function works only where {relation}, which the dynamic dimensions do not promise",
        decision.line,
        do="give dimensions that must be equal the same name, or make the function independent of them",
    )
