"""Artifact files: what is written is read, what is damaged or foreign is refused."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from compiled import add_one, artifact, method, tensor
from npcomp_refbackend import Artifact, ArtifactError, _runtime, load

SUM = """
ENTRY(npcomp_forward) {
  float total = 0;
  for (int k = 0; k < COUNT; ++k) {
    T t = refrt_constant(c, k);
    if ((int64_t)t->data % 64) total += 1000;
    for (int64_t i = 0; i < t->numel; ++i) total += ((float *)t->data)[i];
  }
  r[0] = (int64_t)scalar_tensor(c, total);
}
"""


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.npc"
    constants = (np.arange(5, dtype=np.float32), np.zeros((0, 3), np.float32), np.full((7, 3), 2, np.float32))
    artifact(SUM.replace("COUNT", "3"), method([], tensor()), constants=constants).save(path)
    return path


def test_a_saved_program_runs_again(saved):
    assert load(saved, outputs="numpy")() == 10 + 42
    again = Artifact.load_file(saved)
    np.testing.assert_array_equal(again.constants[0], np.arange(5))
    assert again.constants[1].shape == (0, 3)
    assert [row["sizes"] for row in again.header["constants"]] == [[5], [0, 3], [7, 3]]
    copy = saved.with_name("copy.npc")
    again.save(copy)
    assert copy.read_bytes() == saved.read_bytes()
    assert load(copy, outputs="numpy")() == 52
    assert load(str(copy), outputs="numpy")() == 52


def test_constants_that_are_not_aligned_in_memory():
    buffer = np.zeros(4 * 9 + 1, np.uint8)[1:]
    odd = buffer.view(np.float32)
    odd[:] = 3
    program = artifact(SUM.replace("COUNT", "1"), method([], tensor()), constants=(odd,)).load(outputs="numpy")
    assert program() == 27


def test_loading_needs_neither_torch_nor_the_compiler(saved):
    code = f"""
import sys, npcomp_refbackend
assert npcomp_refbackend.load({str(saved)!r})().item() == 52
loaded = [name for name in sys.modules if name.split(".")[0] in ("torch", "npcomp_dialects")]
assert not loaded, loaded
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_file_may_go_while_the_program_lives(saved):
    program = load(saved, outputs="numpy")
    saved.unlink()
    assert program() == 52


def test_a_missing_file(tmp_path):
    with pytest.raises(ArtifactError, match="cannot be opened: No such file"):
        load(tmp_path / "nothing.npc")
    with pytest.raises(ArtifactError, match="cannot be read as a file"):
        load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x7fELF" + bytes(300), b"\x89PNG\r\n\x1a\n" + bytes(300), b"text"])
def test_foreign_files(tmp_path, content):
    path = tmp_path / "foreign"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match=r"is not an npcomp artifact. do: pass a file written by save()"):
        load(path)


def test_every_truncation(saved):
    data = saved.read_bytes()
    for size in [*range(1, 140), *range(140, len(data), 61), len(data) - 1]:
        saved.write_bytes(data[:size])
        with pytest.raises(ArtifactError, match=r"is truncated: it has|is not an npcomp artifact"):
            load(saved)


def test_a_newer_file(saved):
    data = bytearray(saved.read_bytes())
    struct.pack_into("<I", data, 8, 99)
    saved.write_bytes(data)
    with pytest.raises(
        ArtifactError, match=r"has format version 99, and this npcomp-refbackend reads up to 1. do: update"
    ):
        load(saved)


def test_any_damaged_byte_is_found(saved):
    data = saved.read_bytes()
    unchecked = range(88, 128)  # reserved
    rng = np.random.default_rng(0)
    places = [*range(128), *rng.integers(128, len(data), 500), *range(len(data) - 70, len(data))]
    for at in places:
        damaged = bytearray(data)
        damaged[at] ^= 1 << rng.integers(8)
        saved.write_bytes(damaged)
        if at in unchecked:
            load(saved)
            continue
        with pytest.raises(ArtifactError):
            load(saved)


