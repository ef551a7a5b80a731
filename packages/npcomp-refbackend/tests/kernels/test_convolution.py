"""Convolutions against torch: sizes, strides, dilations, groups, dtypes, orientations and epilogues."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest
import torch
from dispatches import TORCH, Compiled, Region, compile_dispatch, tensor_type
from launch import TARGETS
from npcomp_refbackend.codegen import convolution
from test_contraction import data, multiply_add


@dataclass(frozen=True)
class Conv:
    """A convolution of an already padded input; `space` is that of the input."""

    n: int
    c: int
    f: int
    space: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1

    @property
    def rank(self) -> int:
        return len(self.space)

    @property
    def steps(self) -> tuple[int, ...]:
        return self.stride or (1,) * self.rank

    @property
    def gaps(self) -> tuple[int, ...]:
        return self.dilation or (1,) * self.rank

    @property
    def out_space(self) -> tuple[int, ...]:
        rows = zip(self.space, self.kernel, self.steps, self.gaps)
        return tuple((s - (k - 1) * d - 1) // t + 1 for s, k, t, d in rows)


def region(
    conv: Conv,
    dynamic: bool = False,
    dtype: str = "f32",
    sums: str | None = None,
    constant: bool = False,
    epilogue: Sequence[str] = (),
    last: bool = False,
) -> Region:
    """Loops: n, g, f, output space, c, kernel space. Group loops only where there are groups. `last`: channels are
    the innermost dimension of the images."""
    r, sums = conv.rank, sums or dtype
    grouped = conv.groups > 1
    loops = "n" + ("g" if grouped else "") + "f" + "xyz"[:r] + "c" + "uvw"[:r]
    kinds = "".join("r" if l in "cuvw" else "p" for l in loops)
    c, f = conv.c // conv.groups, conv.f // conv.groups
    group = [conv.groups] if grouped else []
    free = (lambda size: None) if dynamic else (lambda size: size)
    window = [f"{o} * {s} + {k} * {d}" for o, k, s, d in zip("xyz", "uvw", conv.steps, conv.gaps)]

    def image(n: object, channel: object, space: Sequence[object]) -> list:
        channels = [*(["g"] if n == "n" and grouped else group if n != "n" else []), channel]
        return [n, *space, *channels] if last else [n, *channels, *space]

    x_type = tensor_type(image(free(conv.n), c, [free(s) for s in conv.space]), dtype)
    w_type = tensor_type([*group, f, c, *conv.kernel], dtype)
    o_type = tensor_type(image(free(conv.n), f, [free(s) for s in conv.out_space]), sums)
    out_map = image("n", "f", "xyz"[:r])
    built = Region()
    x, w = built.add(x_type), built.add(w_type, constant)
    bias = built.add(tensor_type([*group, f], sums)) if "bias" in epilogue else None
    residual = built.add(o_type) if "residual" in epilogue else None
    names = ["%r"] + [f"%s{i}" for i in range(len(epilogue))]
    dest = built.out(o_type, names[-1])
    kind = "f" if sums.startswith(("f", "b")) else "i"
    built.lines += [f"%z = arith.constant {'0.0' if kind == 'f' else '0'} : {sums}",
                    f"%init = linalg.fill ins(%z : {sums}) outs({dest} : {o_type}) -> {o_type}"]  # fmt: skip
    ext = "extf" if kind == "f" else "extsi"
    wide = (
        ""
        if dtype == sums
        else f"%w0 = arith.{ext} %x0 : {dtype} to {sums}\n%w1 = arith.{ext} %x1 : {dtype} to {sums}\n"
    )
    a, b = ("%w0", "%w1") if wide else ("%x0", "%x1")
    body = f"{wide}{multiply_add(a, b, sums)}"
    x_map = image("n", "c", window)
    w_map = [*("g" if grouped else ""), "f", "c", *"uvw"[:r]]
    built.generic("%r", loops, kinds, [(x, x_type, x_map), (w, w_type, w_map)], ("%init", o_type, out_map), body)
    for i, name in enumerate(epilogue):
        outer = "".join(l for l in loops if l in out_map)
        ins = [(names[i], o_type, out_map)]
        if name == "bias":
            ins.append((bias, tensor_type([*group, f], sums), [*("g" if grouped else ""), "f"]))
        if name == "residual":
            ins.append((residual, o_type, out_map))
        relu = f"%k = arith.constant 0.0 : {sums}\n%v = arith.maximumf %x0, %k : {sums}"
        ops = relu if name == "relu" else f"%v = arith.addf %x0, %x1 : {sums}"
        built.generic(
            names[i + 1], outer, "p" * len(outer), ins, (dest, o_type, out_map), f"{ops}\nlinalg.yield %v : {sums}"
        )
    return built


def check(
    compiled: Compiled,
    conv: Conv,
    dtype: str = "f32",
    sums: str = "f32",
    epilogue: Sequence[str] = (),
    last: bool = False,
) -> None:
    group = [conv.groups] if conv.groups > 1 else []
    c, f = conv.c // conv.groups, conv.f // conv.groups
    x = data([conv.n, *group, c, *conv.space], dtype, 1)
    w = data([*group, f, c, *conv.kernel], dtype, 2)
    extras = {"bias": data([*group, f], sums, 3), "residual": data([conv.n, *group, f, *conv.out_space], sums, 4)}
    got = torch.full([conv.n, *group, f, *conv.out_space], 7).to(TORCH[sums])
    if last:
        _run_last(compiled, x, w, [extras[n] for n in ("bias", "residual") if n in epilogue], got, conv)
    else:
        compiled(x, w, *(extras[n] for n in ("bias", "residual") if n in epilogue), outs=[got])
    exact = torch.float64
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[conv.rank - 1]
    flat = x.to(exact).reshape(conv.n, conv.c, *conv.space), w.to(exact).reshape(conv.f, c, *conv.kernel)
    want = convolve(*flat, None, conv.steps, 0, conv.gaps, conv.groups).reshape(got.shape)
    for name in epilogue:
        if name == "relu":
            want = torch.relu(want)
        elif name == "bias":
            want = want + extras["bias"].to(exact).reshape(*group, f, *([1] * conv.rank))
        else:
            want = want + extras[name].to(exact)
    depth = max(1, c * w[0].numel() // max(c, 1))
    if not got.dtype.is_floating_point:
        assert torch.equal(got, want.to(torch.int64).to(got.dtype)), conv
        return
    eps = {torch.float64: 1e-15, torch.float32: 2e-7, torch.bfloat16: 8e-3, torch.float16: 1e-3}[got.dtype]
    torch.testing.assert_close(got.to(exact), want, rtol=4 * eps, atol=2 * eps * depth, msg=lambda m: f"{conv}: {m}")


def _run_last(
    compiled: Compiled, x: torch.Tensor, w: torch.Tensor, extras: list, got: torch.Tensor, conv: Conv
) -> None:
    """Run on images turned to channels last, and turn the result back."""
    space = list(range(got.ndim - conv.rank, got.ndim))
    order = [0, *space, *range(1, got.ndim - conv.rank)]
    turned = [e.permute(order).contiguous() if e.ndim == got.ndim else e for e in (x, *extras)]
    out = got.permute(order).contiguous()
    compiled(turned[0], w, *turned[1:], outs=[out])
    got.copy_(out.permute([order.index(d) for d in range(got.ndim)]))


PLAIN = [
    Conv(1, 3, 5, (9, 9), (3, 3)),
    Conv(2, 4, 7, (16, 18), (3, 3)),
    Conv(1, 8, 16, (30, 30), (3, 3)),
    Conv(2, 5, 6, (9, 11), (1, 1), (2, 2)),
    Conv(1, 3, 4, (20, 37), (7, 7), (2, 2)),
    Conv(1, 4, 4, (17, 40), (3, 3), (2, 2)),
    Conv(1, 4, 4, (17, 40), (3, 3), (3, 3)),
    Conv(2, 3, 9, (15, 15), (3, 2), (1, 1), (2, 3)),
    Conv(1, 70, 300, (5, 5), (3, 3)),
    Conv(1, 1, 1, (3, 5), (3, 3)),
    Conv(3, 4, 5, (50,), (5,)),
    Conv(3, 4, 5, (50,), (5,), (2,)),
    Conv(1, 2, 3, (5, 8, 9), (2, 3, 3)),
    Conv(2, 2, 3, (6, 8, 9), (2, 3, 3), (2, 1, 2)),
    Conv(2, 6, 8, (10, 10), (3, 3), groups=2),
    Conv(1, 6, 6, (10, 40), (3, 3), groups=6),
    Conv(2, 5, 5, (12, 9), (3, 3), (2, 2), groups=5),
    Conv(1, 4, 8, (9, 9), (3, 3), groups=4),
    Conv(2, 4, 4, (33,), (3,), groups=4),
]


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("conv", PLAIN, ids=str)
def test_static(conv: Conv, target: str) -> None:
    check(compile_dispatch(region(conv), convolution.emit, TARGETS[target]), conv)


@pytest.mark.parametrize("conv", PLAIN, ids=str)
def test_constant_weights(conv: Conv) -> None:
    check(compile_dispatch(region(conv, constant=True), convolution.emit), conv)


@pytest.mark.parametrize("conv", PLAIN, ids=str)
def test_dynamic_image(conv: Conv) -> None:
    """One kernel serves every image size and batch, larger and smaller than vectors, and none."""
    compiled = compile_dispatch(region(conv, dynamic=True, constant=True), convolution.emit)
    least = tuple((k - 1) * d + 1 for k, d in zip(conv.kernel, conv.gaps))
    for n, more in [(conv.n, None), (1, 0), (2, 1), (1, 7), (1, 17), (0, 3)]:
        space = conv.space if more is None else tuple(s + more for s in least)
        check(compiled, Conv(n, conv.c, conv.f, space, conv.kernel, conv.stride, conv.dilation, conv.groups))


@pytest.mark.parametrize("conv", [c for c in PLAIN if c.groups != c.c], ids=str)
@pytest.mark.parametrize("constant", [False, True])
def test_channels_innermost(conv: Conv, constant: bool) -> None:
    """No windows are packed: rows are pixels, found through a table."""
    epilogue = ("bias", "relu", "residual")
    compiled = compile_dispatch(region(conv, constant=constant, epilogue=epilogue, last=True), convolution.emit)
    check(compiled, conv, epilogue=epilogue, last=True)
    dynamic = compile_dispatch(region(conv, dynamic=True, constant=constant, last=True), convolution.emit)
    check(dynamic, conv, last=True)
    least = tuple((k - 1) * d + 1 for k, d in zip(conv.kernel, conv.gaps))
    for n, more in [(3, 0), (1, 5), (0, 1)]:
        space = tuple(s + more for s in least)
        check(dynamic, Conv(n, conv.c, conv.f, space, conv.kernel, conv.stride, conv.dilation, conv.groups), last=True)


def test_channels_across() -> None:
    conv = Conv(1, 20, 320, (9, 9), (3, 3))
    compiled = compile_dispatch(region(conv, constant=True, epilogue=("bias", "relu", "residual")), convolution.emit)
    assert "channels across" in compiled.schedule.parameters["plan"]
    check(compiled, conv, epilogue=("bias", "relu", "residual"))


@pytest.mark.parametrize("epilogue", [("bias",), ("bias", "relu"), ("bias", "residual", "relu")])
@pytest.mark.parametrize("conv", [PLAIN[1], PLAIN[9], PLAIN[14], PLAIN[15]], ids=str)
def test_epilogues(conv: Conv, epilogue: tuple[str, ...]) -> None:
    check(compile_dispatch(region(conv, epilogue=epilogue), convolution.emit), conv, epilogue=epilogue)
    check(compile_dispatch(region(conv, dynamic=True, epilogue=epilogue), convolution.emit), conv, epilogue=epilogue)


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("conv", [PLAIN[1], PLAIN[3], PLAIN[8], PLAIN[12], PLAIN[15]], ids=str)
def test_result_inside_a_larger_image(conv: Conv, last: bool) -> None:
    """Results may be the inner part of the next convolution's padded input: rows are not neighbours in memory."""
    if last and conv.groups == conv.c:
        pytest.skip("depthwise images have channels outside")
    group = [conv.groups] if conv.groups > 1 else []
    f, c = conv.f // conv.groups, conv.c // conv.groups
    shapes = [conv.n, *group, c, *conv.space], [*group, f, c, *conv.kernel], [*group, f]
    x, w, bias = (data(shape, "f32", seed) for seed, shape in enumerate(shapes))
    convolve = (torch.conv1d, torch.conv2d, torch.conv3d)[conv.rank - 1]
    flat = x.reshape(conv.n, conv.c, *conv.space), w.reshape(conv.f, c, *conv.kernel), bias.reshape(-1)
    want = convolve(*flat, conv.steps, 0, conv.gaps, conv.groups).relu()
    for dynamic in (False, True):
        built = region(conv, dynamic=dynamic, constant=True, epilogue=("bias", "relu"), last=last)
        built.strided_outs = True
        compiled = compile_dispatch(built, convolution.emit)
        outer = torch.full([conv.n, *group, f, *(s + 2 for s in conv.out_space)], 7.0)
        if last:
            outer = outer.movedim(1, -1).contiguous().movedim(-1, 1)
        inner = outer[(..., *[slice(1, -1)] * conv.rank)]
        source, target = (x.movedim(1, -1).contiguous(), inner.movedim(1, -1)) if last else (x, inner)
        compiled(source, w, bias, outs=[target])
        torch.testing.assert_close(inner, want.reshape(inner.shape), rtol=1e-5, atol=1e-4)
        assert int((outer == 7).sum()) >= outer.numel() - inner.numel()


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize(
    "dtype,sums", [("f64", "f64"), ("bf16", "f32"), ("f16", "f16"), ("i32", "i32"), ("i8", "i32"), ("i64", "i64")]
)
def test_dtypes(dtype: str, sums: str, target: str) -> None:
    for conv in (PLAIN[1], PLAIN[5], PLAIN[15]):
        check(
            compile_dispatch(region(conv, dtype=dtype, sums=sums), convolution.emit, TARGETS[target]), conv, dtype, sums
        )
    conv = Conv(1, 10, 64, (9, 9), (3, 3))
    check(
        compile_dispatch(region(conv, dtype=dtype, sums=sums, constant=True), convolution.emit, TARGETS[target]),
        conv,
        dtype,
        sums,
    )


