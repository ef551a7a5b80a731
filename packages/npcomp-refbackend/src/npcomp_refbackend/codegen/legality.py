"""Which clusters one kernel can run well, and by which family.

`nest`         pointwise chains and reductions over one grid of parallel loops (softmax, layer norm, pooling, sums)
`contraction`  one matrix product with the pointwise ops that follow it
`convolution`  one convolution with the pointwise ops that follow it
"""

from __future__ import annotations

from typing import Any

from npcomp_dialects.mlir import ir

from .cluster import Cluster
from .dispatch import REDUCTION
from .structured import Generic

MAX_MEMBERS = 48
MAX_OPERANDS = 24
MIN_ROW = 8  # a row shorter than this is not worth hoisting work out of
_CHEAP_OPS = 4


def root_family(generic: Generic) -> str | None:
    """`contraction` or `convolution` for the ops that have kernels of their own, else None."""
    if not generic.is_multiply_add or REDUCTION not in generic.kinds:
        return None
    if not generic.is_plain:
        return "convolution"
    lhs, rhs = ({i.loop for i in m} for m in generic.in_maps)
    out = {i.loop for i in generic.out_maps[0]}
    reduced = {d for d, kind in enumerate(generic.kinds) if kind == REDUCTION}
    if reduced <= lhs & rhs and (out & lhs - rhs or out & rhs - lhs):
        return "contraction"
    return None


def family(cluster: Cluster, escaping: set[int]) -> str | None:
    """The family that can run `cluster`, whose members `escaping` are read outside; None: it must not be one."""
    if len(cluster.members) > MAX_MEMBERS or _operand_count(cluster, escaping) > MAX_OPERANDS:
        return None
    roots = [m for m, g in enumerate(cluster.members) if root_family(g)]
    if len(roots) > 1 or not _extents_are_known(cluster, escaping):
        return None
    if roots:
        return _rooted(cluster, roots[0])
    return "nest" if _is_nest(cluster, escaping) else None


def _operand_count(cluster: Cluster, escaping: set[int]) -> int:
    outside = {v for g in cluster.members for v in g.inputs + g.captured() if v not in cluster.producers}
    return sum(not _is_number(v) for v in outside) + len(escaping)


def _is_number(value: Any) -> bool:
    """A scalar constant becomes part of the kernel."""
    tensor = isinstance(value.type, ir.RankedTensorType)
    return not tensor and not isinstance(value.owner, ir.Block) and value.owner.operation.name == "arith.constant"


def _extents_are_known(cluster: Cluster, escaping: set[int]) -> bool:
    """Every loop is static, or a dimension of a tensor that the kernel gets."""
    known = {c for c, size in cluster.sizes.items() if size is not None}
    for m, generic in enumerate(cluster.members):
        read = [n for n, value in enumerate(generic.inputs) if value not in cluster.producers]
        written = range(len(generic.inputs), len(generic.maps)) if m in escaping else ()
        for n in (*read, *written):
            known.update(cluster.loops[m][i.loop] for i in generic.maps[n] if i.loop is not None)
    return known >= set(cluster.sizes)


def _rooted(cluster: Cluster, root: int) -> str | None:
    """A root takes the pointwise ops over exactly its parallel loops that need it (an epilogue)."""
    grid = cluster.parallel(root)
    for m, generic in enumerate(cluster.members):
        if m == root:
            continue
        epilogue = generic.is_pointwise and generic.is_plain and set(cluster.loops[m]) == grid
        if m < root or not epilogue:
            return None
    return root_family(cluster.members[root])


def _is_nest(cluster: Cluster, escaping: set[int]) -> bool:
    grid, inlined = grid_of(cluster)
    if inlined & escaping:
        return False
    members = [m for m in range(len(cluster.members)) if m not in inlined]
    if any(cluster.reduced(m) and cluster.parallel(m) != grid for m in members):
        return False
    reductions = [m for m in members if cluster.reduced(m)]
    rows = [m for m in members if set(cluster.loops[m]) - grid]
    if not grid and len(set(_levels(cluster, rows))) > 1:
        return False
    hoisted = [m for m in members if not cluster.reduced(m) and set(cluster.loops[m]) == grid]
    if rows and hoisted and not reductions:
        return all(_is_outer(cluster, grid, m) for m in rows)
    return True


def grid_of(cluster: Cluster) -> tuple[frozenset[int], set[int]]:
    """The loops that are parallel in every member, and the cheap members computed anew wherever they are read
    because they do not span those loops (a bias that is cast, a mask made of an iota)."""
    heavy = [m for m, g in enumerate(cluster.members) if not is_cheap(g)]
    widest = max(range(len(cluster.members)), key=lambda m: len(cluster.parallel(m)))
    grid = cluster.parallel(widest) if not heavy else cluster.parallel(heavy[0])
    for m in heavy:
        grid &= cluster.parallel(m)
    inlined = {m for m, g in enumerate(cluster.members) if is_cheap(g) and not grid <= cluster.parallel(m)}
    return grid, inlined


def is_cheap(generic: Generic) -> bool:
    """Cheaper to compute again than to store and load: a few simple ops."""
    names = generic.body_names
    if not generic.is_pointwise or not generic.is_plain or len(names) > _CHEAP_OPS + 1:
        return False
    return not any(n.startswith("math.") or n in ("tensor.extract", "arith.divf", "func.call") for n in names)


def _levels(cluster: Cluster, rows: list[int]) -> list[int]:
    """The pass over the inner loops that each of `rows` runs in: one more for every reduction it waits for."""
    level: dict[int, int] = {}
    for m in range(len(cluster.members)):
        waits = [level[d] + bool(cluster.reduced(d)) for d in cluster.dependencies(m)]
        level[m] = max(waits, default=0)
    return [level[m] for m in rows]


def _is_outer(cluster: Cluster, grid: frozenset[int], member: int) -> bool:
    """The member's grid loops are its outermost ones and what is inside is long enough."""
    loops = [i.loop for i in cluster.members[member].out_maps[0]]
    order = [cluster.loops[member][d] for d in loops if d is not None]
    inner = [c for c in order if c not in grid]
    size = 1
    for c in inner:
        known = cluster.sizes[c]
        size *= known if known is not None else MIN_ROW
    return order[len(order) - len(inner) :] == inner and size >= MIN_ROW
