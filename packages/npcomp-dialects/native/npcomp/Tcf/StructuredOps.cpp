// Verifiers of elementwise ops, reductions, contractions and windows.
#include "npcomp/Tcf/Checks.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringExtras.h"

#include <array>

using namespace mlir;

namespace npcomp::tcf {

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
      return emitOpError() << "the body's argument " << index << " is " << argument.getType() << " but the input holds "
                           << typeOf(input).getElementType();
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
  bool wellFormed = getSpec().contains("->") && inputs.contains(',') && llvm::all_of(lhs, llvm::isAlpha) &&
                    llvm::all_of(rhs, llvm::isAlpha) && llvm::all_of(out, llvm::isAlpha);
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
      failed(checkAtLeast(*this, "stride", getStride(), 1)) ||
      failed(checkAtLeast(*this, "padding", getPadding(), 0)) ||
      failed(checkAtLeast(*this, "dilation", getDilation(), 1)) || failed(checkAtLeast(*this, "groups", groups, 1)))
    return failure();
  int64_t perGroup = weight.getDimSize(1);
  if (!ShapedType::isDynamic(perGroup) && conflict(x.getDimSize(1), perGroup * groups))
    return emitOpError() << "x has " << x.getDimSize(1) << " channels, weight wants " << perGroup << " in each of "
                         << groups << " groups";
  SmallVector<int64_t> shape = {x.getDimSize(0), weight.getDimSize(0)};
  for (int64_t dim = 0; dim < spatial; ++dim)
    shape.push_back(windowCount(x.getDimSize(dim + 2), weight.getDimSize(dim + 2), getStride()[dim], getPadding()[dim],
                                getDilation()[dim], false));
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
      failed(checkAtLeast(*this, "padding", getPadding(), 0)) ||
      failed(checkAtLeast(*this, "dilation", getDilation(), 1)))
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

} // namespace npcomp::tcf
