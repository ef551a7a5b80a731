// Verifiers of scatter, sort, scan and search.
#include "npcomp/Tcf/Checks.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace npcomp::tcf {

static LogicalResult checkSameRank(Operation *op, StringRef name, RankedTensorType type, int64_t rank) {
  if (type.getRank() == rank)
    return success();
  return op->emitOpError() << "the " << name << " has rank " << type.getRank() << ", x has rank " << rank;
}

/// Sizes that are known must not be larger than those of another tensor, but in dimension `except`.
static LogicalResult checkWithin(Operation *op, RankedTensorType index, StringRef name, RankedTensorType other,
                                 int64_t except) {
  for (int64_t dim = 0; dim < index.getRank(); ++dim) {
    int64_t wanted = index.getDimSize(dim), have = other.getDimSize(dim);
    if (dim != except && !ShapedType::isDynamic(wanted) && !ShapedType::isDynamic(have) && wanted > have)
      return op->emitOpError() << "the index has size " << wanted << " in dimension " << dim << ", more than the "
                               << have << " of " << name;
  }
  return success();
}

LogicalResult ScatterOp::verify() {
  RankedTensorType x = typeOf(getX()), index = typeOf(getIndex()), src = typeOf(getSrc()), result = typeOf(getResult());
  int64_t rank = x.getRank(), dim = getDim();
  if (failed(checkKind(*this, getKind(), {"set", "add", "mul", "max", "min"})) || failed(checkDim(*this, dim, rank)))
    return failure();
  if (!index.getElementType().isSignlessInteger())
    return emitOpError() << "wants an index of signless integers, got " << index;
  if (failed(checkSameRank(*this, "index", index, rank)) || failed(checkSameRank(*this, "source", src, rank)))
    return failure();
  if (src.getElementType() != x.getElementType())
    return emitOpError() << "the source holds " << src.getElementType() << ", x holds " << x.getElementType();
  if (failed(checkWithin(*this, index, "x", x, dim)) || failed(checkWithin(*this, index, "the source", src, -1)))
    return failure();
  if (failed(checkElement(*this, result, x.getElementType())))
    return failure();
  return checkShape(*this, result, x.getShape());
}

/// Two results of one shape: elements of x, and i64 indices.
static LogicalResult checkWithIndices(Operation *op, RankedTensorType x) {
  Type i64 = Builder(op->getContext()).getI64Type();
  RankedTensorType values = typeOf(op->getResult(0));
  if (failed(checkElement(op, values, x.getElementType())) || failed(checkShape(op, values, x.getShape())))
    return failure();
  if (op->getNumResults() == 1)
    return success();
  RankedTensorType indices = typeOf(op->getResult(1));
  return failure(failed(checkElement(op, indices, i64)) || failed(checkShape(op, indices, x.getShape())));
}

LogicalResult SortOp::verify() {
  RankedTensorType x = typeOf(getX());
  return failure(failed(checkDim(*this, getDim(), x.getRank())) || failed(checkWithIndices(*this, x)));
}

LogicalResult ScanOp::verify() {
  RankedTensorType x = typeOf(getX());
  if (failed(checkKind(*this, getKind(), {"sum", "prod", "max", "min", "logsumexp"})) ||
      failed(checkDim(*this, getDim(), x.getRank())))
    return failure();
  int64_t results = getNumResults();
  bool withIndices = getKind() == "max" || getKind() == "min";
  if (results != 1 && !(results == 2 && withIndices))
    return emitOpError() << getKind() << " has " << (withIndices ? "one result or two" : "one result") << ", got "
                         << results;
  return checkWithIndices(*this, x);
}

LogicalResult SearchOp::verify() {
  RankedTensorType sequence = typeOf(getSequence()), values = typeOf(getValues());
  int64_t rank = sequence.getRank();
  if (rank == 0 || (rank != 1 && rank != values.getRank()))
    return emitOpError() << "wants a sequence of one dimension or of the rank of the values, got " << sequence;
  if (sequence.getElementType() != values.getElementType())
    return emitOpError() << "the sequence holds " << sequence.getElementType() << ", the values are "
                         << values.getElementType();
  for (int64_t dim = 0; dim + 1 < rank; ++dim)
    if (conflict(sequence.getDimSize(dim), values.getDimSize(dim)))
      return emitOpError() << "the sequence has size " << sequence.getDimSize(dim) << " in dimension " << dim
                           << ", the values have " << values.getDimSize(dim);
  if (failed(checkElement(*this, typeOf(getResult()), Builder(getContext()).getI64Type())))
    return failure();
  return checkShape(*this, typeOf(getResult()), values.getShape());
}

} // namespace npcomp::tcf