def test_gradient_of_weights_is_a_convolution_too() -> None:
    """out[f, c, u, v] = sum over n, x, y of g[n, f, x, y] * in[n, c, x + u, y + v]"""
    n, c, f, h, k = 2, 3, 5, 8, 3
    o = h - k + 1
    types = [tensor_type(s, "f32") for s in ([n, f, o, o], [n, c, h, h], [f, c, k, k])]
    built = Region()
    g, x = built.add(types[0]), built.add(types[1])
    dest = built.out(types[2], "%r")
    built.lines += [
        "%z = arith.constant 0.0 : f32",
        f"%init = linalg.fill ins(%z : f32) outs({dest} : {types[2]}) -> {types[2]}",
    ]
    body = multiply_add("%x0", "%x1", "f32")
    maps = (["n", "f", "x", "y"], ["n", "c", "x + u", "y + v"], ["f", "c", "u", "v"])
    built.generic(
        "%r", "fcuvnxy", "pppprrr", [(g, types[0], maps[0]), (x, types[1], maps[1])], ("%init", types[2], maps[2]), body
    )
    compiled = compile_dispatch(built, convolution.emit)
    gradient, source = data([n, f, o, o], "f32", 1), data([n, c, h, h], "f32", 2)
    got = torch.zeros(f, c, k, k)
    compiled(gradient, source, outs=[got])
    want = torch.nn.grad.conv2d_weight(source, (f, c, k, k), gradient)
    torch.testing.assert_close(got, want, rtol=1e-5, atol=1e-4)
