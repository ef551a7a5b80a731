"""Inference of every op against eager torch: exact where everything is known, never wrong where something is hidden.

    python ci/inference.py [OP…] [--seeds 6]

The calls are the cases of an op and what becomes of them when one size, rank, dtype, index or number changes, as far
as torch accepts it. With known types the inferred result has to be torch's; with sizes, ranks, dtypes and numbers
hidden at random it has to cover torch's. Failures and the count go to stdout.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import random
import sys
import time
import zlib
from dataclasses import dataclass
from typing import Any

import apart
import illegal_calls
import torch
from npcomp_dialects.aten import registry
from npcomp_dialects.aten.abstract import TensorInfo, Unknown
from npcomp_dialects.aten.block import Block
from npcomp_dialects.aten.cases import Case, TensorSpec, as_case
from npcomp_dialects.aten.errors import AtenError
from opcheck import inputs_of
from opcheck_programs import DTYPES, eager_program
from tqdm import tqdm

CODES = {made: dtype for dtype, made in DTYPES.items()}
VALUES_DECIDE = ("aten.nonzero", "aten.masked_select", "aten.one_hot", "aten._unique2", "aten.bincount")
"""Ops whose result sizes depend on values: inference cannot be exact."""
NUMBERS = {"int": "int", "SymInt": "int", "float": "float", "bool": "bool"}


@dataclass
class Failure:
    op: str
    call: str
    known: str
    why: str

    def __str__(self) -> str:
        return f"{self.op} · {self.call} · {self.known}: {self.why}"


def calls_of(block: type[Block]) -> list[tuple[Case, bool]]:
    """The cases at each choice of sizes (True), and the changes of the first ones, which eager torch may accept."""
    cases = [illegal_calls.fixed(block, c, sizes) for c in map(as_case, block.cases) for sizes in c.bindings()]
    found = {str(case): (case, True) for case in cases}
    for base in illegal_calls.bases(block):
        for call in illegal_calls.calls(base):
            found.setdefault(str(call.case), (call.case, False))
    return list(found.values())


def described(value: Any) -> Any:
    """What the compiler knows of an argument when it knows all types and constants."""
    if isinstance(value, TensorSpec):
        return TensorInfo(tuple(d for d in value.dims if isinstance(d, int)), value.dtype)
    return [described(v) for v in value] if isinstance(value, list) else value


def of_result(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return TensorInfo(tuple(value.shape), CODES[value.dtype])
    return [of_result(v) for v in value] if isinstance(value, (list, tuple)) else value


def hidden(value: Any, kind: str, rng: random.Random) -> Any:
    """Some of the knowledge taken away. Numbers are hidden where the schema has no list."""
    if isinstance(value, list):
        if all(isinstance(v, TensorInfo) or v is None for v in value):
            return [hidden(v, kind, rng) for v in value]
        return value
    if isinstance(value, TensorInfo):
        return _hidden_tensor(value, rng)
    if kind in NUMBERS and value is not None and rng.random() < 0.2:
        return Unknown(NUMBERS[kind])
    return value


def _hidden_tensor(info: TensorInfo, rng: random.Random) -> TensorInfo:
    assert info.sizes is not None
    sizes = tuple(None if rng.random() < 0.4 else s for s in info.sizes)
    return TensorInfo(None if rng.random() < 0.15 else sizes, None if rng.random() < 0.15 else info.dtype)


def covers(known: Any, real: Any) -> bool:
    if real is None:  # a result that was not asked for
        return True
    if isinstance(real, TensorInfo):
        return isinstance(known, TensorInfo) and known.covers(real)
    if isinstance(known, Unknown):
        return True
    if isinstance(real, list):
        return isinstance(known, (list, tuple)) and len(known) == len(real) and all(map(covers, known, real))
    return known == real or (isinstance(real, float) and abs(known - real) <= 1e-5 * abs(real)) or known != known


def equal(known: Any, real: Any) -> bool:
    """Exact: an inferred tensor is the real one; numbers that depend on values stay unknown."""
    if isinstance(real, TensorInfo):
        return known == real
    if isinstance(real, list) and isinstance(known, (list, tuple)):
        return len(known) == len(real) and all(map(equal, known, real))
    return covers(known, real)


def check(name: str, seeds: int) -> tuple[int, list[Failure]]:
    """How many inferences were made, and which were wrong."""
    block = registry.lookup(name)
    made, failures = 0, list[Failure]()
    for case, own in calls_of(block):
        try:
            with torch.no_grad(), apart.trying(str(case)):
                result = eager_program(block, case)(*inputs_of(case, {}, zlib.crc32(str(case).encode())))
        except Exception:  # not a legal call
            continue
        try:
            real = of_result(result)
        except KeyError:  # a dtype without a name here
            continue
        arguments = [described(v) for v in case.kwargs.values()]
        made += 1 + seeds
        exact = name not in VALUES_DECIDE and block.kind() != "fallback"
        failures += _judge(block, case, arguments, real, exact, own, "all known")
        for seed in range(seeds):
            rng = random.Random(f"{name} {case} {seed}")
            kinds = [a.type.name for a in block.schema.arguments]
            failures += _judge(
                block, case, [hidden(v, k, rng) for v, k in zip(arguments, kinds)], real, False, own, "hidden"
            )
    return made, failures


def _judge(
    block: type[Block], case: Case, arguments: list[Any], real: Any, exact: bool, own: bool, what: str
) -> list[Failure]:
    """`own` calls are cases of the op as written, which must not be refused."""
    shown = f"{what} ({', '.join(map(_show, arguments))})"
    try:
        found = block.infer(*arguments)
    except AtenError as error:
        if not own:  # guards.py asks why
            return []
        return [Failure(block.name(), str(case), shown, f"refused: {error}")]
    except Exception as error:
        return [Failure(block.name(), str(case), shown, f"{type(error).__name__}: {error}")]
    if len(block.schema.returns) > 1:
        found = list(found)
    if (equal if exact else covers)(found, real):
        return []
    return [Failure(block.name(), str(case), shown, f"inferred {_show(found)}, torch gives {_show(real)}")]


def _show(value: Any) -> str:
    return f"[{', '.join(map(_show, value))}]" if isinstance(value, (list, tuple)) else str(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ops", nargs="*", metavar="OP")
    parser.add_argument("--seeds", type=int, default=6, help="ways of hiding knowledge of each call")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    wanted = [p.replace("::", ".") for p in options.ops] or ["*"]
    names = [b.name() for b in registry.all_ops() if b.cases and any(fnmatch.fnmatch(b.name(), p) for p in wanted)]
    if not names:
        raise SystemExit(f"inference: no op matches {options.ops}\n  do: ./nox -s inference -- 'aten.index*'")
    start, total, bad = time.monotonic(), 0, 0
    checked = apart.results(check, names, options.seeds, workers=options.workers, preload="inference")
    for name, found in tqdm(checked, total=len(names), unit="op", file=sys.stderr):
        crash = isinstance(found, apart.Died)
        made, failures = (0, [Failure(name, "", "", f"crash: {found}")]) if crash else found
        total, bad = total + made, bad + len(failures)
        for failure in failures[:3]:
            print(failure, flush=True)
        if len(failures) > 3:
            print(f"{name}: {len(failures) - 3} more like these", flush=True)
    print(f"inference: {len(names)} ops, {total} inferences, {bad} wrong, {time.monotonic() - start:.0f} s")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
