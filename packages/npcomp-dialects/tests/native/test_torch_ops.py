"""Ops of the torch dialect: every one parses, verifies and prints back as it was."""

from __future__ import annotations

import pytest
from npcomp_dialects.mlir import ir
from npcomp_dialects.mlir.dialects import torch

OBJECT_GRAPH = """module {
  torch.class_type @M {
    torch.attr "w" : !torch.tensor
    torch.attr private "n" : !torch.int
    torch.method "forward", @M.forward
    torch.method private "step", @M.forward
  }
  %0 = torch.tensor.literal(dense<1.000000e+00> : tensor<2x3xf32>) : !torch.tensor<[2,3],f32>
  %1 = torch.constant.int 7
  %2 = torch.nn_module {
    torch.slot "w", %0 : !torch.tensor<[2,3],f32>
    torch.slot "n", %1 : !torch.int
  } : !torch.nn.Module<"M">
  func.func private @M.forward(%arg0: !torch.nn.Module<"M">, %arg1: !torch.tensor) -> !torch.tensor {
    %3 = torch.prim.GetAttr %arg0["w"] : !torch.nn.Module<"M"> -> !torch.tensor
    %4 = torch.prim.GetAttr %arg0["n"] : !torch.nn.Module<"M"> -> !torch.int
    torch.prim.SetAttr %arg0["n"] = %4 : !torch.nn.Module<"M">, !torch.int
    %5 = torch.prim.CallMethod %arg0["step"] (%3) : !torch.nn.Module<"M">, (!torch.tensor) -> !torch.tensor
    %6 = torch.operator "aten.add.Tensor"(%5, %arg1, %4) : (!torch.tensor, !torch.tensor, !torch.int) -> !torch.tensor
    return %6 : !torch.tensor
  }
}
"""

GLOBAL_SLOTS = """module {
  torch.global_slot "private" @steps : !torch.int
  torch.global_slot @weight : !torch.tensor
  torch.global_slot.module_initializer {
    %0 = torch.constant.int 3
    %1 = torch.tensor.literal(dense<0> : tensor<2xi64>) : !torch.tensor<[2],si64>
    torch.initialize.global_slots [
      @steps(%0 : !torch.int),
      @weight(%1 : !torch.tensor<[2],si64>)
    ]
  }
  func.func @forward() -> !torch.int {
    %0 = torch.global_slot.get @steps : !torch.int
    torch.global_slot.set @steps = %0 : !torch.int
    return %0 : !torch.int
  }
}
"""

CONTAINERS = """module {
  func.func @f(%arg0: !torch.int, %arg1: !torch.tensor, %arg2: !torch.str) {
    %0 = torch.prim.ListConstruct %arg0, %arg0 : (!torch.int, !torch.int) -> !torch.list<int>
    %1 = torch.prim.ListConstruct  : () -> !torch.list<tensor>
    %2:2 = torch.prim.ListUnpack %0 : !torch.list<int> -> !torch.int, !torch.int
    %3 = torch.prim.TupleConstruct %arg0, %arg1 : !torch.int, !torch.tensor -> !torch.tuple<int, tensor>
    %4:2 = torch.prim.TupleUnpack %3 : !torch.tuple<int, tensor> -> !torch.int, !torch.tensor
    %5 = torch.prim.TupleIndex %3, %arg0 : !torch.tuple<int, tensor>, !torch.int -> !torch.tensor
    %6 = torch.prim.TupleConstruct  :  -> !torch.tuple<>
    %7 = torch.prim.DictConstruct keys(%arg2 : !torch.str) values(%arg0 : !torch.int) -> !torch.dict<str, int>
    %8 = torch.prim.DictConstruct keys() values() -> !torch.dict<str, int>
    torch.prim.Print(%arg2, %arg0) : !torch.str, !torch.int
    %9 = torch.prim.tolist(%arg1) : (!torch.tensor) -> !torch.list<int>
    return
  }
}
"""

CONTROL_FLOW = """module {
  func.func @f(%arg0: !torch.int, %arg1: !torch.bool, %arg2: !torch.tensor, %arg3: !torch.str) -> !torch.tensor {
    %0:2 = torch.prim.Loop %arg0, %arg1, init(%arg2, %arg0) {
    ^bb0(%arg4: !torch.int, %arg5: !torch.tensor, %arg6: !torch.int):
      torch.prim.Loop.condition %arg1, iter(%arg5, %arg4 : !torch.tensor, !torch.int)
    } : (!torch.int, !torch.bool, !torch.tensor, !torch.int) -> (!torch.tensor, !torch.int)
    torch.prim.Loop %arg0, %arg1, init() {
    ^bb0(%arg4: !torch.int):
      torch.prim.Loop.condition %arg1, iter()
    } : (!torch.int, !torch.bool) -> ()
    %1 = torch.prim.If %arg1 -> (!torch.tensor) {
      torch.prim.If.yield %0#0 : !torch.tensor
    } else {
      %2 = torch.constant.none
      torch.prim.RaiseException %arg3, %2 : !torch.str, !torch.none
      %3 = torch.prim.Uninitialized : !torch.tensor
      torch.prim.If.yield %3 : !torch.tensor
    }
    torch.prim.If %arg1 -> () {
      torch.prim.RaiseException %arg3 : !torch.str
      torch.prim.If.yield
    } else {
      torch.prim.If.yield
    }
    return %1 : !torch.tensor
  }
}
"""

