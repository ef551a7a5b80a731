"""The reference backend: a module at the backend contract → an artifact of machine code.

    form dispatches → write kernels and the driver → one LLVM module → object code → artifact

Each step is a file of `codegen/`; this one runs them and reports their times.
"""

from __future__ import annotations

import json
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from npcomp_dialects.errors import CompileError
from npcomp_dialects.mlir import ir

from .codegen.driver import Driver
from .codegen.form import form_dispatches
from .codegen.kernels import KernelLibrary
from .codegen.lower_llvm import to_object
from .codegen.slots import read_slots
from .codegen.tables import Tables
from .codegen.target import Target


@dataclass
class Phases:
    """Seconds by phase, in order."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str):
        start = time.perf_counter()
        yield
        self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - start


@dataclass
class Code:
    """A compiled module before it is packed: what an `Artifact` is made of."""

    header: dict[str, Any]
    object: bytes
    constants: list[Any]


class RefBackend:
    """The backend that `npcomp.backends` lists as `refbackend`."""

    def compile(self, module: ir.Module, options: Any = None) -> Any:
        """The artifact of a module at the backend contract. The module is changed in place."""
        from .artifact import Artifact

        code = generate(module, options)
        return Artifact(code.header, code.object, code.constants)


def generate(module: ir.Module, options: Any = None, target: Target | None = None) -> Code:
    """Compile `module`, in which the dispatches are formed."""
    target = target or Target.host()
    dump = Path(options.dump_dir) if options is not None and options.dump_dir else None
    phases = Phases()
    with module.context, ir.Location.unknown():
        functions = [op for op in module.body.operations if op.operation.name == "func.func"]
        with phases.phase("dispatches"):
            for function in functions:
                form_dispatches(function)
        output = ir.Module.create()
        tables = Tables()
        read_slots(module, tables)
        kernels = KernelLibrary(output, target)
        with phases.phase("driver"):
            methods = _write_functions(functions, Driver(output, tables, kernels))
        phases.seconds["driver"] -= kernels.seconds
        phases.seconds["kernels"] = kernels.seconds
        _check_fallbacks(tables, options)
        _dump(dump, "dispatches.mlir", module)
        _dump(dump, "driver.mlir", output)
        with phases.phase("lower"):
            code = to_object(output, target)
        _dump(dump, "llvm.mlir", output)
    header = _header(methods, tables, kernels, target, phases)
    if dump is not None:
        (dump / "kernels.json").write_text(json.dumps(header["kernels"], indent=1))
    return Code(header, code, tables.constants.arrays)


def _header(
    methods: list[Any], tables: Tables, kernels: KernelLibrary, target: Target, phases: Phases
) -> dict[str, Any]:
    made = list(kernels.kernels.values())
    return {
        "methods": methods,
        "guards": tables.guards,
        "constants": tables.constants.header(),
        "slots": tables.slots,
        "fallbacks": tables.fallbacks,
        "requires": ["torch"] if tables.fallbacks else [],
        "kernels": [k.row() for k in made],
        "target": {"arch": "x86_64", "features": target.feature_text},
        "counts": {"kernels": len(made), "dispatches": sum(k.uses for k in made)},
        "seconds": {name: round(s, 4) for name, s in phases.seconds.items()},
    }


def _check_fallbacks(tables: Tables, options: Any) -> None:
    """Refuse or report ops that run as kernels of torch, as the options say."""
    policy = getattr(options, "fallback", "allow")
    if policy == "allow" or not tables.fallbacks:
        return
    ops = ", ".join(f"{row['op']} ({row.get('loc', 'unknown line')})" for row in tables.fallbacks)
    if policy == "forbid":
        raise CompileError(f"kernel fallback is forbidden, and needed for {ops}", do="allow it with fallback='allow'")
    warnings.warn(f"runs as kernels of torch: {ops}", stacklevel=2)


def _write_functions(functions: list[Any], driver: Driver) -> list[dict[str, Any]]:
    methods = []
    for function in functions:
        if _is_private(function):
            driver.private(function)
            continue
        entry = driver.entry(function)
        attributes = function.attributes
        signature = json.loads(attributes["npcomp.signature"].value) if "npcomp.signature" in attributes else {}
        methods.append({"name": attributes["sym_name"].value, "entry": entry, "signature": signature})
    return methods


def _is_private(function: Any) -> bool:
    return "sym_visibility" in function.attributes and function.attributes["sym_visibility"].value == "private"


def _dump(folder: Path | None, name: str, module: ir.Module) -> None:
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(module.operation.get_asm(large_elements_limit=16, large_resource_limit=64))
