"""What of ATen compiles: the facts behind docs/reference/coverage.md and coverage.json.

Everything comes from the op library itself: how an op is compiled from its block, for which dtypes from a run of its
lowering on types, whether with unknown sizes from its cases. `core_ops.txt` lists the overloads that torch tags as
core; `python ci/coverage.py` writes it anew from the torch that is installed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CORE = HERE / "core_ops.txt"
BOARD = HERE.parent / "docs" / "opinfo.json"
DTYPES = ("f32", "f64", "f16", "bf16", "i8", "u8", "i16", "i32", "i64", "bool")
KINDS = ("native", "decomposed", "fallback", "refused", "unlisted")
MEANINGS = {
    "native": "a lowering of its own",
    "decomposed": "becomes other ops",
    "fallback": "known, runs torch's kernel",
    "refused": "known, and no program with it compiles",
    "unlisted": "no block: travels with torch's schema and runs torch's kernel",
}


def facts() -> dict[str, dict[str, Any]]:
    """What holds of each overload of the op library: how it compiles, dtypes that the lowering takes, unknown sizes."""
    from npcomp_dialects.aten import registry

    return {block.name(): _facts(block) for block in registry.all_ops()}


def _facts(block: Any) -> dict[str, Any]:
    from npcomp_dialects.aten.cases import as_case

    cases = [as_case(case) for case in block.cases]
    kind = (
        "refused" if cases and not any(_infers(block, case.arguments(block.schema)) for case in cases) else block.kind()
    )
    found: dict[str, Any] = {"family": block.family, "compiled": kind}
    if kind in ("native", "decomposed"):
        found["dtypes"] = [name for name in DTYPES if any(_takes(block, case, name) for case in cases[:3])]
        found["dynamic"] = any(case.symbols() for case in cases)
    variants = [name for name in (block.inplace, *block.out) if name]
    return {**found, "variants": [name.partition("(")[0].replace("::", ".") for name in variants]}


def _takes(block: Any, case: Any, name: str) -> bool:
    """Does the lowering take the case with the dtype in the place of its first tensor's?"""
    from npcomp_dialects.aten.cases import TensorSpec
    from npcomp_dialects.aten.dtypes import DType

    own = next((spec.dtype for spec in case.tensors()), None)
    if own is None:
        return False

    def value(written: Any) -> Any:
        if isinstance(written, list):
            return [value(item) for item in written]
        if not isinstance(written, TensorSpec):
            return written
        return replace(written, dtype=DType[name]) if written.dtype is own else written

    return _infers(block, [value(written) for written in case.arguments(block.schema)])


def _infers(block: Any, arguments: list[Any]) -> bool:
    """Is a call with such arguments one that compiles?"""
    from npcomp_dialects.aten.cases import TensorSpec
    from npcomp_dialects.aten.errors import InferError

    def known(written: Any) -> Any:
        if isinstance(written, list):
            return [known(item) for item in written]
        return written.info() if isinstance(written, TensorSpec) else written

    try:
        block.infer(*map(known, arguments))
    except InferError:
        return False
    return True


def core_ops() -> list[str]:
    """The overloads that torch tags as core."""
    return CORE.read_text().split()


def status_of(name: str, known: dict[str, dict[str, Any]]) -> str:
    """How an overload of torch's compiles; an in-place or out variant as the op it reduces to."""
    from npcomp_dialects.aten import registry

    base = registry.inplace_of(name) or registry.out_of(name) or name
    return known[base]["compiled"] if base in known else "unlisted"


def text() -> str:
    """coverage.json"""
    known = facts()
    core = {name: status_of(name, known) for name in core_ops()}
    return json.dumps({"ops": known, "core": core}, indent=1, sort_keys=True) + "\n"


def page() -> str:
    """coverage.md, without the note of gen.py."""
    known = facts()
    core = {name: status_of(name, known) for name in core_ops()}
    parts = [
        "# Coverage\n",
        *(f"- *{kind}*: {meaning}." for kind, meaning in MEANINGS.items()),
        "\nDtypes are those that the lowering takes in the place of the first tensor's. *dynamic*: tested with unknown"
        "\nsizes. `coverage.json` has the same facts and the in-place and out variants.\n",
        f"{len(known)} overloads: {_counted(row['compiled'] for row in known.values())}."
        f" torch's {len(core)} core overloads: {_counted(core.values())}.\n",
        *_board(),
        "## Families\n\n| family | " + " | ".join(KINDS[:4]) + " |\n|---|" + "---:|" * 4,
        *_families(known),
        "\n## torch's core overloads\n",
        *(f"- {kind}: {_names(core, kind)}" for kind in KINDS if kind in core.values()),
        "\n## Every overload\n\n| op | compiled | dtypes | dynamic |\n|---|---|---|---|",
        *(_row(name, row) for name, row in known.items()),
    ]
    return "\n".join(parts) + "\n"


def _counted(kinds: Any) -> str:
    counts = Counter(kinds)
    return ", ".join(f"{counts[kind]} {kind}" for kind in KINDS if counts[kind])


def _names(core: dict[str, str], kind: str) -> str:
    return ", ".join(f"`{name.removeprefix('aten.')}`" for name, status in core.items() if status == kind)


def _families(known: dict[str, dict[str, Any]]) -> Iterator[str]:
    for family in sorted({row["family"] for row in known.values()}):
        counts = Counter(row["compiled"] for row in known.values() if row["family"] == family)
        yield f"| {family} | " + " | ".join(str(counts[kind] or "") for kind in KINDS[:4]) + " |"


def _row(name: str, row: dict[str, Any]) -> str:
    dtypes = row.get("dtypes", [])
    shown = "all" if len(dtypes) == len(DTYPES) else " ".join(dtypes)
    return f"| `{name}` | {row['compiled']} | {shown} | {'yes' if row.get('dynamic') else ''} |"


def _board() -> list[str]:
    """One line about the last run over torch's own operator database, if one is there."""
    if not BOARD.exists():
        return []
    summary = json.loads(BOARD.read_text()).get("summary", {})
    shown = ", ".join(
        f"{name.replace('_', ' ')} {value}" for name, value in summary.items() if not isinstance(value, dict)
    )
    return [f"torch's operator database, last run (`nox -s opinfo`): {shown}.\n"] if shown else []


def write_core() -> None:
    """Asks the installed torch which of its overloads are core."""
    import torch

    names = []
    for name in torch._C._dispatch_get_all_op_names():
        namespace, _, rest = name.partition("::")
        base, _, overload = rest.partition(".")
        if namespace == "aten":
            op = getattr(getattr(torch.ops.aten, base), overload or "default")
            names += [name.replace("::", ".")] if torch.Tag.core in op.tags else []
    CORE.write_text("\n".join(sorted(names)) + "\n")
    print(f"coverage: {len(names)} core overloads in {CORE.name}")


if __name__ == "__main__":
    write_core()
