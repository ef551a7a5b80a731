// ATen ops are data: a table of schemas is registered into a context, and one model serves every op.
#ifndef NPCOMP_TORCH_ATENOPS_H
#define NPCOMP_TORCH_ATENOPS_H

#include "mlir/IR/Operation.h"
#include "npcomp/Torch/AtenSchema.h"

namespace npcomp::torch {

/// Registers the ops of a table, one row an op: `torch.aten.tanh|aten::tanh(Tensor self) -> Tensor|pure`.
/// Fails, after a diagnostic, for a malformed row, and for an op that the context has with another schema.
mlir::LogicalResult registerAtenOps(mlir::MLIRContext *context, llvm::StringRef table);

/// The table that the library was built with: the op library's, for programs without Python.
llvm::StringRef getDefaultAtenTable();

/// A registered ATen op: its schema, and its operands by name.
class AtenOp {
public:
  /// The ATen op behind an operation, if it is one.
  static std::optional<AtenOp> from(mlir::Operation *op);

  mlir::Operation *getOperation() const { return op; }
  const AtenSchema &getSchema() const { return *schema; }

  /// The operand that the schema calls `name`, null when it has none of that name.
  mlir::Value getOperand(llvm::StringRef name) const;

  /// The schema's entry for an operand; null past the end of a schema with `...`.
  const SchemaValue *getArgument(unsigned operand) const {
    return operand < schema->arguments.size() ? &schema->arguments[operand] : nullptr;
  }

private:
  AtenOp(mlir::Operation *op, const AtenSchema *schema) : op(op), schema(schema) {}

  mlir::Operation *op;
  const AtenSchema *schema;
};

} // namespace npcomp::torch

#endif
