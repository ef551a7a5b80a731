"""matmul, einsum and tensordot: products whose dims follow from ranks or from an equation."""

from __future__ import annotations

from .cases import case, f16, f32, i64
from .contraction import contract
from .dims import wrap_dim
from .dtypes import DType
from .errors import InferError, NotStatic
from .families.contraction import Contraction
from .registry import op


def matmul(b, x, y):
    """torch.matmul in the computing dtype: vectors lose their dim, batch dims broadcast."""
    if x.rank == 0 or y.rank == 0:
        raise InferError("both arguments to matmul need to be at least 1D")
    x, y, xs, ys = align_batches(b, x, y)
    x_letters = xs + ("k" if x.rank == len(xs) + 1 else "mk")
    y_letters = ys + ("k" if y.rank == len(ys) + 1 else "kn")
    batch = "".join(sorted(set(xs) | set(ys), reverse=True))
    out = batch + ("m" if "m" in x_letters else "") + ("n" if "n" in y_letters else "")
    return contract(b, f"{x_letters},{y_letters}->{out}", x, y)


def align_batches(b, x, y):
    """The operands with their batch letters; the letter of a dim counts from the right, dims of 1 have none.

    Dims that may be 1 or the other's size at run time are broadcast first.
    """
    x_lead, y_lead = max(x.rank - 2, 0), max(y.rank - 2, 0)
    x_sizes, y_sizes = x.sizes, y.sizes
    drop_x, drop_y, shared = set(), set(), {}
    for back in range(1, min(x_lead, y_lead) + 1):
        i, j = x_lead - back, y_lead - back
        p, q = x_sizes[i], y_sizes[j]
        if (p == q) is True:
            continue
        if isinstance(p, int) and p == 1:
            drop_x.add(i)
        elif isinstance(q, int) and q == 1:
            drop_y.add(j)
        else:
            shared[back] = common_size(b, p, q)
    x, y = (widen(b, t, lead, shared) for t, lead in ((x, x_lead), (y, y_lead)))
    xs = letters_without(x_lead, drop_x)
    ys = letters_without(y_lead, drop_y)
    return drop_dims(b, x, drop_x), drop_dims(b, y, drop_y), xs, ys


def common_size(b, p, q):
    """The size that two batch dims have together; either may turn out to be 1."""
    if isinstance(p, int) and isinstance(q, int):
        raise InferError(f"matmul: batch sizes {p} and {q} do not broadcast")
    if isinstance(p, int) or isinstance(q, int):
        return p if isinstance(p, int) else q
    return b.select(p == 1, q, p)


def widen(b, x, lead, shared):
    """The batch dims broadcast to their common sizes."""
    if not shared:
        return x
    sizes = list(x.sizes)
    for back, size in shared.items():
        sizes[lead - back] = size
    return b.broadcast(x, sizes)


def letters_without(lead, dropped):
    """`…cba` for the batch dims, without those dropped."""
    return "".join("abcdefgh"[lead - 1 - i] for i in range(lead) if i not in dropped)


def drop_dims(b, x, dims):
    """Dims of size 1 removed."""
    return b.reshape(x, [s for d, s in enumerate(x.sizes) if d not in dims]) if dims else x


@op("aten::matmul(Tensor self, Tensor other) -> Tensor", out="aten::matmul.out")
class Matmul(Contraction):
    """The product of vectors, matrices or batches of them, batch dims broadcast."""

    def lower(b, x, y):
        return b.cast(matmul(b, x, y), x.dtype)

    cases = [
        case(f32(3, 4), f32(4, 5)),
        case(f32(4), f32(4)),
        case(f32(4), f32(2, 4, 5)),
        case(f32(2, 3, 4), f32(4)),
        case(f32(2, 1, 3, 4), f32(5, 4, 2)),
        case(f32("b", "?", "k"), f32("b", "k", 2), at=[(2, 3, 4), (1, 1, 0), (0, 2, 2)]),
        case(f32("a", 3, 4), f32("b", 4, 2), at=[(2, 2), (1, 3), (3, 1)]),
        case(f32("a", 3, 4), f32(2, 4, 2), at=[2, 1]),
        case(i64(2, 3), i64(3, 2)),
        case(f16(2, 3, 4), f16(4, 5)),
    ]


