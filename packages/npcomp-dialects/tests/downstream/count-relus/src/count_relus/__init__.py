"""A downstream pass: notes on every function how many relus it calls."""

from npcomp_dialects.mlir import ir


def count_relus(module: ir.Module) -> None:
    """Sets the attribute `count_relus.relus` of each `func.func`."""
    for function in module.body.operations:
        count = 0

        def visit(op):
            nonlocal count
            count += op.name == "torch.aten.relu"
            return ir.WalkResult.ADVANCE

        function.operation.walk(visit)
        kind = ir.IntegerType.get_signless(64)
        function.operation.attributes["count_relus.relus"] = ir.IntegerAttr.get(kind, count)
