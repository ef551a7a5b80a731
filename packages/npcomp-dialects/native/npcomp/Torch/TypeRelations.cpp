// Questions about torch types: what they are, and which values they share.
#include "npcomp/Torch/TorchTypes.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace npcomp::torch {

bool isTorchType(Type type) { return isa<TorchDialect>(type.getDialect()); }

bool isTensorType(Type type) { return isa<ValueTensorType, NonValueTensorType>(type); }

std::optional<ArrayRef<int64_t>> getTensorSizes(Type tensor) {
  if (auto value = dyn_cast<ValueTensorType>(tensor))
    return value.getSizes();
  return cast<NonValueTensorType>(tensor).getSizes();
}

Type getTensorDtype(Type tensor) {
  if (auto value = dyn_cast<ValueTensorType>(tensor))
    return value.getDtype();
  return cast<NonValueTensorType>(tensor).getDtype();
}

bool isMutableType(Type type) {
  return llvm::TypeSwitch<Type, bool>(type)
      .Case<NonValueTensorType, ListType, DictType, NnModuleType, AnyType, GeneratorType>([](auto) { return true; })
      .Case<OptionalType>([](OptionalType optional) { return isMutableType(optional.getContained()); })
      .Case<TupleType, UnionType>([](auto multi) { return llvm::any_of(multi.getContainedTypes(), isMutableType); })
      .Default([](Type) { return false; });
}

static bool isNarrowerTensor(Type narrow, Type wide) {
  if (narrow.getTypeID() != wide.getTypeID())
    return false;
  if (getTensorDtype(wide) && getTensorDtype(wide) != getTensorDtype(narrow))
    return false;
  auto wideSizes = getTensorSizes(wide), narrowSizes = getTensorSizes(narrow);
  if (!wideSizes)
    return true;
  if (!narrowSizes || wideSizes->size() != narrowSizes->size())
    return false;
  return llvm::all_of(llvm::zip(*narrowSizes, *wideSizes), [](auto pair) {
    auto [a, b] = pair;
    return b == ValueTensorType::kUnknownSize || a == b;
  });
}

bool isSubtype(Type narrow, Type wide) {
  if (narrow == wide || isa<AnyType>(wide))
    return true;
  if (auto optional = dyn_cast<OptionalType>(wide)) {
    if (auto narrowOptional = dyn_cast<OptionalType>(narrow))
      return isSubtype(narrowOptional.getContained(), optional.getContained());
    return isa<NoneType>(narrow) || isSubtype(narrow, optional.getContained());
  }
  if (auto narrowUnion = dyn_cast<UnionType>(narrow))
    return llvm::all_of(narrowUnion.getContainedTypes(), [&](Type member) { return isSubtype(member, wide); });
  if (auto wideUnion = dyn_cast<UnionType>(wide))
    return llvm::any_of(wideUnion.getContainedTypes(), [&](Type member) { return isSubtype(narrow, member); });
  if (isa<NumberType>(wide))
    return isa<IntType, FloatType, BoolType>(narrow);
  if (isTensorType(wide) && isTensorType(narrow))
    return isNarrowerTensor(narrow, wide);
  if (auto wideTuple = dyn_cast<TupleType>(wide)) {
    auto narrowTuple = dyn_cast<TupleType>(narrow);
    return narrowTuple && narrowTuple.getContainedTypes().size() == wideTuple.getContainedTypes().size() &&
           llvm::all_of(llvm::zip(narrowTuple.getContainedTypes(), wideTuple.getContainedTypes()),
                        [](auto pair) { return isSubtype(std::get<0>(pair), std::get<1>(pair)); });
  }
  if (auto wideList = dyn_cast<ListType>(wide)) {
    auto narrowList = dyn_cast<ListType>(narrow);
    return narrowList && isSubtype(narrowList.getContained(), wideList.getContained());
  }
  if (auto wideDict = dyn_cast<DictType>(wide)) {
    auto narrowDict = dyn_cast<DictType>(narrow);
    return narrowDict && isSubtype(narrowDict.getKey(), wideDict.getKey()) &&
           isSubtype(narrowDict.getValue(), wideDict.getValue());
  }
  return false;
}

static bool tensorsMayBeSame(Type a, Type b) {
  Type aDtype = getTensorDtype(a), bDtype = getTensorDtype(b);
  if (aDtype && bDtype && aDtype != bDtype)
    return false;
  auto aSizes = getTensorSizes(a), bSizes = getTensorSizes(b);
  if (!aSizes || !bSizes)
    return true;
  if (aSizes->size() != bSizes->size())
    return false;
  return llvm::all_of(llvm::zip(*aSizes, *bSizes), [](auto pair) {
    auto [x, y] = pair;
    return x == y || x == ValueTensorType::kUnknownSize || y == ValueTensorType::kUnknownSize;
  });
}

bool mayBeSame(Type a, Type b) {
  if (isSubtype(a, b) || isSubtype(b, a))
    return true;
  if (isTensorType(a) && isTensorType(b))
    return a.getTypeID() == b.getTypeID() && tensorsMayBeSame(a, b);
  if (auto optional = dyn_cast<OptionalType>(a))
    return mayBeSame(optional.getContained(), b);
  if (auto optional = dyn_cast<OptionalType>(b))
    return mayBeSame(a, optional.getContained());
  if (auto aList = dyn_cast<ListType>(a))
    if (auto bList = dyn_cast<ListType>(b))
      return mayBeSame(aList.getContained(), bList.getContained());
  if (auto aTuple = dyn_cast<TupleType>(a))
    if (auto bTuple = dyn_cast<TupleType>(b))
      return aTuple.getContainedTypes().size() == bTuple.getContainedTypes().size() &&
             llvm::all_of(llvm::zip(aTuple.getContainedTypes(), bTuple.getContainedTypes()),
                          [](auto pair) { return mayBeSame(std::get<0>(pair), std::get<1>(pair)); });
  return false;
}

} // namespace npcomp::torch
