"""From tcf to linalg on tensors: every structured op becomes generics, and what its maps imply becomes guards.

Ops are replaced in program order, regions within regions; tcf.guard stays. Sizes come from the table that built the
function, or from the IR alone when there is none.
"""

from __future__ import annotations

from collections.abc import Callable

from npcomp_dialects.mlir import ir

from .access import Access
from .builder import Builder
from .convert_contraction import convert_contract, convert_conv
from .convert_elementwise import convert_broadcast, convert_full, convert_iota, convert_map, convert_permute
from .convert_indexing import convert_gather, convert_index_select
from .convert_layout import convert_concat, convert_pad, convert_reshape, convert_slice
from .convert_order import convert_scan, convert_scatter, convert_search
from .convert_pooling import convert_pool
from .convert_reduction import convert_arg_reduce, convert_reduce
from .convert_sort import convert_sort
from .dead_code import remove_dead_code
from .emitter import Emitter, Scope
from .linalg_ops import Linalg

CONVERSIONS: dict[str, Callable[[Conversion, ir.Operation], list[ir.Value]]] = {}


class Conversion:
    """Converts one function."""

    def __init__(self, function: ir.Operation, builder: Builder | None = None):
        entry = function.regions[0].blocks[0]
        self.function = function
        self.builder = builder or Builder(Emitter(entry))
        self.builder.symbols.forget(0)
        self.emitter = self.builder.emitter
        self.emitter.scopes = [Scope(entry)]
        self.linalg = Linalg(self.builder)
        self.access = Access(self.builder, self.linalg)

    def run(self) -> None:
        self._block(self.function.regions[0].blocks[0])
        self.emitter.finish()
        remove_dead_code(self.function)

    def _block(self, block: ir.Block) -> None:
        for op in list(block.operations):
            op = op.operation
            convert = CONVERSIONS.get(op.name)
            if convert is not None:
                self._replace(op, convert)
            elif op.name == "tcf.guard":
                self._learn(op)
            elif op.name.startswith("scf."):
                self._regions(op)

    def _regions(self, op: ir.Operation) -> None:
        for region in op.regions:
            for block in region.blocks:
                mark = self.builder.symbols.mark()
                self.emitter.scopes.append(Scope(block))
                self._block(block)
                self.emitter.scopes.pop()
                self.builder.symbols.forget(mark)

    def _replace(self, op: ir.Operation, convert: Callable[[Conversion, ir.Operation], list[ir.Value]]) -> None:
        self.emitter.loc = op.location
        with self.emitter.at(ir.InsertionPoint(op)):
            values = convert(self, op)
            for result, value in zip(op.results, values, strict=True):
                sizes = self.builder.sizes.known(result) or self.builder.sizes.of(value)
                value = self.linalg.cast(value, result.type)
                result.replace_all_uses_with(self.builder.sizes.define(value, sizes))
        self.emitter.discard(op)

    def _learn(self, op: ir.Operation) -> None:
        """A guard that compares two integers for equality teaches that they are equal from here on."""
        owner = op.operands[0].owner
        if isinstance(owner, ir.Block) or owner.name != "arith.cmpi":
            return
        if ir.IntegerAttr(owner.attributes["predicate"]).value == 0:
            left, right = (self.builder.integers.of_value(v) for v in owner.operands)
            self.builder.symbols.learn_equal(left, right)


CONVERSIONS.update(
    {
        "tcf.map": convert_map,
        "tcf.reduce": convert_reduce,
        "tcf.arg_reduce": convert_arg_reduce,
        "tcf.contract": convert_contract,
        "tcf.conv": convert_conv,
        "tcf.pool": convert_pool,
        "tcf.permute": convert_permute,
        "tcf.reshape": convert_reshape,
        "tcf.slice": convert_slice,
        "tcf.concat": convert_concat,
        "tcf.pad": convert_pad,
        "tcf.broadcast": convert_broadcast,
        "tcf.gather": convert_gather,
        "tcf.index_select": convert_index_select,
        "tcf.scatter": convert_scatter,
        "tcf.sort": convert_sort,
        "tcf.scan": convert_scan,
        "tcf.search": convert_search,
        "tcf.full": convert_full,
        "tcf.iota": convert_iota,
    }
)


def tcf_to_linalg(function: ir.Operation, builder: Builder | None = None) -> None:
    """Converts every tcf op of a function but guards."""
    Conversion(function, builder).run()
