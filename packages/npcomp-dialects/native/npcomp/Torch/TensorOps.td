// Value semantics, ATen calls by name, and the border to builtin types.
#ifndef NPCOMP_TORCH_TENSOR_OPS_TD
#define NPCOMP_TORCH_TENSOR_OPS_TD

include "npcomp/Torch/TorchTypes.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===------------------------------------------------------------------------------------------===//
// Value semantics
//===------------------------------------------------------------------------------------------===//

def Torch_CopyToValueTensorOp : Torch_Op<"copy.to_vtensor", [
    TypesMatchWith<"the tensor type with the value's sizes and dtype", "result", "operand",
                   "::npcomp::torch::withoutValueSemantics($_self)">,
    TypesMatchWith<"the value type with the tensor's sizes and dtype", "operand", "result",
                   "::npcomp::torch::withValueSemantics($_self)">]> {
  let summary = "The present contents of a tensor, as a value";
  let arguments = (ins Arg<Torch_NonValueTensorType, "", [MemRead]>:$operand);
  let results = (outs Torch_ValueTensorType:$result);
  let assemblyFormat = "$operand attr-dict `:` qualified(type($result))";
}

def Torch_CopyToNonValueTensorOp : Torch_Op<"copy.to_tensor", [
    TypesMatchWith<"the value type with the tensor's sizes and dtype", "result", "operand",
                   "::npcomp::torch::withValueSemantics($_self)">,
    TypesMatchWith<"the tensor type with the value's sizes and dtype", "operand", "result",
                   "::npcomp::torch::withoutValueSemantics($_self)">]> {
  let summary = "A fresh tensor with the contents of a value";
  let arguments = (ins Torch_ValueTensorType:$operand);
  let results = (outs Res<Torch_NonValueTensorType, "", [MemAlloc]>:$result);
  let assemblyFormat = "$operand attr-dict `:` qualified(type($result))";
}

def Torch_OverwriteTensorContentsOp : Torch_Op<"overwrite.tensor.contents"> {
  let summary = "Replaces the contents of a tensor";
  let arguments = (ins Torch_ValueTensorType:$value, Arg<Torch_NonValueTensorType, "", [MemWrite]>:$overwritten);
  let assemblyFormat = [{
    $value `overwrites` $overwritten attr-dict `:` qualified(type($value)) `,` qualified(type($overwritten))
  }];
  let hasVerifier = 1;
}

//===------------------------------------------------------------------------------------------===//
// Calls by name
//===------------------------------------------------------------------------------------------===//

def Torch_OperatorOp : Torch_Op<"operator"> {
  let summary = "A call of a torch operator by its name";
  let description = [{
    ```mlir
    %r = torch.operator "aten.add.Tensor"(%a, %b, %one) : (!torch.tensor, !torch.tensor, !torch.int) -> !torch.tensor
    ```
    Nothing is known of its effects.
  }];
  let arguments = (ins StrAttr:$name, Variadic<AnyType>:$arguments);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region VariadicRegion<AnyRegion>:$bodies);
  let assemblyFormat = [{
    $name `(` $arguments `)` ($bodies^)? attr-dict `:` functional-type($arguments, $outputs)
  }];
}

//===------------------------------------------------------------------------------------------===//
// Border to builtin types
//===------------------------------------------------------------------------------------------===//

def Torch_ToBuiltinTensorOp : Torch_Op<"to_builtin_tensor", [Pure]> {
  let summary = "A torch value as a builtin tensor; integers become signless";
  let arguments = (ins Torch_ValueTensorType:$operand);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` qualified(type($operand)) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Torch_FromBuiltinTensorOp : Torch_Op<"from_builtin_tensor", [Pure]> {
  let summary = "A builtin tensor as a torch value";
  let arguments = (ins AnyRankedTensor:$operand);
  let results = (outs Torch_ValueTensorType:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` qualified(type($result))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

class Torch_ScalarBorderOp<string name, Type from, Type to>
    : Torch_Op<name, [Pure]> {
  let arguments = (ins from:$operand);
  let results = (outs to:$result);
  let assemblyFormat = "$operand attr-dict";
  let hasFolder = 1;
}

def Torch_ToI64Op : Torch_ScalarBorderOp<"to_i64", Torch_IntType, I64> { let summary = "`int` to i64"; }
def Torch_FromI64Op : Torch_ScalarBorderOp<"from_i64", I64, Torch_IntType> { let summary = "i64 to `int`"; }
def Torch_ToF64Op : Torch_ScalarBorderOp<"to_f64", Torch_FloatType, F64> { let summary = "`float` to f64"; }
def Torch_FromF64Op : Torch_ScalarBorderOp<"from_f64", F64, Torch_FloatType> { let summary = "f64 to `float`"; }
def Torch_ToI1Op : Torch_ScalarBorderOp<"to_i1", Torch_BoolType, I1> { let summary = "`bool` to i1"; }
def Torch_FromI1Op : Torch_ScalarBorderOp<"from_i1", I1, Torch_BoolType> { let summary = "i1 to `bool`"; }

#endif
