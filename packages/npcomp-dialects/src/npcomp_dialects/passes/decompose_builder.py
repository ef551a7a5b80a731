"""The `b` of an op block's `decompose`: builds typed torch IR in the place of the op."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.dtypes import DType
from npcomp_dialects.aten.errors import NotStatic
from npcomp_dialects.aten.schema import Type
from npcomp_dialects.errors import InferenceError
from npcomp_dialects.mlir import ir
from npcomp_dialects.passes import constants
from npcomp_dialects.passes.abstraction import Types
from npcomp_dialects.passes.coerce import coerce
from npcomp_dialects.passes.lattice import is_constant


def block_of(name: str) -> type[Block] | None:
    return registry.find(name)


class V:
    """A value in a decomposition: a tensor with what is known of it, or a number or list of run time.

    Run-time numbers may be passed on to ops; computing with them in Python raises `NotStatic`.
    """

    def __init__(self, value: ir.Value, known: Any) -> None:
        self.value = value
        self.known = known

    @property
    def sizes(self) -> tuple[int | None, ...]:
        if not isinstance(self.known, TensorInfo) or self.known.sizes is None:
            raise NotStatic(f"the sizes of {self.known} are used")
        return self.known.sizes

    @property
    def rank(self) -> int:
        return len(self.sizes)

    @property
    def dtype(self) -> DType:
        if not isinstance(self.known, TensorInfo) or self.known.dtype is None:
            raise NotStatic(f"the dtype of {self.known} is used")
        return self.known.dtype

    def _refuse(self, *_: object) -> NoReturn:
        raise NotStatic("a decomposition computes with a number that only run time knows")

    __bool__ = __index__ = __float__ = __int__ = __len__ = __iter__ = __getitem__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _refuse
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _refuse
    __lt__ = __le__ = __gt__ = __ge__ = _refuse


class Builder:
    """Builds ops before `at`, with its location."""

    def __init__(self, types: Types, at: ir.Operation) -> None:
        self.types = types
        self.made: list[ir.Operation] = []
        self._loc = at.location
        self._name = at.name.removeprefix("torch.")
        self._ip = ir.InsertionPoint(at)

    @property
    def aten(self) -> _Name:
        return _Name(self, "aten")

    def size(self, x: V, dim: int) -> Any:
        """The size of a dim: a number if it is known, else a run-time value."""
        known = x.sizes[dim]
        return self.aten.size.int(x, dim % x.rank) if known is None else known

    def list(self, items: Sequence[Any]) -> list[Any]:
        return list(items)

    def error(self, text: str, kind: str = "RuntimeError") -> NoReturn:
        raise InferenceError.like(kind, f"{self._name}: {text}", self._loc)

    def call(self, name: str, arguments: Sequence[Any], keywords: dict[str, Any]) -> Any:
        """Build an op. Results that inference knows are Python values, and no op is built for them."""
        block = registry.lookup(name)
        given = block.schema.bind(list(arguments), keywords)
        found = block.infer(*map(_known, given))
        returns = block.schema.returns
        facts = [found] if len(returns) == 1 else list(found)
        if facts and all(is_constant(fact) for fact in facts):
            return facts[0] if len(facts) == 1 else tuple(facts)
        operands = [self.value(v, a.type) for v, a in zip(given, block.schema.arguments, strict=True)]
        kinds = [self._type(fact, r.type) for fact, r in zip(facts, returns, strict=True)]
        op = ir.Operation.create(f"torch.{block.name()}", kinds, operands, loc=self._loc, ip=self._ip)
        self.made.append(op)
        results = [V(value, fact) for value, fact in zip(op.results, facts, strict=True)]
        return results[0] if len(results) == 1 else tuple(results)

    def value(self, given: Any, type: Type) -> ir.Value:
        """An argument as an IR value."""
        if isinstance(given, V):
            return given.value
        if isinstance(given, DType):
            given = given.torch_code
        if isinstance(given, (list, tuple)):
            element = type.inner.items[0] if type.inner.items else type
            items = [self.value(item, element) for item in given]
            kind = constants.ir_type(element)
            if not element.is_tensor:
                items = [coerce(item, kind, self._loc, self._ip) for item in items]
            return constants.create_list(items, kind, self._loc, self._ip)
        return constants.create_argument(given, type, self._loc, self._ip)

    def abandon(self) -> None:
        """Erase what was built, since the decomposition did not come to its end."""
        for op in reversed(self.made):
            op.erase()
        self.made.clear()

    def _type(self, fact: Any, declared: Type) -> ir.Type:
        if isinstance(fact, TensorInfo):
            if fact.sizes is None or fact.dtype is None:
                raise NotStatic("a step of the decomposition has unknown rank or dtype")
            return self.types.tensor(fact)
        if isinstance(fact, Unknown) and fact.type in ("int", "float", "bool"):
            return constants.ir_type(Type(fact.type))
        return constants.ir_type(declared)


class _Name:
    """`b.aten.add.Tensor`: attributes spell the name of an op, a call builds it."""

    def __init__(self, builder: Builder, name: str) -> None:
        self._builder = builder
        self._name = name

    def __getattr__(self, part: str) -> _Name:
        return _Name(self._builder, f"{self._name}.{part}")

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self._builder.call(self._name, arguments, keywords)


def _known(given: Any) -> Any:
    if isinstance(given, V):
        return given.known
    if isinstance(given, DType):
        return given.torch_code
    return [_known(item) for item in given] if isinstance(given, (list, tuple)) else given
