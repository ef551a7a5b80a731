"""tcf.scatter, sort, scan and search, written as IR with every size unknown, compute what torch does."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from lowering.test_tcf_numeric import Op, convert, run
from npcomp_dialects.mlir import ir
from reference_evaluator import GuardError

SIZES = [[(4, 3)], [(0, 3)], [(1, 1)], [(3, 0)], [(2, 17)]]
ELEMENTS = {"f32": torch.float32, "f64": torch.float64, "i64": torch.int64, "i8": torch.int8}
REDUCE = {"add": "sum", "mul": "prod", "max": "amax", "min": "amin"}


def module(body: str, element: str, results: str) -> ir.Module:
    return convert(Op("order", body, results, torch.clone, [[(1, 1)]], element).text())


def sample(sizes: tuple[int, ...], element: str, special: bool = False) -> torch.Tensor:
    """Few distinct values, so that many are equal."""
    x = torch.randint(-3, 4, sizes).to(ELEMENTS[element])
    if special and x.is_floating_point() and x.numel() > 2:
        x.view(-1)[:: max(2, x.numel() // 3)] = float("nan")
    return x


@pytest.mark.parametrize("element", ELEMENTS)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("dim", [0, 1])
def test_sort_is_stable_and_takes_nan_for_the_largest(element: str, descending: bool, dim: int) -> None:
    values, indices = f"tensor<?x?x{element}>", "tensor<?x?xi64>"
    made = convert(f"""
        func.func @forward(%x: {values}) -> ({values}, {indices}) {{
          %v, %i = tcf.sort %x dim {dim} descending {str(descending).lower()} : ({values}) -> ({values}, {indices})
          return %v, %i : {values}, {indices}
        }}""")
    for (sizes,) in SIZES:
        x = sample(sizes, element, special=True)
        got_values, got_indices = run(made, x, dtype=x.dtype)
        want_values, want_indices = torch.sort(x, dim=dim, descending=descending, stable=True)
        assert torch.equal(got_indices, want_indices)
        torch.testing.assert_close(got_values, want_values, rtol=0, atol=0, equal_nan=True)


SCANS: dict[str, Any] = {"sum": torch.cumsum, "prod": torch.cumprod, "logsumexp": torch.logcumsumexp}


@pytest.mark.parametrize(("kind", "element"), [("sum", "f32"), ("sum", "i64"), ("prod", "f32"), ("logsumexp", "f64")])
@pytest.mark.parametrize("dim", [0, 1])
def test_scan_runs_along_a_dim(kind: str, element: str, dim: int) -> None:
    type = f"tensor<?x?x{element}>"
    made = module(f'%r = tcf.scan "{kind}" %x0 dim {dim} : ($T0) -> $R', element, type)
    for (sizes,) in SIZES:
        x = sample(sizes, element)
        torch.testing.assert_close(run(made, x, dtype=x.dtype), SCANS[kind](x, dim))


@pytest.mark.parametrize("kind", ["max", "min"])
@pytest.mark.parametrize("element", ["f32", "i8"])
def test_running_extrema_have_the_last_index_and_nan_wins(kind: str, element: str) -> None:
    values, indices = f"tensor<?x?x{element}>", "tensor<?x?xi64>"
    made = convert(f"""
        func.func @forward(%x: {values}) -> ({values}, {indices}) {{
          %v, %i = tcf.scan "{kind}" %x dim 1 : ({values}) -> ({values}, {indices})
          return %v, %i : {values}, {indices}
        }}""")
    for (sizes,) in SIZES:
        x = sample(sizes, element, special=True)
        got_values, got_indices = run(made, x, dtype=x.dtype)
        want = getattr(torch, f"cum{kind}")(x, 1)
        assert torch.equal(got_indices, want.indices)
        torch.testing.assert_close(got_values, want.values, rtol=0, atol=0, equal_nan=True)


def scatter(kind: str, element: str) -> ir.Module:
    t = f"tensor<?x?x{element}>"
    return convert(f"""
        func.func @forward(%x: {t}, %index: tensor<?x?xi64>, %src: {t}) -> {t} {{
          %r = tcf.scatter "{kind}" %x, %index, %src dim 0 : ({t}, tensor<?x?xi64>, {t}) -> {t}
          return %r : {t}
        }}""")


@pytest.mark.parametrize("kind", REDUCE)
@pytest.mark.parametrize("element", ["f32", "i64"])
def test_scatter_combines_in_order(kind: str, element: str) -> None:
    made = scatter(kind, element)
    for n, index_sizes, src_sizes in [
        (4, (7, 3), (7, 3)),
        (1, (2, 2), (3, 5)),
        (4, (0, 3), (2, 3)),
        (2, (1, 1), (1, 1)),
    ]:
        x, src = sample((n, 3), element), sample(src_sizes, element)
        index = torch.randint(0, n, index_sizes)
        want = x.scatter_reduce(0, index, src, REDUCE[kind])
        assert torch.equal(run(made, x, index, src, dtype=x.dtype), want)


def test_the_last_of_several_elements_that_are_set_stays() -> None:
    made = scatter("set", "f32")
    index = torch.tensor([[0], [0], [1], [0]])
    got = run(made, torch.zeros(2, 1), index, torch.arange(4.0).reshape(4, 1))
    assert got.flatten().tolist() == [3, 2]


def test_scatter_guards_its_sizes() -> None:
    made = scatter("set", "f32")
    with pytest.raises(GuardError, match="index size 4 at dimension 1 to be no larger than self size 3"):
        run(made, torch.zeros(2, 3), torch.zeros(1, 4, dtype=torch.int64), torch.zeros(1, 4))
    with pytest.raises(GuardError, match="index size 3 at dimension 0 to be no larger than src size 2"):
        run(made, torch.zeros(2, 3), torch.zeros(3, 3, dtype=torch.int64), torch.zeros(2, 3))


@pytest.mark.parametrize("right", [False, True])
def test_search_of_one_row_and_of_many(right: bool) -> None:
    flag = str(right).lower()
    one = convert(f"""
        func.func @forward(%s: tensor<?xf32>, %v: tensor<?x?xf32>) -> tensor<?x?xi64> {{
          %r = tcf.search %s, %v right {flag} : (tensor<?xf32>, tensor<?x?xf32>) -> tensor<?x?xi64>
          return %r : tensor<?x?xi64>
        }}""")
    rows = convert(f"""
        func.func @forward(%s: tensor<?x?xf32>, %v: tensor<?x?xf32>) -> tensor<?x?xi64> {{
          %r = tcf.search %s, %v right {flag} : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xi64>
          return %r : tensor<?x?xi64>
        }}""")
    for count in (0, 1, 6):
        sequence, values = sample((count,), "f32").sort().values, sample((2, 5), "f32")
        assert torch.equal(run(one, sequence, values), torch.searchsorted(sequence, values, right=right))
        sequence = sample((2, count), "f32").sort(dim=1).values
        assert torch.equal(run(rows, sequence, values), torch.searchsorted(sequence, values, right=right))
    with pytest.raises(GuardError, match="but we got sizes 3 and 2"):
        run(rows, torch.zeros(3, 4), torch.zeros(2, 4))
