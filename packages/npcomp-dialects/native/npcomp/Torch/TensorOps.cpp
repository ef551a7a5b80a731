#include "npcomp/Torch/TorchOps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace npcomp::torch {

Type withValueSemantics(Type type) {
  return type.replace([](NonValueTensorType tensor) -> Type {
    return ValueTensorType::get(tensor.getContext(), tensor.getSizes(), tensor.getDtype());
  });
}

Type withoutValueSemantics(Type type) {
  return type.replace([](ValueTensorType tensor) -> Type {
    return NonValueTensorType::get(tensor.getContext(), tensor.getSizes(), tensor.getDtype());
  });
}

LogicalResult OverwriteTensorContentsOp::verify() {
  Type value = getValue().getType(), overwritten = withValueSemantics(getOverwritten().getType());
  if (mayBeSame(value, overwritten))
    return success();
  return emitOpError() << "cannot put " << value << " into " << getOverwritten().getType()
                       << ": sizes and dtypes must agree";
}

//===------------------------------------------------------------------------------------------===//
// Border to builtin types
//===------------------------------------------------------------------------------------------===//

/// The builtin element type that stands for a dtype: integers are signless there.
static Type toBuiltinElement(Type dtype) {
  if (auto integer = dyn_cast_or_null<IntegerType>(dtype))
    return IntegerType::get(dtype.getContext(), integer.getWidth());
  return dtype;
}

static LogicalResult verifyTensorBorder(Operation *op, ValueTensorType torchType, RankedTensorType builtinType) {
  auto sizes = torchType.getSizes();
  Type dtype = torchType.getDtype();
  if (dtype && toBuiltinElement(dtype) != builtinType.getElementType())
    return op->emitOpError() << "dtype " << dtype << " is " << toBuiltinElement(dtype) << " in a builtin tensor, not "
                             << builtinType.getElementType();
  if (!sizes)
    return success();
  if (static_cast<int64_t>(sizes->size()) != builtinType.getRank())
    return op->emitOpError() << "rank " << sizes->size() << " became rank " << builtinType.getRank();
  for (auto [index, pair] : llvm::enumerate(llvm::zip(*sizes, builtinType.getShape()))) {
    auto [torchSize, builtinSize] = pair;
    bool known = torchSize != ValueTensorType::kUnknownSize && !ShapedType::isDynamic(builtinSize);
    if (known && torchSize != builtinSize)
      return op->emitOpError() << "size " << torchSize << " of dimension " << index << " became " << builtinSize;
  }
  return success();
}

LogicalResult ToBuiltinTensorOp::verify() {
  return verifyTensorBorder(*this, getOperand().getType(), cast<RankedTensorType>(getType()));
}

LogicalResult FromBuiltinTensorOp::verify() {
  return verifyTensorBorder(*this, getType(), cast<RankedTensorType>(getOperand().getType()));
}

/// `to(from(x))` is `x`, where the types are the same.
template <typename OtherOp> static OpFoldResult foldRoundTrip(Value operand, Type type) {
  auto other = operand.getDefiningOp<OtherOp>();
  return other && other.getOperand().getType() == type ? OpFoldResult(other.getOperand()) : OpFoldResult();
}

OpFoldResult ToBuiltinTensorOp::fold(FoldAdaptor) {
  return foldRoundTrip<FromBuiltinTensorOp>(getOperand(), getType());
}
OpFoldResult FromBuiltinTensorOp::fold(FoldAdaptor) {
  return foldRoundTrip<ToBuiltinTensorOp>(getOperand(), getType());
}

/// A scalar constant crosses the border as the same attribute.
template <typename OtherOp, typename AdaptorT>
static OpFoldResult foldScalar(AdaptorT adaptor, Value operand, Type type) {
  if (Attribute constant = adaptor.getOperand())
    return constant;
  return foldRoundTrip<OtherOp>(operand, type);
}

OpFoldResult ToI64Op::fold(FoldAdaptor adaptor) { return foldScalar<FromI64Op>(adaptor, getOperand(), getType()); }
OpFoldResult ToF64Op::fold(FoldAdaptor adaptor) { return foldScalar<FromF64Op>(adaptor, getOperand(), getType()); }
OpFoldResult ToI1Op::fold(FoldAdaptor adaptor) { return foldScalar<FromI1Op>(adaptor, getOperand(), getType()); }
OpFoldResult FromI64Op::fold(FoldAdaptor adaptor) { return foldScalar<ToI64Op>(adaptor, getOperand(), getType()); }
OpFoldResult FromF64Op::fold(FoldAdaptor adaptor) { return foldScalar<ToF64Op>(adaptor, getOperand(), getType()); }
OpFoldResult FromI1Op::fold(FoldAdaptor adaptor) { return foldScalar<ToI1Op>(adaptor, getOperand(), getType()); }

} // namespace npcomp::torch
