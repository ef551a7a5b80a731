"""What the native build promises: a number that is checked, a self-contained library, a CMake package that works."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import npcomp_dialects
import pytest
from npcomp_dialects import native

CMAKE = """
cmake_minimum_required(VERSION 3.22)
project(client C)
find_package(Npcomp 0.1 REQUIRED CONFIG)
add_executable(client client.c)
target_link_libraries(client PRIVATE Npcomp::CAPI)
"""
CLIENT = r"""
#include "npcomp/CAPI/Registration.h"
#include "npcomp/CAPI/Torch.h"

int main(void) {
  MlirDialectRegistry registry = mlirDialectRegistryCreate();
  npcompRegisterAllDialects(registry);
  MlirContext context = mlirContextCreateWithRegistry(registry, false);
  mlirContextLoadAllAvailableDialects(context);
  MlirStringRef compiledIn = {0, 0};
  if (!npcompTorchRegisterAtenOps(context, compiledIn))
    return 1;
  MlirModule module = mlirModuleCreateParse(context, mlirStringRefCreateFromCString(
      "func.func @f(%x: !torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32> {\n"
      "  %0 = torch.aten.tanh %x : !torch.vtensor<[?],f32> -> !torch.vtensor<[?],f32>\n"
      "  return %0 : !torch.vtensor<[?],f32>\n}"));
  if (mlirModuleIsNull(module) || !mlirOperationVerify(mlirModuleGetOperation(module)))
    return 2;
  mlirModuleDestroy(module);
  mlirContextDestroy(context);
  mlirDialectRegistryDestroy(registry);
  return 0;
}
"""


def test_another_native_number_is_refused() -> None:
    npcomp_dialects.check_native(npcomp_dialects.NATIVE_NUMBER)
    with pytest.raises(ImportError, match=r"do: python ci/native\.py"):
        npcomp_dialects.check_native(npcomp_dialects.NATIVE_NUMBER - 1)


def test_the_package_alone_loads_neither_mlir_nor_torch() -> None:
    program = "import sys, npcomp_dialects; assert not {'torch', 'npcomp_dialects.mlir'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_a_context_loads_no_torch() -> None:
    program = "import sys, npcomp_dialects; npcomp_dialects.context(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_libraries_need_the_system_only() -> None:
    if shutil.which("readelf") is None:
        pytest.skip("no readelf")
    allowed = (
        "libstdc++",
        "libm.so",
        "libgcc_s",
        "libc.so",
        "ld-linux",
        "libNpcomp",
        "libMLIRPythonSupport",
        "libnanobind",
    )
    for library in native.library().parent.glob("*.so"):
        lines = subprocess.run(["readelf", "-d", str(library)], check=True, capture_output=True, text=True).stdout
        for line in lines.splitlines():
            if "(NEEDED)" in line:
                assert line.split("[")[1].startswith(allowed), f"{library.name}: {line}"
            if "PATH)" in line:
                assert set(line.split("[")[1].rstrip("]").split(":")) <= {"$ORIGIN", ""}, f"{library.name}: {line}"


def test_a_c_client_builds_and_runs(tmp_path: Path) -> None:
    beside = Path(sys.executable).parent / "cmake"
    cmake = str(beside) if beside.exists() else shutil.which("cmake")
    if cmake is None or shutil.which("cc") is None:
        pytest.skip("no cmake or no C compiler")
    (tmp_path / "CMakeLists.txt").write_text(CMAKE)
    (tmp_path / "client.c").write_text(CLIENT)
    build = tmp_path / "build"
    for command in (
        ["-S", str(tmp_path), "-B", str(build), f"-DNpcomp_DIR={native.cmake_dir()}"],
        ["--build", str(build)],
    ):
        done = subprocess.run([cmake, *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
    subprocess.run([str(build / "client")], check=True)


def test_table_files_are_installed() -> None:
    for name in ("npcomp/Torch/TorchOps.td", "npcomp/Tcf/TcfOps.td", "npcomp/Refrt/RefrtOps.td", "npcomp/CAPI/Torch.h"):
        assert (native.include_dirs()[0] / name).exists()
    assert (native.include_dirs()[1] / "mlir-c" / "IR.h").exists()
