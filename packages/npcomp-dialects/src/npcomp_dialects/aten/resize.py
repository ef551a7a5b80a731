"""resize: the elements in row-major order, in another shape."""

from __future__ import annotations

import functools
import operator

from .cases import case, f32, i64
from .families.view import View
from .registry import op


def resized(b, x, sizes):
    """As many elements as the sizes want; those that x does not have, torch leaves uninitialised, are 0."""
    have, want = b.numel(x), functools.reduce(operator.mul, sizes, 1)
    flat = b.reshape(x, [have])
    missing = b.maximum(want - have, 0)
    if (missing == 0) is not True:
        flat = b.pad(flat, [0], [missing], 0)
    return b.reshape(b.slice(flat, 0, 0, want, 1), sizes)


@op("aten::resize(Tensor self, SymInt[] size, *, MemoryFormat? memory_format=None) -> Tensor")
class Resize(View):
    """The elements in row-major order, in the sizes given."""

    runtime = ("size",)

    @classmethod
    def static_arguments(cls):
        return [a for a in super().static_arguments() if a != "memory_format"]

    def lower(b, x, sizes, _):
        return resized(b, x, sizes)

    cases = [case(f32(3, 4), [2, 3]), case(i64("?"), [2, 3], at=[6, 9])]


@op("aten::resize_as(Tensor self, Tensor the_template, *, MemoryFormat? memory_format=None) -> Tensor")
class ResizeAs(Resize):
    """The elements in row-major order, in the sizes of another tensor."""

    def lower(b, x, template, _):
        return resized(b, x, template.sizes)

    cases = [case(f32(3, 4), f32(2, 3)), case(f32(6), i64("?", 2), at=[3, 1])]
