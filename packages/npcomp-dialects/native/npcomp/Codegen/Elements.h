// The raw bytes of constant tensors.
#ifndef NPCOMP_CODEGEN_ELEMENTS_H
#define NPCOMP_CODEGEN_ELEMENTS_H

#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Error.h"

#include <vector>

namespace npcomp::codegen {

/// Bytes of a tensor in row-major order, one byte for an i1. They lie in the attribute where it stores them so,
/// else in `storage`.
struct ElementBytes {
  llvm::ArrayRef<char> bytes;
  std::vector<char> storage;
};

llvm::Expected<ElementBytes> getElementBytes(mlir::Attribute attribute);

} // namespace npcomp::codegen

#endif
