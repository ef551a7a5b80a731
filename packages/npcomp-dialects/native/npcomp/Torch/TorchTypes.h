#ifndef NPCOMP_TORCH_TORCHTYPES_H
#define NPCOMP_TORCH_TORCHTYPES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Types.h"
#include "npcomp/Torch/TorchDialect.h"

#include <optional>

#define GET_TYPEDEF_CLASSES
#include "npcomp/Torch/TorchTypes.h.inc"

namespace npcomp::torch {

/// Is this a type of the torch dialect?
bool isTorchType(mlir::Type type);

/// Is this `!torch.vtensor` or `!torch.tensor`?
bool isTensorType(mlir::Type type);

/// Is this a dtype that a torch tensor can hold?
bool isElementType(mlir::Type type);

/// The sizes of a tensor type, or nothing when even the rank is unknown.
std::optional<llvm::ArrayRef<int64_t>> getTensorSizes(mlir::Type tensor);

/// The element type of a tensor type, null when unknown.
mlir::Type getTensorDtype(mlir::Type tensor);

/// Can a value of this type change, or share storage with another value?
bool isMutableType(mlir::Type type);

/// Does every value of `narrow` also belong to `wide`? Sizes and dtypes that are unknown belong to the wide side.
bool isSubtype(mlir::Type narrow, mlir::Type wide);

/// Could a value belong to both types? Used where partial knowledge must be accepted.
bool mayBeSame(mlir::Type a, mlir::Type b);

} // namespace npcomp::torch

#endif
