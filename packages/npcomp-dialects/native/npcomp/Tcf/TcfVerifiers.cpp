// What tcf ops demand of their types and attributes. Sizes that are known statically must agree; the others are
// the business of guards.
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "npcomp/Tcf/TcfOps.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringExtras.h"

#include <array>

using namespace mlir;

namespace npcomp::tcf {
namespace {

RankedTensorType typeOf(Value value) { return cast<RankedTensorType>(value.getType()); }

bool conflict(int64_t a, int64_t b) { return !ShapedType::isDynamic(a) && !ShapedType::isDynamic(b) && a != b; }

LogicalResult checkRank(Operation *op, RankedTensorType result, int64_t rank) {
  if (result.getRank() == rank)
    return success();
  return op->emitOpError() << "has a result of rank " << rank << ", got " << result;
}

LogicalResult checkElement(Operation *op, RankedTensorType result, Type element) {
  if (result.getElementType() == element)
    return success();
  return op->emitOpError() << "has a result of " << element << ", got " << result;
}

/// The result must have these sizes, where both are known.
LogicalResult checkShape(Operation *op, RankedTensorType result, ArrayRef<int64_t> sizes) {
  if (failed(checkRank(op, result, sizes.size())))
    return failure();
  for (auto [dim, pair] : llvm::enumerate(llvm::zip(sizes, result.getShape())))
    if (conflict(std::get<0>(pair), std::get<1>(pair)))
      return op->emitOpError() << "has size " << std::get<0>(pair) << " in dimension " << dim << ", got " << result;
  return success();
}

LogicalResult checkDim(Operation *op, int64_t dim, int64_t rank) {
  if (dim >= 0 && dim < rank)
    return success();
  return op->emitOpError() << "dim " << dim << " is out of range for rank " << rank;
}

LogicalResult checkKind(Operation *op, StringRef kind, ArrayRef<StringRef> kinds) {
  if (llvm::is_contained(kinds, kind))
    return success();
  return op->emitOpError() << "has no kind \"" << kind << "\"; there are " << llvm::join(kinds, ", ");
}

LogicalResult checkLength(Operation *op, StringRef name, size_t length, int64_t expected) {
  if (static_cast<int64_t>(length) == expected)
    return success();
  return op->emitOpError() << name << " needs " << expected << " entries, got " << length;
}

LogicalResult checkAtLeast(Operation *op, StringRef name, ArrayRef<int64_t> values, int64_t least) {
  for (int64_t value : values)
    if (value < least)
      return op->emitOpError() << name << " must be at least " << least << ", got " << value;
  return success();
}

/// The dimensions that remain after `dims` are reduced, which stay with size 1 if kept.
SmallVector<int64_t> reducedShape(RankedTensorType x, ArrayRef<int64_t> dims, bool keepdim) {
  SmallVector<int64_t> sizes;
  for (int64_t dim = 0; dim < x.getRank(); ++dim) {
    bool reduced = llvm::is_contained(dims, dim);
    if (!reduced || keepdim)
      sizes.push_back(reduced ? 1 : x.getDimSize(dim));
  }
  return sizes;
}

/// Output size of a window over one dimension; dynamic when the input is.
int64_t windowCount(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceilMode) {
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(kernel))
    return ShapedType::kDynamic;
  int64_t span = size + 2 * padding - dilation * (kernel - 1) - 1;
  if (span < 0)
    return ShapedType::kDynamic;
  if (!ceilMode)
    return span / stride + 1;
  int64_t count = (span + stride - 1) / stride + 1;
  return (count - 1) * stride >= size + padding ? count - 1 : count;
}

} // namespace

//===------------------------------------------------------------------------------------------===//
// Elementwise
//===------------------------------------------------------------------------------------------===//

/// Sizes after broadcasting; reports two that cannot meet.
static FailureOr<SmallVector<int64_t>> broadcastShape(Operation *op, ValueRange inputs) {
  int64_t rank = 0;
  for (Value input : inputs)
    rank = std::max(rank, typeOf(input).getRank());
  SmallVector<int64_t> sizes(rank, 1);
  for (Value input : inputs) {
    RankedTensorType type = typeOf(input);
    int64_t offset = rank - type.getRank();
    for (auto [dim, size] : llvm::enumerate(type.getShape())) {
      int64_t &known = sizes[offset + dim];
      if (known != 1 && size != 1 && conflict(known, size))
        return op->emitOpError() << "cannot broadcast size " << size << " to size " << known << " in dimension "
                                 << offset + dim;
      if (known == 1 || (ShapedType::isDynamic(known) && size != 1 && !ShapedType::isDynamic(size)))
        known = size;
    }
  }
  return sizes;
}

