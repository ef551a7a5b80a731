"""The table of op blocks: `@op` fills it, passes and frontends look ops up in it.

Every module of this folder is imported on first use, so a new file needs no list to be edited.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable
from typing import Any, TypeVar

from .block import Block, schema_traits
from .errors import SchemaError, UnknownOpError
from .schema import Alias, Argument, Return, Schema, Type, parse

_BLOCKS: dict[str, type[Block]] = {}
_INPLACE: dict[str, tuple[Schema, str]] = {}
_OUT: dict[str, tuple[Schema, str]] = {}
_loaded = False

B = TypeVar("B", bound=type[Block])


def op(
    schema: str,
    *,
    inplace: str | None = None,
    out: str | tuple[str, ...] = (),
    cases: list[Any] | None = None,
) -> Callable[[B], B]:
    """Registers a block under a schema.

    `inplace` and `out` name the variants that reduce to this op (`aten::tanh_`, `aten::tanh.out`); a variant whose
    signature does not follow from this one's is written as a whole schema. Stacked `@op`s give one body several
    overloads; `cases` then belong to that overload.
    """
    parsed = parse(schema)
    outs = (out,) if isinstance(out, str) else out

    def register(block: B) -> B:
        if not block.__doc__:
            raise SchemaError(f"{parsed.torch_name}: the block {block.__name__} needs a docstring")
        fields: dict[str, Any] = {
            "schema": parsed,
            "inplace": inplace,
            "out": outs,
            "__doc__": block.__doc__,
            "__module__": block.__module__,
        }
        if cases is not None:
            fields["cases"] = cases
        bound = type(block.__name__, (block,), fields)
        _insert(_BLOCKS, parsed.name, bound)
        if inplace is not None:
            variant = parse(inplace) if "(" in inplace else inplace_schema(parsed, inplace)
            _insert(_INPLACE, variant.name, (variant, parsed.name))
        for name in outs:
            variant = parse(name) if "(" in name else out_schema(parsed, name)
            _insert(_OUT, variant.name, (variant, parsed.name))
        return block

    return register


def _insert(table: dict[str, Any], name: str, value: Any) -> None:
    if name in table:
        raise SchemaError(f"{name} is registered twice; do: keep one of the two blocks")
    table[name] = value


def _variant_name(text: str) -> tuple[str, str, str]:
    namespace, _, rest = text.partition("::")
    base, _, overload = rest.partition(".")
    return namespace, base, overload


def inplace_schema(schema: Schema, name: str) -> Schema:
    """`add_.Tensor(Tensor(a!) self, …) -> Tensor(a!)` from the functional schema."""
    written = Type("Tensor", alias=Alias(("a",), writes=True))
    first = schema.arguments[0]
    if first.type.name != "Tensor" or len(schema.returns) != 1:
        raise SchemaError(f"the in-place form of {schema} does not follow from it; do: write its whole schema")
    arguments = (Argument(first.name, written), *schema.arguments[1:])
    return Schema(*_variant_name(name), arguments, (Return(written),))


def out_schema(schema: Schema, name: str) -> Schema:
    """`add.out(…, *, Tensor(a!) out) -> Tensor(a!)` from the functional schema."""
    written = Type("Tensor", alias=Alias(("a",), writes=True))
    if len(schema.returns) != 1 or schema.returns[0].type.name != "Tensor":
        raise SchemaError(f"the out form of {schema} does not follow from it; do: write its whole schema")
    arguments = tuple(
        Argument(a.name, _without_alias(a.type), a.default_text, a.keyword_only) for a in schema.arguments
    )
    return Schema(*_variant_name(name), (*arguments, Argument("out", written, None, True)), (Return(written),))


def _without_alias(type: Type) -> Type:
    return Type(type.name, tuple(map(_without_alias, type.items)), None, type.length)


def load() -> None:
    """Imports every op module once."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    package = importlib.import_module(__package__)
    for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda m: m.name):
        importlib.import_module(f"{__package__}.{module.name}")


def lookup(name: str) -> type[Block]:
    """The block of `aten.add.Tensor` (also spelled `aten::add.Tensor`)."""
    load()
    key = name.replace("::", ".", 1)
    if key not in _BLOCKS:
        raise UnknownOpError(f"no op block for {key!r}; do: add one under npcomp_dialects/aten (nox -s op -- {name})")
    return _BLOCKS[key]


def find(name: str) -> type[Block] | None:
    """The block of a name, or None."""
    load()
    return _BLOCKS.get(name.replace("::", ".", 1))


def all_ops() -> list[type[Block]]:
    """Every block, by name."""
    load()
    return [_BLOCKS[name] for name in sorted(_BLOCKS)]


@functools.cache
def prefixes() -> tuple[str, ...]:
    """How the names of registered ops begin in MLIR, one for each namespace: `torch.aten.`."""
    load()
    return tuple(sorted({f"torch.{name.partition('.')[0]}." for name in _BLOCKS}))


def inplace_of(name: str) -> str | None:
    """The functional op of an in-place one: `aten.add_.Tensor` → `aten.add.Tensor`; None when there is none."""
    load()
    found = _INPLACE.get(name.replace("::", ".", 1))
    return None if found is None else found[1]


def out_of(name: str) -> str | None:
    """The functional op of an out variant: `aten.add.out` → `aten.add.Tensor`; None when there is none."""
    load()
    found = _OUT.get(name.replace("::", ".", 1))
    return None if found is None else found[1]


def variants() -> list[tuple[Schema, str]]:
    """In-place and out variants: schema and the functional op each reduces to."""
    load()
    return [*_INPLACE.values(), *_OUT.values()]


def find_schema(name: str) -> Schema | None:
    """The schema of an op, in-place or out variant."""
    block = find(name)
    if block is not None:
        return block.schema
    key = name.replace("::", ".", 1)
    found = _INPLACE.get(key) or _OUT.get(key)
    return None if found is None else found[0]


def native_table() -> str:
    """The rows that register the ops into MLIR: `torch.<name>|<schema>|<traits>`, one a line, sorted."""
    rows = [f"torch.{b.schema.name}|{b.schema}|{','.join(b.traits())}" for b in all_ops()]
    rows += [f"torch.{s.name}|{s}|{','.join(schema_traits(s))}" for s, _ in variants()]
    return "\n".join(sorted(rows)) + "\n"
