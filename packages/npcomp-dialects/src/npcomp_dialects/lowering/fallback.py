"""Kernel fallback: an op that we do not lower stays `torch.operator`, and runs as torch's own kernel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from npcomp_dialects.mlir import ir

from .boundary import Boundary


def keep(boundary: Boundary, op: ir.Operation, name: str, values: Sequence[Any]) -> list[Any]:
    """Builds `torch.operator` from lowered operands; tensors cross at the border."""
    operands = [boundary.to_torch(v, o.type) for v, o in zip(values, op.operands, strict=True)]
    results = [r.type for r in op.results]
    made = boundary.emitter.op("torch.operator", operands, results, {"name": ir.StringAttr.get(name)})
    return [boundary.from_torch(r) for r in made.results]
