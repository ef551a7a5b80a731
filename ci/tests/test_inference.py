"""Inference of some ops on changed and hidden arguments; `nox -s inference` has all ops."""

from __future__ import annotations

import inference
import pytest
from npcomp_dialects.aten import registry

OPS = [b.name() for b in registry.all_ops() if b.kind() != "fallback" and b.cases][::24]


@pytest.mark.parametrize("name", OPS)
def test_inference_agrees_with_torch(name: str):
    if "batch_norm" in name or "backward" in name or "dot_product" in name:
        pytest.skip("torch dies of some illegal calls; the session survives that")
    made, failures = inference.check(name, seeds=2)
    assert not failures, "\n".join(map(str, failures[:3]))
    assert made
