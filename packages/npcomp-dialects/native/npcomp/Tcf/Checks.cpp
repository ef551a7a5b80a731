#include "npcomp/Tcf/Checks.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace npcomp::tcf {

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

SmallVector<int64_t> reducedShape(RankedTensorType x, ArrayRef<int64_t> dims, bool keepdim) {
  SmallVector<int64_t> sizes;
  for (int64_t dim = 0; dim < x.getRank(); ++dim) {
    bool reduced = llvm::is_contained(dims, dim);
    if (!reduced || keepdim)
      sizes.push_back(reduced ? 1 : x.getDimSize(dim));
  }
  return sizes;
}

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

} // namespace npcomp::tcf