def parse_equation(equation, count):
    """The letters of each operand and of the result."""
    if "." in equation:
        raise NotStatic("einsum with an ellipsis has no lowering")
    inputs, arrow, out = equation.replace(" ", "").partition("->")
    operands = inputs.split(",")
    if len(operands) != count:
        raise InferError(f"einsum(): the equation {equation!r} names {len(operands)} operands, got {count}")
    if any(len(set(letters)) != len(letters) for letters in operands):
        raise NotStatic("einsum over a diagonal has no lowering")
    if not arrow:
        out = "".join(sorted(c for c in set(inputs) if c != "," and inputs.count(c) == 1))
    return operands, out


def without_ones(b, tensors, operands):
    """The operands without dims of size 1 that broadcast against a dim of another operand."""
    wide = {
        c
        for t, letters in zip(tensors, operands, strict=True)
        for c, n in zip(letters, t.sizes)
        if (n == 1) is not True
    }
    single = [
        [d for d, c in enumerate(o) if (t.sizes[d] == 1) is True and c in wide] for t, o in zip(tensors, operands)
    ]
    kept = [drop_dims(b, t, dims) for t, dims in zip(tensors, single, strict=True)]
    return kept, [
        "".join(c for d, c in enumerate(o) if d not in dims) for o, dims in zip(operands, single, strict=True)
    ]


def sum_lonely(b, x, letters, kept):
    """The tensor summed over letters that nobody else has."""
    dims = [d for d, c in enumerate(letters) if c not in kept]
    return (b.reduce("sum", x, dims) if dims else x), "".join(c for c in letters if c in kept)


@op("aten::einsum(str equation, Tensor[] tensors, *, int[]? path=None) -> Tensor")
class Einsum(Contraction):
    """Products summed as the equation says, from left to right."""

    def lower(b, equation, tensors, path):
        operands, out = parse_equation(equation, len(tensors))
        for t, letters in zip(tensors, operands, strict=True):
            if t.rank != len(letters):
                raise InferError(f"einsum(): {letters!r} of {equation!r} names {len(letters)} dims of rank {t.rank}")
        if any(not t.dtype.is_float and t.dtype is not DType.i64 for t in tensors):
            raise NotStatic("sums of small integers promote in some places of einsum and not in others")
        tensors, operands = without_ones(b, tensors, operands)
        dtype = tensors[0].dtype
        left, letters = sum_lonely(b, tensors[0], operands[0], set(out).union(*operands[1:]))
        for i in range(1, len(tensors)):
            later = set(out).union(*operands[i + 1 :])
            right, names = sum_lonely(b, tensors[i], operands[i], later | set(letters))
            merged = "".join(c for c in dict.fromkeys(letters + names) if c in later)
            left = b.cast(contract(b, f"{letters},{names}->{merged}", left, right), dtype)
            letters = merged
        return b.permute(left, [letters.index(c) for c in out])

    cases = [
        case("ij,jk->ik", [f32(3, 4), f32(4, 5)]),
        case("bij,bjk->bki", [f32("b", 3, 4), f32("b", 4, 5)]),
        case("ij,kl,jk", [f32(2, 3), f32(4, 5), f32(3, 4)]),
        case("ij->j", [f32(3, 4)]),
        case("ij,jk->ik", [f32(3, 1), f32("?", 5)], at=[4, 1]),
        case("bhqd,bhkd->bhqk", [f32("b", 2, "q", 4), f32("b", 2, "k", 4)], at=[(2, 3, 5)]),
    ]

    @classmethod
    def give_up(cls, args):
        return cls.unknown_results()


@op(
    "aten::tensordot(Tensor self, Tensor other, int[] dims_self, int[] dims_other) -> Tensor", out="aten::tensordot.out"
)
class TensorDot(Contraction):
    """Products summed over pairs of dims."""

    def lower(b, x, y, dims_x, dims_y):
        xs, ys = list("abcdefgh"[: x.rank]), list("ijklmnop"[: y.rank])
        for i, j in zip(dims_x, dims_y, strict=True):
            ys[wrap_dim(j, y.rank)] = xs[wrap_dim(i, x.rank)]
        out = [c for c in xs if c not in ys] + [c for c in ys if c not in xs]
        return b.cast(contract(b, f"{''.join(xs)},{''.join(ys)}->{''.join(out)}", x, y), x.dtype)

    cases = [case(f32(3, 4, 5), f32(4, 3, 2), [1, 0], [0, 1]), case(f32("?", "k"), f32("k", 2), [1], [0])]
