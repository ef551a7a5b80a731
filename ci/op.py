"""Prints a filled block for an ATen op, ready to paste into a file of npcomp_dialects/aten.

    python ci/op.py aten::tanh
    python ci/op.py aten.add.Tensor --file

`--file` adds the imports that a new file needs. The schema, its in-place and out variants and the arguments of the
cases come from torch's registry; the family is a guess from the schema. Where no body is known the block says what to
write. Then `nox -s opcheck -- aten.tanh`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from npcomp_dialects.aten.schema import Argument, Schema

LIBRARY = Path(__file__).resolve().parent.parent / "packages" / "npcomp-dialects" / "src"
WIDTH = 116
TO_FLOAT = ["exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "tanh", "sin", "cos", "tan", "erf", "sigmoid"]
"""Functions of the builder's `b.math` whose result is always a float."""

EXAMPLES = {"Scalar": "2", "int": "1", "SymInt": "1", "float": "0.5", "bool": "True", "ScalarType": "6"}


def torch_schemas() -> dict[str, str]:
    """Every schema torch knows, by its qualified name."""
    import torch

    schemas = torch._C._jit_get_all_schemas()
    return {s.name + (f".{s.overload_name}" if s.overload_name else ""): str(s) for s in schemas}


def meant(schemas: dict[str, str], name: str) -> list[str]:
    """The qualified names a user may mean by `aten::tanh`, `aten.tanh` or `tanh`; variants are left out."""
    bare = name.removeprefix("aten::").removeprefix("aten.")
    exact = f"aten::{bare}"
    if exact in schemas:
        return [exact]
    return [n for n in sorted(schemas) if n.startswith(exact + ".") and not schemas[n].count("Tensor(a!)")]


FOLDERS = {
    "Elementwise": "families.elementwise",
    "Reduction": "families.reduction",
    "View": "families.view",
    "Factory": "families.factory",
    "Backward": "families.backward",
    "Scalar": "families.scalar",
    "Decomposed": "families.decomposed",
    "Block": "block",
}


def is_composite(schema: Schema) -> bool:
    """True for an op that torch itself makes of other ops."""
    import torch

    return torch._C._dispatch_has_kernel_for_dispatch_key(schema.torch_name, "CompositeImplicitAutograd")


def guess_family(schema: Schema) -> tuple[str, str]:
    """The family's class and the method that a block of it writes."""
    names = {a.name for a in schema.arguments}
    returned = schema.returns[0].type if schema.returns else None
    if returned is None or returned.leaf != "Tensor":
        return "Scalar", "lower"
    if is_composite(schema):
        return "Decomposed", "decompose"
    if schema.base.endswith("_backward"):
        return "Backward", "lower"
    if "keepdim" in names:
        return "Reduction", "reduce"
    if returned.aliases or returned.is_list:
        return "View", "lower"
    if not schema.arguments or not any(a.type.leaf == "Tensor" for a in schema.arguments):
        return "Factory", "lower"
    plain = len(schema.returns) == 1 and not any(a.type.inner.is_list for a in schema.arguments)
    return ("Elementwise", "scalar") if plain else ("Block", "lower")


def variants(schemas: dict[str, str], schema: Schema) -> str:
    """`, inplace=…, out=…` for the variants that torch has and whose schema follows from this one."""
    from npcomp_dialects.aten import registry
    from npcomp_dialects.aten.errors import SchemaError

    suffix = f".{schema.overload}" if schema.overload else ""
    found = ""
    inplace = f"aten::{schema.base}_{suffix}"
    if inplace in schemas:
        found += f', inplace="{inplace}"'
    for overload in ("out", f"{schema.overload}_out"):
        name = f"aten::{schema.base}.{overload}"
        try:
            if name in schemas and str(registry.out_schema(schema, name)) == schemas[name]:
                return found + f', out="{name}"'
        except SchemaError:
            break
    return found


def parameters(schema: Schema, method: str) -> list[str]:
    """What the block's method takes."""
    names = [
        {"self": "x", "other": "y", "input": "x", "a": "x", "b": "y"}.get(a.name, a.name) for a in schema.arguments
    ]
    if method == "reduce":
        rest = [n for n, a in zip(names, schema.arguments) if a.name not in ("self", "dim", "keepdim", "dtype")]
        return ["b", "x", "dims", "keepdim", *rest]
    return ["b", *names]


