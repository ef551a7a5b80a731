// From the LLVM dialect to an ELF object, through LLVM's optimizer.
#ifndef NPCOMP_CODEGEN_EMITOBJECT_H
#define NPCOMP_CODEGEN_EMITOBJECT_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <string>

namespace npcomp::codegen {

struct ObjectOptions {
  /// 0 to 3, as in `-O3`.
  int optLevel = 3;
  /// As in `llc -mcpu` and `-mattr`; both empty mean the architecture's baseline.
  std::string cpu;
  std::string features;
  bool positionIndependent = true;
};

/// Translates a module of the LLVM dialect, optimizes it, and returns the bytes of the object file.
/// The module is verified first; an error holds what is wrong with it, or what LLVM reported.
llvm::Expected<llvm::SmallVector<char, 0>> emitObject(mlir::Operation *module, const ObjectOptions &options);

/// The CPU that this process runs on, and its features as `+avx2,-avx512f,...`.
std::string getHostCpu();
std::string getHostFeatures();

} // namespace npcomp::codegen

#endif
