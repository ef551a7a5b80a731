"""torch tensors in and out, by torch's C functions and (when a torch lacks them) through DLPack."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from compiled import add_one, artifact, method, tensor
from npcomp_refbackend import _runtime

ADDRESS = "ENTRY(npcomp_forward) { r[0] = (int64_t)tensor(a[0])->data; }"
COPY = """
ENTRY(npcomp_forward) {
  T x = tensor(a[0]), y = like(c, x);
  memcpy(y->data, x->data, SIZE * x->numel);
  r[0] = (int64_t)y;
}
"""
DTYPES = {
    "u8": torch.uint8, "i8": torch.int8, "i16": torch.int16, "i32": torch.int32, "i64": torch.int64,
    "f16": torch.float16, "f32": torch.float32, "f64": torch.float64, "bool": torch.bool, "bf16": torch.bfloat16,
}  # fmt: skip


@pytest.fixture(params=["functions", "dlpack"])
def way(request):
    """Both ways to torch's memory."""
    _runtime.disable_torch(request.param == "dlpack")
    yield request.param
    _runtime.disable_torch(False)


def copier(dtype: str, rank: int):
    spec = tensor(*[None] * rank, dtype=dtype)
    return artifact(COPY.replace("SIZE", str(DTYPES[dtype].itemsize)), method([spec], spec)).load()


def test_this_torch_is_reached_through_its_functions():
    add_one("n").load()(torch.zeros(1))
    assert _runtime.torch_problem() == ""


FIRST_CALL = """
import sys, torch
sys.path.insert(0, {folder!r})
from compiled import add_one
from torch._subclasses import FakeTensorMode
call, x = add_one("n").load(), torch.zeros(2)
def first(y=None):
    with {setting}:
        assert torch.equal(call.forward(x), x + 1) if {compare} else call.forward(x) is not None
    return y
{run}
assert call(x).tolist() == [1, 1]
"""


@pytest.mark.parametrize(
    ("setting", "run"),
    [
        ("torch.inference_mode()", "first()"),
        ("FakeTensorMode()", "first()"),
        ("torch.device('meta')", "first()"),
        ("torch.no_grad()", "torch.vmap(first)(torch.zeros(3))"),
    ],
)
def test_the_first_call_may_come_from_anywhere(setting, run):
    """What the runtime learns about torch does not depend on the mode of the thread that calls first."""
    compare = setting == "torch.inference_mode()"
    code = FIRST_CALL.format(folder=str(Path(__file__).parent.parent), setting=setting, run=run, compare=compare)
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True)


def test_dense_tensors_are_read_where_they_are(way):
    program = artifact(ADDRESS, method([tensor(None, None)], {"kind": "int"})).load()
    x = torch.zeros(3, 4)
    assert program(x) == x.data_ptr()
    assert program(x[1:]) == x[1:].data_ptr()
    assert program(x.t()) != x.data_ptr()
    assert program(torch.nn.Parameter(x)) == x.data_ptr()
    assert program(x.requires_grad_()) == x.data_ptr()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (7,), (3, 0, 2), (2, 3, 5)])
def test_every_dtype_and_shape(dtype, shape, way):
    x = torch.randint(0, 2 if dtype == "bool" else 100, shape).to(DTYPES[dtype])
    result = copier(dtype, len(shape))(x)
    assert result.dtype == x.dtype and result.shape == x.shape and result.device == x.device
    assert torch.equal(result, x) and not result.requires_grad


def test_every_stride(way):
    x = torch.randn(6, 7, 5)
    views = [x.permute(2, 1, 0), x.transpose(1, 2), x[:, 3:4], x[::2, :, ::3], x[:1].expand(6, 7, 5), x[2:2]]
    program = copier("f32", 3)
    for view in views:
        assert torch.equal(program(view), view)


def test_results_own_what_the_program_wrote(way):
    before = _runtime.live_tensors()
    result = add_one("n").load()(torch.zeros(5))
    assert type(result) is torch.Tensor and result.data_ptr() % 64 == 0
    view = result[1:3]
    del result
    gc.collect()
    assert view.add_(1).tolist() == [2, 2]
    del view
    gc.collect()
    assert _runtime.live_tensors() == before


def test_results_are_ordinary_tensors():
    result = add_one("n").load()(torch.zeros(5))
    result.requires_grad_()
    (result * 2).sum().backward()
    assert result.grad.tolist() == [2] * 5
    assert result.detach().numpy().base is not None
    result.data.resize_(3)


def test_arguments_are_not_kept():
    program = add_one("n").load()
    x = torch.zeros(3)
    gone = weakref.ref(x)
    program(x)
    del x
    gc.collect()
    assert gone() is None


def test_tensors_with_lazy_negation_and_in_inference_mode():
    program = add_one("n").load()
    lazy = torch.imag(torch.randn(3, dtype=torch.complex64).conj())
    assert lazy.is_neg() and torch.equal(program(lazy), lazy + 1)
    with torch.inference_mode():
        x = torch.randn(3)
        assert torch.equal(program(x), x + 1)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: torch.zeros(3, device="meta"), "is on device meta, and programs run on the CPU. do: pass .cpu()"),
        (lambda: torch.zeros(3).to_sparse(), "is of layout torch.sparse_coo"),
        (
            lambda: torch.zeros(3, dtype=torch.float8_e4m3fn),
            "is a tensor of torch.float8_e4m3fn, which programs cannot take",
        ),
        (lambda: torch.zeros(3, dtype=torch.float64), "the dtype is f64, must be f32. do: convert it with .to()"),
        (lambda: torch._subclasses.FakeTensorMode().from_tensor(torch.zeros(3)), "FakeTensor without plain memory"),
    ],
)
def test_tensors_that_programs_cannot_take(make, text):
    with pytest.raises(TypeError, match=text.replace(".", r"\.")):
        add_one("n").load()(make())


def test_a_vmapped_tensor_is_refused():
    program = add_one("n").load()
    with pytest.raises(TypeError, match="without plain memory"):
        torch.vmap(lambda x: program(x))(torch.zeros(2, 3))


def test_the_first_tensor_decides_the_library():
    source = "ENTRY(npcomp_forward) { r[0] = (int64_t)scalar_tensor(c, *(float *)tensor(a[1])->data); }"
    both = [tensor(None), tensor(None, name="y")]
    program = artifact(source, method(both, tensor())).load()
    x, y = torch.zeros(1), np.full(1, 3, np.float32)
    assert isinstance(program(x, y), torch.Tensor)
    assert isinstance(program(y, x), np.ndarray)


def test_the_library_of_results_without_tensor_arguments():
    made = artifact("ENTRY(npcomp_forward) { r[0] = (int64_t)scalar_tensor(c, 2); }", method([], tensor()))
    assert isinstance(made.load()(), torch.Tensor)  # torch is imported here
    assert isinstance(made.load(outputs="numpy")(), np.ndarray)
    assert isinstance(made.load(outputs="torch")(), torch.Tensor)
    with pytest.raises(ValueError, match="pass 'auto', 'torch' or 'numpy'"):
        made.load(outputs="jax")
