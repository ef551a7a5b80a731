// The object graph of a program as imported, and the global slots that it becomes.
#ifndef NPCOMP_TORCH_MODULE_OPS_TD
#define NPCOMP_TORCH_MODULE_OPS_TD

include "npcomp/Torch/TorchTypes.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

//===------------------------------------------------------------------------------------------===//
// Instances
//===------------------------------------------------------------------------------------------===//

def Torch_NnModuleOp : Torch_Op<"nn_module", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>,
    SingleBlockImplicitTerminator<"NnModuleTerminatorOp">]> {
  let summary = "An instance of a class, with the value of each attribute";
  let description = [{
    ```mlir
    %m = torch.nn_module {
      torch.slot "weight", %w : !torch.tensor
    } : !torch.nn.Module<"Linear">
    ```
    Every attribute of the class has exactly one slot.
  }];
  let results = (outs Torch_NnModuleType:$result);
  let regions = (region SizedRegion<1>:$region);
  let assemblyFormat = "$region attr-dict `:` qualified(type($result))";
  let extraClassDeclaration = [{
    ::llvm::StringRef getClassName() { return getResult().getType().getClassName(); }
  }];
}

def Torch_NnModuleTerminatorOp : Torch_Op<"nn_module_terminator", [Terminator, HasParent<"NnModuleOp">]> {
  let summary = "Ends a `torch.nn_module`; not printed";
  let assemblyFormat = "attr-dict";
}

def Torch_SlotOp : Torch_Op<"slot", [HasParent<"NnModuleOp">]> {
  let summary = "The value of one attribute of an instance";
  let arguments = (ins StrAttr:$name, AnyTorchType:$value);
  let assemblyFormat = "$name `,` $value attr-dict `:` qualified(type($value))";
}

//===------------------------------------------------------------------------------------------===//
// Classes
//===------------------------------------------------------------------------------------------===//

def Torch_ClassTypeOp : Torch_Op<"class_type", [
    Symbol, IsolatedFromAbove, SingleBlockImplicitTerminator<"ClassTypeTerminatorOp">]> {
  let summary = "A class: its attributes and methods";
  let description = [{
    ```mlir
    torch.class_type @Linear {
      torch.attr "weight" : !torch.tensor
      torch.attr private "steps" : !torch.int
      torch.method "forward", @Linear.forward
    }
    ```
    An attribute or method marked private is reached only from the program itself.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$region);
  let assemblyFormat = "$sym_name $region attr-dict";
  let hasRegionVerifier = 1;
}

def Torch_ClassTypeTerminatorOp : Torch_Op<"class_type_terminator", [Terminator, HasParent<"ClassTypeOp">]> {
  let summary = "Ends a `torch.class_type`; not printed";
  let assemblyFormat = "attr-dict";
}

def Torch_AttrOp : Torch_Op<"attr", [HasParent<"ClassTypeOp">]> {
  let summary = "An attribute of a class";
  let arguments = (ins StrAttr:$name, TypeAttr:$type, UnitAttr:$isPrivate);
  let assemblyFormat = "(`private` $isPrivate^)? $name `:` $type attr-dict";
  let hasVerifier = 1;
}

def Torch_MethodOp : Torch_Op<"method", [
    HasParent<"ClassTypeOp">, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "A method of a class: a function whose first argument is the instance";
  let arguments = (ins StrAttr:$name, FlatSymbolRefAttr:$function, UnitAttr:$isPrivate);
  let assemblyFormat = "(`private` $isPrivate^)? $name `,` $function attr-dict";
}

//===------------------------------------------------------------------------------------------===//
// Global slots
//===------------------------------------------------------------------------------------------===//

def Torch_GlobalSlotOp : Torch_Op<"global_slot", [Symbol]> {
  let summary = "One piece of a program's state";
  let description = [{
    ```mlir
    torch.global_slot "private" @steps : !torch.int
    ```
    The initial value comes from the module's `torch.global_slot.module_initializer`.
  }];
  let arguments = (ins
    SymbolNameAttr:$sym_name,
    TypeAttr:$typeBound,
    OptionalAttr<StrAttr>:$sym_visibility);
  let assemblyFormat = "($sym_visibility^)? $sym_name attr-dict `:` $typeBound";
  let hasVerifier = 1;
}

def Torch_GlobalSlotModuleInitializerOp : Torch_Op<"global_slot.module_initializer", [
    HasParent<"::mlir::ModuleOp">, IsolatedFromAbove, SingleBlock]> {
  let summary = "Computes the initial value of every global slot";
  let description = [{
    ```mlir
    torch.global_slot.module_initializer {
      %0 = torch.constant.int 0
      torch.initialize.global_slots [
        @steps(%0 : !torch.int)
      ]
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$initializer);
  let assemblyFormat = "$initializer attr-dict";
  let hasRegionVerifier = 1;
}

def Torch_InitializeGlobalSlotsOp : Torch_Op<"initialize.global_slots", [
    Terminator, HasParent<"GlobalSlotModuleInitializerOp">,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Ends the module initializer: one initial value a slot";
  let arguments = (ins TypedArrayAttrBase<FlatSymbolRefAttr, "slot symbols">:$slotSymNames,
                       Variadic<AnyTorchType>:$initialValues);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Torch_GlobalSlotGetOp : Torch_Op<"global_slot.get", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "Reads a global slot";
  let arguments = (ins FlatSymbolRefAttr:$slot);
  let results = (outs Res<AnyTorchType, "", [MemRead]>:$result);
  let assemblyFormat = "$slot attr-dict `:` qualified(type($result))";
}

def Torch_GlobalSlotSetOp : Torch_Op<"global_slot.set", [
    DeclareOpInterfaceMethods<SymbolUserOpInterface>, MemoryEffects<[MemWrite]>]> {
  let summary = "Writes a global slot";
  let arguments = (ins FlatSymbolRefAttr:$slot, AnyTorchType:$value);
  let assemblyFormat = "$slot `=` $value attr-dict `:` qualified(type($value))";
}

//===------------------------------------------------------------------------------------------===//
// Access to instances
//===------------------------------------------------------------------------------------------===//

def Torch_PrimGetAttrOp : Torch_Op<"prim.GetAttr", [MemoryEffects<[MemRead]>]> {
  let summary = "`receiver.name`";
  let arguments = (ins Torch_NnModuleType:$receiver, StrAttr:$name);
  let results = (outs AnyTorchType:$result);
  let assemblyFormat = "$receiver `[` $name `]` attr-dict `:` qualified(type($receiver)) `->` qualified(type($result))";
}

def Torch_PrimSetAttrOp : Torch_Op<"prim.SetAttr", [MemoryEffects<[MemWrite]>]> {
  let summary = "`receiver.name = value`";
  let arguments = (ins Torch_NnModuleType:$receiver, StrAttr:$name, AnyTorchType:$value);
  let assemblyFormat = [{
    $receiver `[` $name `]` `=` $value attr-dict `:` qualified(type($receiver)) `,` qualified(type($value))
  }];
}

def Torch_PrimCallMethodOp : Torch_Op<"prim.CallMethod"> {
  let summary = "`receiver.name(*arguments)`";
  let arguments = (ins StrAttr:$name, Torch_NnModuleType:$receiver, Variadic<AnyTorchType>:$arguments);
  let results = (outs AnyTorchType:$result);
  let assemblyFormat = [{
    $receiver `[` $name `]` `(` $arguments `)` attr-dict `:` qualified(type($receiver)) `,`
    functional-type($arguments, $result)
  }];
}

#endif
