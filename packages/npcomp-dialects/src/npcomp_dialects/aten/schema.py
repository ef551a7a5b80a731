"""torch's schema strings: `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`.

Parsing and printing are inverse: `str(parse(text)) == text` for every schema that torch prints.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from .errors import SchemaError


@dataclass(frozen=True)
class Alias:
    """`(a!)`, `(a -> *)`, `(b|a)`: the storage sets of a value before and after the call, and whether it is written."""

    before: tuple[str, ...]
    writes: bool = False
    after: tuple[str, ...] | None = None

    def __str__(self) -> str:
        text = "|".join(self.before) + ("!" if self.writes else "")
        return f"({text} -> {'|'.join(self.after)})" if self.after else f"({text})"


@dataclass(frozen=True)
class Type:
    """A schema type. `name` is `list`, `optional`, `tuple`, `Dict` or a leaf such as `Tensor`, `int`, `t`."""

    name: str
    items: tuple[Type, ...] = ()
    alias: Alias | None = None
    length: int | None = None

    def __str__(self) -> str:
        alias = str(self.alias or "")
        if self.name == "list":
            return f"{self.items[0]}[{'' if self.length is None else self.length}]{alias}"
        if self.name == "optional":
            return f"{self.items[0]}?{alias}"
        inner = ", ".join(map(str, self.items))
        if self.name == "tuple":
            return f"({inner}){alias}"
        return f"{self.name}({inner}){alias}" if self.items else f"{self.name}{alias}"

    @cached_property
    def is_list(self) -> bool:
        return self.name == "list"

    @cached_property
    def is_optional(self) -> bool:
        return self.name == "optional"

    @cached_property
    def inner(self) -> Type:
        """The type without its optional."""
        return self.items[0] if self.is_optional else self

    @cached_property
    def leaf(self) -> str:
        """The name below optionals and lists: `Tensor` for `Tensor?[]`."""
        return self.items[0].leaf if self.name in ("list", "optional") else self.name

    @cached_property
    def is_tensor(self) -> bool:
        """True for `Tensor` and `Tensor?`."""
        return self.inner.name == "Tensor"

    @cached_property
    def writes(self) -> bool:
        return bool(self.alias and self.alias.writes) or any(item.writes for item in self.items)

    @cached_property
    def aliases(self) -> bool:
        return self.alias is not None or any(item.aliases for item in self.items)


@dataclass(frozen=True)
class Argument:
    """An argument; `default_text` is the default as written, None when there is none."""

    name: str
    type: Type
    default_text: str | None = None
    keyword_only: bool = False

    @cached_property
    def has_default(self) -> bool:
        return self.default_text is not None

    @cached_property
    def default(self) -> object:
        """The default as a Python value."""
        if self.default_text is None:
            raise SchemaError(f"argument {self.name} has no default")
        return _default_value(self.default_text, self.type)

    def __str__(self) -> str:
        return f"{self.type} {self.name}" + ("" if self.default_text is None else f"={self.default_text}")


@dataclass(frozen=True)
class Return:
    """A result; most have no name."""

    type: Type
    name: str | None = None

    def __str__(self) -> str:
        return str(self.type) if self.name is None else f"{self.type} {self.name}"


@dataclass(frozen=True)
class Schema:
    """An op's signature."""

    namespace: str
    base: str
    overload: str
    arguments: tuple[Argument, ...]
    returns: tuple[Return, ...]
    vararg: bool = False
    varret: bool = False

    @cached_property
    def torch_name(self) -> str:
        """`aten::add.Tensor`."""
        return f"{self.namespace}::{self.base}" + (f".{self.overload}" if self.overload else "")

    @cached_property
    def name(self) -> str:
        """`aten.add.Tensor`, the name in IR without the dialect's prefix."""
        return self.torch_name.replace("::", ".", 1)

    @cached_property
    def writes(self) -> bool:
        return any(a.type.writes for a in self.arguments)

    @cached_property
    def aliases(self) -> bool:
        """True when a result may share storage with an argument."""
        return any(r.type.aliases for r in self.returns)

    def argument(self, name: str) -> Argument:
        for a in self.arguments:
            if a.name == name:
                return a
        raise SchemaError(f"{self.torch_name} has no argument {name!r}; it has {[a.name for a in self.arguments]}")

    def bind(self, args: Sequence[object], kwargs: Mapping[str, object] | None = None) -> list[object]:
        """Arguments in schema order, defaults filled."""
        kwargs = dict(kwargs or {})
        if len(args) > len(self.arguments):
            raise SchemaError(f"{self.torch_name} takes {len(self.arguments)} arguments, got {len(args)}")
        values = list(args)
        for a in self.arguments[len(args) :]:
            if a.name in kwargs:
                values.append(kwargs.pop(a.name))
            elif a.has_default:
                values.append(a.default)
            else:
                raise SchemaError(f"{self.torch_name} needs argument {a.name!r}: {self}")
        if kwargs:
            raise SchemaError(f"{self.torch_name} has no argument (or got it twice) {sorted(kwargs)}: {self}")
        return values

    def __str__(self) -> str:
        parts, starred = [], False
        for a in self.arguments:
            if a.keyword_only and not starred:
                parts.append("*")
                starred = True
            parts.append(str(a))
        if self.vararg:
            parts.append("...")
        returns = [str(r) for r in self.returns] + (["..."] if self.varret else [])
        bare = len(returns) == 1 and not returns[0].startswith("(")
        result = returns[0] if bare else f"({', '.join(returns)})"
        return f"{self.torch_name}({', '.join(parts)}) -> {result}"


