#ifndef NPCOMP_TORCH_TYPES_TD
#define NPCOMP_TORCH_TYPES_TD

include "npcomp/Torch/TorchBase.td"

class Torch_Type<string cppName, string typeMnemonic> : TypeDef<Torch_Dialect, cppName> {
  let mnemonic = typeMnemonic;
}

//===------------------------------------------------------------------------------------------===//
// Tensors
//===------------------------------------------------------------------------------------------===//

class Torch_TensorTypeBase<string cppName, string typeMnemonic> : Torch_Type<cppName, typeMnemonic> {
  let parameters = (ins
    "bool":$ranked,
    ArrayRefParameter<"int64_t">:$dims,
    "::mlir::Type":$dtype);
  let skipDefaultBuilders = 1;
  let builders = [
    TypeBuilder<(ins "std::optional<::llvm::ArrayRef<int64_t>>":$sizes, "::mlir::Type":$dtype), [{
      return $_get($_ctxt, sizes.has_value(), sizes.value_or(::llvm::ArrayRef<int64_t>()), dtype);
    }]>
  ];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// An unknown size prints as `?`.
    static constexpr int64_t kUnknownSize = -1;

    /// The sizes, or nothing when even the rank is unknown.
    std::optional<::llvm::ArrayRef<int64_t>> getSizes() const {
      if (!getRanked())
        return std::nullopt;
      return getDims();
    }
  }];
}

def Torch_ValueTensorType : Torch_TensorTypeBase<"ValueTensor", "vtensor"> {
  let summary = "A tensor that never changes and aliases nothing.";
}

def Torch_NonValueTensorType : Torch_TensorTypeBase<"NonValueTensor", "tensor"> {
  let summary = "A tensor that may alias others and may be mutated.";
}

//===------------------------------------------------------------------------------------------===//
// Containers
//===------------------------------------------------------------------------------------------===//

class Torch_WrapperType<string cppName, string typeMnemonic> : Torch_Type<cppName, typeMnemonic> {
  let parameters = (ins "::mlir::Type":$contained);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let builders = [
    TypeBuilderWithInferredContext<(ins "::mlir::Type":$contained), [{
      return Base::get(contained.getContext(), contained);
    }]>
  ];
}

def Torch_ListType : Torch_WrapperType<"List", "list"> {
  let summary = "`List[T]`";
}

def Torch_OptionalType : Torch_WrapperType<"Optional", "optional"> {
  let summary = "`Optional[T]`";
}

class Torch_MultiType<string cppName, string typeMnemonic> : Torch_Type<cppName, typeMnemonic> {
  let parameters = (ins ArrayRefParameter<"::mlir::Type">:$containedTypes);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Torch_TupleType : Torch_MultiType<"Tuple", "tuple"> {
  let summary = "`Tuple[A, B, ...]`";
}

def Torch_UnionType : Torch_MultiType<"Union", "union"> {
  let summary = "`Union[A, B, ...]`";
}

def Torch_DictType : Torch_Type<"Dict", "dict"> {
  let summary = "`Dict[K, V]`";
  let parameters = (ins "::mlir::Type":$key, "::mlir::Type":$value);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Torch_NnModuleType : Torch_Type<"NnModule", "nn.Module"> {
  let summary = "An instance of the class named by a `torch.class_type`.";
  let parameters = (ins "::mlir::StringAttr":$className);
  let hasCustomAssemblyFormat = 1;
  let builders = [
    TypeBuilder<(ins "::llvm::StringRef":$className), [{
      return $_get($_ctxt, ::mlir::StringAttr::get($_ctxt, className));
    }]>
  ];
}

//===------------------------------------------------------------------------------------------===//
// Singletons
//===------------------------------------------------------------------------------------------===//

def Torch_IntType : Torch_Type<"Int", "int"> { let summary = "Python's `int`, 64 bits."; }
def Torch_FloatType : Torch_Type<"Float", "float"> { let summary = "Python's `float`, 64 bits."; }
def Torch_BoolType : Torch_Type<"Bool", "bool"> { let summary = "Python's `bool`."; }
def Torch_StringType : Torch_Type<"String", "str"> { let summary = "Python's `str`."; }
def Torch_NoneType : Torch_Type<"None", "none"> { let summary = "Python's `None`."; }
def Torch_DeviceType : Torch_Type<"Device", "Device"> { let summary = "`torch.device`"; }
def Torch_NumberType : Torch_Type<"Number", "number"> { let summary = "`int`, `float` or `bool`: torch's Scalar."; }
def Torch_AnyType : Torch_Type<"Any", "any"> { let summary = "Any Python value."; }
def Torch_GeneratorType : Torch_Type<"Generator", "Generator"> { let summary = "`torch.Generator`"; }

//===------------------------------------------------------------------------------------------===//
// Constraints for ODS ops
//===------------------------------------------------------------------------------------------===//

def AnyTorchType : Type<CPred<"::npcomp::torch::isTorchType($_self)">, "torch type", "::mlir::Type">;
def AnyTorchTensor : Type<CPred<"::npcomp::torch::isTensorType($_self)">, "torch tensor type", "::mlir::Type">;

#endif
