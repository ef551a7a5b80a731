"""The part of the eager builder that puts elements in order and in their places."""

from __future__ import annotations

from typing import Any

import torch

REDUCE = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


class EagerOrder:
    """See aten.trial_order.OrderTrial for the interface."""

    _run: Any

    def scatter(self, kind: str, x: Any, dim: int, index: Any, src: Any) -> Any:
        v, i, s = x.value, index.value.long(), src.value
        assert s.dtype == v.dtype, (s.dtype, v.dtype)
        assert not i.numel() or (int(i.min()) >= 0 and int(i.max()) < v.shape[dim]), "an index was not guarded"
        if kind == "set":
            real = v.clone()
            for place in torch.cartesian_prod(*map(torch.arange, i.shape)).reshape(-1, i.dim()).tolist():
                where = list(place)
                where[dim] = int(i[tuple(place)])
                real[tuple(where)] = s[tuple(place)]
        elif v.dtype == torch.bool:
            kind = {"add": "max", "mul": "min"}.get(kind, kind)
            real = v.to(torch.uint8).scatter_reduce(dim, i, s.to(torch.uint8), REDUCE[kind]).bool()
        else:
            real = v.scatter_reduce(dim, i, s, REDUCE[kind])
        return self._run("scatter", real, kind, x, dim, index, src)

    def sort(self, x: Any, dim: int, descending: bool) -> Any:
        return self._run("sort", tuple(torch.sort(x.value, stable=True, dim=dim, descending=descending)), x, dim, False)

    def scan(self, kind: str, x: Any, dim: int) -> Any:
        v = x.value
        if kind in ("max", "min"):
            return self.scan_indices(kind, x, dim)[0]
        fn = {"sum": torch.cumsum, "prod": torch.cumprod, "logsumexp": torch.logcumsumexp}[kind]
        return self._run("scan", fn(v, dim).to(v.dtype), kind, x, dim)

    def scan_indices(self, kind: str, x: Any, dim: int) -> Any:
        fn = {"max": torch.cummax, "min": torch.cummin}[kind]
        return self._run("scan_indices", tuple(fn(x.value, dim)), kind, x, dim)

    def search(self, sequence: Any, values: Any, right: bool) -> Any:
        real = torch.searchsorted(sequence.value.contiguous(), values.value.contiguous(), right=right)
        return self._run("search", real, sequence, values, right)
