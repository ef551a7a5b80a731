"""Arguments and results of an exported method: the `npcomp.signature` JSON and the type bounds of tensor arguments."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from npcomp_dialects import literals
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch as td

from npcomp_torchscript.errors import Refusal
from npcomp_torchscript.specs import DTYPE_CODES, DTYPE_NAMES, TensorSpec
from npcomp_torchscript.torch_types import REFUSED

Json = dict[str, Any]
SCALARS = {"IntType": ("int", int), "FloatType": ("float", float), "BoolType": ("bool", bool)}
TRAP_DIMS = "say its dims, for example TensorSpec([None, 3], torch.float32)"


class Missing:
    """Stands for an argument about which nothing was said."""


MISSING = Missing()


@dataclass(frozen=True)
class Bound:
    """One argument with what is known of it. `type` bounds the IR argument when that is a tensor."""

    json: Json
    type: ir.Type | None = None


def bind(name: str, type: Any, spec: Any, strict: bool) -> Bound:
    """What `spec` says about an argument of TorchScript type `type`.

    With `strict`, every tensor needs rank and dtype. Raises `Refusal` with a text that begins with what is wrong."""
    kind = type.kind()
    if kind == "TensorType":
        return _tensor(name, type, spec, strict)
    if kind == "OptionalType":
        return _optional(name, type, spec, strict)
    if kind in SCALARS:
        return _scalar(name, kind, spec)
    if kind == "StringType":
        return _string(name, spec)
    if kind == "NoneType":
        return Bound({"kind": "none"})
    if kind == "TupleType":
        return _tuple(name, type, spec, strict)
    if kind == "ListType":
        return _list(name, type, spec, strict)
    if kind == "DictType":
        return _dict(name, type, spec, strict)
    raise _no_passage(f"argument {name!r} has", type, "pass")


def tensor_type(spec: TensorSpec) -> ir.Type:
    sizes = None if spec.dims is None else [dim if isinstance(dim, int) else -1 for dim in spec.dims]
    dtype = None if spec.dtype is None else literals.element_type(DTYPE_CODES[spec.dtype])
    return td.ValueTensorType.get(sizes, dtype)


def _tensor(name: str, type: Any, spec: Any, strict: bool) -> Bound:
    if isinstance(spec, torch.Tensor):
        spec = TensorSpec.of(spec)
    if spec is MISSING:
        spec = _recorded(type)
    if spec is None:
        raise Refusal(f"argument {name!r} is a Tensor, but its spec is None", TRAP_DIMS)
    if not isinstance(spec, TensorSpec):
        raise Refusal(f"argument {name!r} is a Tensor, but its spec is {spec!r}", TRAP_DIMS)
    if strict and spec.dims is None:
        raise Refusal(f"argument {name!r} has unknown rank, which cannot be compiled", TRAP_DIMS)
    if strict and spec.dtype is None:
        raise Refusal(f"argument {name!r} has unknown dtype, which cannot be compiled",
                      "give its TensorSpec a dtype, for example torch.float32")  # fmt: skip
    json: Json = {"kind": "tensor"}
    if spec.dtype is not None:
        json["dtype"] = DTYPE_NAMES[spec.dtype]
    if spec.dims is not None:
        json["dims"] = list(spec.dims)
    known = spec.dims is not None or spec.dtype is not None
    return Bound(json, tensor_type(spec) if known else None)


def _recorded(type: Any) -> TensorSpec:
    """Traced programs keep the dtype and sizes of the example that they were traced with."""
    return TensorSpec(type.sizes(), type.dtype())


def _optional(name: str, type: Any, spec: Any, strict: bool) -> Bound:
    if spec is None or spec is MISSING:
        return Bound({"kind": "none"})
    return bind(name, type.getElementType(), spec, strict)


def _scalar(name: str, kind: str, spec: Any) -> Bound:
    word, python = SCALARS[kind]
    given = spec if isinstance(spec, type) else type(spec)
    if spec is not MISSING and given is not python and not (python is float and given is int):
        raise Refusal(f"argument {name!r} is {_article(word)}, but its spec is {spec!r}",
                      f"pass {word}, or leave the spec out")  # fmt: skip
    return Bound({"kind": word})


def _string(name: str, spec: Any) -> Bound:
    if spec is str or spec is MISSING:
        return Bound({"kind": "str"})
    if isinstance(spec, str):
        return Bound({"kind": "const", "value": spec})
    raise Refusal(f"argument {name!r} is a str, but its spec is {spec!r}", "pass the string that it will have")


def _tuple(name: str, type: Any, spec: Any, strict: bool) -> Bound:
    parts = type.elements()
    specs = [MISSING] * len(parts) if spec is MISSING else spec
    if not isinstance(specs, Sequence) or len(specs) != len(parts):
        raise Refusal(f"argument {name!r} is a tuple of {len(parts)}, but its spec is {spec!r}",
                      "pass a tuple with one spec an element")  # fmt: skip
    items = [bind(f"{name}[{i}]", p, s, strict) for i, (p, s) in enumerate(zip(parts, specs, strict=True))]
    return Bound(_sequence_json(type, [item.json for item in items]))


def _list(name: str, type: Any, spec: Any, strict: bool) -> Bound:
    if spec is MISSING and not strict:
        return Bound({"kind": "list"})
    if spec is MISSING or not isinstance(spec, list | tuple):
        raise Refusal(f"argument {name!r} is a list, but its spec is {_said(spec)}",
                      "pass a list with one spec an element")  # fmt: skip
    items = [bind(f"{name}[{i}]", type.getElementType(), s, strict) for i, s in enumerate(spec)]
    return Bound({"kind": "list", "items": [item.json for item in items]})


def _dict(name: str, type: Any, spec: Any, strict: bool) -> Bound:
    if spec is MISSING and not strict:
        return Bound({"kind": "dict"})
    if spec is MISSING or not isinstance(spec, Mapping):
        raise Refusal(f"argument {name!r} is a dict, but its spec is {_said(spec)}",
                      "pass a dict with one spec a key")  # fmt: skip
    items = [bind(f"{name}[{k!r}]", type.getValueType(), s, strict) for k, s in spec.items()]
    return Bound({"kind": "dict", "keys": list(spec), "items": [item.json for item in items]})


def result(type: Any) -> Json:
    """The JSON of a result of TorchScript type `type`."""
    kind = type.kind()
    if kind == "TensorType":
        return {"kind": "tensor"}
    if kind in SCALARS:
        return {"kind": SCALARS[kind][0]}
    if kind == "StringType":
        return {"kind": "str"}
    if kind == "NoneType":
        return {"kind": "none"}
    if kind == "TupleType":
        return _sequence_json(type, [result(part) for part in type.elements()])
    if kind == "ListType":
        return {"kind": "list", "element": result(type.getElementType())}
    if kind == "DictType":
        return {"kind": "dict", "element": result(type.getValueType())}
    if kind == "OptionalType":
        return {"kind": "optional", "element": result(type.getElementType())}
    raise _no_passage("the result has", type, "return")


def _no_passage(what: str, type: Any, verb: str) -> Refusal:
    reason, do = REFUSED.get(type.kind(), ("", f"{verb} tensors, numbers and strings, in lists, tuples and dicts"))
    why = f": {reason}" if reason else ""
    return Refusal(f"{what} the type {type}, which cannot cross the boundary of a program{why}", do)


def _sequence_json(type: Any, items: list[Json]) -> Json:
    fields = named_fields(type)
    if not fields:
        return {"kind": "tuple", "items": items}
    return {"kind": "namedtuple", "name": type.annotation_str.rpartition(".")[2], "fields": fields, "items": items}


def named_fields(type: Any) -> list[str]:
    """The field names of a NamedTuple type; none for a plain tuple."""
    text = type.str()
    return re.findall(r"(?:\(|, )(\w+) : ", _outer(text)) if text.startswith("NamedTuple(") else []


def _outer(text: str) -> str:
    """`text` without what its inner parentheses hold."""
    depth, kept = 0, []
    for character in text:
        depth -= character == ")"
        if depth < 2:
            kept.append(character)
        depth += character == "("
    return "".join(kept)


def _article(word: str) -> str:
    return f"an {word}" if word[0] in "aeiou" else f"a {word}"


def _said(spec: Any) -> str:
    return "missing" if spec is MISSING else repr(spec)
