#include "npcomp/Torch/TorchOps.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace npcomp::torch {

ParseResult parseParenthesizedTypes(OpAsmParser &parser, SmallVectorImpl<Type> &types) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren,
                                        [&] { return parser.parseType(types.emplace_back()); });
}

void printParenthesizedTypes(OpAsmPrinter &printer, Operation *, TypeRange types) { printer << "(" << types << ")"; }

ParseResult parseAnyTypes(OpAsmParser &parser, SmallVectorImpl<Type> &types) {
  Type first;
  OptionalParseResult parsed = parser.parseOptionalType(first);
  if (!parsed.has_value())
    return success();
  if (failed(*parsed))
    return failure();
  types.push_back(first);
  while (succeeded(parser.parseOptionalComma()))
    if (parser.parseType(types.emplace_back()))
      return failure();
  return success();
}

void printAnyTypes(OpAsmPrinter &printer, Operation *, TypeRange types) { printer << types; }

//===------------------------------------------------------------------------------------------===//
// Containers
//===------------------------------------------------------------------------------------------===//

LogicalResult PrimListConstructOp::verify() {
  Type contained = getType().getContained();
  for (auto [index, element] : llvm::enumerate(getElements()))
    if (!mayBeSame(element.getType(), contained))
      return emitOpError() << "element " << index << " is " << element.getType() << ", which does not belong into "
                           << getType();
  return success();
}

LogicalResult PrimDictConstructOp::verify() {
  DictType type = getType();
  for (auto [index, key, value] : llvm::enumerate(getKeys(), getValues())) {
    if (!mayBeSame(key.getType(), type.getKey()))
      return emitOpError() << "key " << index << " is " << key.getType() << ", which does not belong into " << type;
    if (!mayBeSame(value.getType(), type.getValue()))
      return emitOpError() << "value " << index << " is " << value.getType() << ", which does not belong into " << type;
  }
  return success();
}

/// Do the parts of a tuple match its type, one for one?
static LogicalResult verifyTupleParts(Operation *op, TupleType tuple, TypeRange parts) {
  ArrayRef<Type> contained = tuple.getContainedTypes();
  if (contained.size() != parts.size())
    return op->emitOpError() << tuple << " has " << contained.size() << " parts, got " << parts.size();
  for (auto [index, pair] : llvm::enumerate(llvm::zip(parts, contained)))
    if (!mayBeSame(std::get<0>(pair), std::get<1>(pair)))
      return op->emitOpError() << "part " << index << " is " << std::get<0>(pair) << " but the tuple type says "
                               << std::get<1>(pair);
  return success();
}

LogicalResult PrimTupleConstructOp::verify() { return verifyTupleParts(*this, getType(), getElements().getTypes()); }
LogicalResult PrimTupleUnpackOp::verify() {
  return verifyTupleParts(*this, getTuple().getType(), getOutputs().getTypes());
}

LogicalResult PrimListUnpackOp::verify() {
  Type contained = getList().getType().getContained();
  for (auto [index, result] : llvm::enumerate(getOutputs()))
    if (!mayBeSame(result.getType(), contained))
      return emitOpError() << "result " << index << " is " << result.getType() << " but the list holds " << contained;
  return success();
}

/// The parts of a container go straight to the unpacking op's results, where the types agree.
static LogicalResult forwardParts(OperandRange parts, ResultRange results, SmallVectorImpl<OpFoldResult> &folded) {
  if (parts.size() != results.size() || parts.getTypes() != results.getTypes())
    return failure();
  llvm::append_range(folded, parts);
  return success();
}

LogicalResult PrimTupleUnpackOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &folded) {
  auto construct = getTuple().getDefiningOp<PrimTupleConstructOp>();
  return construct ? forwardParts(construct.getElements(), getOutputs(), folded) : failure();
}

LogicalResult PrimListUnpackOp::fold(FoldAdaptor, SmallVectorImpl<OpFoldResult> &folded) {
  auto construct = getList().getDefiningOp<PrimListConstructOp>();
  if (!construct || mayBeMutated(getList()))
    return failure();
  return forwardParts(construct.getElements(), getOutputs(), folded);
}

