#include "mlir/IR/Builders.h"
#include "mlir/Transforms/InliningUtils.h"
#include "npcomp/Tcf/TcfOps.h"

#include "npcomp/Tcf/TcfDialect.cpp.inc"

#define GET_OP_CLASSES
#include "npcomp/Tcf/TcfOps.cpp.inc"

using namespace mlir;

namespace npcomp::tcf {
namespace {
/// tcf ops may be inlined anywhere.
struct TcfInliner : DialectInlinerInterface {
  using DialectInlinerInterface::DialectInlinerInterface;
  bool isLegalToInline(Region *, Region *, bool, IRMapping &) const final { return true; }
  bool isLegalToInline(Operation *, Region *, bool, IRMapping &) const final { return true; }
};
} // namespace

void TcfDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "npcomp/Tcf/TcfOps.cpp.inc"
      >();
  addInterfaces<TcfInliner>();
}

} // namespace npcomp::tcf
