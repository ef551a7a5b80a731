"""Lists."""

from __future__ import annotations

from typing import Any

from .abstract import TensorInfo, Unknown
from .errors import InferError
from .families.container import Container, schemas
from .registry import op


def element_of(items: Any) -> Any:
    """What every element of a list is known to be."""
    if not isinstance(items, list) or not items:
        return Unknown("t")
    first, *rest = items
    if isinstance(first, TensorInfo):
        for other in rest:
            first = first.join(other) if isinstance(other, TensorInfo) else TensorInfo()
        return first
    return first if all(type(o) is type(first) and o == first for o in rest) else Unknown("t")


@op("aten::__getitem__.t(t[](a) list, int idx) -> t(*)")
class GetItem(Container):
    """list[idx]."""

    def infer(items, index):
        if not isinstance(items, list) or not isinstance(index, int):
            return element_of(items)
        if not -len(items) <= index < len(items):
            raise InferError(f"list index {index} out of range for a list of {len(items)}")
        return items[index]


@op("aten::len.t(t[] a) -> int")
class Len(Container):
    """The number of elements."""

    def infer(items):
        return len(items) if isinstance(items, list) else Unknown("int")


@op("aten::add.t(t[] a, t[] b) -> t[]")
class AddLists(Container):
    """Two lists as one."""

    def infer(a, c):
        return a + c if isinstance(a, list) and isinstance(c, list) else Unknown("t[]")


@op("aten::slice.t(t[] l, int? start=None, int? end=None, int step=1) -> t[]")
class SliceList(Container):
    """list[start:end:step]."""

    def infer(items, start, end, step):
        constant = isinstance(items, list) and all(v is None or isinstance(v, int) for v in (start, end, step))
        return items[start:end:step] if constant else Unknown("t[]")


@op("aten::mul.left_t(t[] l, int n) -> t[]")
class RepeatList(Container):
    """The list n times over."""

    def infer(items, n):
        return items * n if isinstance(items, list) and isinstance(n, int) else Unknown("t[]")


@op("aten::copy.t(t[](a) self) -> t[]")
@op("aten::list.t(t[] l) -> t[]")
class CopyList(Container):
    """A new list of the same elements."""

    def infer(items):
        return list(items) if isinstance(items, list) else Unknown("t[]")


def constants(*values: Any) -> bool:
    """True when nothing inside is for run time to know."""
    return all(constants(*v) if isinstance(v, list) else not isinstance(v, (Unknown, TensorInfo)) for v in values)


@schemas(
    """
    aten::eq.int_list(int[] a, int[] b) -> bool
    aten::eq.float_list(float[] a, float[] b) -> bool
    aten::eq.bool_list(bool[] a, bool[] b) -> bool
    aten::eq.str_list(str[] a, str[] b) -> bool
    """
)
class EqLists(Container):
    """True when lengths and elements agree."""

    def infer(a, c):
        if isinstance(a, list) and isinstance(c, list) and len(a) != len(c):
            return False
        return a == c if constants(a, c) else Unknown("bool")


@schemas(
    """
    aten::ne.int_list(int[] a, int[] b) -> bool
    aten::ne.float_list(float[] a, float[] b) -> bool
    aten::ne.bool_list(bool[] a, bool[] b) -> bool
    aten::ne.str_list(str[] a, str[] b) -> bool
    """
)
class NeLists(Container):
    """True when lengths or elements differ."""

    def infer(a, c):
        if isinstance(a, list) and isinstance(c, list) and len(a) != len(c):
            return True
        return a != c if constants(a, c) else Unknown("bool")


@schemas(
    """
    aten::__contains__.int_list(int[] l, int item) -> bool
    aten::__contains__.float_list(float[] l, float item) -> bool
    aten::__contains__.str_list(str[] l, str item) -> bool
    """
)
class InList(Container):
    """True when the list holds the item."""

    def infer(items, item):
        return item in items if constants(items, item) else Unknown("bool")


@schemas(
    """
    aten::append.t(t[](a!) self, t(c -> *) el) -> t[](a!)
    aten::insert.t(t[](a!) self, int idx, t(b -> *) el) -> ()
    aten::extend.t(t[](a!) self, t[] other) -> ()
    aten::pop.t(t[](a!) self, int idx=-1) -> t(*)
    aten::clear.t(t[](a!) self) -> ()
    aten::reverse.t(t[](a!) self) -> ()
    aten::Delete.t(t[](a!) self, int idx) -> ()
    aten::_set_item.t(t[](a!) l, int idx, t(b -> *) el) -> t[](a!)
    aten::add_.t(t[](a!) self, t[] b) -> t[]
    aten::mul_.t(t[](a!) l, int n) -> t[](a!)
    aten::remove.int(int[](a!) self, int el) -> ()
    aten::remove.float(float[](a!) self, float el) -> ()
    aten::remove.bool(bool[](a!) self, bool el) -> ()
    aten::remove.str(str[](a!) self, str el) -> ()
    aten::remove.Tensor(Tensor[](a!) self, Tensor el) -> ()
    aten::sort.int(int[](a!) self, bool reverse=False) -> ()
    aten::sort.float(float[](a!) self, bool reverse=False) -> ()
    aten::sort.bool(bool[](a!) self, bool reverse=False) -> ()
    aten::sort.str(str[](a!) self, bool reverse=False) -> ()
    aten::sort.Tensor(Tensor[](a!) self, bool reverse=False) -> ()
    aten::sort.any(t[](a!) self, bool reverse=False) -> ()
    """
)
class ListMutation(Container):
    """Changes a list in place."""


@schemas(
    """
    aten::mul.right_(int n, t[] l) -> t[]
    aten::sorted.int(int[](a) input) -> int[]
    aten::sorted.float(float[](a) input) -> float[]
    aten::sorted.bool(bool[](a) input) -> bool[]
    aten::sorted.str(str[](a) input) -> str[]
    aten::sorted.Tensor(Tensor[](a) input) -> Tensor[]
    aten::sorted.any(t[](a) self) -> t[]
    aten::index.list_int(int[] self, int el) -> int
    aten::index.list_float(float[] self, float el) -> int
    aten::index.list_bool(bool[] self, bool el) -> int
    aten::index.list_str(str[] self, str el) -> int
    aten::index.list_Tensor(Tensor[] self, Tensor el) -> int
    aten::count.int(int[] self, int el) -> int
    aten::count.float(float[] self, float el) -> int
    aten::count.bool(bool[] self, bool el) -> int
    aten::count.str(str[] self, str el) -> int
    aten::count.Tensor(Tensor[] self, Tensor el) -> int
    aten::all.int(int[] self) -> bool
    aten::all.float(float[] self) -> bool
    aten::all.bool(bool[] self) -> bool
    aten::any.int(int[] self) -> bool
    aten::any.float(float[] self) -> bool
    aten::any.bool(bool[] self) -> bool
    aten::any.str(str[] self) -> bool
    aten::sum.int(int[] self) -> int
    aten::sum.float(float[] self) -> float
    aten::sum.bool(bool[] self) -> int
    aten::eq.Tensor_list(Tensor[] a, Tensor[] b) -> bool
    aten::ne.Tensor_list(Tensor[] a, Tensor[] b) -> bool
    aten::select.t(t[](a) list, int idx) -> t(*)
    aten::len.any(Any[] a) -> int
    aten::list(str t) -> str[]
    """
)
class ListQuery(Container):
    """Reads a list."""
