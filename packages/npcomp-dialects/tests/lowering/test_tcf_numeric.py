"""Each tcf op, written as IR with every size unknown, becomes linalg that computes what torch does: sizes 0, 1, odd."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import npcomp_dialects
import pytest
import torch
import torch.nn.functional as F
from lowering.case_modules import evaluate, to_tensor
from npcomp_dialects.diagnostics import verify
from npcomp_dialects.lowering import tcf_to_linalg
from npcomp_dialects.mlir import ir
from reference_evaluator import GuardError


def convert(text: str) -> ir.Module:
    """Parses tcf IR and converts it, without any table of sizes."""
    module = ir.Module.parse(text, npcomp_dialects.context())
    with module.context, ir.Location.unknown():
        for op in module.body.operations:
            tcf_to_linalg(op.operation)
    verify(module, "tcf to linalg")
    names = {o.split(" ")[0] for o in str(module).split("tcf.")[1:]}
    assert names <= {"guard"}, names
    return module


def run(module: ir.Module, *arguments: Any, dtype: torch.dtype = torch.float32) -> Any:
    results = [to_tensor(r, torch.int64 if r.dtype == "int64" else dtype) for r in evaluate(module, *arguments)]
    return results[0] if len(results) == 1 else tuple(results)


@dataclass(frozen=True)
class Op:
    """A tcf op: its IR, torch's own way, and sizes to run with."""

    name: str
    body: str
    result: str
    reference: Callable[..., torch.Tensor]
    sizes: list[list[tuple[int, ...]]]
    element: str = "f32"

    def text(self) -> str:
        ranks = [len(shape) for shape in self.sizes[0]]
        types = [f"tensor<{'?x' * rank}{self.element}>" for rank in ranks]
        arguments = ", ".join(f"%x{i}: {t}" for i, t in enumerate(types))
        body = self.body
        for i, t in enumerate(types):
            body = body.replace(f"$T{i}", t)
        return f"""
        func.func @forward({arguments}) -> {self.result} {{
          %c0 = arith.constant 0 : index
          %c1 = arith.constant 1 : index
          %c2 = arith.constant 2 : index
          {body.replace("$R", self.result)}
          return %r : {self.result}
        }}"""


MAP = """%r = tcf.map(%x0, %x1) : ($T0, $T1) -> $R {
          ^bb0(%a: f32, %b: f32):
            %s = arith.subf %a, %b : f32
            tcf.yield %s : f32
          }"""
