"""Calls that read a tensor by storage strides, such as `as_strided`: programs know dense tensors only.

Such a call is right on a tensor that is dense in torch too. On a transposed or cut view it is moved to the dense tensor
that the view was taken from; where there is none, the capture is refused."""

from __future__ import annotations

from typing import Any

import torch

from npcomp_acap import user_lines
from npcomp_acap.errors import CaptureError


def on_dense_tensors(graph: torch.fx.Graph) -> None:
    """Moves every call with a storage offset to a tensor that is dense, or raises `CaptureError`."""
    for node in graph.nodes:
        target = node.target
        if not isinstance(target, torch._ops.OpOverload):
            continue
        names = [a.name for a in target._schema.arguments]
        if "storage_offset" not in names or not isinstance(node.args[0], torch.fx.Node):
            continue
        viewed = node.args[0]
        place = names.index("storage_offset")
        given = node.args[place] if len(node.args) > place else node.kwargs.get("storage_offset")
        if given is None and viewed.meta["val"].is_contiguous():  # counts from the view's own first element
            continue
        dense = _dense_origin(viewed)
        if dense is viewed:
            continue
        if dense is None or "src" in names:
            message = f"{target} of a tensor whose elements are not in row-major order"
            raise CaptureError(message, user_lines.of_node(node), do="call contiguous() on it first")
        node.kwargs = {k: v for k, v in node.kwargs.items() if k != "storage_offset"}
        offset = viewed.meta["val"].storage_offset() if given is None else given
        node.args = (dense, *node.args[1:place], offset)


def _dense_origin(node: Any) -> torch.fx.Node | None:
    """The node if its tensor fills its storage in order, else the nearest tensor that it is a view of and that does."""
    while isinstance(node, torch.fx.Node):
        value = node.meta.get("val")
        if not isinstance(value, torch.Tensor):
            return None
        if value.is_contiguous() and value.storage_offset() == 0:
            return node
        if not _is_view(node.target):
            return None
        node = node.args[0]
    return None


def _is_view(target: Any) -> bool:
    arguments = target._schema.arguments if isinstance(target, torch._ops.OpOverload) else []
    return bool(arguments) and arguments[0].alias_info is not None and not arguments[0].alias_info.is_write
