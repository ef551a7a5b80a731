#ifndef NPCOMP_TORCH_ATENSCHEMA_H
#define NPCOMP_TORCH_ATENSCHEMA_H

#include "mlir/IR/Types.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace npcomp::torch {

/// A type in an ATen schema: `Tensor(a!)`, `int[2]`, `Scalar?`, `Dict(str, t)`.
struct SchemaType {
  enum class Kind { Named, List, Optional, Tuple, Dict };

  Kind kind = Kind::Named;
  /// For named types: `Tensor`, `int`, `Scalar`, `t`, ...
  std::string name;
  /// For the other kinds: the contained types.
  std::vector<SchemaType> items;
  /// `int[2]`: a single value may stand for the list.
  bool fixedLength = false;
  /// `(a!)` and `(a)` on this type or on one it contains.
  bool writes = false;
  bool aliases = false;

  /// Could a value of this MLIR type be passed here? Partial knowledge is accepted, nonsense is not.
  bool accepts(mlir::Type type) const;
};

/// An argument or a result.
struct SchemaValue {
  SchemaType type;
  std::string name;
  /// The type as the schema spells it, for messages.
  std::string spelling;
};

/// `aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor`
struct AtenSchema {
  std::string text;
  std::string name;
  std::vector<SchemaValue> arguments;
  std::vector<SchemaValue> results;
  /// The schema ends in `...`: more operands may follow.
  bool variadicArguments = false;
  bool variadicResults = false;
  /// All that the op does is return its results and write what its annotations say.
  bool effectsFromAnnotations = false;
  /// The op does nothing but compute new values.
  bool isPure = false;

  static llvm::Expected<AtenSchema> parse(llvm::StringRef text);
};

} // namespace npcomp::torch

#endif
