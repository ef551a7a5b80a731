"""The backend as a whole: options, dumps, shared kernels, state, fallback."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest
from contract_text import Text, double
from harness import compile_text, random
from npcomp_dialects.errors import CompileError

_FALLBACK = """
func.func @forward(%x: tensor<?xf32>) -> tensor<?xf32> {
  %t = torch.from_builtin_tensor %x : tensor<?xf32> -> !torch.vtensor<[?],f32>
  %n = torch.constant.int 0 loc("model.py":7:3)
  %r = torch.operator "aten.cumsum"(%t, %n)
    : (!torch.vtensor<[?],f32>, !torch.int) -> !torch.vtensor<[?],f32> loc("model.py":7:3)
  %b = torch.to_builtin_tensor %r : !torch.vtensor<[?],f32> -> tensor<?xf32>
  return %b : tensor<?xf32>
}
"""

_STATE = """
torch.global_slot "private" @total : !torch.vtensor<[3],f32>
torch.global_slot "private" @calls : !torch.int
torch.global_slot.module_initializer {
  %0 = torch.vtensor.literal(dense<[1.0, 2.0, 3.0]> : tensor<3xf32>) : !torch.vtensor<[3],f32>
  %1 = torch.constant.int 5
  torch.initialize.global_slots [
    @total(%0 : !torch.vtensor<[3],f32>),
    @calls(%1 : !torch.int)
  ]
}
func.func @forward(%x: tensor<3xf32>) -> (tensor<3xf32>, i64) {
  %t = torch.global_slot.get @total : !torch.vtensor<[3],f32>
  %b = torch.to_builtin_tensor %t : !torch.vtensor<[3],f32> -> tensor<3xf32>
  %e = tensor.empty() : tensor<3xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>, affine_map<(i) -> (i)>],
    iterator_types = ["parallel"]} ins(%b, %x : tensor<3xf32>, tensor<3xf32>) outs(%e : tensor<3xf32>) {
  ^bb0(%p: f32, %q: f32, %o: f32):
    %r = arith.addf %p, %q : f32
    linalg.yield %r : f32
  } -> tensor<3xf32>
  %u = torch.from_builtin_tensor %s : tensor<3xf32> -> !torch.vtensor<[3],f32>
  torch.global_slot.set @total = %u : !torch.vtensor<[3],f32>
  %c = torch.global_slot.get @calls : !torch.int
  %n = torch.to_i64 %c
  %one = arith.constant 1 : i64
  %m = arith.addi %n, %one : i64
  %k = torch.from_i64 %m
  torch.global_slot.set @calls = %k : !torch.int
  return %s, %m : tensor<3xf32>, i64
}
"""


def test_equal_dispatches_share_a_kernel():
    t = Text()
    x, y = t.arg("tensor<?x4xf32>"), t.arg("tensor<?x4xf32>")
    program = compile_text(t.returns(double(t, x, "i j", x.type), double(t, y, "i j", y.type)))
    assert program.header["counts"] == {"kernels": 1, "dispatches": 2}
    a, b = random(6, 4), random(3, 4)
    first, second = program(a, b)
    np.testing.assert_array_equal(first, 2 * a)
    np.testing.assert_array_equal(second, 2 * b)


def test_dumps_show_dispatches_driver_and_kernels(tmp_path):
    t = Text()
    x = t.arg("tensor<?xf32>")
    program = compile_text(t.returns(double(t, x, "i", x.type)), options=SimpleNamespace(dump_dir=tmp_path))
    assert "refrt.dispatch" in (tmp_path / "dispatches.mlir").read_text()
    assert "refrt_launch" in (tmp_path / "driver.mlir").read_text()
    assert "llvm.func @npcomp_forward" in (tmp_path / "llvm.mlir").read_text()
    (kernel,) = json.loads((tmp_path / "kernels.json").read_text())
    assert kernel["family"] == "pointwise" and kernel["lanes"] >= 4
    assert program.header["kernels"] == [kernel]
    assert set(program.header["seconds"]) == {"dispatches", "driver", "kernels", "lower"}


def test_forbidden_fallback_names_op_and_line():
    with pytest.raises(CompileError, match=r"aten\.cumsum \(model\.py:7\)"):
        compile_text(_FALLBACK, options=SimpleNamespace(fallback="forbid", dump_dir=None))


def test_allowed_fallback_is_described():
    (row,) = compile_text(_FALLBACK).header["fallbacks"]
    assert row["op"] == "aten.cumsum" and row["loc"] == "model.py:7"
    assert row["args"] == [{"kind": "tensor"}, {"kind": "const", "value": 0}]
    assert row["results"] == [{"kind": "tensor", "dtype": "f32", "dims": [None]}]


def test_state_lives_between_calls():
    program = compile_text(_STATE)
    x = np.ones(3, np.float32)
    np.testing.assert_array_equal(program(x)[0], [2, 3, 4])
    values, calls = program(x)
    np.testing.assert_array_equal(values, [3, 4, 5])
    assert calls == 7