def parse(text: str) -> Schema:
    """The schema of a string as torch prints it."""
    return _Parser(text).schema()


_NUMBER = re.compile(r"-?\d+(\.\d*)?([eE][-+]?\d+)?")
_TOKEN = re.compile(r'\s*(->|\.\.\.|::|"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?j?|[\w.]+|.)', re.S)


class _Parser:
    """Recursive descent over tokens; errors show the text and the place."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = [(m.group(1), m.start(1)) for m in _TOKEN.finditer(text.rstrip())]
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        i = self.at + ahead
        return self.tokens[i][0] if i < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, token: str) -> bool:
        if self.peek() != token:
            return False
        self.at += 1
        return True

    def expect(self, token: str) -> None:
        if not self.accept(token):
            self.fail(f"expected {token!r}, found {self.peek() or 'the end'!r}")

    def fail(self, why: str) -> None:
        column = self.tokens[self.at][1] if self.at < len(self.tokens) else len(self.text)
        raise SchemaError(f"schema {self.text!r}, column {column}: {why}; do: write it as torch prints it")

    def schema(self) -> Schema:
        namespace = self.take()
        self.expect("::")
        base, _, overload = self.take().partition(".")
        arguments, vararg = self.argument_list()
        self.expect("->")
        returns, varret = self.return_list()
        if self.peek():
            self.fail(f"unexpected {self.peek()!r}")
        return Schema(namespace, base, overload, tuple(arguments), tuple(returns), vararg, varret)

    def argument_list(self) -> tuple[list[Argument], bool]:
        arguments: list[Argument] = []
        keyword_only = vararg = False
        self.expect("(")
        while not self.accept(")"):
            if self.accept("*"):
                keyword_only = True
            elif self.accept("..."):
                vararg = True
            else:
                arguments.append(self.argument(keyword_only))
            if self.peek() != ")":
                self.expect(",")
        return arguments, vararg

    def argument(self, keyword_only: bool) -> Argument:
        type = self.type()
        name = self.take()
        if not name.isidentifier():
            self.fail(f"{name!r} is no argument name")
        default = self.default() if self.accept("=") else None
        return Argument(name, type, default, keyword_only)

    def default(self) -> str:
        """The text of a default, up to the comma or parenthesis that ends it."""
        start = self.tokens[self.at][1]
        depth = 0
        while depth or self.peek() not in (",", ")"):
            token = self.take()
            if not token:
                self.fail("the default has no end")
            depth += {"[": 1, "]": -1}.get(token, 0)
        return self.text[start : self.tokens[self.at][1]].rstrip()

    def return_list(self) -> tuple[list[Return], bool]:
        if self.accept("..."):
            return [], True
        if self.peek() != "(":
            return [Return(self.type(), self.take() or None)], False
        returns: list[Return] = []
        varret = False
        self.expect("(")
        while not self.accept(")"):
            if self.accept("..."):
                varret = True
            else:
                type = self.type()
                name = self.take() if self.peek() not in (",", ")") else None
                returns.append(Return(type, name))
            if self.peek() != ")":
                self.expect(",")
        return returns, varret

    def type(self) -> Type:
        type = self.base_type()
        while True:
            if self.accept("["):
                length = None if self.peek() == "]" else int(self.take())
                self.expect("]")
                type = Type("list", (type,), self.alias(), length)
            elif self.accept("?"):
                type = Type("optional", (type,), self.alias())
            else:
                return type

    def base_type(self) -> Type:
        if self.accept("("):
            return Type("tuple", self.type_list(), self.alias())
        name = self.take()
        if not re.fullmatch(r"[\w.]+", name):
            self.fail(f"{name!r} is no type")
        if self.peek() == "(" and name == "Dict":
            self.expect("(")
            return Type(name, self.type_list(), self.alias())
        return Type(name, (), self.alias())

    def type_list(self) -> tuple[Type, ...]:
        items = []
        while not self.accept(")"):
            items.append(self.type())
            if self.peek() != ")":
                self.expect(",")
        return tuple(items)

    def alias(self) -> Alias | None:
        if self.peek() != "(" or not (self.peek(1) == "*" or re.fullmatch(r"[a-z]\d*", self.peek(1))):
            return None
        self.expect("(")
        before = self.alias_set()
        writes = self.accept("!")
        after = self.alias_set() if self.accept("->") else None
        self.expect(")")
        return Alias(before, writes, after)

    def alias_set(self) -> tuple[str, ...]:
        names = [self.take()]
        while self.accept("|"):
            names.append(self.take())
        return tuple(names)


_WORDS = {"None": None, "True": True, "False": False}


def _default_value(text: str, type: Type) -> object:
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("["):
        inner = text[1:-1].strip()
        element = type.inner.items[0]
        return [_default_value(t.strip(), element) for t in inner.split(",")] if inner else []
    if text.startswith('"'):
        return json.loads(text.replace("\\'", "'").replace("\\v", "\\u000b"))
    if _NUMBER.fullmatch(text):
        number = _number(text, type.leaf)
        return [number] * (type.inner.length or 1) if type.inner.is_list else number
    raise SchemaError(f"default {text!r} of a {type} is not understood; do: extend aten/schema.py")


def _number(text: str, leaf: str) -> int | float:
    """A number; one given for `int[2]` stands for all elements."""
    return float(text) if leaf == "float" or not re.fullmatch(r"-?\d+", text) else int(text)
