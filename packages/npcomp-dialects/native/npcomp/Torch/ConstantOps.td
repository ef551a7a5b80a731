#ifndef NPCOMP_TORCH_CONSTANT_OPS_TD
#define NPCOMP_TORCH_CONSTANT_OPS_TD

include "npcomp/Torch/TorchTypes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Torch_ConstantOp<string kind> : Torch_Op<"constant." # kind, [ConstantLike, Pure]> {
  let hasFolder = 1;
}

class Torch_SimpleConstantOp<string kind, Type type, Attr attr>
    : Torch_ConstantOp<kind> {
  let arguments = (ins attr:$value);
  let results = (outs type:$result);
  let assemblyFormat = "$value attr-dict";
}

def Torch_ConstantIntOp : Torch_SimpleConstantOp<"int", Torch_IntType, I64Attr> {
  let summary = "An `int`";
}

def Torch_ConstantFloatOp : Torch_SimpleConstantOp<"float", Torch_FloatType, F64Attr> {
  let summary = "A `float`";
}

def Torch_ConstantBoolOp : Torch_SimpleConstantOp<"bool", Torch_BoolType, BoolAttr> {
  let summary = "`True` or `False`";
}

def Torch_ConstantStrOp : Torch_SimpleConstantOp<"str", Torch_StringType, StrAttr> {
  let summary = "A `str`";
}

def Torch_ConstantDeviceOp : Torch_SimpleConstantOp<"device", Torch_DeviceType, StrAttr> {
  let summary = "A `torch.device`, spelled as torch prints it";
}

def Torch_ConstantNoneOp : Torch_ConstantOp<"none"> {
  let summary = "`None`";
  let results = (outs Torch_NoneType:$result);
  let assemblyFormat = "attr-dict";
}

def Torch_ConstantNumberOp : Torch_ConstantOp<"number"> {
  let summary = "A Scalar whose kind follows its attribute: an i64 or an f64";
  let arguments = (ins AnyAttrOf<[I64Attr, F64Attr]>:$value);
  let results = (outs Torch_NumberType:$result);
  let assemblyFormat = "$value attr-dict";
}

class Torch_LiteralOp<string name, list<Trait> traits> : Torch_Op<name, traits> {
  let arguments = (ins ElementsAttr:$value);
  let assemblyFormat = "`(` $value `)` attr-dict `:` qualified(type($result))";
  let hasVerifier = 1;
}

def Torch_ValueTensorLiteralOp : Torch_LiteralOp<"vtensor.literal", [ConstantLike, Pure]> {
  let summary = "A constant tensor";
  let results = (outs Torch_ValueTensorType:$result);
  let hasFolder = 1;
}

def Torch_NonValueTensorLiteralOp : Torch_LiteralOp<"tensor.literal", []> {
  let summary = "A fresh tensor with constant contents; two such ops are two tensors";
  let results = (outs Res<Torch_NonValueTensorType, "", [MemAlloc]>:$result);
}

#endif
