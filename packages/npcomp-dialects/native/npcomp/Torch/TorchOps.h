#ifndef NPCOMP_TORCH_TORCHOPS_H
#define NPCOMP_TORCH_TORCHOPS_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/CastInterfaces.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "npcomp/Torch/TorchTypes.h"

namespace npcomp::torch {

using MemoryEffectList = llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<mlir::MemoryEffects::Effect>>;

/// Parses and prints `(type, type)`, the parentheses always there.
mlir::ParseResult parseParenthesizedTypes(mlir::OpAsmParser &parser, llvm::SmallVectorImpl<mlir::Type> &types);
void printParenthesizedTypes(mlir::OpAsmPrinter &printer, mlir::Operation *op, mlir::TypeRange types);

/// Parses and prints `type, type`, or nothing at all.
mlir::ParseResult parseAnyTypes(mlir::OpAsmParser &parser, llvm::SmallVectorImpl<mlir::Type> &types);
void printAnyTypes(mlir::OpAsmPrinter &printer, mlir::Operation *op, mlir::TypeRange types);

/// The same tensor type with and without value semantics; any other type is returned as it is.
mlir::Type withValueSemantics(mlir::Type type);
mlir::Type withoutValueSemantics(mlir::Type type);

/// Could something write to the object behind this value while it is used? A list that is built and only read
/// is as good as a value.
bool mayBeMutated(mlir::Value value);

} // namespace npcomp::torch

#define GET_OP_CLASSES
#include "npcomp/Torch/TorchOps.h.inc"

#endif
