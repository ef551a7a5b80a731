"""Options, backends, programs and reports, with a backend that only keeps the module."""

from __future__ import annotations

from pathlib import Path

import npcomp_dialects
import pytest
from npcomp_dialects import backends
from npcomp_dialects.diagnostics import parse_module
from npcomp_dialects.errors import CompileError, ContractError, OptionError, UnsupportedError
from npcomp_dialects.program import CompileOptions, compile_module

TEXT = """
func.func @forward(%x: !torch.tensor {torch.type_bound = !torch.vtensor<[?,3],f32>}) -> !torch.tensor {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}
func.func @other(%n: !torch.int) -> !torch.int {
  return %n : !torch.int
}
"""
FALLBACK = """
func.func @forward(%x: !torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32> {
  %0 = torch.operator "aten.unheard_of"(%x) : (!torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32>
  return %0 : !torch.vtensor<[2],f32>
}
"""


class Recorder:
    """A backend, its artifact and its instance in one."""

    def compile(self, module, options):
        self.text = str(module)
        self.options = options
        return self

    def load(self):
        self.methods = {"forward": lambda x: ("forward", x), "other": lambda n: ("other", n)}
        return self

    def save(self, path):
        Path(path).write_text(self.text)


def module_of(text: str):
    return parse_module(text, npcomp_dialects.context())


def test_a_program_has_methods_module_and_artifact(tmp_path: Path) -> None:
    backend = Recorder()
    program = compile_module(module_of(TEXT), backend, CompileOptions(threads=2))
    assert program(1) == ("forward", 1)
    assert program.other(2) == ("other", 2)
    assert "linalg.generic" in str(program.module)
    assert backend.options.threads == 2
    program.save(tmp_path / "p")
    assert "linalg.generic" in (tmp_path / "p").read_text()
    with pytest.raises(AttributeError, match="the program has no method 'missing'; it has forward, other"):
        program.missing  # noqa: B018


def test_the_report_times_steps_and_counts_fallbacks() -> None:
    report = compile_module(module_of(FALLBACK), Recorder()).report()
    assert report.fallbacks == {"aten.unheard_of": 1}
    assert {"refine-types", "lower", "backend"} <= set(report.seconds)
    assert report.total > 0
    assert "kernel fallback: aten.unheard_of (1 calls)" in str(report)


def test_fallback_can_be_forbidden() -> None:
    with pytest.raises(UnsupportedError, match=r"aten\.unheard_of has no lowering, and kernel fallback is forbidden"):
        compile_module(module_of(FALLBACK), Recorder(), CompileOptions(fallback="forbid"))


def test_fallback_can_warn() -> None:
    with pytest.warns(UserWarning, match=r"aten\.unheard_of has no lowering"):
        compile_module(module_of(FALLBACK), Recorder(), CompileOptions(fallback="warn"))


def test_each_step_is_dumped(tmp_path: Path) -> None:
    compile_module(module_of(TEXT), Recorder(), CompileOptions(dump_dir=tmp_path / "dump"))
    names = sorted(path.name for path in (tmp_path / "dump").iterdir())
    assert names[0] == "00-globalize-object-graph.mlir"
    assert any(name.endswith("-lower.mlir") for name in names)


def test_the_environment_sets_the_dump_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NPCOMP_DUMP_DIR", str(tmp_path))
    assert CompileOptions().dump_dir == str(tmp_path)


def test_level_0_leaves_out_simplify() -> None:
    plain, best = Recorder(), Recorder()
    levels = [compile_module(module_of(TEXT), b, CompileOptions(opt_level=n)) for b, n in ((plain, 0), (best, 2))]
    assert "simplify" not in levels[0].report().seconds
    assert "simplify" in levels[1].report().seconds


@pytest.mark.parametrize(
    "options", [{"opt_level": 7}, {"threads": 0}, {"fallback": "maybe"}, {"threads": "2"}], ids=str
)
def test_wrong_options(options: dict) -> None:
    with pytest.raises(OptionError, match="do: use"):
        CompileOptions(**options)


def test_wrong_backends() -> None:
    with pytest.raises(OptionError, match="there is no backend 'nonsense'"):
        backends.lookup("nonsense")
    with pytest.raises(OptionError, match="has no method compile"):
        backends.lookup(object())


def test_a_wrong_program_is_refused_and_the_next_one_compiles() -> None:
    unknown = TEXT.replace(" {torch.type_bound = !torch.vtensor<[?,3],f32>}", "")
    with pytest.raises(ContractError, match="rule known-tensors") as caught:
        compile_module(module_of(unknown), Recorder())
    assert isinstance(caught.value, CompileError)
    assert caught.value.violations[0].rule == "known-tensors"
    assert compile_module(module_of(TEXT), Recorder())(3) == ("forward", 3)