def body(schema: Schema, method: str) -> str:
    """The line to write, or the whole of it where the builder has the function."""
    if schema.base in TO_FLOAT and method == "scalar":
        return f"return b.math.{schema.base}(x)"
    return f'raise NotImplementedError("do: say what {schema.torch_name} computes")'


def example(argument: Argument, dims: str) -> str:
    """An argument of a case."""
    if argument.type.is_tensor:
        return f"f32({dims})"
    if argument.type.inner.is_list:
        return f"[{example_leaf(argument, dims)}]"
    return example_leaf(argument, dims)


def example_leaf(argument: Argument, dims: str) -> str:
    return f"f32({dims})" if argument.type.leaf == "Tensor" else EXAMPLES.get(argument.type.leaf, "None")


def cases(schema: Schema) -> str:
    """A static and a dynamic case with the arguments that have no default."""
    needed = [a for a in schema.arguments if not a.has_default]
    takes_tensors = any(a.type.leaf == "Tensor" for a in needed)
    written = []
    for dims in ("3, 4", '"?", 5') if takes_tensors else ("",):
        values = [f"{a.name}=" * a.keyword_only + example(a, dims) for a in needed]
        lone = len(values) == 1 and needed[0].type.is_tensor
        written.append(values[0] if lone else f"case({', '.join(values)})")
    return f"cases = [{', '.join(written)}]"


def decorator(schemas: dict[str, str], schema: Schema) -> str:
    """The `@op` line, broken where it is long."""
    quote = "'" if '"' in str(schema) else '"'
    text, others = f"{quote}{schema}{quote}", variants(schemas, schema)
    if len(text) + len(others) + 5 <= WIDTH:
        return f"@op({text}{others})"
    if len(text) > WIDTH - 6:
        cut = text.rindex(" ", 0, WIDTH - 6) + 1
        text = f"{text[:cut]}{quote}\n    {quote}{text[cut:]}"
    return f"@op(\n    {text}{others.replace(', ', ',' + chr(10) + '    ')},\n)"


def block(schemas: dict[str, str], name: str) -> str:
    """The block of one schema."""
    from npcomp_dialects.aten.schema import parse

    schema = parse(schemas[name])
    family, method = guess_family(schema)
    title = "".join(part.capitalize() for part in f"{schema.base}_{schema.overload}".split("_") if part)
    lines = [
        decorator(schemas, schema),
        f"class {title}({family}):",
        f'    """{title}: say in one line what it computes."""',
        "",
        *(["    dtype = promote_to_float", ""] if schema.base in TO_FLOAT and method == "scalar" else []),
        f"    def {method}({', '.join(parameters(schema, method))}):",
        f"        {body(schema, method)}",
        "",
        f"    {cases(schema)}",
    ]
    return "\n".join(lines)


def imports(schemas: dict[str, str], names: list[str]) -> str:
    """What a new file of such blocks imports."""
    from npcomp_dialects.aten.schema import parse

    parsed = [parse(schemas[n]) for n in names]
    text = "\n".join(block(schemas, n) for n in names)
    lines = {f"from .{FOLDERS[family]} import {family}" for family in (guess_family(s)[0] for s in parsed)}
    used = [name for name in ("case", "f32") if f"{name}(" in text]
    lines |= {f"from .cases import {', '.join(used)}"} if used else set()
    lines |= {"from .promotion import promote_to_float"} if "promote_to_float" in text else set()
    return "\n".join(["from __future__ import annotations\n", *sorted({*lines, "from .registry import op"})])


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="nox -s op --", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", help="aten::tanh, aten.add.Tensor or tanh")
    parser.add_argument("--file", action="store_true", help="with the imports of a new file")
    options = parser.parse_args(arguments)
    name = options.name
    if str(LIBRARY) not in sys.path:
        sys.path.insert(0, str(LIBRARY))
    schemas = torch_schemas()
    found = meant(schemas, name)
    if not found:
        print(f"torch knows no op {name!r}; do: spell it as torch does, e.g. aten::tanh", file=sys.stderr)
        return 1
    if options.file:
        print(imports(schemas, found), end="\n\n\n")
    print("\n\n\n".join(block(schemas, n) for n in found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