TENSORS = """module {
  func.func @f(%arg0: !torch.tensor<[2,3],f32>, %arg1: !torch.int, %arg2: !torch.optional<int>) {
    %0 = torch.vtensor.literal(dense<1.000000e+00> : tensor<2x3xf32>) : !torch.vtensor<[2,3],f32>
    %1 = torch.copy.to_tensor %0 : !torch.tensor<[2,3],f32>
    %2 = torch.copy.to_vtensor %1 : !torch.vtensor<[2,3],f32>
    torch.overwrite.tensor.contents %2 overwrites %arg0 : !torch.vtensor<[2,3],f32>, !torch.tensor<[2,3],f32>
    %3 = torch.tensor_static_info_cast %2 : !torch.vtensor<[2,3],f32> to !torch.vtensor<[2,?],f32>
    %4 = torch.derefine %arg1 : !torch.int to !torch.optional<int>
    %5 = torch.prim.unchecked_cast %arg2 : !torch.optional<int> -> !torch.int
    %6 = torch.prim.dtype %0 : !torch.vtensor<[2,3],f32> -> !torch.int
    %7 = torch.prim.device %0 : !torch.vtensor<[2,3],f32> -> !torch.Device
    %8 = torch.prim.layout %0 : !torch.vtensor<[2,3],f32> -> !torch.int
    %9 = torch.prim.NumToTensor.Scalar %arg1 : !torch.int -> !torch.vtensor<[],si64>
    %10 = torch.prim.min.int %arg1, %5 : !torch.int, !torch.int -> !torch.int
    %11 = torch.prim.max.int %arg1, %5 : !torch.int, !torch.int -> !torch.int
    %12 = torch.prim.ListConstruct %10 : (!torch.int) -> !torch.list<int>
    %13 = torch.prim.min.self_int %12 : !torch.list<int> -> !torch.int
    %14 = torch.prim.max.self_int %12 : !torch.list<int> -> !torch.int
    %15 = torch.to_builtin_tensor %3 : !torch.vtensor<[2,?],f32> -> tensor<2x?xf32>
    %16 = torch.from_builtin_tensor %15 : tensor<2x?xf32> -> !torch.vtensor<[2,?],f32>
    %17 = torch.to_i64 %arg1
    %18 = torch.from_i64 %17
    %19 = torch.constant.device "cpu"
    %20 = torch.constant.number 1 : i64
    %21 = torch.constant.number 1.500000e+00 : f64
    %22 = torch.constant.float -2.500000e-01
    %23 = torch.to_f64 %22
    %24 = torch.from_f64 %23
    %25 = torch.constant.bool false
    %26 = torch.to_i1 %25
    %27 = torch.from_i1 %26
    %28 = torch.constant.str "a \\22quoted\\22 word"
    return
  }
}
"""


@pytest.mark.parametrize("text", [OBJECT_GRAPH, GLOBAL_SLOTS, CONTAINERS, CONTROL_FLOW, TENSORS])
def test_round_trip(context: ir.Context, text: str) -> None:
    module = ir.Module.parse(text)
    assert module.operation.verify()
    assert str(ir.Module.parse(str(module))) == str(module)
    generic = module.operation.get_asm(print_generic_op_form=True)
    assert str(ir.Module.parse(generic)) == str(module)


def test_every_ods_op_is_covered(context: ir.Context) -> None:
    named = {
        value.OPERATION_NAME
        for value in vars(torch).values()
        if isinstance(value, type) and issubclass(value, ir.OpView) and value is not ir.OpView
    }
    covered: set[str] = set()
    for text in (OBJECT_GRAPH, GLOBAL_SLOTS, CONTAINERS, CONTROL_FLOW, TENSORS):

        def note(op: ir.Operation) -> ir.WalkResult:
            covered.add(op.name)
            return ir.WalkResult.ADVANCE

        ir.Module.parse(text).operation.walk(note)
    assert named - covered == set()


def test_python_builders_infer_types(context: ir.Context) -> None:
    module = ir.Module.create()
    with ir.InsertionPoint(module.body):
        number = torch.constant_int(5)
        assert isinstance(number.type, torch.IntType)
        assert isinstance(torch.constant_none().type, torch.NoneType)
        element = torch.prim_min_int(number, number)
        elements = torch.prim_ListConstruct(torch.ListType.get(element.type), [element, number])
        assert str(elements.type) == "!torch.list<int>"
        literal = torch.vtensor_literal(
            torch.ValueTensorType.get([2], ir.F32Type.get()), ir.Attribute.parse("dense<0.5> : tensor<2xf32>")
        )
        assert str(torch.copy_to_tensor(literal).type) == "!torch.tensor<[2],f32>"
    assert module.operation.verify()
