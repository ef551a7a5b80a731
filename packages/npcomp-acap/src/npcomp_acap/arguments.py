"""Arguments of a captured function as the function sees them: stand-ins that tell afterwards what was done to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from npcomp_acap.errors import CaptureError
from npcomp_acap.signature import Json


class Arguments:
    """The leaves of the arguments with stand-ins in the place of tensors.

    A stand-in records gradients where its example does, so that a write that eager torch refuses is refused here."""

    def __init__(self, leaves: Sequence[Any], fakes: Sequence[torch.Tensor]):
        pending = iter(fakes)
        self.leaves = [_stand_in(leaf, next(pending)) if isinstance(leaf, torch.Tensor) else leaf for leaf in leaves]
        self.tensors = [leaf for leaf in self.leaves if isinstance(leaf, torch.Tensor)]
        self._before = [_look(tensor) for tensor in self.tensors]

    def refuse_other_looks(self) -> None:
        """A program writes the contents of its arguments, nothing else."""
        for number, (tensor, before) in enumerate(zip(self.tensors, self._before, strict=True)):
            if str(_look(tensor)) != str(before):
                raise CaptureError(
                    f"tensor argument {number} gets other sizes, strides or another dtype in place, and a captured"
                    " program changes only the contents of its arguments",
                    do="assign a view, such as x = x.t(), and return it",
                )

    def aliases(self, results: Sequence[Any]) -> list[int | None]:
        """For each result the number of the tensor argument that it is, as the same object."""
        number = {id(tensor): n for n, tensor in enumerate(self.tensors)}
        return [number.get(id(result)) for result in results]


def _stand_in(example: torch.Tensor, fake: torch.Tensor) -> torch.Tensor:
    if example.requires_grad and example.is_leaf:
        return fake.detach().requires_grad_()
    return fake


def _look(tensor: torch.Tensor) -> tuple[Any, ...]:
    """To be compared as text at one time: comparing symbols would decide something about them."""
    return tensor.dtype, tuple(tensor.shape), tensor.stride()


def tensor_leaves(trees: Sequence[Json]) -> Iterator[Json]:
    """The tensors in a signature's arguments, depth first."""
    for tree in trees:
        if tree["kind"] == "tensor":
            yield tree
        yield from tensor_leaves(tree.get("items", ()))
