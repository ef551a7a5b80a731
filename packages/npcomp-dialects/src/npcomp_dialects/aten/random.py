"""Random numbers and dropout."""

from __future__ import annotations

from .abstract import TensorInfo
from .cases import case, f32, i1
from .dtypes import DType
from .errors import NotStatic
from .factory import LIKE_OPTIONS, OPTIONS
from .families.decomposed import Decomposed
from .families.elementwise import Elementwise
from .families.random import Random
from .registry import op

INT_OPTIONS = OPTIONS.replace("dtype=None", "dtype=4")


@op(f"aten::rand(SymInt[] size, *, {OPTIONS}) -> Tensor", cases=[case([2, 3])])
@op(f"aten::randn(SymInt[] size, *, {OPTIONS}) -> Tensor", cases=[case([2, 3])])
@op(f"aten::rand_like(Tensor self, *, {LIKE_OPTIONS}) -> Tensor", cases=[f32(3, 4), f32("?")])
@op(f"aten::randn_like(Tensor self, *, {LIKE_OPTIONS}) -> Tensor", cases=[f32(3, 4), f32("?")])
@op(f"aten::randint(SymInt high, SymInt[] size, *, {INT_OPTIONS}) -> Tensor", cases=[case(5, [2, 3])])
@op(f"aten::randint.low(SymInt low, SymInt high, SymInt[] size, *, {INT_OPTIONS}) -> Tensor", cases=[case(1, 5, [2])])
class RandomTensor(Random):
    """A tensor of random numbers."""


@op(
    "aten::bernoulli(Tensor self, *, Generator? generator=None) -> Tensor",
    cases=[f32(3, 4, low=0, high=1), f32("?", low=0, high=1)],
)
@op("aten::bernoulli.p(Tensor self, float p, *, Generator? generator=None) -> Tensor", cases=[case(f32(3, 4), 0.5)])
@op(
    "aten::uniform(Tensor self, float from=0., float to=1., *, Generator? generator=None) -> Tensor",
    inplace="aten::uniform_",
    cases=[f32(3, 4)],
)
@op(
    "aten::normal_functional(Tensor self, float mean=0., float std=1., *, Generator? generator=None) -> Tensor",
    inplace="aten::normal_",
    cases=[f32(3, 4)],
)
class RandomLike(Random):
    """Random numbers in the shape of a tensor."""


@op(
    "aten::multinomial(Tensor self, SymInt num_samples, bool replacement=False, *, Generator? generator=None) -> Tensor"
)
class Multinomial(Random):
    """Indices drawn by weights."""

    def infer(x, samples, *_):
        if x.sizes is None:
            return TensorInfo(None, DType.i64)
        return TensorInfo((*x.sizes[:-1], samples if isinstance(samples, int) else None), DType.i64)

    cases = [case(f32(3, 4, low=0, high=1), 2)]


@op("aten::native_dropout(Tensor input, float p, bool? train) -> (Tensor, Tensor)")
class NativeDropout(Random):
    """Elements set to 0 at random and the rest scaled up, and which were kept."""

    def infer(x, p, train):
        return x, TensorInfo(x.sizes, DType.bool)

    cases = [case(f32(3, 4), 0.5, True)]


@op("aten::native_dropout_backward(Tensor grad_output, Tensor mask, float scale) -> Tensor")
class NativeDropoutBackward(Elementwise):
    """The gradient of dropout: kept elements, scaled."""

    promoting = ("grad_output",)

    def scalar(b, grad, mask, scale):
        return b.select(mask, grad * scale, b.const(0.0, grad.dtype))

    cases = [case(f32(3, 4), i1(3, 4), 2.0), case(f32("n", 4), i1("n", 4), 1.25)]


@op(
    "aten::dropout(Tensor input, float p, bool train) -> Tensor",
    inplace="aten::dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
)
@op(
    "aten::feature_dropout(Tensor input, float p, bool train) -> Tensor",
    inplace="aten::feature_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
    cases=[case(f32(3, 4), 0.5, False), case(f32("?"), 0.5, False)],
)
@op(
    "aten::alpha_dropout(Tensor input, float p, bool train) -> Tensor",
    inplace="aten::alpha_dropout_(Tensor(a!) self, float p, bool train) -> Tensor(a!)",
    cases=[case(f32(3, 4), 0.5, False), case(f32("?"), 0.5, False)],
)
class Dropout(Decomposed):
    """Nothing outside training; in training, random."""

    effects = ("random",)

    @classmethod
    def decompose(cls, b, x, p, train):
        if not train or p == 0:
            return b.aten.alias(x)
        if cls.schema.base != "dropout":
            raise NotStatic(f"{cls.schema.base} in training has no decomposition")
        return b.aten.native_dropout(x, p, train)[0]

    @classmethod
    def infer(cls, x, p, train):
        return x

    cases = [case(f32(3, 4), 0.5, False), case(f32("?", 4), 0.0, True)]