LogicalResult MapOp::verifyRegions() {
  if (getInputs().empty() || getOutputs().empty())
    return emitOpError() << "needs at least one input and one result";
  Block &block = getBody().front();
  if (failed(checkLength(*this, "the body's argument list", block.getNumArguments(), getInputs().size())))
    return failure();
  for (auto [index, argument, input] : llvm::enumerate(block.getArguments(), getInputs()))
    if (argument.getType() != typeOf(input).getElementType())
      return emitOpError() << "the body's argument " << index << " is " << argument.getType()
                           << " but the input holds " << typeOf(input).getElementType();
  auto yield = dyn_cast<YieldOp>(block.back());
  if (!yield)
    return emitOpError() << "the body must end with tcf.yield";
  if (failed(checkLength(*this, "tcf.yield", yield.getElements().size(), getOutputs().size())))
    return failure();
  FailureOr<SmallVector<int64_t>> sizes = broadcastShape(*this, getInputs());
  if (failed(sizes))
    return failure();
  for (auto [element, output] : llvm::zip(yield.getElements(), getOutputs()))
    if (failed(checkElement(*this, typeOf(output), element.getType())) ||
        failed(checkShape(*this, typeOf(output), *sizes)))
      return failure();
  return success();
}

//===------------------------------------------------------------------------------------------===//
// Reductions, contractions, windows
//===------------------------------------------------------------------------------------------===//

LogicalResult ReduceOp::verify() {
  RankedTensorType x = typeOf(getX()), result = typeOf(getResult());
  if (failed(checkKind(*this, getKind(), {"sum", "prod", "max", "min", "all", "any"})))
    return failure();
  llvm::SmallBitVector seen(x.getRank());
  for (int64_t dim : getDims()) {
    if (failed(checkDim(*this, dim, x.getRank())))
      return failure();
    if (seen.test(dim))
      return emitOpError() << "reduces dim " << dim << " twice";
    seen.set(dim);
  }
  if (failed(checkElement(*this, result, x.getElementType())))
    return failure();
  return checkShape(*this, result, reducedShape(x, getDims(), getKeepdim()));
}

LogicalResult ArgReduceOp::verify() {
  RankedTensorType x = typeOf(getX()), result = typeOf(getResult());
  int64_t dim = getDim();
  if (failed(checkKind(*this, getKind(), {"max", "min"})) || failed(checkDim(*this, dim, x.getRank())) ||
      failed(checkElement(*this, result, Builder(getContext()).getI64Type())))
    return failure();
  return checkShape(*this, result, reducedShape(x, dim, getKeepdim()));
}

LogicalResult ContractOp::verify() {
  auto [inputs, out] = getSpec().split("->");
  auto [lhs, rhs] = inputs.split(',');
  bool wellFormed = getSpec().contains("->") && inputs.contains(',') &&
                    llvm::all_of(lhs, llvm::isAlpha) && llvm::all_of(rhs, llvm::isAlpha) &&
                    llvm::all_of(out, llvm::isAlpha);
  if (!wellFormed)
    return emitOpError() << "spec \"" << getSpec() << "\" is not of the form \"mk,kn->mn\"";
  if (failed(checkLength(*this, "the left side of spec", lhs.size(), typeOf(getLhs()).getRank())) ||
      failed(checkLength(*this, "the right side of spec", rhs.size(), typeOf(getRhs()).getRank())))
    return failure();
  llvm::DenseMap<char, int64_t> sizes;
  for (auto [letters, tensor] : {std::make_pair(lhs, getLhs()), std::make_pair(rhs, getRhs())})
    for (auto [letter, size] : llvm::zip(letters, typeOf(tensor).getShape())) {
      int64_t &known = sizes.try_emplace(letter, ShapedType::kDynamic).first->second;
      if (conflict(known, size))
        return emitOpError() << "index " << StringRef(&letter, 1) << " has sizes " << known << " and " << size;
      if (ShapedType::isDynamic(known))
        known = size;
    }
  SmallVector<int64_t> shape;
  for (auto [position, letter] : llvm::enumerate(out)) {
    if (!sizes.contains(letter) || out.find(letter, position + 1) != StringRef::npos)
      return emitOpError() << "spec \"" << getSpec() << "\": index " << out.substr(position, 1)
                           << " of the result must occur on the left, and once in the result";
    shape.push_back(sizes[letter]);
  }
  if (failed(checkElement(*this, typeOf(getResult()), typeOf(getLhs()).getElementType())) ||
      failed(checkElement(*this, typeOf(getResult()), typeOf(getRhs()).getElementType())))
    return failure();
  return checkShape(*this, typeOf(getResult()), shape);
}

