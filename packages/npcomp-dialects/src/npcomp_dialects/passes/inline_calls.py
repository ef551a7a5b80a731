"""inline-calls: every call is replaced by what it calls."""

from __future__ import annotations

from npcomp_dialects.diagnostics import as_exceptions
from npcomp_dialects.errors import UnsupportedError
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.passmanager import PassManager
from npcomp_dialects.passes import register, walk


@register("inline-calls")
def inline_calls(module: ir.Module) -> None:
    """Replace calls by the bodies of the functions they call, and drop private functions that nothing calls.

    Goal: sizes, dtypes and constants flow from a caller into its callees without a copy of each callee for each
    way of calling it.

    Restriction: a function that calls itself, also through others, is refused. Its body has no end, and the
    number of calls is only known at run time.
    """
    if any(op.name == "func.call" for op in _all(module)):
        with module.context, as_exceptions("inlining calls"):
            PassManager.parse("builtin.module(inline{default-pipeline=})").run(module.operation)
    _drop_uncalled(module)
    for op in _all(module):
        if op.name == "func.call":
            raise UnsupportedError(
                f"function {walk.string(op, 'callee')!r} calls itself",
                op.location,
                do="write the recursion as a loop",
            )


def _all(module: ir.Module) -> list[ir.Operation]:
    return [op for function in walk.functions(module) for op in walk.nested(walk.blocks(function)[0])]


def _drop_uncalled(module: ir.Module) -> None:
    calls: dict[str, set[str]] = {}
    for function in walk.functions(module):
        nested = walk.nested(walk.blocks(function)[0])
        calls[walk.symbol(function)] = {walk.string(op, "callee") for op in nested if op.name == "func.call"}
    pending = [walk.symbol(f) for f in walk.functions(module) if not walk.is_private(f)]
    reached: set[str] = set()
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending.extend(calls.get(name, ()))
    for function in walk.functions(module):
        if walk.symbol(function) not in reached:
            function.erase()
