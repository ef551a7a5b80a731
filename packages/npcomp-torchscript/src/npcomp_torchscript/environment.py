"""Questions of a program about where and how it runs, answered at import.

A compiled program runs on the CPU, on dense tensors, without autocast. Whether gradients are wanted is what eager torch
would say at the time of import: libraries choose by it between ways to compute the same values."""

from __future__ import annotations

from typing import Any

import torch

FALSE = {
    "prim::is_nested", "prim::is_cuda", "prim::is_sparse", "prim::is_sparse_csr", "prim::is_quantized", "prim::is_meta",
    "prim::is_mkldnn", "prim::is_mps", "prim::is_vulkan", "prim::is_xla", "prim::is_xpu", "prim::is_ipu",
    "prim::is_maia", "prim::is_mtia", "aten::is_autocast_enabled", "aten::is_autocast_cpu_enabled",
}  # fmt: skip


FUNCTIONS = {"__torch__.torch.backends.mha.get_fastpath_enabled": False}
"""Functions that ask whether a fused kernel may take the place of the formula: the compiler fuses by itself."""


def answer_of_function(node: Any) -> bool | None:
    """The answer of a `prim::CallFunction` node that asks about the environment; None for other functions."""
    return FUNCTIONS.get(node.inputsAt(0).type().annotation_str)


def answer(node: Any, attribute: Any) -> bool | str | None:
    """The answer to a node that asks such a question; None for other nodes.

    `attribute(node)` is the tensor that a `prim::GetAttr` node reads, or None where objects differ."""
    kind = node.kind()
    if kind in FALSE:
        return False
    if kind == "prim::is_cpu":
        return True
    if kind == "aten::is_grad_enabled":
        return torch.is_grad_enabled()
    if kind == "prim::requires_grad":
        return _requires_grad(node.input().node(), attribute)
    if kind == "prim::type" and node.input().node().kind() == "prim::device":
        return "cpu"
    return None


def _requires_grad(source: Any, attribute: Any) -> bool:
    if source.kind() != "prim::GetAttr":
        return False
    held = attribute(source)
    return isinstance(held, torch.Tensor) and held.requires_grad
