r"""Strings."""

from __future__ import annotations

from .abstract import Unknown
from .families.container import Container, schemas
from .registry import op


@op("aten::len.str(str s) -> int")
class LenStr(Container):
    """The number of characters."""

    def infer(text):
        return len(text) if isinstance(text, str) else Unknown("int")


@op("aten::add.str(str a, str b) -> str")
class AddStr(Container):
    """Two strings as one."""

    def infer(a, c):
        return a + c if isinstance(a, str) and isinstance(c, str) else Unknown("str")


@schemas(
    r"""
    aten::str(t elem) -> str
    aten::format(str self, ...) -> str
    aten::percentFormat(str self, ...) -> str
    aten::join(str self, str[] values) -> str
    aten::split.str(str self, str? separator=None, int max=-1) -> str[]
    aten::rsplit(str self, str separator=" ", int max=-1) -> str[]
    aten::splitlines(str self, bool keepends=False) -> str[]
    aten::strip(str self, str chars=" \n\t\f\v") -> str
    aten::lstrip(str self, str chars=" \n\t\f\v") -> str
    aten::rstrip(str self, str chars=" \n\t\f\v") -> str
    aten::upper(str self) -> str
    aten::lower(str self) -> str
    aten::title(str self) -> str
    aten::capitalize(str self) -> str
    aten::swapcase(str self) -> str
    aten::replace(str self, str old, str new, int max=-1) -> str
    aten::startswith(str self, str substr, int start=0, int end=-1) -> bool
    aten::endswith(str self, str substr, int start=0, int end=-1) -> bool
    aten::find(str self, str substr, int start=0, int end=-1) -> int
    aten::rfind(str self, str substr, int start=0, int end=-1) -> int
    aten::index.str(str self, str substr, int start=0, int end=-1) -> int
    aten::rindex(str self, str substr, int start=0, int end=-1) -> int
    aten::count(str self, str substr, int start=0, int end=-1) -> int
    aten::isdigit(str self) -> bool
    aten::isalpha(str self) -> bool
    aten::isalnum(str self) -> bool
    aten::isspace(str self) -> bool
    aten::islower(str self) -> bool
    aten::isupper(str self) -> bool
    aten::isnumeric(str self) -> bool
    aten::isdecimal(str self) -> bool
    aten::zfill(str self, int width) -> str
    aten::ljust(str self, int width, str fillchar=" ") -> str
    aten::rjust(str self, int width, str fillchar=" ") -> str
    aten::center(str self, int width, str fillchar=" ") -> str
    aten::partition(str self, str separator) -> (str, str, str)
    aten::rpartition(str self, str separator) -> (str, str, str)
    aten::__getitem__.str(str s, int index) -> str
    aten::slice.str(str string, int? start=None, int? end=None, int step=1) -> str
    aten::ord(str string) -> int
    aten::chr(int i) -> str
    aten::hex(int i) -> str
    aten::bin(int i) -> str
    aten::oct(int i) -> str
    aten::Int.str(str a) -> int
    aten::Float.str(str a) -> float
    """
)
class StrOp(Container):
    """Reads a string or makes a new one."""
