// Verifiers of ops that move elements, of factories and of guards.
#include "npcomp/Tcf/Checks.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace npcomp::tcf {

//===------------------------------------------------------------------------------------------===//
// Layout
//===------------------------------------------------------------------------------------------===//

LogicalResult PermuteOp::verify() {
  RankedTensorType x = typeOf(getX());
  if (failed(checkLength(*this, "dims", getDims().size(), x.getRank())))
    return failure();
  llvm::SmallBitVector seen(x.getRank());
  SmallVector<int64_t> shape;
  for (int64_t dim : getDims()) {
    if (failed(checkDim(*this, dim, x.getRank())))
      return failure();
    if (seen.test(dim))
      return emitOpError() << "dims is no permutation: " << dim << " occurs twice";
    seen.set(dim);
    shape.push_back(x.getDimSize(dim));
  }
  if (failed(checkElement(*this, typeOf(getResult()), x.getElementType())))
    return failure();
  return checkShape(*this, typeOf(getResult()), shape);
}

LogicalResult ReshapeOp::verify() {
  RankedTensorType x = typeOf(getX()), result = typeOf(getResult());
  if (failed(checkRank(*this, result, getSizes().size())) || failed(checkElement(*this, result, x.getElementType())))
    return failure();
  if (x.hasStaticShape() && result.hasStaticShape() && x.getNumElements() != result.getNumElements())
    return emitOpError() << "cannot make " << result << " of " << x << ": " << x.getNumElements() << " elements became "
                         << result.getNumElements();
  return success();
}

LogicalResult BroadcastOp::verify() {
  RankedTensorType x = typeOf(getX()), result = typeOf(getResult());
  if (failed(checkRank(*this, result, getSizes().size())) || failed(checkElement(*this, result, x.getElementType())))
    return failure();
  int64_t added = result.getRank() - x.getRank();
  if (added < 0)
    return emitOpError() << "cannot take dimensions away: " << x << " to " << result;
  for (auto [dim, size] : llvm::enumerate(x.getShape()))
    if (size != 1 && conflict(size, result.getDimSize(added + dim)))
      return emitOpError() << "cannot broadcast size " << size << " to size " << result.getDimSize(added + dim)
                           << " in dimension " << added + dim;
  return success();
}

LogicalResult SliceOp::verify() {
  RankedTensorType x = typeOf(getX());
  int64_t dim = getDim();
  if (failed(checkDim(*this, dim, x.getRank())) || failed(checkElement(*this, typeOf(getResult()), x.getElementType())))
    return failure();
  SmallVector<int64_t> shape(x.getShape());
  shape[dim] = ShapedType::kDynamic;
  return checkShape(*this, typeOf(getResult()), shape);
}

LogicalResult ConcatOp::verify() {
  if (getInputs().empty())
    return emitOpError() << "needs at least one input";
  RankedTensorType first = typeOf(getInputs().front());
  int64_t dim = getDim(), total = 0;
  if (failed(checkDim(*this, dim, first.getRank())))
    return failure();
  SmallVector<int64_t> shape(first.getShape());
  for (Value input : getInputs()) {
    RankedTensorType type = typeOf(input);
    if (type.getRank() != first.getRank() || type.getElementType() != first.getElementType())
      return emitOpError() << "cannot join " << first << " and " << type;
    for (auto [index, size] : llvm::enumerate(type.getShape())) {
      if (static_cast<int64_t>(index) == dim)
        continue;
      if (conflict(shape[index], size))
        return emitOpError() << "cannot join " << first << " and " << type << ": dimension " << index << " differs";
      if (ShapedType::isDynamic(shape[index]))
        shape[index] = size;
    }
    int64_t size = type.getDimSize(dim);
    total = ShapedType::isDynamic(size) || ShapedType::isDynamic(total) ? ShapedType::kDynamic : total + size;
  }
  shape[dim] = total;
  if (failed(checkElement(*this, typeOf(getResult()), first.getElementType())))
    return failure();
  return checkShape(*this, typeOf(getResult()), shape);
}

LogicalResult PadOp::verify() {
  RankedTensorType x = typeOf(getX());
  if (failed(checkLength(*this, "low", getLow().size(), x.getRank())) ||
      failed(checkRank(*this, typeOf(getResult()), x.getRank())) ||
      failed(checkElement(*this, typeOf(getResult()), x.getElementType())))
    return failure();
  if (getValue().getType() == x.getElementType())
    return success();
  return emitOpError() << "pads " << x << " with a " << getValue().getType();
}

//===------------------------------------------------------------------------------------------===//
// Indexing, factories, guards
//===------------------------------------------------------------------------------------------===//

static LogicalResult checkIndex(Operation *op, RankedTensorType index) {
  if (index.getElementType().isInteger())
    return success();
  return op->emitOpError() << "the index holds integers, got " << index;
}

LogicalResult GatherOp::verify() {
  RankedTensorType x = typeOf(getX()), index = typeOf(getIndex());
  if (failed(checkIndex(*this, index)) || failed(checkDim(*this, getDim(), x.getRank())))
    return failure();
  if (index.getRank() != x.getRank())
    return emitOpError() << "the index has rank " << index.getRank() << ", x has rank " << x.getRank();
  if (failed(checkElement(*this, typeOf(getResult()), x.getElementType())))
    return failure();
  return checkShape(*this, typeOf(getResult()), index.getShape());
}

LogicalResult IndexSelectOp::verify() {
  RankedTensorType x = typeOf(getX()), index = typeOf(getIndex());
  int64_t dim = getDim();
  if (failed(checkIndex(*this, index)) || failed(checkDim(*this, dim, x.getRank())))
    return failure();
  SmallVector<int64_t> shape(x.getShape().take_front(dim));
  llvm::append_range(shape, index.getShape());
  llvm::append_range(shape, x.getShape().drop_front(dim + 1));
  if (failed(checkElement(*this, typeOf(getResult()), x.getElementType())))
    return failure();
  return checkShape(*this, typeOf(getResult()), shape);
}

LogicalResult FullOp::verify() {
  if (failed(checkElement(*this, typeOf(getResult()), getValue().getType())))
    return failure();
  return checkRank(*this, typeOf(getResult()), getSizes().size());
}

LogicalResult IotaOp::verify() {
  RankedTensorType result = typeOf(getResult());
  if (!result.getElementType().isSignlessInteger())
    return emitOpError() << "makes signless integers, got " << result;
  return checkRank(*this, result, 1);
}

LogicalResult GuardOp::verify() {
  if (getKind().empty() || !llvm::all_of(getKind(), [](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; }))
    return emitOpError() << "kind names a Python exception, got \"" << getKind() << "\"";
  if (getValues().empty())
    return success(); // the text is taken as it is
  StringRef rest = getMessage();
  while (!rest.empty()) {
    rest = rest.drop_until([](char c) { return c == '{'; }).drop_front(rest.contains('{') ? 1 : 0);
    unsigned place = 0;
    StringRef number = rest.take_while(llvm::isDigit);
    if (number.empty() || !rest.drop_front(number.size()).starts_with("}") || number.getAsInteger(10, place))
      continue;
    if (place >= getValues().size())
      return emitOpError() << "the message asks for value {" << place << "}, there are " << getValues().size();
  }
  return success();
}

namespace {
/// A guard that always holds is nothing.
struct DropTrueGuard : OpRewritePattern<GuardOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GuardOp op, PatternRewriter &rewriter) const override {
    if (!matchPattern(op.getCondition(), m_One()))
      return failure();
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void GuardOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<DropTrueGuard>(context);
}

} // namespace npcomp::tcf