def test_bytes_after_the_end_do_no_harm(saved):
    saved.write_bytes(saved.read_bytes() + b"more")
    assert load(saved, outputs="numpy")() == 52


HEADERS = [
    ({"methods": 3}, "something else where a list is needed"),
    ({"methods": [{"entry": "npcomp_forward"}]}, "lacks 'signature'"),
    ({"methods": [{"signature": {"name": "f"}, "entry": "other"}]}, "lacks the function 'other' of method 'f'"),
    ({"constants": [{"dtype": "f32", "sizes": [1]}]}, "lists 1 constants and brings 0"),
    (
        {"slots": [{"name": "s", "kind": "tensor", "constant": 0}]},
        "starts from a constant that the program does not have",
    ),
    ({"slots": [{"name": "s", "kind": "list"}]}, "state 's' has unknown kind 'list'"),
    ({"target": {"arch": "aarch64"}}, "was compiled for aarch64, and this machine is x86_64"),
    ({"methods": [method([], {"kind": "map"})]}, "value of kind 'map', which this version does not know"),
    ({"methods": [method([{"kind": "tensor", "name": "x"}], {"kind": "none"})]}, "without a known dtype and dims"),
    ({"methods": [method([{"kind": "str", "name": "x"}], {"kind": "none"})]}, "lacks 'value'"),
]


@pytest.mark.parametrize(("header", "text"), HEADERS, ids=lambda value: value if isinstance(value, str) else "")
def test_headers_that_do_not_fit(header, text):
    with pytest.raises(ArtifactError, match=text):
        Artifact(header, add_one("n").object).load()


@pytest.mark.parametrize(
    "text", ['{"a"', "[1", '{"a": tru}', '"\\u12"', "", "{} x", "[" * 300, '{"a" 1}', "99999999999999999999"]
)
def test_headers_that_are_not_json(text):
    with pytest.raises(ArtifactError, match=r"is not valid JSON: .* at byte"):
        _runtime.Program.from_parts(text, add_one("n").object, [])


def test_json_is_read_as_python_writes_it():
    """Strings, numbers and nesting survive the way through the native reader."""
    value = {'ü\n"\\/': [1, -2.5e-3, True, None, 2**62, "\U0001f600\x01", {"k": []}], "e": float("inf")}
    arg = {"kind": "const", "name": "x", "value": value}
    for ascii_only in (True, False):
        header = json.dumps({"methods": [method([arg], {"kind": "none"})]}, ensure_ascii=ascii_only)
        program = _runtime.Program.from_parts(header, artifact("ENTRY(npcomp_forward) {}").object, [])
        call = _runtime.method(_runtime.Instance(program), 0, "auto")
        assert call(value) is None
        with pytest.raises(ValueError, match="was compiled for"):
            call({**value, "e": 1})


def test_processor_features():
    made = add_one("n")
    made.header["target"] = {"arch": "x86_64", "features": "+sse4.2,-amx-tile,+prefer-256-bit"}
    made.load()
    missing = next(name for name in ("xop", "amx-fp16", "fma4", "tbm") if name not in _runtime.host_features())
    for features in (f"+sse4.2,+{missing}", ["sse4.2", missing]):
        made.header["target"] = {"arch": "x86_64", "features": features}
        with pytest.raises(ArtifactError, match=f"processor features that this machine lacks: {missing}. do: compile"):
            made.load()


def test_features_agree_with_the_kernel():
    flags = next(line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("flags")).split()
    host = _runtime.host_features()
    for name in ("avx2", "fma", "avx512f", "avx512bf16", "bmi2", "sse4.2", "f16c", "amx-tile"):
        spelled = {"avx512bf16": "avx512_bf16"}.get(name, name.replace(".", "_").replace("-", "_"))
        assert (name in host) == (spelled in flags)


def test_saving_replaces_a_file_in_one_step(saved):
    before = saved.read_bytes()
    broken = add_one("n")
    broken.constants = [np.zeros(3)]  # the header lists none
    with pytest.raises(ValueError):
        broken.save(saved)
    assert saved.read_bytes() == before and [p.name for p in saved.parent.iterdir()] == [saved.name]
