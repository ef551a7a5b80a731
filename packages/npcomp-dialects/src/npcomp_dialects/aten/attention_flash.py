"""Attention as autograd calls it: with the logarithm of each row's sum, and its gradient."""

from __future__ import annotations

from .attention import scale_of, with_causal, with_mask
from .cases import case, f32
from .errors import NotStatic
from .families.backward import Backward
from .matmul import matmul
from .promotion import opmath
from .registry import op


def swap_last(b, x):
    """The last two dims exchanged."""
    return b.permute(x, [*range(x.rank - 2), x.rank - 1, x.rank - 2])


def row_scores(b, query, key, mask, causal, factor, wide):
    """query @ key.T * scale + mask."""
    scaled = b.map(lambda b, e: b.cast(e, wide) * factor, query, dtype=wide)
    scores = with_mask(b, matmul(b, scaled, swap_last(b, b.cast(key, wide))), mask)
    return with_causal(b, scores) if causal else scores


@op(
    "aten::_scaled_dot_product_flash_attention_for_cpu(Tensor query, Tensor key, Tensor value, float dropout_p=0., "
    "bool is_causal=False, *, Tensor? attn_mask=None, float? scale=None) -> (Tensor output, Tensor logsumexp)"
)
class FlashAttention(Backward):
    """softmax(query @ key.T * scale + mask) @ value, and the logarithm of each row's sum."""

    def lower(b, query, key, value, dropout, causal, mask, scale):
        if dropout:
            raise NotStatic("attention with dropout draws random numbers")
        dtype, wide = query.dtype, opmath(query.dtype)
        scores = row_scores(b, query, key, mask, causal, scale_of(b, query, scale), wide)
        last = [scores.rank - 1]
        top = b.reduce("max", scores, last, True)
        powers = b.map(lambda b, s, m: b.math.exp(s - m), scores, top, dtype=wide)
        total = b.reduce("sum", powers, last, True)
        weights = b.map(lambda b, p, s: p / s, powers, total, dtype=wide)
        logs = b.map(lambda b, s, m: b.math.log(s) + m, total, top, dtype=wide)
        output = b.cast(matmul(b, weights, b.cast(value, wide)), dtype)
        return output, b.reshape(logs, logs.sizes[:-1])

    cases = [
        case(f32(2, 2, 3, 4), f32(2, 2, 5, 4), f32(2, 2, 5, 4)),
        case(f32("b", 2, "q", 4), f32("b", 2, "q", 4), f32("b", 2, "q", 4), 0.0, True, at=[(2, 3), (1, 1)]),
        case(f32(2, 2, 3, 4), f32(2, 2, 5, 4), f32(2, 2, 5, 4), attn_mask=f32(2, 2, 3, 5), scale=0.3),
    ]


@op(
    "aten::_scaled_dot_product_flash_attention_for_cpu_backward(Tensor grad_out, Tensor query, Tensor key, "
    "Tensor value, Tensor out, Tensor logsumexp, float dropout_p, bool is_causal, *, Tensor? attn_mask=None, "
    "float? scale=None) -> (Tensor grad_query, Tensor grad_key, Tensor grad_value)"
)
class FlashAttentionBackward(Backward):
    """The gradients of attention; the weights are computed again from the logarithms."""

    def lower(b, grad, query, key, value, out, logsumexp, dropout, causal, mask, scale):
        if dropout:
            raise NotStatic("attention with dropout draws random numbers")
        dtype, wide = query.dtype, opmath(query.dtype)
        factor = scale_of(b, query, scale)
        scores = row_scores(b, query, key, mask, causal, factor, wide)
        logs = b.reshape(b.cast(logsumexp, wide), [*logsumexp.sizes, 1])
        weights = b.map(lambda b, s, m: b.math.exp(s - m), scores, logs, dtype=wide)
        grad, out, query, key, value = (b.cast(t, wide) for t in (grad, out, query, key, value))
        grad_value = matmul(b, swap_last(b, weights), grad)
        inner = matmul(b, grad, swap_last(b, value))
        products = b.map(lambda b, g, o: g * o, grad, out, dtype=wide)
        delta = b.reduce("sum", products, [products.rank - 1], True)
        slope = b.map(lambda b, w, i, d: w * (i - d) * factor, weights, inner, delta, dtype=wide)
        grad_query, grad_key = matmul(b, slope, key), matmul(b, swap_last(b, slope), query)
        return tuple(b.cast(t, dtype) for t in (grad_query, grad_key, grad_value))

    cases = [
        case(*[f32(2, 2, 5, 4)] * 5, f32(2, 2, 5, low=2, high=4), 0.0, False),
        case(*[f32("b", 2, "q", 4)] * 5, f32("b", 2, "q", low=2, high=4), 0.0, True, at=[(2, 3), (1, 1)]),
    ]
