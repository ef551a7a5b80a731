"""Views that rename or merge dims."""

from __future__ import annotations

from .cases import case, f32
from .errors import InferError
from .families.view import View
from .registry import op


def product(sizes):
    """The product of sizes, ints or run-time numbers."""
    total = 1
    for s in sizes:
        total = total * s
    return total


def resolve_sizes(b, x, sizes):
    """The sizes asked of a reshape with its -1 filled, and guards that the elements fit."""
    holes = [i for i, s in enumerate(sizes) if isinstance(s, int) and s == -1]
    if len(holes) > 1:
        raise InferError("only one dimension can be inferred")
    count = b.numel(x)
    known = product(s for i, s in enumerate(sizes) if i not in holes)
    shape = "[" + ", ".join(f"{{{i}}}" for i in range(len(sizes))) + "]"
    message = f"shape '{shape}' is invalid for input of size {{{len(sizes)}}}"
    if not holes:
        b.guard(known == count, message, *sizes, count)
        return list(sizes)
    b.guard(
        known != 0,
        f"cannot reshape tensor of 0 elements into shape {shape} because the unspecified dimension size -1 can be"
        " any value and is ambiguous",
        *sizes,
    )
    hole = count // b.maximum(known, 1)
    b.guard(hole * known == count, message, *sizes, count)
    return [hole if i in holes else s for i, s in enumerate(sizes)]


@op("aten::view(Tensor(a) self, SymInt[] size) -> Tensor(a)")
@op("aten::reshape(Tensor(a) self, SymInt[] shape) -> Tensor(a)")
@op("aten::_unsafe_view(Tensor self, SymInt[] size) -> Tensor")
class Reshape(View):
    """The elements in row-major order under new sizes; one size may be -1."""

    runtime = ("size", "shape")

    def lower(b, x, sizes):
        return b.reshape(x, resolve_sizes(b, x, sizes))

    cases = [
        case(f32(3, 4), [2, 6]),
        case(f32(3, 4), [-1]),
        case(f32("?", 4), [-1, 2], at=[3, 1, 0]),
        case(f32(0, 4), [2, 0]),
        case(f32(1), []),
    ]
