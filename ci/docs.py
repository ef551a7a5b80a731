"""Runs every code block of the documentation: ```python blocks of one page share a namespace, ```sh blocks run from the
repository's root. A block after `<!-- not run: why -->` is skipped, and the reason printed.

    python ci/docs.py [PAGE…]
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
FENCE = re.compile(r"(?:<!-- not run: (?P<why>[^>]*) -->\n)?```(?P<language>python|sh)\n(?P<code>.*?)^```", re.M | re.S)


class Block(NamedTuple):
    language: str
    code: str
    line: int
    skipped: str | None


def blocks(text: str) -> list[Block]:
    """The runnable blocks of a page, in order."""
    return [
        Block(m["language"], m["code"], text[: m.start("code")].count("\n") + 1, m["why"]) for m in FENCE.finditer(text)
    ]


def script(page: Path) -> str:
    """The page's Python blocks as one program; line numbers are the page's."""
    lines: list[str] = []
    for block in blocks(page.read_text()):
        if block.language == "python" and block.skipped is None:
            lines += [""] * (block.line - 1 - len(lines)) + block.code.splitlines()
    return "\n".join(lines) + "\n"


def run_page(page: Path) -> list[str]:
    """Runs a page's blocks in a scratch folder, the shell ones with the environment's commands on the path."""
    problems = []
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, page.name + ".py")
        source.write_text(script(page))
        jobs = [("python", [sys.executable, str(source)], folder)] if source.read_text().strip() else []
        for block in blocks(page.read_text()):
            if block.language == "sh" and block.skipped is None:
                jobs.append((f"sh at line {block.line}", ["sh", "-euc", block.code], str(ROOT)))
        for what, command, where in jobs:
            done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, timeout=900)
            if done.returncode:
                problems.append(f"{page.relative_to(ROOT)} ({what}) failed:\n{done.stdout}{done.stderr}")
    return problems


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("packages/*/README.md")])


def main(arguments: list[str]) -> None:
    failed = []
    for page in [Path(name).resolve() for name in arguments] or pages():
        found = blocks(page.read_text())
        if not found:
            continue
        problems = run_page(page)
        skipped = [f"line {b.line} not run: {b.skipped}" for b in found if b.skipped]
        print(
            f"{page.relative_to(ROOT)}: {len(found)} blocks {'FAILED' if problems else 'ok'} {'; '.join(skipped)}",
            flush=True,
        )
        failed += problems
    if failed:
        raise SystemExit("\n".join(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
