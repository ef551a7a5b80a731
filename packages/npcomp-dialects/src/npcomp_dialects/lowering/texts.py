"""Text that a program makes of numbers for an exception: `raise ValueError("n is %d" % n)`.

The text itself is never made by compiled code. Its parts go into a guard, whose message the runtime fills in when the
guard fails."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from npcomp_dialects.mlir import ir

from .values import Scalar

if TYPE_CHECKING:
    from .torch_to_tcf import FunctionLowering

_PERCENT = re.compile(r"%(?:%|[sdi])")
_BRACES = re.compile(r"\{\{|\}\}|\{\}")
_UNKNOWN = "(a value that only run time can show)"


@dataclass(frozen=True)
class Text:
    """Strings and run-time integers, one after the other."""

    parts: tuple[str | Scalar, ...]

    def message(self) -> tuple[str, list[Scalar]]:
        """A template with `{0}`, `{1}`, ... and the values that go there."""
        values = [part for part in self.parts if isinstance(part, Scalar)]
        numbers = iter(range(len(values)))
        texts = [f"{{{next(numbers)}}}" if isinstance(part, Scalar) else part for part in self.parts]
        return "".join(texts), values


def text_of(value: Any) -> Text:
    """What a value looks like in a text."""
    if isinstance(value, Text):
        return value
    if isinstance(value, Scalar):
        return Text((value if value.dtype.is_integer else _UNKNOWN,))
    if value is None or isinstance(value, (str, bool, int, float)):
        return Text((str(value),))
    return Text((_UNKNOWN,))


def only_raised(op: ir.Operation) -> bool:
    """True if the text that an op makes is for an exception or a warning and nothing else."""
    if _kernel(op) not in HANDLERS:
        return False
    users = [use.owner.operation for result in op.results for use in result.uses]
    return all(user.name == "torch.prim.RaiseException" or only_raised(user) for user in users)


def make(f: FunctionLowering, op: ir.Operation) -> Any:
    """The text that an op makes; nothing for a warning, which compiled code does not give."""
    return HANDLERS[_kernel(op)]([f.env[operand] for operand in op.operands])


def _kernel(op: ir.Operation) -> str:
    if op.name == "torch.operator":
        return ir.StringAttr(op.attributes["name"]).value
    return op.name.removeprefix("torch.")


def _joined(texts: Sequence[Text]) -> Text:
    return Text(tuple(part for text in texts for part in text.parts))


def _fill(pattern: re.Pattern[str], placeless: dict[str, str], arguments: Sequence[Any]) -> Text:
    """The template, which comes first, with its places filled in by the other arguments."""
    template, *values = arguments
    if len(values) == 1 and isinstance(values[0], tuple):
        values = list(values[0])
    if not isinstance(template, str):
        return text_of(template)
    rest, texts, end = iter(values), [], 0
    for place in pattern.finditer(template):
        texts.append(text_of(template[end : place.start()]))
        known = placeless.get(place.group())
        texts.append(text_of(next(rest, "")) if known is None else text_of(known))
        end = place.end()
    return _joined([*texts, text_of(template[end:])])


HANDLERS: dict[str, Callable[[Sequence[Any]], Any]] = {
    "aten.warn": lambda arguments: (),
    "aten.format": lambda arguments: _fill(_BRACES, {"{{": "{", "}}": "}"}, arguments),
    "aten.percentFormat": lambda arguments: _fill(_PERCENT, {"%%": "%"}, arguments),
    "aten.add.str": lambda arguments: _joined([text_of(argument) for argument in arguments]),
    "aten.str": lambda arguments: text_of(arguments[0]),
}
