"""`refrt.dispatch` op → `Dispatch`, and what a captured value of its region means."""

from __future__ import annotations

from typing import Any, Literal

from npcomp_dialects.mlir import ir

from .cluster import Cluster, unify
from .dispatch import Access, Dispatch, Index, Local, Loop, Operand, Stage, Write
from .structured import Generic


def parse(op: Any) -> Dispatch:
    """Read one dispatch. Its region is in the form that `materialize` writes."""
    block = op.regions[0].blocks[0]
    terminator = list(block.operations)[-1]
    arguments = list(block.arguments)
    first_out = len(arguments) - len(op.results)
    layouts = read_layouts(op, len(arguments))
    operands = [
        read_operand(i, a, layouts[n], n >= first_out)
        for i, (n, a) in enumerate((n, a) for n, a in enumerate(arguments) if isinstance(a.type, ir.RankedTensorType))
    ]
    scalars = [a for a in arguments if not isinstance(a.type, ir.RankedTensorType)]
    members = [Generic.of(inner) for inner in block.operations if inner.operation.name == "linalg.generic"]
    cluster = unify(members)
    assert cluster is not None, "a dispatch is formed from ops that fit one nest"
    outputs = [o for o in operands if o.role == "out"]
    escapes = dict(zip(terminator.operation.operands, outputs))
    by_value = {o.value: o for o in operands}
    stages = [_stage(cluster, m, by_value, escapes) for m in range(len(members))]
    return Dispatch(operands, scalars, _loops(cluster, stages), stages, cluster, op)


def read_operand(index: int, value: Any, layout: str, is_out: bool) -> Operand:
    kind = ir.RankedTensorType(value.type)
    sizes = tuple(None if s < 0 else s for s in kind.shape)
    dense = not layout.startswith("strided")
    strides = _dense_strides(sizes) if dense else _given_strides(layout)
    role: Literal["in", "out"] = "out" if is_out else "in"
    return Operand(index, str(kind.element_type), sizes, strides, dense, role, value, "constant" in layout)


def read_layouts(op: Any, count: int) -> list[str]:
    """One text an argument: `strided 8,1` for a view (`?` where unknown), `constant` where its contents are known."""
    if "layouts" not in op.attributes:
        return [""] * count
    return [a.value for a in op.attributes["layouts"]]


def _dense_strides(sizes: tuple[int | None, ...]) -> tuple[int | None, ...]:
    strides: list[int | None] = []
    step: int | None = 1
    for size in reversed(sizes):
        strides.append(step)
        step = None if step is None or size is None else step * size
    return tuple(reversed(strides))


def _given_strides(layout: str) -> tuple[int | None, ...]:
    texts = layout.removeprefix("strided ").split(",")
    return tuple(None if t == "?" else int(t) for t in texts if t)


def _stage(cluster: Cluster, m: int, operands: dict[Any, Operand], escapes: dict[Any, Operand]) -> Stage:
    generic = cluster.members[m]
    classes = cluster.loops[m]
    reads = tuple(_access(cluster, m, v, i, operands) for v, i in zip(generic.inputs, generic.in_maps))
    writes = []
    for n, (out, indices) in enumerate(zip(generic.outs, generic.out_maps)):
        init = _init(cluster, m, n, out, indices, operands)
        element = str(ir.RankedTensorType(out.type).element_type)
        places = tuple(_rename(i, classes) for i in indices)
        writes.append(Write(element, places, init, escapes.get(generic.op.results[n])))
    dims = tuple(None if d is None else classes[d] for d in generic.dims)
    return Stage(m, classes, dims, generic.kinds, reads, tuple(writes), generic.body, generic.op)


def _access(cluster: Cluster, m: int, value: Any, indices: tuple[Index, ...], operands: dict[Any, Operand]) -> Access:
    places = tuple(_rename(i, cluster.loops[m]) for i in indices)
    if value in cluster.producers:
        return Access(Local(*cluster.producers[value]), places)
    return Access(operands.get(value), places)


def _init(cluster: Cluster, m: int, n: int, out: Any, indices: tuple[Index, ...], operands: dict[Any, Operand]) -> Any:
    """Start value of result `n`: a scalar from a fill, a read, or None where the body ignores it."""
    generic = cluster.members[m]
    if not any(True for _ in generic.accumulators[n].uses):
        return None
    if (
        out not in cluster.producers
        and not isinstance(out.owner, ir.Block)
        and out.owner.operation.name == "linalg.fill"
    ):
        return out.owner.operation.operands[0]
    return _access(cluster, m, out, indices, operands)


def _rename(index: Index, classes: tuple[int, ...]) -> Index:
    return Index(tuple(sorted((classes[d], c) for d, c in index.terms)), index.constant)


def _loops(cluster: Cluster, stages: list[Stage]) -> list[Loop]:
    """Where each loop's extent is found: an operand that some stage indexes by that loop alone."""
    found: dict[int, tuple[int, int]] = {}
    for stage in stages:
        arrays = [(a.source, a.indices) for a in stage.reads] + [(w.operand, w.indices) for w in stage.writes]
        for source, indices in arrays:
            if not isinstance(source, Operand):
                continue
            for dim, index in enumerate(indices):
                if index.loop is not None:
                    found.setdefault(index.loop, (source.index, dim))
    return [Loop(cluster.sizes[c], *found.get(c, (-1, -1))) for c in range(len(cluster.sizes))]
