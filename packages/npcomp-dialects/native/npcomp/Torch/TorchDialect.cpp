#include "npcomp/Torch/TorchDialect.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Transforms/InliningUtils.h"
#include "npcomp/Torch/TorchOps.h"

#include "npcomp/Torch/TorchDialect.cpp.inc"

using namespace mlir;

namespace npcomp::torch {

namespace {
/// Torch ops may be inlined anywhere.
struct TorchInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Operation *, Operation *, bool) const final { return true; }
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final { return true; }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
};
} // namespace

void TorchDialect::initialize() {
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "npcomp/Torch/TorchOps.cpp.inc"
      >();
  addInterfaces<TorchInliner>();
}

Operation *TorchDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type, Location loc) {
  if (isa<IntType>(type))
    if (auto integer = dyn_cast<IntegerAttr>(value))
      return ConstantIntOp::create(builder, loc, integer);
  if (isa<FloatType>(type))
    if (auto number = dyn_cast<FloatAttr>(value))
      return ConstantFloatOp::create(builder, loc, number);
  if (isa<BoolType>(type))
    if (auto flag = dyn_cast<IntegerAttr>(value))
      return ConstantBoolOp::create(builder, loc, builder.getBoolAttr(!flag.getValue().isZero()));
  if (isa<StringType>(type))
    if (auto text = dyn_cast<StringAttr>(value))
      return ConstantStrOp::create(builder, loc, text);
  if (isa<DeviceType>(type))
    if (auto text = dyn_cast<StringAttr>(value))
      return ConstantDeviceOp::create(builder, loc, text);
  if (isa<NoneType>(type))
    return ConstantNoneOp::create(builder, loc);
  if (isa<NumberType>(type))
    if (isa<IntegerAttr, FloatAttr>(value))
      return ConstantNumberOp::create(builder, loc, value);
  if (isa<ValueTensorType>(type))
    if (auto elements = dyn_cast<ElementsAttr>(value))
      return ValueTensorLiteralOp::create(builder, loc, type, elements);
  return arith::ConstantOp::materialize(builder, value, type, loc);
}

} // namespace npcomp::torch
