"""The pipelines: which passes lead to each contract, and running them with times, dumps and checks."""

from __future__ import annotations

import time
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from npcomp_dialects import diagnostics, passes
from npcomp_dialects.contract import BACKEND, check
from npcomp_dialects.errors import UnsupportedError, resolve
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import effects, walk
from npcomp_dialects.passes.scalarize_lists import has_work

SIMPLIFY = "simplify"
TO_TYPED_VALUES = (
    "globalize-object-graph",
    "inline-calls",
    "adjust-calling-conventions",
    "aten-recognize-kernels",
    "scalarize-lists",
    "inline-global-slots",
    "prune-dead-branches",
    "functionalize-statistics",
    "inline-global-slots",
    "maximize-value-semantics",
    "lower-quantized-tensors",
    "refine-types",
)
IF_LISTS_ARE_LEFT = ("scalarize-lists", "refine-types")
"""Run once more where lists are left: inference has found out how often loops run."""
TO_TORCH_CONTRACT = (SIMPLIFY, "decompose", "refine-types", SIMPLIFY, "complete-signatures", "verify-torch-contract")


def lower_to_torch_contract(module: ir.Module, options: Any, report: Any = None) -> None:
    """Bring a module as imported to the torch contract. `options.opt_level` 0 leaves out `simplify`."""
    runner = _Runner(module, options, report)
    runner.run_passes(TO_TYPED_VALUES)
    if has_work(module):
        runner.run_passes(IF_LISTS_ARE_LEFT)
    runner.run_passes(TO_TORCH_CONTRACT)


def lower_to_backend_contract(module: ir.Module, options: Any, report: Any = None) -> None:
    """Bring a module from the torch contract to the backend contract."""
    from npcomp_dialects import lowering

    runner = _Runner(module, options, report)
    runner.run("lower", lambda m: lowering.lower_module(m, options))
    _apply_fallback_policy(module, options)
    runner.run("verify-backend-contract", lambda m: check(m, BACKEND))


def fallbacks(module: ir.Module) -> dict[str, int]:
    """The torch kernels that a module calls, with the number of calls in it."""
    names = Counter(
        walk.string(op, "name")
        for function in walk.functions(module)
        for op in walk.nested(walk.blocks(function)[0])
        if op.name == "torch.operator"
    )
    return dict(sorted(names.items()))


def _apply_fallback_policy(module: ir.Module, options: Any) -> None:
    """Refuse kernels without lowering, or warn about them, as the options say."""
    if options.fallback == "allow":
        return
    for function in walk.functions(module):
        for op in walk.nested(walk.blocks(function)[0]):
            if op.name == "torch.operator":
                _object_to(op, options.fallback)


def _object_to(op: ir.Operation, policy: str) -> None:
    text = f"{effects.kernel(op)} has no lowering"
    if policy == "forbid":
        raise UnsupportedError(
            f"{text}, and kernel fallback is forbidden",
            op.location,
            do="compile with CompileOptions(fallback='allow'), or add the op to the op library",
        )
    place = resolve(op.location)
    warnings.warn(f"{f'{place}: ' if place else ''}{text} and runs as torch's kernel", stacklevel=2)


class _Runner:
    """Runs steps on a module: times each, checks the IR after it, and writes the IR where asked."""

    def __init__(self, module: ir.Module, options: Any, report: Any) -> None:
        self.module = module
        self.report = report
        self.opt_level = options.opt_level
        self.folder = Path(options.dump_dir) if options.dump_dir is not None else None

    def run_passes(self, names: tuple[str, ...]) -> None:
        for name in names:
            if name != SIMPLIFY or self.opt_level > 0:
                self.run(name, passes.lookup(name).apply)

    def run(self, name: str, apply: Callable[[ir.Module], None]) -> None:
        start = time.perf_counter()
        with self.module.context, diagnostics.as_exceptions(name):
            apply(self.module)
            self.module.operation.verify()
        if self.report is not None:
            seconds = self.report.seconds
            seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - start
        self._dump(name)

    def _dump(self, name: str) -> None:
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        number = len(list(self.folder.glob("[0-9][0-9]-*.mlir")))
        text = self.module.operation.get_asm(enable_debug_info=True, large_elements_limit=16, large_resource_limit=64)
        (self.folder / f"{number:02d}-{name}.mlir").write_text(text)
