"""Result sizes of the structured ops and what they require of their operands.

One rule serves both steps: the builder refuses a requirement that cannot hold, the conversion to linalg turns one that
may fail into a guard. The words are torch's where torch has words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from . import polynomial
from .polynomial import ONE, Poly, add, constant, multiply, subtract
from .symbols import Symbols


@dataclass(frozen=True)
class Requirement:
    """`left` and `right` must be `equal`, must `broadcast` (equal, or one of them 1), must fit (`expand`: equal or left
    1), or left must be `at_most` right. `message` has {0}, {1}, … for `values`."""

    relation: str
    left: Poly
    right: Poly
    message: str
    values: tuple[Poly, ...]

    def holds(self, symbols: Symbols) -> bool | None:
        """True or False when that is certain."""
        if self.relation == "at_most":
            return symbols.at_most(self.left, self.right)
        equal = symbols.equal(self.left, self.right)
        if self.relation == "equal" or equal:
            return equal
        ones = [self.left] if self.relation == "expand" else [self.left, self.right]
        single = [symbols.equal(p, ONE) for p in ones]
        if True in single or self._related(symbols):
            return True
        return False if equal is False and None not in single else None

    def _related(self, symbols: Symbols) -> bool:
        left, right = symbols.canonical(self.left), symbols.canonical(self.right)
        return symbols.fits(left, right) or (self.relation == "broadcast" and symbols.fits(right, left))


Rule = tuple[list[Poly], list[Requirement]]


def product(sizes: Sequence[Poly]) -> Poly:
    return reduce(multiply, sizes, ONE)


def broadcast(symbols: Symbols, shapes: Sequence[Sequence[Poly]]) -> Rule:
    """numpy's broadcasting of any number of shapes."""
    rank = max(len(shape) for shape in shapes)
    result: list[Poly] = [ONE] * rank
    requirements = []
    for shape in shapes:
        for d, size in enumerate(shape, rank - len(shape)):
            before = result[d]
            if before in (ONE, size) or size == ONE:
                result[d] = size if before == ONE else before
                continue
            message = (
                f"The size of tensor a ({{0}}) must match the size of tensor b ({{1}}) at non-singleton dimension {d}"
            )
            requirements.append(Requirement("broadcast", before, size, message, (before, size)))
            result[d] = symbols.broadcast(before, size)
    return result, requirements


def broadcast_to(shape: Sequence[Poly], target: Sequence[Poly]) -> Rule:
    """`expand`: a dim is 1 or already has its target size."""
    offset = len(target) - len(shape)
    requirements = []
    for d, size in enumerate(shape):
        wanted = target[offset + d]
        message = (
            f"The expanded size of the tensor ({{0}}) must match the existing size ({{1}}) at non-singleton"
            f" dimension {offset + d}"
        )
        requirements.append(Requirement("expand", size, wanted, message, (wanted, size)))
    return list(target), requirements


def reduced(shape: Sequence[Poly], dims: Sequence[int], keepdim: bool) -> list[Poly]:
    if keepdim:
        return [ONE if d in dims else size for d, size in enumerate(shape)]
    return [size for d, size in enumerate(shape) if d not in dims]


def contract(spec: str, lhs: Sequence[Poly], rhs: Sequence[Poly]) -> Rule:
    """Letters that both operands have must agree."""
    left, right, out = letters(spec)
    sizes = dict(zip(left, lhs, strict=True))
    requirements = []
    for position, (letter, size) in enumerate(zip(right, rhs, strict=True)):
        before = sizes.setdefault(letter, size)
        if before == size:
            continue
        if polynomial.as_constant(before) is None:
            sizes[letter] = size if polynomial.as_constant(size) is not None else before
        message, values = _contract_words(spec, lhs, rhs, left.index(letter), position)
        requirements.append(Requirement("equal", before, size, message, values))
    return [sizes[letter] for letter in out], requirements


def letters(spec: str) -> tuple[str, str, str]:
    operands, out = spec.split("->")
    left, right = operands.split(",")
    return left, right, out


def _contract_words(
    spec: str, lhs: Sequence[Poly], rhs: Sequence[Poly], left: int, right: int
) -> tuple[str, tuple[Poly, ...]]:
    if len(lhs) == len(rhs) == 2 and len(set(spec)) == 6:
        message = "mat1 and mat2 shapes cannot be multiplied ({0}x{1} and {2}x{3})"
        return message, (*lhs, *rhs)
    message = f"size {{0}} of dimension {left} of tensor a must match size {{1}} of dimension {right} of tensor b"
    return message, (lhs[left], rhs[right])


def window(
    symbols: Symbols, size: Poly, kernel: Poly, stride: int, padding: int, dilation: int, ceil_mode: bool = False
) -> tuple[Poly, Poly]:
    """Number of window positions along a dim, and the reach of one window."""
    reach = add(multiply(constant(dilation), subtract(kernel, ONE)), ONE)
    room = subtract(add(size, constant(2 * padding)), reach)
    count = add(symbols.floordiv(add(room, constant(stride - 1 if ceil_mode else 0)), constant(stride)), ONE)
    if ceil_mode:
        inside = symbols.floordiv(add(size, constant(padding - 1)), constant(stride))
        count = symbols.minimum(count, add(inside, ONE))
    return count, reach


