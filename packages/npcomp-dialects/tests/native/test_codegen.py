"""Object code: what is emitted runs, and what cannot be emitted raises."""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from npcomp_dialects import codegen
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.passmanager import PassManager

pytestmark = pytest.mark.usefixtures("context")

KERNEL = """
func.func @kernel(%p: !llvm.ptr, %q: !llvm.ptr, %n: i64) {
  %c0 = arith.constant 0 : i64
  %c1 = arith.constant 1 : i64
  scf.for %i = %c0 to %n step %c1 : i64 {
    %a = llvm.getelementptr %p[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    %x = llvm.load %a : !llvm.ptr -> f32
    %y = arith.mulf %x, %x : f32
    %z = math.exp %y : f32
    %b = llvm.getelementptr %q[%i] : (!llvm.ptr, i64) -> !llvm.ptr, f32
    llvm.store %z, %b : f32, !llvm.ptr
  }
  return
}
"""
TO_LLVM = (
    "builtin.module(convert-scf-to-cf,convert-math-to-libm,convert-arith-to-llvm,convert-cf-to-llvm,"
    "convert-func-to-llvm,reconcile-unrealized-casts)"
)


def lowered(text: str) -> ir.Module:
    module = ir.Module.parse(text)
    PassManager.parse(TO_LLVM).run(module.operation)
    return module


@pytest.mark.parametrize("opt_level", [0, 1, 2, 3])
@pytest.mark.parametrize("native", [False, True])
def test_a_kernel_runs(tmp_path: Path, opt_level: int, native: bool) -> None:
    target = {"cpu": codegen.host_cpu(), "features": codegen.host_features()} if native else {}
    compiled = codegen.emit_object(lowered(KERNEL), opt_level=opt_level, **target)
    assert compiled[:4] == b"\x7fELF"
    if shutil.which("cc") is None:
        pytest.skip("no C compiler to link the object with")
    (tmp_path / "kernel.o").write_bytes(compiled)
    library = tmp_path / "kernel.so"
    subprocess.run(["cc", "-shared", "-o", str(library), str(tmp_path / "kernel.o"), "-lm"], check=True)
    kernel = ctypes.CDLL(str(library)).kernel
    for size in (0, 1, 37):
        x = np.random.default_rng().standard_normal(size).astype(np.float32)
        y = np.empty_like(x)
        kernel(ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data), ctypes.c_int64(size))
        np.testing.assert_allclose(y, np.exp(x * x), rtol=1e-5)


def test_other_dialects_are_refused() -> None:
    with pytest.raises(ValueError, match=r"not in the LLVM dialect.*func\.func"):
        codegen.emit_object(ir.Module.parse(KERNEL))


def test_an_invalid_module_is_refused() -> None:
    module = lowered(KERNEL)
    function = module.body.operations[0]
    function.attributes["function_type"] = ir.TypeAttr.get(ir.Type.parse("!llvm.func<i64 (ptr)>"))
    with pytest.raises(ValueError, match="not valid"):
        codegen.emit_object(module)


def test_unknown_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="no CPU is called 'z80'"):
        codegen.emit_object(lowered(KERNEL), cpu="z80")
    with pytest.raises(ValueError, match="reloc"):
        codegen.emit_object(lowered(KERNEL), reloc="dynamic")


def test_host() -> None:
    assert codegen.host_cpu()
    features = codegen.host_features().split(",")
    assert all(feature[0] in "+-" for feature in features)


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "int64", "int32", "int8", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3)])
def test_elements(dtype: str, shape: tuple[int, ...]) -> None:
    values = np.random.default_rng().integers(0, 2, shape).astype(dtype)
    if values.size == 0:
        attribute = ir.Attribute.parse("dense<> : tensor<0xf32>")
        assert bytes(codegen.elements(attribute)) == b""
        return
    attribute = ir.DenseElementsAttr.get(np.ascontiguousarray(values))
    np.testing.assert_array_equal(np.frombuffer(codegen.elements(attribute), dtype), values.ravel())


def test_elements_of_splats_resources_and_bfloat16() -> None:
    assert bytes(codegen.elements(ir.Attribute.parse("dense<1.0> : tensor<3xbf16>"))) == b"\x80\x3f" * 3
    assert bytes(codegen.elements(ir.Attribute.parse("dense<true> : tensor<3xi1>"))) == b"\x01" * 3
    values = np.arange(5, dtype=np.float64)
    resource = ir.DenseResourceElementsAttr.get_from_buffer(values, "x", ir.RankedTensorType.get([5], ir.F64Type.get()))
    view = codegen.elements(resource)
    np.testing.assert_array_equal(np.frombuffer(view, np.float64), values)
    assert view.readonly
    with pytest.raises(ValueError, match="no dense elements"):
        codegen.elements(ir.StringAttr.get("x"))
