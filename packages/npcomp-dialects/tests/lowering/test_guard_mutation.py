"""Guards are all there for a reason: with any one of them taken out, an illegal call is no longer refused as it was."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from typing import Any

import illegal_calls
import npcomp_dialects
import pytest
import torch
from aten.case_inputs import call_torch, make_arguments
from lowering.case_modules import CaseModule, evaluate
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.cases import Case
from npcomp_dialects.lowering import lower_module
from npcomp_dialects.mlir import ir
from reference_evaluator import GuardError

OPS = (
    "aten.add.Tensor",
    "aten.addmm",
    "aten.baddbmm",
    "aten.bmm",
    "aten.cat",
    "aten.conv2d",
    "aten.dot",
    "aten.embedding",
    "aten.expand",
    "aten.gather",
    "aten.index.Tensor",
    "aten.index_select",
    "aten.lerp.Tensor",
    "aten.linear",
    "aten.max.dim",
    "aten.max_pool2d",
    "aten.mm",
    "aten.mse_loss",
    "aten.mv",
    "aten.nll_loss",
    "aten.select.int",
    "aten.stack",
    "aten.view",
    "aten.where.self",
)


LIMITS = re.compile("a primitive|optional 0 dim batch size")
"""What torch's kernels cannot do, but compiled code can."""


CERTAIN = "a count is negative"
"""What code generation relies on and no call can break: a computed number of results is checked all the same."""


def leaves(value: Any) -> list[Any]:
    return [leaf for v in value for leaf in leaves(v)] if isinstance(value, list) else [value]


def inputs(block: Any, case: Case) -> list[torch.Tensor]:
    args = make_arguments(case, block.schema, {}, zlib.crc32(block.name().encode()))
    return [a for a in leaves(args) if isinstance(a, torch.Tensor)]


def refused_by_torch(block: Any, base: Case) -> list[tuple[Case, bool]]:
    """The illegal calls that a program with unknown sizes takes, and whether only torch's kernels have that limit."""

    def refuses(case: Case) -> BaseException | None:
        try:
            call_torch(block.schema, make_arguments(case, block.schema, {}, zlib.crc32(block.name().encode())))
        except Exception as error:
            return error
        return None

    refused, _ = illegal_calls.illegal(base, refuses)
    return [(call.case, bool(LIMITS.search(str(error)))) for call, error in refused if call.open]


def guards_of(module: ir.Module) -> list[ir.Operation]:
    found: list[ir.Operation] = []

    def visit(op: ir.Operation) -> ir.WalkResult:
        if op.name == "tcf.guard":
            found.append(op)
        return ir.WalkResult.ADVANCE

    module.operation.walk(visit)
    return found


def message_of(guard: ir.Operation) -> str:
    return str(guard.attributes["message"])


def mutant(module: ir.Module, erased: Callable[[str], bool]) -> ir.Module:
    """The module without some of its guards."""
    with module.context:
        made = ir.Module.parse(str(module))
    for guard in guards_of(made):
        if erased(message_of(guard)):
            guard.erase()
    return made


def answer(module: ir.Module, tensors: list[torch.Tensor]) -> str:
    """The guard that refuses a call, or what happens instead."""
    try:
        evaluate(module, *tensors)
    except GuardError as error:
        return str(error)
    except Exception as error:  # what a guard keeps from happening: a read beyond the end, sizes that do not fit
        return type(error).__name__
    return "accepted"


@pytest.mark.parametrize("name", OPS)
def test_a_missing_guard_is_noticed(name: str):
    block = registry.lookup(name)
    context = npcomp_dialects.context()
    tried = 0
    for base in illegal_calls.bases(block):
        refused = refused_by_torch(block, base)
        calls = [inputs(block, case) for case, _ in refused]
        module = CaseModule(context, block, illegal_calls.opened(base)).module
        lower_module(module)
        before = [answer(module, tensors) for tensors in calls]
        for (case, limit), was in zip(refused, before, strict=True):
            assert limit or was != "accepted", case
        for message in dict.fromkeys(map(message_of, guards_of(module))):
            if CERTAIN in message:
                continue
            without = mutant(module, lambda m, message=message: m == message)
            alone = mutant(module, lambda m, message=message: m != message)
            noticed = [answer(without, tensors) for tensors in calls] != before
            used = noticed or any(": " in answer(alone, tensors) for tensors in calls)  # another one says it first
            assert used, f"{base}: nothing needs {message}"
            tried += 1
    assert tried, f"no case of {name} needs a guard"
