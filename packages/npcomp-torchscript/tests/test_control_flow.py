"""Branches, loops, exceptions, and types that widen or narrow on the way."""

from __future__ import annotations

from typing import Optional

import npcomp_torchscript as nts
import torch


def test_if_elif_else(find):
    def model(x, n: int):
        if n == 0:
            y = x + 1
        elif n == 1:
            y = x + 2
        else:
            y = x + 3
        return y

    outer, inner = find(nts.import_module(model), "torch.prim.If")
    assert [str(r.type) for r in outer.results] == ["!torch.tensor"]
    assert inner.parent == outer


def test_yields_widen(find):
    def model(x, n: int):
        y: Optional[int] = None  # noqa: UP045
        if n > 0:
            y = n
        return y

    module = nts.import_module(model)
    (branch,) = find(module, "torch.prim.If")
    assert str(branch.results[0].type) == "!torch.optional<int>"
    for op in find(module, "torch.prim.If.yield"):
        assert str(op.operands[0].type) == "!torch.optional<int>"


def test_for_loop(find):
    def model(x):
        for i in range(x.size(0)):
            x = x + i
        return x

    (loop,) = find(nts.import_module(model), "torch.prim.Loop")
    assert loop.operands[1].owner.attributes["value"].value is True
    assert [str(a.type) for a in loop.regions[0].blocks[0].arguments] == ["!torch.int", "!torch.tensor"]


def test_while_loop(find):
    def model(x):
        while bool(x.sum() < 3):
            x = x + 1
        return x

    (loop,) = find(nts.import_module(model), "torch.prim.Loop")
    assert loop.operands[0].owner.attributes["value"].value == 2**63 - 1


def test_loop_carried_optional(find):
    def model(x, n: int):
        last: Optional[torch.Tensor] = None  # noqa: UP045
        for i in range(n):
            last = x + i
        return last

    (loop,) = find(nts.import_module(model), "torch.prim.Loop")
    assert str(loop.results[0].type) == "!torch.optional<tensor>"
    assert loop.operands[2].owner.name == "torch.derefine"


def test_break_and_early_return(find):
    def model(x, n: int):
        for i in range(n):
            if i > 3:
                break
            if i == 2:
                return x * 2
            x = x + 1
        return x

    assert len(find(nts.import_module(model), "torch.prim.Loop")) == 1


def test_unchecked_cast_under_is_none(find):
    def model(x, y: Optional[torch.Tensor]):  # noqa: UP045
        if y is not None:
            x = x + y
        return x

    (cast,) = find(nts.import_module(model), "torch.prim.unchecked_cast")
    assert (str(cast.operands[0].type), str(cast.results[0].type)) == ("!torch.optional<tensor>", "!torch.tensor")


def test_raise_leaves_an_uninitialized_value(find):
    def model(x, n: int):
        if n > 3:
            raise ValueError("n is %d" % n)  # noqa: UP031
        else:
            y = x + n
        return y

    module = nts.import_module(model)
    (raised,) = find(module, "torch.prim.RaiseException")
    assert raised.operands[1].owner.attributes["value"].value == "builtins.ValueError"
    assert len(find(module, "torch.prim.Uninitialized")) == 1


def test_assert(find):
    def model(x):
        assert x.size(0) > 1, "too short"
        return x

    assert len(find(nts.import_module(model), "torch.prim.RaiseException")) == 1


def test_tuples_cross_control_flow_part_by_part(find):
    def model(x, n: int):
        for i in range(n):
            if i > 2:
                return x, (i, x)
            x = x + i
        return x, (n, x)

    module = nts.import_module(model)
    for op in [*find(module, "torch.prim.If"), *find(module, "torch.prim.Loop")]:
        assert not any("tuple" in str(result.type) for result in op.results)
    (result,) = find(module, "func.return")[0].operands
    assert str(result.type) == "!torch.tuple<tensor, tuple<int, tensor>>"
