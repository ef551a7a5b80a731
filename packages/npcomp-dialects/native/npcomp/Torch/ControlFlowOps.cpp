#include "npcomp/Torch/TorchOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace npcomp::torch {

//===------------------------------------------------------------------------------------------===//
// If
//===------------------------------------------------------------------------------------------===//

void PrimIfOp::getSuccessorRegions(RegionBranchPoint point, SmallVectorImpl<RegionSuccessor> &successors) {
  if (!point.isParent()) {
    successors.emplace_back(getOperation(), getResults());
    return;
  }
  successors.emplace_back(&getThenRegion());
  successors.emplace_back(&getElseRegion());
}

void PrimIfOp::getEntrySuccessorRegions(ArrayRef<Attribute> operands, SmallVectorImpl<RegionSuccessor> &successors) {
  FoldAdaptor adaptor(operands, *this);
  auto condition = dyn_cast_or_null<IntegerAttr>(adaptor.getCondition());
  if (!condition || !condition.getValue().isZero())
    successors.emplace_back(&getThenRegion());
  if (!condition || condition.getValue().isZero())
    successors.emplace_back(&getElseRegion());
}

MutableOperandRange PrimIfYieldOp::getMutableSuccessorOperands(RegionSuccessor) { return getOutputsMutable(); }

namespace {
/// An `if` whose condition is known is its branch.
struct InlineKnownBranch : OpRewritePattern<PrimIfOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PrimIfOp op, PatternRewriter &rewriter) const override {
    IntegerAttr condition;
    if (!matchPattern(op.getCondition(), m_Constant(&condition)))
      return failure();
    Block &branch = (condition.getValue().isZero() ? op.getElseRegion() : op.getThenRegion()).front();
    Operation *terminator = branch.getTerminator();
    SmallVector<Value> results(terminator->getOperands());
    rewriter.inlineBlockBefore(&branch, op);
    rewriter.replaceOp(op, results);
    rewriter.eraseOp(terminator);
    return success();
  }
};

/// Results that nobody reads need not be yielded.
struct DropUnusedResults : OpRewritePattern<PrimIfOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(PrimIfOp op, PatternRewriter &rewriter) const override {
    SmallVector<unsigned> used;
    SmallVector<Type> types;
    for (OpResult result : op.getResults()) {
      if (result.use_empty())
        continue;
      used.push_back(result.getResultNumber());
      types.push_back(result.getType());
    }
    if (used.size() == op.getNumResults())
      return failure();
    auto narrowed = PrimIfOp::create(rewriter, op.getLoc(), types, op.getCondition());
    for (auto [from, to] : llvm::zip(op->getRegions(), narrowed->getRegions())) {
      rewriter.inlineRegionBefore(from, to, to.end());
      auto yield = cast<PrimIfYieldOp>(to.front().getTerminator());
      SmallVector<Value> outputs =
          llvm::map_to_vector(used, [&](unsigned index) -> Value { return yield.getOutputs()[index]; });
      rewriter.modifyOpInPlace(yield, [&] { yield.getOutputsMutable().assign(outputs); });
    }
    for (auto [index, result] : llvm::zip(used, narrowed.getResults()))
      rewriter.replaceAllUsesWith(op.getResult(index), result);
    rewriter.eraseOp(op);
    return success();
  }
};
} // namespace

void PrimIfOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<InlineKnownBranch, DropUnusedResults>(context);
}

//===------------------------------------------------------------------------------------------===//
// Loop
//===------------------------------------------------------------------------------------------===//

void PrimLoopOp::getSuccessorRegions(RegionBranchPoint, SmallVectorImpl<RegionSuccessor> &successors) {
  // The iteration is no operand. An invalid body may lack even that: the verifier says so later.
  Block::BlockArgListType arguments = getRegion().getArguments();
  successors.emplace_back(&getRegion(), arguments.empty() ? arguments : arguments.drop_front());
  successors.emplace_back(getOperation(), getResults());
}

OperandRange PrimLoopOp::getEntrySuccessorOperands(RegionSuccessor) { return getIterArgsInit(); }

MutableOperandRange PrimLoopConditionOp::getMutableSuccessorOperands(RegionSuccessor) { return getIterArgsMutable(); }

LogicalResult PrimLoopOp::verifyRegions() {
  Block &body = getRegion().front();
  size_t carried = getIterArgsInit().size();
  if (body.getNumArguments() != carried + 1)
    return emitOpError() << "carries " << carried << " values, so its body takes " << carried + 1
                         << " arguments (the iteration first), not " << body.getNumArguments();
  if (!isa<IntType>(body.getArgument(0).getType()))
    return emitOpError() << "the body's first argument is the iteration, a !torch.int, not "
                         << body.getArgument(0).getType();
  if (getNumResults() != carried)
    return emitOpError() << "carries " << carried << " values but has " << getNumResults() << " results";
  if (!isa<PrimLoopConditionOp>(body.back()))
    return emitOpError() << "body must end with torch.prim.Loop.condition";
  return success();
}

} // namespace npcomp::torch
