#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "mlir/Transforms/InliningUtils.h"
#include "npcomp/Refrt/RefrtOps.h"
#include "llvm/ADT/TypeSwitch.h"

#include "npcomp/Refrt/RefrtDialect.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "npcomp/Refrt/RefrtTypes.cpp.inc"

#define GET_OP_CLASSES
#include "npcomp/Refrt/RefrtOps.cpp.inc"

using namespace mlir;

namespace npcomp::refrt {
namespace {
/// refrt ops may be inlined anywhere.
struct RefrtInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final { return true; }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
};
} // namespace

void RefrtDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "npcomp/Refrt/RefrtTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "npcomp/Refrt/RefrtOps.cpp.inc"
      >();
  addInterfaces<RefrtInliner>();
}

LogicalResult DispatchOp::verifyRegions() {
  Block &block = getBody().front();
  SmallVector<Type> expected(getOperandTypes());
  if (!llvm::equal(block.getArgumentTypes(), expected))
    return emitOpError() << "the body takes the inputs and then the outputs, (" << TypeRange(expected) << "), not ("
                         << block.getArgumentTypes() << ")";
  if (getOutputs().getTypes() != getOuts().getTypes())
    return emitOpError() << "has results of the types of its outs, (" << getOuts().getTypes() << "), not ("
                         << getOutputs().getTypes() << ")";
  auto yield = dyn_cast<YieldOp>(block.back());
  if (!yield)
    return emitOpError() << "the body must end with refrt.yield";
  if (yield.getValues().getTypes() != getOutputs().getTypes())
    return yield.emitOpError() << "yields (" << yield.getValues().getTypes() << ") but the dispatch has results ("
                               << getOutputs().getTypes() << ")";
  return success();
}

} // namespace npcomp::refrt
