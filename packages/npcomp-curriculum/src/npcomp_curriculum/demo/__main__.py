"""`./nox -s demo`: train, compile through both frontends, run, save, reload without torch, and break it on purpose."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from npcomp_curriculum import bench, table
from npcomp_curriculum.demo import digits

BATCHES = [1, 7, 32, 359]


def say(text: str) -> None:
    print(f"\n── {text}", flush=True)


def compile_torchscript(model: torch.nn.Module) -> Any:
    import npcomp_torchscript as nts

    return nts.compile(model, [nts.TensorSpec(["batch", 64], torch.float32)])


def compile_acap(model: torch.nn.Module) -> Any:
    import npcomp_acap as acap

    return acap.trace(model, torch.zeros(2, 64), dynamic={0: {0: "batch"}})


def timed(compile_model: Callable[[torch.nn.Module], Any], model: torch.nn.Module) -> tuple[Any, float]:
    start = time.perf_counter()
    program = compile_model(model)
    return program, (time.perf_counter() - start) * 1e3


def scores_in_batches(program: Callable[[torch.Tensor], torch.Tensor], pixels: torch.Tensor, size: int) -> torch.Tensor:
    return torch.cat([program(batch) for batch in pixels.split(size)])


def compare(model: torch.nn.Module, programs: dict[str, tuple[Any, float]], data: digits.Digits) -> None:
    """The table: every program at every batch size against eager."""
    rows = []
    for name, (program, compile_ms) in programs.items():
        for size in BATCHES:
            with torch.inference_mode():
                wanted = scores_in_batches(model, data.test_pixels, size)
                scores = scores_in_batches(program, data.test_pixels, size)
                batch = data.test_pixels[:size]
                times = bench.measure({"eager": partial(model, batch), "ours": partial(program, batch)})
            accuracy = (scores.argmax(1) == data.test_labels).float().mean().item()
            agreement = (scores.argmax(1) == wanted.argmax(1)).float().mean().item()
            error = (scores - wanted).abs().max().item()
            rows.append(
                (
                    name, size, f"{accuracy:.1%}", f"{agreement:.1%}", f"{error:.1e}", f"{compile_ms:.0f}",
                    f"{times['ours']:.1f}", f"{times['eager']:.1f}", f"{times['eager'] / times['ours']:.2f}×",
                )
            )  # fmt: skip
            if agreement < 1.0 or not torch.allclose(scores, wanted, rtol=1e-4, atol=1e-4):
                raise SystemExit(f"demo: {name} differs from eager at batch {size}")
    header = [
        "frontend",
        "batch",
        "accuracy",
        "agrees",
        "max error",
        "compile ms",
        "µs a call",
        "eager µs",
        "eager/ours",
    ]
    print(table.render(header, rows))


def run_without_torch(program: Any, data: digits.Digits, folder: Path) -> None:
    artifact, pixels, scores = folder / "digits.npc", folder / "pixels.npy", folder / "scores.npy"
    program.save(artifact)
    print(f"saved {artifact.name}: {artifact.stat().st_size / 1024:.0f} KiB")
    np.save(pixels, data.test_pixels.numpy())
    command = [sys.executable, "-m", "npcomp_curriculum.demo.without_torch", *map(str, (artifact, pixels, scores))]
    subprocess.run(command, check=True)
    agreement = (torch.from_numpy(np.load(scores)).argmax(1) == program(data.test_pixels).argmax(1)).float().mean()
    print(f"its predictions agree with this process: {agreement.item():.1%}")


def provoke(program: Any) -> None:
    try:
        program(torch.zeros(3, 100))
    except (TypeError, ValueError, RuntimeError) as error:
        print(f"{type(error).__name__}: {error}")
    else:
        raise SystemExit("demo: a wrong shape went unnoticed")


def main() -> None:
    torch.set_num_threads(1)
    say("training a two-layer classifier on 1,438 handwritten digits, eager torch")
    start = time.perf_counter()
    data = digits.load()
    model = digits.train(data)
    print(f"{time.perf_counter() - start:.1f} s")

    say("compiling it through both frontends, with a dynamic batch")
    programs = {
        "torchscript": timed(compile_torchscript, model),
        "acap": timed(compile_acap, model),
    }
    for name, (_, compile_ms) in programs.items():
        print(f"npcomp-{name}: {compile_ms:.0f} ms")

    say(f"the {len(data.test_labels)} held-out digits, in batches of several sizes")
    compare(model, programs, data)

    say("a few of them")
    program = programs["torchscript"][0]
    shown = data.test_pixels[:5]
    captions = [f"{p} (is {t})" for p, t in zip(program(shown).argmax(1).tolist(), data.test_labels[:5].tolist())]
    print(digits.draw(shown, captions))

    say("saved, and run in a second process")
    with tempfile.TemporaryDirectory() as folder:
        run_without_torch(program, data, Path(folder))

    say("a wrong shape, on purpose")
    provoke(program)
    print("and the next call works: digit", program(shown[:1]).argmax(1).item())


if __name__ == "__main__":
    main()
