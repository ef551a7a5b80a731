"""A compiled program, and the way from a module in the torch dialect to it. Both frontends end here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from npcomp_dialects import backends
from npcomp_dialects.errors import OptionError

_FALLBACK = ("allow", "warn", "forbid")
_DUMP = "NPCOMP_DUMP_DIR"


@dataclass(frozen=True)
class CompileOptions:
    """How to compile.

    `opt_level` 0 leaves out what only makes programs faster, 2 is the default. `fallback` says what happens to an op
    without lowering: `allow` runs torch's kernel, `warn` says so, `forbid` is an error. `dump_dir` receives the IR
    after each pass (the environment variable NPCOMP_DUMP_DIR sets it too).
    """

    opt_level: int = 2
    threads: int = 1
    fallback: str = "allow"
    dump_dir: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if self.opt_level not in (0, 1, 2, 3):
            raise OptionError(f"opt_level is {self.opt_level!r}\ndo: use 0, 1, 2 or 3")
        if not isinstance(self.threads, int) or self.threads < 1:
            raise OptionError(f"threads is {self.threads!r}\ndo: use a positive number")
        if self.fallback not in _FALLBACK:
            raise OptionError(f"fallback is {self.fallback!r}\ndo: use one of {', '.join(_FALLBACK)}")
        if self.dump_dir is None and os.environ.get(_DUMP):
            object.__setattr__(self, "dump_dir", os.environ[_DUMP])


@dataclass
class Report:
    """What compiling did: seconds by step, and the kernels of torch that the program calls by how often it does."""

    seconds: dict[str, float] = field(default_factory=dict)
    fallbacks: dict[str, int] = field(default_factory=dict)

    @property
    def total(self) -> float:
        return sum(self.seconds.values())

    def __str__(self) -> str:
        lines = [f"{name:36} {1000 * s:9.2f} ms" for name, s in self.seconds.items()]
        lines.append(f"{'total':36} {1000 * self.total:9.2f} ms")
        lines += [f"kernel fallback: {name} ({count} calls)" for name, count in self.fallbacks.items()]
        return "\n".join(lines)


class Program:
    """A compiled program. Calling it runs `forward`; its other methods are attributes.

    `module` is the IR at the backend contract, `artifact` what the backend made of it.
    """

    def __init__(self, module: Any, artifact: Any, report: Report) -> None:
        self.module = module
        self.artifact = artifact
        self._report = report
        self._instance = artifact.load()
        self._methods: dict[str, Callable[..., Any]] = dict(self._instance.methods)
        self._main = self._methods.get("forward") or next(iter(self._methods.values()))

    def __call__(self, *args: Any, **keywords: Any) -> Any:
        return self._main(*args, **keywords)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        methods = self.__dict__.get("_methods", {})
        if name in methods:
            return methods[name]
        raise AttributeError(f"the program has no method {name!r}; it has {', '.join(methods)}")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the artifact to a file, which runs without torch and without the compiler."""
        self.artifact.save(path)

    def report(self) -> Report:
        """Times of the steps of compiling, and which ops run as kernels of torch."""
        return self._report


def compile_module(
    module: Any, backend: str | backends.Backend = "refbackend", options: CompileOptions | None = None
) -> Program:
    """Compile a module in the torch dialect, as imported, for a backend. The module is changed in place."""
    from npcomp_dialects import pipelines

    options = options or CompileOptions()
    found = backends.lookup(backend)
    report = Report()
    pipelines.lower_to_torch_contract(module, options, report)
    pipelines.lower_to_backend_contract(module, options, report)
    report.fallbacks = pipelines.fallbacks(module)
    kept = module.operation.clone()
    start = time.perf_counter()
    artifact = found.compile(module, options)
    report.seconds["backend"] = time.perf_counter() - start
    return Program(kept, artifact, report)
