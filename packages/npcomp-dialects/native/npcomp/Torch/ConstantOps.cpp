#include "npcomp/Torch/TorchOps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace npcomp::torch {

OpFoldResult ConstantIntOp::fold(FoldAdaptor) { return getValueAttr(); }
OpFoldResult ConstantFloatOp::fold(FoldAdaptor) { return getValueAttr(); }
OpFoldResult ConstantBoolOp::fold(FoldAdaptor) { return getValueAttr(); }
OpFoldResult ConstantStrOp::fold(FoldAdaptor) { return getValueAttr(); }
OpFoldResult ConstantDeviceOp::fold(FoldAdaptor) { return getValueAttr(); }
OpFoldResult ConstantNoneOp::fold(FoldAdaptor) { return UnitAttr::get(getContext()); }
OpFoldResult ConstantNumberOp::fold(FoldAdaptor) { return getValueAttr(); }
OpFoldResult ValueTensorLiteralOp::fold(FoldAdaptor) { return getValueAttr(); }

/// Do the elements of a literal match the dtype? Integers may be stored signless.
static bool isStorageOf(Type stored, Type dtype) {
  if (stored == dtype)
    return true;
  auto storedInteger = dyn_cast<IntegerType>(stored), integer = dyn_cast<IntegerType>(dtype);
  return storedInteger && integer && storedInteger.isSignless() && storedInteger.getWidth() == integer.getWidth();
}

static LogicalResult verifyLiteral(Operation *op, ElementsAttr value, Type result) {
  ShapedType stored = value.getShapedType();
  Type dtype = getTensorDtype(result);
  if (dtype && !isStorageOf(stored.getElementType(), dtype))
    return op->emitOpError() << "holds elements of " << stored.getElementType() << " but its dtype is " << dtype;
  auto sizes = getTensorSizes(result);
  if (!sizes)
    return success();
  ArrayRef<int64_t> actual = stored.getShape();
  bool same = sizes->size() == actual.size() && llvm::all_of(llvm::zip(*sizes, actual), [](auto pair) {
                return std::get<0>(pair) == ValueTensorType::kUnknownSize || std::get<0>(pair) == std::get<1>(pair);
              });
  if (same)
    return success();
  return op->emitOpError() << "holds " << stored << ", which its type " << result << " contradicts";
}

LogicalResult ValueTensorLiteralOp::verify() { return verifyLiteral(*this, getValue(), getType()); }
LogicalResult NonValueTensorLiteralOp::verify() { return verifyLiteral(*this, getValue(), getType()); }

} // namespace npcomp::torch
