"""Everything one does with this repository. `./nox -l` reads as the manual; the logic lives in ci/ and the packages."""

from __future__ import annotations

import sys
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "ci"))
import dev as environment  # noqa: E402

nox.options.default_venv_backend = "none"
nox.options.sessions = ["tests"]
nox.options.error_on_missing_interpreters = True

PYTHON = str(environment.PYTHON)
TESTS = [f"packages/{name}/tests" for name in environment.PACKAGES] + ["ci/tests"]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def python(session: nox.Session, *arguments: str, native: bool = True) -> None:
    """Runs the development environment's Python, which is made or brought up to date first."""
    session.run(sys.executable, "ci/dev.py", *([] if native else ["--no-native"]), external=True)
    session.run(PYTHON, *arguments, external=True, env=ONE_THREAD)


@nox.session
def demo(session: nox.Session) -> None:
    """The main job on real input: train a digit classifier, compile it through both frontends, run, save, reload."""
    python(session, "-m", "npcomp_curriculum.demo", *session.posargs)


@nox.session
def tests(session: nox.Session) -> None:
    """What CI runs: lint, types, pins, generated pages, all packages' tests, the docs' code, each wheel alone."""
    python(session, "ci/suite.py", *session.posargs)


@nox.session
def dev(session: nox.Session) -> None:
    """Make or update the development environment in build/venv, with all five packages."""
    python(session, "-c", f"print('ready: {PYTHON}')")


@nox.session
def native(session: nox.Session) -> None:
    """Build the native parts into the source tree. `-- --from prebuilt|submodule`"""
    python(session, "ci/native.py", *session.posargs, native=False)


@nox.session
def llvm(session: nox.Session) -> None:
    """Build LLVM and MLIR from the submodule, once; the native build then prefers it."""
    python(session, "ci/llvm.py", *session.posargs, native=False)


@nox.session
def unit(session: nox.Session) -> None:
    """pytest on every package. `-- -k name` and any other pytest argument"""
    python(session, "-m", "pytest", *(session.posargs or TESTS))


@nox.session
def lit(session: nox.Session) -> None:
    """The FileCheck tests of passes and diagnostics. `-- FILE…`"""
    python(
        session,
        str(environment.VENV / "bin" / "lit"),
        "-v",
        *(session.posargs or ["packages/npcomp-dialects/tests/lit"]),
    )


@nox.session
def opcheck(session: nox.Session) -> None:
    """Every generated case of the op library: both frontends, static and dynamic, second sizes. `-- aten.tanh`"""
    python(session, "ci/opcheck.py", *session.posargs)


@nox.session
def opinfo(session: nox.Session) -> None:
    """torch's own operator database through acap and RefBackend. `-- linalg.svd`, `-- --fast`, `-- --json FILE`"""
    python(session, "ci/opinfo.py", *session.posargs)


@nox.session
def guards(session: nox.Session) -> None:
    """Generated illegal calls of every op: refused as eager torch does, with the user's line. `-- aten.index*`"""
    python(session, "ci/guards.py", *session.posargs)


@nox.session
def inference(session: nox.Session) -> None:
    """Inference of every op against eager torch, with and without hidden knowledge. `-- aten.index*`"""
    python(session, "ci/inference.py", *session.posargs)


@nox.session
def op(session: nox.Session) -> None:
    """Print a filled block for a new op. `-- aten::tanh`"""
    python(session, "ci/op.py", *session.posargs, native=False)


@nox.session
def e2e(session: nox.Session) -> None:
    """Every program of the curriculum through every frontend and backend, compared with eager."""
    python(session, "-m", "npcomp_curriculum", "run", *session.posargs)


@nox.session
def curriculum(session: nox.Session) -> None:
    """The curriculum's own command. `-- list|run|bench …`"""
    python(session, "-m", "npcomp_curriculum", *(session.posargs or ["list"]))


@nox.session
def bench(session: nox.Session) -> None:
    """Compile time, run time and call overhead against eager torch in the same run."""
    python(session, "-m", "npcomp_curriculum", "bench", *session.posargs)


@nox.session
def isolation(session: nox.Session) -> None:
    """Build every wheel and try each alone in a bare environment; say what they weigh."""
    python(session, "ci/isolation.py", *session.posargs)


@nox.session
def downstream(session: nox.Session) -> None:
    """A project that depends on npcomp-dialects alone brings its own pass."""
    python(session, "-m", "pytest", "packages/npcomp-dialects/tests/downstream", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Run every code block of the documentation."""
    python(session, "ci/docs.py", *session.posargs)


@nox.session
def gen(session: nox.Session) -> None:
    """Regenerate the reference pages. `-- --check` fails on a difference"""
    python(session, "ci/gen.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff and clang-format. `-- --fix` repairs what can be repaired"""
    python(session, "ci/lint.py", *session.posargs, native=False)


@nox.session
def types(session: nox.Session) -> None:
    """mypy on the Python packages."""
    python(session, "-m", "mypy", "--config-file", "ci/mypy.ini", *session.posargs, native=False)


@nox.session
def check_pins(session: nox.Session) -> None:
    """Do versions, pins, the submodule and the prebuilt MLIR agree?"""
    python(session, "ci/pins.py", "check", native=False)


@nox.session
def bump(session: nox.Session) -> None:
    """Raise a version and write every pin that follows from it. `-- npcomp-dialects` or `-- epoch`"""
    python(session, "ci/pins.py", "bump", *session.posargs, native=False)


@nox.session
def release(session: nox.Session) -> None:
    """Build the five wheels into dist/."""
    python(session, "ci/wheels.py", "dist", *session.posargs)


@nox.session
def clean(session: nox.Session) -> None:
    """Remove everything that was built."""
    session.run(sys.executable, "ci/clean.py", *session.posargs, external=True)