WINDOW = "stride [2, 1] padding [1, 0] dilation [1, 2]"
POOL = "kernel [3, 2] stride [2, 2] padding [1, 0] dilation [1, 1] ceil_mode true"
M, V = "tensor<?x?xf32>", "tensor<?xf32>"
OPS = [
    Op("map", MAP, M, torch.sub, [[(3, 5), (3, 5)], [(1, 5), (3, 1)], [(0, 5), (1, 5)], [(7, 1), (7, 1)]]),
    Op("map_rank", MAP, M, torch.sub, [[(3, 5), (5,)], [(3, 1), (4,)], [(0, 3), (1,)], [(2, 0), (1,)]]),
    Op(
        "reduce_sum",
        '%r = tcf.reduce "sum" %x0 dims [0, 2] keepdim false : ($T0) -> $R',
        V,
        lambda x: x.sum((0, 2)),
        [[(3, 5, 2)], [(0, 5, 2)], [(1, 1, 1)], [(3, 0, 2)]],
    ),
    Op(
        "reduce_max_keepdim",
        '%r = tcf.reduce "max" %x0 dims [1] keepdim true : ($T0) -> $R',
        "tensor<?x1xf32>",
        lambda x: x.amax(1, keepdim=True),
        [[(3, 5)], [(0, 5)], [(1, 1)]],
    ),
    Op(
        "reduce_all",
        '%r = tcf.reduce "prod" %x0 dims [0, 1] keepdim false : ($T0) -> $R',
        "tensor<f32>",
        torch.prod,
        [[(3, 5)], [(0, 5)], [(1, 1)]],
    ),
    Op(
        "reduce_half",
        '%r = tcf.reduce "sum" %x0 dims [1] keepdim false : ($T0) -> $R',
        "tensor<?xbf16>",
        lambda x: x.sum(1),
        [[(3, 301)], [(2, 0)], [(1, 1)]],
        "bf16",
    ),
    Op(
        "arg_reduce",
        '%r = tcf.arg_reduce "max" %x0 dim 1 keepdim false : ($T0) -> $R',
        "tensor<?xi64>",
        lambda x: x.argmax(1),
        [[(3, 5)], [(0, 5)], [(1, 1)]],
    ),
    Op(
        "contract",
        '%r = tcf.contract "mk,kn->mn" %x0, %x1 : ($T0, $T1) -> $R',
        M,
        torch.mm,
        [[(3, 5), (5, 2)], [(1, 0), (0, 2)], [(0, 3), (3, 1)], [(1, 1), (1, 1)]],
    ),
    Op(
        "contract_batch",
        '%r = tcf.contract "bmk,bnk->mbn" %x0, %x1 : ($T0, $T1) -> $R',
        "tensor<?x?x?xf32>",
        lambda x, y: torch.einsum("bmk,bnk->mbn", x, y),
        [[(2, 3, 5), (2, 4, 5)], [(1, 0, 2), (1, 1, 2)], [(3, 1, 1), (3, 1, 1)]],
    ),
    Op(
        "contract_half",
        '%r = tcf.contract "mk,kn->mn" %x0, %x1 : ($T0, $T1) -> $R',
        "tensor<?x?xf16>",
        torch.mm,
        [[(3, 65), (65, 2)], [(1, 0), (0, 2)]],
        "f16",
    ),
    Op(
        "conv",
        f"%r = tcf.conv %x0, %x1 {WINDOW} groups 1 : ($T0, $T1) -> $R",
        "tensor<?x?x?x?xf32>",
        lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 0), dilation=(1, 2)),
        [[(2, 3, 7, 9), (4, 3, 3, 2)], [(1, 1, 2, 3), (1, 1, 1, 1)], [(0, 3, 7, 9), (4, 3, 3, 2)]],
    ),
    Op(
        "conv_groups",
        f"%r = tcf.conv %x0, %x1 {WINDOW} groups 2 : ($T0, $T1) -> $R",
        "tensor<?x?x?x?xf32>",
        lambda x, w: F.conv2d(x, w, stride=(2, 1), padding=(1, 0), dilation=(1, 2), groups=2),
        [[(2, 6, 7, 9), (4, 3, 3, 2)], [(1, 2, 2, 3), (2, 1, 1, 1)]],
    ),
    Op(
        "pool_max",
        f'%r = tcf.pool "max" %x0 {POOL} : ($T0) -> $R',
        "tensor<?x?x?xf32>",
        lambda x: F.max_pool2d(x, (3, 2), (2, 2), (1, 0), ceil_mode=True),
        [[(3, 7, 9)], [(1, 2, 2)], [(2, 4, 3)]],
    ),
    Op(
        "pool_sum",
        f'%r = tcf.pool "sum" %x0 {POOL} : ($T0) -> $R',
        "tensor<?x?x?xf32>",
        lambda x: F.avg_pool2d(x, (3, 2), (2, 2), (1, 0), ceil_mode=True, divisor_override=1),
        [[(3, 7, 9)], [(1, 2, 2)], [(2, 4, 3)]],
    ),
    Op(
        "permute",
        "%r = tcf.permute %x0 dims [2, 0, 1] : ($T0) -> $R",
        "tensor<?x?x?xf32>",
        lambda x: x.permute(2, 0, 1),
        [[(2, 3, 5)], [(1, 0, 2)], [(1, 1, 1)]],
    ),
    Op(
        "reshape",
        """%d0 = tensor.dim %x0, %c0 : $T0
          %d1 = tensor.dim %x0, %c1 : $T0
          %n = arith.muli %d0, %d1 : index
          %r = tcf.reshape %x0 sizes(%n) : $T0 -> $R""",
        V,
        torch.flatten,
        [[(2, 3)], [(1, 0)], [(1, 1)]],
    ),
    Op(
        "slice",
        """%d1 = tensor.dim %x0, %c1 : $T0
          %r = tcf.slice %x0 dim 1 [%c1 : %d1 : %c2] : $T0 -> $R""",
        M,
        lambda x: x[:, 1::2],
        [[(2, 7)], [(1, 1)], [(0, 2)]],
    ),
    Op(
        "concat",
        "%r = tcf.concat %x0, %x1 dim 1 : ($T0, $T1) -> $R",
        M,
        lambda x, y: torch.cat([x, y], 1),
        [[(2, 3), (2, 5)], [(1, 0), (1, 1)], [(0, 3), (0, 1)]],
    ),
    Op(
        "pad",
        """%z = arith.constant 7.0 : f32
          %r = tcf.pad %x0, %z low(%c0, %c1) high(%c2, %c0) : $T0, f32 -> $R""",
        M,
        lambda x: F.pad(x, (1, 0, 0, 2), value=7.0),
        [[(2, 3)], [(0, 1)], [(1, 0)]],
    ),
    Op(
        "broadcast",
        """%d = tensor.dim %x1, %c0 : $T1
          %r = tcf.broadcast %x0 sizes(%c2, %d) : $T0 -> $R""",
        M,
        lambda x, y: x.expand(2, y.shape[0]),
        [[(1,), (5,)], [(5,), (5,)], [(1,), (0,)], [(1,), (1,)]],
    ),
    Op(
        "full",
        """%z = arith.constant 3.0 : f32
          %d = tensor.dim %x0, %c0 : $T0
          %r = tcf.full %z sizes(%d, %c2) : f32 -> $R""",
        M,
        lambda x: torch.full((x.shape[0], 2), 3.0),
        [[(3,)], [(0,)]],
    ),
    Op(
        "iota",
        """%d = tensor.dim %x0, %c0 : $T0
          %r = tcf.iota %d : $R""",
        "tensor<?xi64>",
        lambda x: torch.arange(x.shape[0]),
        [[(3,)], [(0,)], [(1,)]],
    ),
]
DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
TOLERANCE = {torch.float32: 1e-5, torch.bfloat16: 2e-2, torch.float16: 2e-3}