LogicalResult ConvOp::verify() {
  RankedTensorType x = typeOf(getX()), weight = typeOf(getWeight()), result = typeOf(getResult());
  int64_t spatial = x.getRank() - 2, groups = getGroups();
  if (spatial < 1 || weight.getRank() != x.getRank())
    return emitOpError() << "needs x (N, C, *S) and weight (F, C / groups, *K) of one rank, got " << x << " and "
                         << weight;
  if (failed(checkLength(*this, "stride", getStride().size(), spatial)) ||
      failed(checkLength(*this, "padding", getPadding().size(), spatial)) ||
      failed(checkLength(*this, "dilation", getDilation().size(), spatial)) ||
      failed(checkAtLeast(*this, "stride", getStride(), 1)) || failed(checkAtLeast(*this, "padding", getPadding(), 0)) ||
      failed(checkAtLeast(*this, "dilation", getDilation(), 1)) || failed(checkAtLeast(*this, "groups", groups, 1)))
    return failure();
  int64_t perGroup = weight.getDimSize(1);
  if (!ShapedType::isDynamic(perGroup) && conflict(x.getDimSize(1), perGroup * groups))
    return emitOpError() << "x has " << x.getDimSize(1) << " channels, weight wants " << perGroup << " in each of "
                         << groups << " groups";
  SmallVector<int64_t> shape = {x.getDimSize(0), weight.getDimSize(0)};
  for (int64_t dim = 0; dim < spatial; ++dim)
    shape.push_back(windowCount(x.getDimSize(dim + 2), weight.getDimSize(dim + 2), getStride()[dim],
                                getPadding()[dim], getDilation()[dim], false));
  if (failed(checkElement(*this, result, x.getElementType())) ||
      failed(checkElement(*this, result, weight.getElementType())))
    return failure();
  return checkShape(*this, result, shape);
}

LogicalResult PoolOp::verify() {
  RankedTensorType x = typeOf(getX());
  int64_t spatial = getKernel().size();
  if (failed(checkKind(*this, getKind(), {"max", "sum"})))
    return failure();
  if (spatial < 1 || spatial > x.getRank())
    return emitOpError() << "a window of " << spatial << " dimensions does not fit " << x;
  if (failed(checkLength(*this, "stride", getStride().size(), spatial)) ||
      failed(checkLength(*this, "padding", getPadding().size(), spatial)) ||
      failed(checkLength(*this, "dilation", getDilation().size(), spatial)) ||
      failed(checkAtLeast(*this, "kernel", getKernel(), 1)) || failed(checkAtLeast(*this, "stride", getStride(), 1)) ||
      failed(checkAtLeast(*this, "padding", getPadding(), 0)) || failed(checkAtLeast(*this, "dilation", getDilation(), 1)))
    return failure();
  size_t most = getKind() == "max" ? 2 : 1;
  if (getOutputs().empty() || getOutputs().size() > most)
    return emitOpError() << "of kind \"" << getKind() << "\" has at most " << most << " results, got "
                         << getOutputs().size();
  SmallVector<int64_t> shape(x.getShape());
  for (int64_t window = 0; window < spatial; ++window) {
    int64_t &size = shape[x.getRank() - spatial + window];
    size = windowCount(size, getKernel()[window], getStride()[window], getPadding()[window], getDilation()[window],
                       getCeilMode());
  }
  std::array<Type, 2> elements = {x.getElementType(), Builder(getContext()).getI64Type()};
  for (auto [output, element] : llvm::zip(getOutputs(), elements))
    if (failed(checkElement(*this, typeOf(output), element)) || failed(checkShape(*this, typeOf(output), shape)))
      return failure();
  return success();
}

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
    return emitOpError() << "cannot make " << result << " of " << x << ": " << x.getNumElements()
                         << " elements became " << result.getNumElements();
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
