// What the verifiers of tcf ops share. Sizes that are known statically must agree; the others are the business of
// guards.
#ifndef NPCOMP_TCF_CHECKS_H
#define NPCOMP_TCF_CHECKS_H

#include "npcomp/Tcf/TcfOps.h"

namespace npcomp::tcf {

mlir::RankedTensorType typeOf(mlir::Value value);
bool conflict(int64_t a, int64_t b);
mlir::LogicalResult checkRank(mlir::Operation *op, mlir::RankedTensorType result, int64_t rank);
mlir::LogicalResult checkElement(mlir::Operation *op, mlir::RankedTensorType result, mlir::Type element);
/// The result must have these sizes, where both are known.
mlir::LogicalResult checkShape(mlir::Operation *op, mlir::RankedTensorType result, llvm::ArrayRef<int64_t> sizes);
mlir::LogicalResult checkDim(mlir::Operation *op, int64_t dim, int64_t rank);
mlir::LogicalResult checkKind(mlir::Operation *op, llvm::StringRef kind, llvm::ArrayRef<llvm::StringRef> kinds);
mlir::LogicalResult checkLength(mlir::Operation *op, llvm::StringRef name, size_t length, int64_t expected);
mlir::LogicalResult checkAtLeast(mlir::Operation *op, llvm::StringRef name, llvm::ArrayRef<int64_t> values,
                                 int64_t least);
/// The dimensions that remain after `dims` are reduced, which stay with size 1 if kept.
llvm::SmallVector<int64_t> reducedShape(mlir::RankedTensorType x, llvm::ArrayRef<int64_t> dims, bool keepdim);
/// Output size of a window over one dimension; dynamic when the input is.
int64_t windowCount(int64_t size, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation, bool ceilMode);

} // namespace npcomp::tcf

#endif