def check(op: Op, call: Callable[..., Any]) -> None:
    """Compares with torch at all sizes of an op."""
    dtype = DTYPES[op.element]
    for shapes in op.sizes:
        arguments = [torch.rand(shape).to(dtype) for shape in shapes]
        want = op.reference(*arguments)
        bound = TOLERANCE[dtype]
        torch.testing.assert_close(call(*arguments), want, rtol=bound, atol=bound)


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_op_computes_what_torch_does(op: Op):
    module = convert(op.text())
    check(op, lambda *arguments: run(module, *arguments, dtype=DTYPES[op.element]))


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)
def test_op_computes_what_torch_does_as_machine_code(op: Op):
    backend = pytest.importorskip("npcomp_refbackend.backend")
    module = convert(op.text())
    function = module.body.operations[0].operation
    tensor = {"kind": "tensor", "dtype": op.element}
    arguments = [{**tensor, "name": f"x{i}", "dims": [None] * len(s)} for i, s in enumerate(op.sizes[0])]
    returns = {**tensor, "dtype": "i64" if "i64" in op.result else op.element}
    signature = json.dumps({"name": "forward", "args": arguments, "returns": returns})
    with module.context:
        function.attributes["npcomp.signature"] = ir.StringAttr.get(signature)
    check(op, backend.RefBackend().compile(module).load().methods["forward"])


GATHER = """
func.func @forward(%x: tensor<?x?xf32>, %i: tensor<?x?xi64>) -> tensor<?x?xf32> {
  %r = tcf.gather %x, %i dim 1 : (tensor<?x?xf32>, tensor<?x?xi64>) -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}"""
SELECT = """
func.func @forward(%x: tensor<?x?xf32>, %i: tensor<?x?xi64>) -> tensor<?x?x?xf32> {
  %r = tcf.index_select %x, %i dim 0 : (tensor<?x?xf32>, tensor<?x?xi64>) -> tensor<?x?x?xf32>
  return %r : tensor<?x?x?xf32>
}"""


def test_gather_reads_by_index():
    module = convert(GATHER)
    x = torch.rand(3, 5)
    for shape in ((3, 2), (1, 7), (2, 0)):
        index = torch.randint(0, 5, shape)
        assert torch.equal(run(module, x, index), torch.gather(x, 1, index))
    with pytest.raises(GuardError, match="IndexError"):
        run(module, x, torch.tensor([[5]]))
    with pytest.raises(GuardError, match="no larger than self size 3"):
        run(module, x, torch.zeros(4, 1, dtype=torch.int64))


def test_index_select_takes_an_index_of_any_rank():
    module = convert(SELECT)
    x = torch.rand(3, 5)
    for shape in ((2, 2), (1, 0), (0, 3)):
        index = torch.randint(0, 3, shape)
        assert torch.equal(run(module, x, index), x[index])
    with pytest.raises(GuardError, match="IndexError"):
        run(module, x, torch.tensor([[-1]]))


def test_nan_wins_maxima():
    x = torch.tensor([[1.0, float("nan"), 3.0], [float("-inf"), float("-inf"), float("-inf")]])
    text = """
    func.func @forward(%x: tensor<?x?xf32>) -> (tensor<?xf32>, tensor<?xi64>) {
      %r = tcf.reduce "max" %x dims [1] keepdim false : (tensor<?x?xf32>) -> tensor<?xf32>
      %i = tcf.arg_reduce "max" %x dim 1 keepdim false : (tensor<?x?xf32>) -> tensor<?xi64>
      return %r, %i : tensor<?xf32>, tensor<?xi64>
    }"""
    values, indices = run(convert(text), x)
    torch.testing.assert_close(values, x.amax(1), equal_nan=True)
    assert indices.tolist() == [1, 0]


def test_a_window_that_does_not_fit_fails():
    conv = next(op for op in OPS if op.name == "conv")
    module = convert(conv.text())
    with pytest.raises(GuardError, match=r"Kernel size: \(3 x 3\).*can't be greater"):
        run(module, torch.rand(1, 1, 1, 2), torch.rand(1, 1, 3, 2))
    with pytest.raises(GuardError, match="to have 3 channels, but got 2 channels"):
        run(module, torch.rand(1, 2, 7, 7), torch.rand(4, 3, 3, 2))


def test_regions_convert_too():
    module = convert("""
    func.func @forward(%x: tensor<?xf32>, %n: index) -> tensor<?xf32> {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %r = scf.for %i = %c0 to %n step %c1 iter_args(%h = %x) -> (tensor<?xf32>) {
        %s = tcf.map(%h, %x) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32> {
        ^bb0(%a: f32, %b: f32):
          %t = arith.addf %a, %b : f32
          tcf.yield %t : f32
        }
        scf.yield %s : tensor<?xf32>
      }
      return %r : tensor<?xf32>
    }""")
    x = torch.rand(3)
    torch.testing.assert_close(run(module, x, 2), x * 3)
