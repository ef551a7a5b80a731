"""Inference of some ops on changed and hidden arguments; `nox -s inference` has all ops."""

from __future__ import annotations

import inference
import pytest

OPS = (
    "aten.add.Tensor",
    "aten.addmm",
    "aten.any.dims",
    "aten.arange.start_step",
    "aten.bmm",
    "aten.cat",
    "aten.clamp",
    "aten.cov",
    "aten.diff",
    "aten.embedding",
    "aten.expand",
    "aten.gather",
    "aten.linear",
    "aten.max.dim",
    "aten.mean.dim",
    "aten.permute",
    "aten.slice.Tensor",
    "aten.softmax.int",
    "aten.split.Tensor",
    "aten.unsqueeze",
    "aten.view",
    "aten.where.self",
)


@pytest.mark.parametrize("name", OPS)
def test_inference_agrees_with_torch(name: str):
    made, failures = inference.check(name, seeds=2)
    assert not failures, "\n".join(map(str, failures[:3]))
    assert made
