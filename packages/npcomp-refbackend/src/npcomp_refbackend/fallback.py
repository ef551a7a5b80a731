"""How ops that were not lowered are called in torch: the artifact's table of them, matched with torch's schemas.

An op whose arguments and results all cross libtorch's stable C interface is called there; any other (one with a Scalar)
is called as a Python function, and so is one that failed, since only Python tells the type of
the exception. The native side (native/python/fallback.cpp) runs the plans made here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

from .runtime import ArtifactError

# An argument for the native side: (word, value…).
Spec = tuple[Any, ...]

_CPU = 0xFFFFFFFF  # device type 0 above, index -1 below
_PLAIN = {"IntType", "SymIntType", "FloatType", "BoolType"}
_DTYPES = {
    0: "uint8", 1: "int8", 2: "int16", 3: "int32", 4: "int64", 5: "float16", 6: "float32", 7: "float64",
    8: "complex32", 9: "complex64", 10: "complex128", 11: "bool", 15: "bfloat16",
}  # fmt: skip
_CODES = {"ScalarTypeType", "LayoutType", "MemoryFormatType"}


class _NotNative(Exception):
    """The stable C interface has no form for this argument."""


def plans(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One plan per row of the artifact's table. Imports torch."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        ops = ", ".join(sorted({row["op"] for row in rows}))
        raise ArtifactError(
            f"the program runs {ops} through PyTorch, which is not installed here. "
            "do: pip install torch, or compile with fallback='forbid' to learn where these ops come from"
        ) from error
    return [_plan(row) for row in rows]


def _plan(row: dict[str, Any]) -> dict[str, Any]:
    namespace, name, overload = _split(row["op"])
    schema = _schema(f"{namespace}::{name}", overload, row["op"])
    arguments = _with_defaults(row, schema)
    if len(row["results"]) != len(schema.returns):
        raise ArtifactError(f"the program takes {len(row['results'])} results of {row['op']}, it has {schema.returns}")
    plan = {
        "label": row["op"], "name": f"{namespace}::{name}", "overload": overload, "location": row.get("loc") or "",
        "function": _function(namespace, name, overload, schema), "results": row["results"],
        "python": [_python(value, formal.real_type) for value, formal in zip(arguments, schema.arguments)],
        "native": None,
    }  # fmt: skip
    with contextlib.suppress(_NotNative):
        if all(_is_native_result(result.real_type) for result in schema.returns):
            plan["native"] = [_native(value, formal.real_type) for value, formal in zip(arguments, schema.arguments)]
    return plan


def _split(op: str) -> tuple[str, str, str]:
    parts = op.removeprefix("torch.").split(".")
    if not 2 <= len(parts) <= 3:
        raise ArtifactError(f"the program names an op {op!r}, which is not of the form namespace.name.overload")
    return parts[0], parts[1], parts[2] if len(parts) == 3 else ""


def _schema(name: str, overload: str, op: str) -> Any:
    import torch

    for schema in torch._C._jit_get_schemas_for_operator(name):
        if schema.overload_name == overload:
            return schema
    raise ArtifactError(
        f"the program runs {op} through PyTorch, and torch {torch.__version__} has no such op. "
        "do: import the package that registers it, or use the torch version that the program was compiled with"
    )


def _with_defaults(row: dict[str, Any], schema: Any) -> list[dict[str, Any]]:
    given = list(row["args"])
    for formal in schema.arguments[len(given) :]:
        if not formal.has_default_value():
            raise ArtifactError(f"the program calls {row['op']} without its argument {formal.name!r}")
        given.append({"kind": "const", "value": formal.default_value})
    if len(given) > len(schema.arguments):
        raise ArtifactError(f"the program passes {len(given)} arguments to {row['op']}, it takes {schema}")
    return given


def _is_native_result(type_: Any) -> bool:
    if type_.kind() == "ListType":
        return type_.getElementType().kind() == "TensorType"
    return type_.kind() == "TensorType" or type_.kind() in _PLAIN


def _native(value: dict[str, Any], formal: Any) -> Spec:
    """An argument for the C interface: every word as the schema's type has it."""
    kind = formal.kind()
    if kind == "OptionalType":
        if value["kind"] == "const" and value["value"] is None:
            return ("none",)
        return ("some", _native(value, formal.getElementType()))
    if kind == "ListType":
        return ("list", [_native(item, formal.getElementType()) for item in _items(value)])
    if value["kind"] == "tensor" and kind == "TensorType":
        return ("tensor", value.get("dtype", ""))
    if value["kind"] in ("int", "float", "bool"):
        return _native_slot(value["kind"], kind)
    if value["kind"] != "const":
        raise _NotNative
    return _native_constant(value["value"], kind)


def _native_slot(kind: str, formal: str) -> Spec:
    if kind == "int" and formal in _PLAIN - {"BoolType"}:
        return ("int", formal == "FloatType")
    if (kind, formal) in (("float", "FloatType"), ("bool", "BoolType")):
        return (kind,)
    raise _NotNative


def _native_constant(value: Any, formal: str) -> Spec:
    if formal == "FloatType" and isinstance(value, int | float):
        return ("number", float(value))
    if formal in _PLAIN | _CODES and isinstance(value, int):
        return ("word", int(value))
    if formal == "StringType" and isinstance(value, str):
        return ("text", value)
    if formal == "DeviceObjType" and str(value) == "cpu":
        return ("word", _CPU)
    raise _NotNative


def _items(value: dict[str, Any]) -> list[dict[str, Any]]:
    if value["kind"] == "list":
        return value["items"]
    if value["kind"] == "const" and isinstance(value["value"], list | tuple):
        return [{"kind": "const", "value": item} for item in value["value"]]
    raise _NotNative


def _python(value: dict[str, Any], formal: Any) -> Spec:
    """An argument of a Python call."""
    kind = formal.kind()
    if kind == "OptionalType":
        return _python(value, formal.getElementType())
    if value["kind"] == "list":
        element = formal.getElementType() if kind == "ListType" else formal
        return ("list", [_python(item, element) for item in value["items"]])
    if value["kind"] == "tensor":
        return ("tensor", value.get("dtype", ""))
    if value["kind"] != "const":
        return ("int", False) if value["kind"] == "int" else (value["kind"],)
    return ("object", _python_constant(value["value"], kind))


def _python_constant(value: Any, formal: str) -> Any:
    if formal in ("NumberType", "TensorType") and isinstance(value, str):
        return complex(value)
    if formal not in _CODES or not isinstance(value, int):
        return value
    import torch

    if formal == "ScalarTypeType":
        return getattr(torch, _DTYPES[value])
    if formal == "LayoutType":
        return torch.strided
    return [torch.contiguous_format, torch.preserve_format, torch.channels_last, torch.channels_last_3d][value]


def _function(namespace: str, name: str, overload: str, schema: Any) -> Callable[..., Any]:
    import torch

    packet = getattr(getattr(torch.ops, namespace), name)
    op = getattr(packet, overload or "default")
    names = [formal.name for formal in schema.arguments if formal.kwarg_only]
    positional = len(schema.arguments) - len(names)

    def call(*values: Any) -> Any:
        return op(*values[:positional], **dict(zip(names, values[positional:])))

    return call