def conv(
    symbols: Symbols,
    x: Sequence[Poly],
    w: Sequence[Poly],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    groups: int,
) -> Rule:
    taken = multiply(w[1], constant(groups))
    given = f"Given groups={groups}, weight of size {_list(len(w))}"
    message = (
        f"{given}, expected input{_list(len(x), len(w))} to have {{{len(w) + len(x)}}} channels,"
        f" but got {{{len(w) + 1}}} channels instead"
    )
    requirements = [Requirement("equal", x[1], taken, message, (*w, *x, taken))]
    sizes, reaches = [x[0], w[0]], []
    for d, kernel in enumerate(w[2:]):
        count, reach = window(symbols, x[2 + d], kernel, stride[d], padding[d], dilation[d])
        sizes.append(count)
        reaches.append(reach)
    padded = [add(size, constant(2 * p)) for size, p in zip(x[2:], padding, strict=True)]
    n = len(padded)
    message = (
        f"Calculated padded input size per channel: {_list(n, 0, '( x )')}. Kernel size: {_list(n, n, '( x )')}."
        " Kernel size can't be greater than actual input size"
    )
    values = (*padded, *reaches)
    requirements += [Requirement("at_most", r, p, message, values) for r, p in zip(reaches, padded, strict=True)]
    return sizes, requirements


def pool(
    symbols: Symbols,
    x: Sequence[Poly],
    kernel: Sequence[int],
    stride: Sequence[int],
    padding: Sequence[int],
    dilation: Sequence[int],
    ceil_mode: bool,
) -> Rule:
    lead = len(x) - len(kernel)
    sizes, requirements = list(x[:lead]), []
    for d, k in enumerate(kernel):
        size = x[lead + d]
        count, _ = window(symbols, size, constant(k), stride[d], padding[d], dilation[d], ceil_mode)
        sizes.append(count)
        message = f"a pooling window of {k} does not fit dimension {lead + d} of size {{0}}. Output size is too small"
        requirements.append(Requirement("at_most", ONE, count, message, (size,)))
    return sizes, requirements


def reshape(x: Sequence[Poly], target: Sequence[Poly]) -> Rule:
    n = len(target)
    message = f"shape '{_list(n)}' is invalid for input of size {{{n}}}"
    count = product(x)
    return list(target), [Requirement("equal", product(target), count, message, (*target, count))]


def sliced(symbols: Symbols, start: Poly, stop: Poly, step: Poly) -> Poly:
    """The number of elements from `start` below `stop`."""
    return symbols.floordiv(add(subtract(stop, start), subtract(step, ONE)), step)


def concat(shapes: Sequence[Sequence[Poly]], dim: int) -> Rule:
    sizes, requirements = list(shapes[0]), []
    for number, shape in enumerate(shapes[1:], 1):
        for d, size in enumerate(shape):
            if d == dim:
                sizes[d] = add(sizes[d], size)
                continue
            message = (
                f"Sizes of tensors must match except in dimension {dim}. Expected size {{0}} but got size {{1}} for"
                f" tensor number {number} in the list."
            )
            requirements.append(Requirement("equal", sizes[d], size, message, (sizes[d], size)))
            if polynomial.as_constant(sizes[d]) is None and polynomial.as_constant(size) is not None:
                sizes[d] = size
    return sizes, requirements


def gather(x: Sequence[Poly], dim: int, index: Sequence[Poly]) -> Rule:
    requirements = []
    for d, (have, wanted) in enumerate(zip(x, index, strict=True)):
        if d != dim:
            message = (
                f"Size does not match at dimension {d}: expected index size {{0}} to be no larger than self size {{1}}"
                f" apart from dimension {dim}"
            )
            requirements.append(Requirement("at_most", wanted, have, message, (wanted, have)))
    return list(index), requirements


def scatter(x: Sequence[Poly], index: Sequence[Poly], src: Sequence[Poly], dim: int) -> Rule:
    requirements = []
    for d, (have, wanted, given) in enumerate(zip(x, index, src, strict=True)):
        words = f"Expected index size {{0}} at dimension {d} to be no larger than {{name}} size {{1}}"
        if d != dim:
            message = words.replace("{name}", "self") + f" apart from dimension {dim}"
            requirements.append(Requirement("at_most", wanted, have, message, (wanted, have)))
        message = words.replace("{name}", "src")
        requirements.append(Requirement("at_most", wanted, given, message, (wanted, given)))
    return list(x), requirements


def search(sequence: Sequence[Poly], values: Sequence[Poly]) -> Rule:
    """A sequence of one dim serves all values, one of the values' rank their rows."""
    message = (
        "boundaries tensor should be 1 dimension or the first N-1 dimensions of boundaries tensor and input value"
        " tensor must match, but we got sizes {0} and {1}"
    )
    pairs = zip(sequence[:-1], values[:-1], strict=True) if len(sequence) > 1 else ()
    return list(values), [Requirement("equal", a, c, message, (a, c)) for a, c in pairs]


def index_select(x: Sequence[Poly], dim: int, index: Sequence[Poly]) -> list[Poly]:
    return [*x[:dim], *index, *x[dim + 1 :]]


def padded(x: Sequence[Poly], low: Sequence[Poly], high: Sequence[Poly]) -> list[Poly]:
    return [add(add(size, a), b) for size, a, b in zip(x, low, high, strict=True)]


def _list(count: int, first: int = 0, style: str = "[, ]") -> str:
    """`[{0}, {1}]`, or `({0} x {1})` in the style `( x )`."""
    return style[0] + style[1:-1].join(f"{{{first + i}}}" for i in range(count)) + style[-1]
