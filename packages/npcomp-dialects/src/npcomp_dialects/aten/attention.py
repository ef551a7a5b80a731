"""Scaled dot-product attention."""

from __future__ import annotations

import math

from .abstract import TensorInfo
from .block import Block
from .cases import case, f16, f32, i1
from .checks import same_dtype
from .dims import wrap_dim
from .dtypes import DType, as_dtype
from .errors import InferError, NotStatic
from .factory_range import grid
from .matmul import matmul
from .promotion import opmath, promote
from .registry import op


def scale_of(b, query, scale):
    """1 / sqrt(head size) unless given, as a number in the computing dtype."""
    wide = opmath(query.dtype)
    if scale is not None:
        return scale if isinstance(scale, (int, float)) else b.cast(scale, wide)
    size = query.sizes[-1]
    return 1.0 / math.sqrt(size) if isinstance(size, int) else 1.0 / b.math.sqrt(b.cast(size, wide))


def with_mask(b, scores, mask):
    """A bool mask hides with -inf, a float mask is added."""
    if mask is None:
        return scores
    if mask.dtype is DType.bool:
        hidden = float("-inf")
        return b.map(lambda b, s, m: b.select(m, s, b.const(hidden, s.dtype)), scores, mask, dtype=scores.dtype)
    return b.map(lambda b, s, m: s + b.cast(m, s.dtype), scores, mask, dtype=scores.dtype)


def with_causal(b, scores):
    """Each query sees the keys up to its own place."""
    rows, columns = grid(b, *scores.sizes[-2:])
    hidden = float("-inf")

    def body(b, s, i, j):
        return b.select(j <= i, s, b.const(hidden, s.dtype))

    return b.map(body, scores, rows, columns, dtype=scores.dtype)


def safe_softmax(b, x, dim):
    """softmax along a dim; a row that is hidden whole gives zeros."""
    hidden = float("-inf")
    top = b.reduce("max", x, [dim], True)
    top = b.map(lambda b, m: b.select(m == hidden, b.const(0.0, m.dtype), m), top, dtype=x.dtype)
    powers = b.map(lambda b, e, m: b.math.exp(e - m), x, top, dtype=x.dtype)
    total = b.reduce("sum", powers, [dim], True)
    total = b.map(lambda b, s: b.select(s == 0.0, b.const(1.0, s.dtype), s), total, dtype=x.dtype)
    return b.map(lambda b, e, s: e / s, powers, total, dtype=x.dtype)


def group_heads(b, x, heads):
    """Each head repeated so that there are as many as query heads."""
    own = x.sizes[-3]
    if (own == heads) is True:
        return x
    if not isinstance(own, int) or not isinstance(heads, int) or heads % own:
        raise NotStatic("grouped attention needs head counts that are known and divide")
    lead, tail = x.sizes[:-3], x.sizes[-2:]
    apart = b.reshape(x, [*lead, own, 1, *tail])
    return b.reshape(b.broadcast(apart, [*lead, own, heads // own, *tail]), [*lead, heads, *tail])


@op(
    "aten::scaled_dot_product_attention(Tensor query, Tensor key, Tensor value, Tensor? attn_mask=None, "
    "float dropout_p=0., bool is_causal=False, *, float? scale=None, bool enable_gqa=False) -> Tensor"
)
class ScaledDotProductAttention(Block):
    """softmax(query @ key.T * scale + mask) @ value."""

    family = "contraction"
    dtype = promote
    runtime = ("scale",)

    def lower(b, query, key, value, mask, dropout, causal, scale, grouped):
        same_dtype("query, key, and value", query, key, value)
        if dropout:
            raise NotStatic("attention with dropout draws random numbers")
        if mask is not None and causal:
            raise InferError("_scaled_dot_product_attention: Explicit attn_mask should not be set when is_causal=True")
        if grouped:
            key, value = (group_heads(b, t, query.sizes[-3]) for t in (key, value))
        dtype, wide = query.dtype, opmath(query.dtype)
        factor = scale_of(b, query, scale)
        scaled = b.map(lambda b, e: b.cast(e, wide) * factor, query, dtype=wide)
        turned = b.permute(b.cast(key, wide), [*range(key.rank - 2), key.rank - 1, key.rank - 2])
        scores = with_mask(b, matmul(b, scaled, turned), mask)
        if causal:
            scores = with_causal(b, scores)
        weights = safe_softmax(b, scores, scores.rank - 1)
        return b.cast(matmul(b, weights, b.cast(value, wide)), dtype)

    cases = [
        case(f32(2, 2, 3, 4), f32(2, 2, 5, 4), f32(2, 2, 5, 6)),
        case(f32("b", 2, "q", 4), f32("b", 2, "k", 4), f32("b", 2, "k", 4), at=[(2, 3, 5), (1, 1, 1)]),
        case(f32("b", 2, "q", 4), f32("b", 2, "q", 4), f32("b", 2, "q", 4), is_causal=True, at=[(2, 3), (1, 1)]),
        case(f32(1, 2, 3, 4), f32(1, 2, 5, 4), f32(1, 2, 5, 4), i1(3, 5)),
        case(f32(1, 2, 3, 4), f32(1, 2, 5, 4), f32(1, 2, 5, 4), f32(1, 1, 3, 5), scale=0.3),
        case(f32(1, 4, 3, 8), f32(1, 2, 5, 8), f32(1, 2, 5, 8), enable_gqa=True),
        case(f16(2, 2, 3, 4), f16(2, 2, 5, 4), f16(2, 2, 5, 4), rtol=5e-3),
    ]


@op("aten::_safe_softmax(Tensor self, int dim, ScalarType? dtype=None) -> Tensor")
class SafeSoftmax(Block):
    """softmax along a dim; a row of -inf gives zeros."""

    family = "reduction"

    @classmethod
    def give_up(cls, args):
        return TensorInfo(None, as_dtype(args[2]) or args[0].dtype)

    def lower(b, x, dim, dtype):
        asked = dtype or x.dtype
        if not asked.is_float:
            raise InferError(f"_safe_softmax is not implemented for {asked}")
        shaped = x if x.rank else b.reshape(x, [1])
        y = safe_softmax(b, b.cast(b.cast(shaped, asked), opmath(asked)), wrap_dim(dim, x.rank))
        return b.cast(b.reshape(y, x.sizes), asked)

    cases = [
        case(f32(3, 4), -1),
        case(f32("?", 4, special=True), 0, at=[3, 1, 0]),
        case(f16(3, 4), 1),
        case(f16(3, 4), 1, DType.f32.torch_code),
        case(f32(), 0),
    ]