OpFoldResult PrimTupleIndexOp::fold(FoldAdaptor adaptor) {
  auto construct = getTuple().getDefiningOp<PrimTupleConstructOp>();
  auto index = dyn_cast_or_null<IntegerAttr>(adaptor.getIndex());
  if (!construct || !index)
    return {};
  int64_t size = construct.getElements().size();
  int64_t position = index.getInt() < 0 ? index.getInt() + size : index.getInt();
  if (position < 0 || position >= size || construct.getElements()[position].getType() != getType())
    return {};
  return construct.getElements()[position];
}

//===------------------------------------------------------------------------------------------===//
// Casts
//===------------------------------------------------------------------------------------------===//

static bool areOneToOne(TypeRange inputs, TypeRange outputs) { return inputs.size() == 1 && outputs.size() == 1; }

bool PrimUncheckedCastOp::areCastCompatible(TypeRange inputs, TypeRange outputs) {
  return areOneToOne(inputs, outputs) && mayBeSame(withValueSemantics(inputs[0]), withValueSemantics(outputs[0]));
}

bool DerefineOp::areCastCompatible(TypeRange inputs, TypeRange outputs) {
  return areOneToOne(inputs, outputs) && isSubtype(inputs[0], outputs[0]);
}

bool TensorStaticInfoCastOp::areCastCompatible(TypeRange inputs, TypeRange outputs) {
  return areOneToOne(inputs, outputs) && mayBeSame(inputs[0], outputs[0]);
}

/// A cast to the operand's own type, and one that undoes another.
template <typename CastOp> static OpFoldResult foldCast(CastOp op) {
  Value operand = op.getOperand();
  Type type = op.getResult().getType();
  if (operand.getType() == type)
    return operand;
  Operation *inner = operand.getDefiningOp();
  if (isa_and_nonnull<DerefineOp, TensorStaticInfoCastOp>(inner) && inner->getOperand(0).getType() == type)
    return inner->getOperand(0);
  return {};
}

OpFoldResult PrimUncheckedCastOp::fold(FoldAdaptor) { return foldCast(*this); }
OpFoldResult TensorStaticInfoCastOp::fold(FoldAdaptor) { return foldCast(*this); }
OpFoldResult DerefineOp::fold(FoldAdaptor) { return foldCast(*this); }

//===------------------------------------------------------------------------------------------===//
// Scalars
//===------------------------------------------------------------------------------------------===//

/// torch's number of a dtype, where torch has one.
static std::optional<int64_t> dtypeNumber(Type dtype) {
  if (auto integer = dyn_cast_or_null<IntegerType>(dtype)) {
    if (integer.getWidth() == 1)
      return 11;
    if (integer.isUnsigned())
      return integer.getWidth() == 8 ? std::optional<int64_t>(0) : std::nullopt;
    switch (integer.getWidth()) {
    case 8:
      return 1;
    case 16:
      return 2;
    case 32:
      return 3;
    default:
      return 4;
    }
  }
  if (isa_and_nonnull<Float16Type>(dtype))
    return 5;
  if (isa_and_nonnull<Float32Type>(dtype))
    return 6;
  if (isa_and_nonnull<Float64Type>(dtype))
    return 7;
  if (isa_and_nonnull<BFloat16Type>(dtype))
    return 15;
  return std::nullopt;
}

OpFoldResult PrimDtypeOp::fold(FoldAdaptor) {
  std::optional<int64_t> number = dtypeNumber(getTensorDtype(getTensor().getType()));
  return number ? OpFoldResult(Builder(getContext()).getI64IntegerAttr(*number)) : OpFoldResult();
}

/// Both operands of an op on integers, when both are known.
static std::optional<std::pair<int64_t, int64_t>> knownPair(Attribute a, Attribute b) {
  auto first = dyn_cast_or_null<IntegerAttr>(a), second = dyn_cast_or_null<IntegerAttr>(b);
  if (!first || !second)
    return std::nullopt;
  return std::make_pair(first.getInt(), second.getInt());
}

OpFoldResult PrimMinIntOp::fold(FoldAdaptor adaptor) {
  auto pair = knownPair(adaptor.getA(), adaptor.getB());
  return pair ? OpFoldResult(Builder(getContext()).getI64IntegerAttr(std::min(pair->first, pair->second)))
              : OpFoldResult();
}

OpFoldResult PrimMaxIntOp::fold(FoldAdaptor adaptor) {
  auto pair = knownPair(adaptor.getA(), adaptor.getB());
  return pair ? OpFoldResult(Builder(getContext()).getI64IntegerAttr(std::max(pair->first, pair->second)))
              : OpFoldResult();
}

} // namespace npcomp::torch
