// TorchScript's `prim` ops: containers, control flow, scalars.
#ifndef NPCOMP_TORCH_PRIM_OPS_TD
#define NPCOMP_TORCH_PRIM_OPS_TD

include "npcomp/Torch/TorchTypes.td"
include "mlir/Interfaces/CastInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Torch_PrimOp<string name, list<Trait> traits = []> : Torch_Op<"prim." # name, traits>;

//===------------------------------------------------------------------------------------------===//
// Containers
//===------------------------------------------------------------------------------------------===//

/// A fresh container. Its effect depends on its users: while nothing can write to it, it is a value.
class Torch_ContainerConstructOp<string name, list<Trait> traits = []>
    : Torch_PrimOp<name, !listconcat([DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)>;

def Torch_PrimListConstructOp : Torch_ContainerConstructOp<"ListConstruct"> {
  let summary = "`[a, b, ...]`";
  let arguments = (ins Variadic<AnyTorchType>:$elements);
  let results = (outs Torch_ListType:$result);
  let assemblyFormat = "$elements attr-dict `:` functional-type($elements, $result)";
  let hasVerifier = 1;
}

def Torch_PrimDictConstructOp : Torch_ContainerConstructOp<"DictConstruct", [SameVariadicOperandSize]> {
  let summary = "`{k: v, ...}`";
  let arguments = (ins Variadic<AnyTorchType>:$keys, Variadic<AnyTorchType>:$values);
  let results = (outs Torch_DictType:$result);
  let assemblyFormat = [{
    `keys` `(` ($keys^ `:` qualified(type($keys)))? `)` `values` `(` ($values^ `:` qualified(type($values)))? `)`
    attr-dict `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Torch_PrimTupleConstructOp : Torch_PrimOp<"TupleConstruct", [Pure]> {
  let summary = "`(a, b, ...)`";
  let arguments = (ins Variadic<AnyTorchType>:$elements);
  let results = (outs Torch_TupleType:$result);
  let assemblyFormat = "$elements attr-dict `:` custom<AnyTypes>(type($elements)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Torch_PrimListUnpackOp : Torch_PrimOp<"ListUnpack", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "`a, b = list`";
  let arguments = (ins Torch_ListType:$list);
  let results = (outs Variadic<AnyTorchType>:$outputs);
  let assemblyFormat = "$list attr-dict `:` qualified(type($list)) `->` custom<AnyTypes>(type($outputs))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Torch_PrimTupleUnpackOp : Torch_PrimOp<"TupleUnpack", [Pure]> {
  let summary = "`a, b = tuple`";
  let arguments = (ins Torch_TupleType:$tuple);
  let results = (outs Variadic<AnyTorchType>:$outputs);
  let assemblyFormat = "$tuple attr-dict `:` qualified(type($tuple)) `->` custom<AnyTypes>(type($outputs))";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Torch_PrimTupleIndexOp : Torch_PrimOp<"TupleIndex", [Pure]> {
  let summary = "`tuple[index]`";
  let arguments = (ins Torch_TupleType:$tuple, Torch_IntType:$index);
  let results = (outs AnyTorchType:$result);
  let assemblyFormat = [{
    $tuple `,` $index attr-dict `:` qualified(type($tuple)) `,` qualified(type($index)) `->` qualified(type($result))
  }];
  let hasFolder = 1;
}

//===------------------------------------------------------------------------------------------===//
// Control flow
//===------------------------------------------------------------------------------------------===//

def Torch_PrimIfOp : Torch_PrimOp<"If", [
    DeclareOpInterfaceMethods<RegionBranchOpInterface, ["getEntrySuccessorRegions"]>,
    RecursiveMemoryEffects, NoRegionArguments,
    SingleBlock]> {
  let summary = "`if condition: ... else: ...`";
  let description = [{
    ```mlir
    %r = torch.prim.If %c -> (!torch.int) {
      torch.prim.If.yield %a : !torch.int
    } else {
      torch.prim.If.yield %b : !torch.int
    }
    ```
  }];
  let arguments = (ins Torch_BoolType:$condition);
  let results = (outs Variadic<AnyTorchType>:$outputs);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let assemblyFormat = "$condition `->` custom<ParenthesizedTypes>(type($outputs)) $thenRegion `else` $elseRegion attr-dict";
  let hasCanonicalizer = 1;
}

def Torch_PrimIfYieldOp : Torch_PrimOp<"If.yield", [
    Pure, Terminator, HasParent<"PrimIfOp">,
    DeclareOpInterfaceMethods<RegionBranchTerminatorOpInterface>]> {
  let summary = "The values of one branch";
  let arguments = (ins Variadic<AnyTorchType>:$outputs);
  let assemblyFormat = "attr-dict ($outputs^ `:` qualified(type($outputs)))?";
}

def Torch_PrimLoopOp : Torch_PrimOp<"Loop", [
    DeclareOpInterfaceMethods<RegionBranchOpInterface, ["getEntrySuccessorOperands"]>,
    RecursiveMemoryEffects, SingleBlock]> {
  let summary = "`for` and `while` in one";
  let description = [{
    Runs the body while fewer than `maxTripCount` iterations have run and the condition holds.

    ```mlir
    %r = torch.prim.Loop %n, %true, init(%x) {
    ^bb0(%i: !torch.int, %acc: !torch.int):
      ...
      torch.prim.Loop.condition %true, iter(%next : !torch.int)
    } : (!torch.int, !torch.bool, !torch.int) -> !torch.int
    ```
  }];
  let arguments = (ins Torch_IntType:$maxTripCount, Torch_BoolType:$initialCondition,
                       Variadic<AnyTorchType>:$iterArgsInit);
  let results = (outs Variadic<AnyTorchType>:$outputs);
  let regions = (region SizedRegion<1>:$region);
  let assemblyFormat = [{
    $maxTripCount `,` $initialCondition `,` `init` `(` $iterArgsInit `)` $region attr-dict `:`
    functional-type(operands, results)
  }];
  let hasRegionVerifier = 1;
}

def Torch_PrimLoopConditionOp : Torch_PrimOp<"Loop.condition", [
    Pure, Terminator, HasParent<"PrimLoopOp">,
    DeclareOpInterfaceMethods<RegionBranchTerminatorOpInterface>]> {
  let summary = "Shall the loop go on, and with which values?";
  let arguments = (ins Torch_BoolType:$shouldContinue, Variadic<AnyTorchType>:$iterArgs);
  let assemblyFormat = [{
    $shouldContinue `,` `iter` `(` ($iterArgs^ `:` qualified(type($iterArgs)))? `)` attr-dict
  }];
}

def Torch_PrimRaiseExceptionOp : Torch_PrimOp<"RaiseException"> {
  let summary = "`raise cls(msg)`";
  let arguments = (ins AnyTorchType:$msg, Optional<AnyTorchType>:$cls);
  let assemblyFormat = "$msg (`,` $cls^)? attr-dict `:` qualified(type($msg)) (`,` qualified(type($cls))^)?";
}

def Torch_PrimUninitializedOp : Torch_PrimOp<"Uninitialized", [Pure]> {
  let summary = "A value that no path reads";
  let results = (outs AnyTorchType:$result);
  let assemblyFormat = "attr-dict `:` qualified(type($result))";
}

//===------------------------------------------------------------------------------------------===//
// Casts
//===------------------------------------------------------------------------------------------===//

class Torch_CastOp<string name> : Torch_Op<name, [Pure, DeclareOpInterfaceMethods<CastOpInterface>]> {
  let arguments = (ins AnyTorchType:$operand);
  let results = (outs AnyTorchType:$result);
  let assemblyFormat = "$operand attr-dict `:` qualified(type($operand)) `to` qualified(type($result))";
  let hasFolder = 1;
}

def Torch_PrimUncheckedCastOp : Torch_CastOp<"prim.unchecked_cast"> {
  let summary = "Narrows a type that control flow has already tested";
  let assemblyFormat = "$operand attr-dict `:` qualified(type($operand)) `->` qualified(type($result))";
}

def Torch_DerefineOp : Torch_CastOp<"derefine"> {
  let summary = "Widens a type: `int` to `optional<int>`, a class to its union";
}

def Torch_TensorStaticInfoCastOp : Torch_Op<"tensor_static_info_cast", [
    Pure, DeclareOpInterfaceMethods<CastOpInterface>]> {
  let summary = "Adds or forgets what is known of a tensor's sizes and dtype";
  let arguments = (ins AnyTorchTensor:$operand);
  let results = (outs AnyTorchTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` qualified(type($operand)) `to` qualified(type($result))";
  let hasFolder = 1;
}

//===------------------------------------------------------------------------------------------===//
// Scalars and queries
//===------------------------------------------------------------------------------------------===//

class Torch_QueryOp<string name, Type result> : Torch_PrimOp<name, [Pure]> {
  let arguments = (ins AnyTorchTensor:$tensor);
  let results = (outs result:$result);
  let assemblyFormat = "$tensor attr-dict `:` qualified(type($tensor)) `->` qualified(type($result))";
}

def Torch_PrimDtypeOp : Torch_QueryOp<"dtype", Torch_IntType> {
  let summary = "`tensor.dtype`, as torch's number of it";
  let hasFolder = 1;
}

def Torch_PrimDeviceOp : Torch_QueryOp<"device", Torch_DeviceType> {
  let summary = "`tensor.device`";
}

def Torch_PrimLayoutOp : Torch_QueryOp<"layout", Torch_IntType> {
  let summary = "`tensor.layout`, as torch's number of it";
}

def Torch_PrimNumToTensorScalarOp : Torch_PrimOp<"NumToTensor.Scalar", [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "A number as a tensor of rank 0";
  let arguments = (ins AnyTorchType:$a);
  let results = (outs AnyTorchTensor:$result);
  let assemblyFormat = "$a attr-dict `:` qualified(type($a)) `->` qualified(type($result))";
}

def Torch_PrimToListOp : Torch_PrimOp<"tolist"> {
  let summary = "`tensor.tolist()`";
  let arguments = (ins Variadic<AnyTorchType>:$arguments);
  let results = (outs AnyTorchType:$result);
  let assemblyFormat = "`(` $arguments `)` attr-dict `:` functional-type(operands, results)";
}

class Torch_IntPairOp<string name> : Torch_PrimOp<name, [Pure]> {
  let arguments = (ins Torch_IntType:$a, Torch_IntType:$b);
  let results = (outs Torch_IntType:$result);
  let assemblyFormat = [{
    $a `,` $b attr-dict `:` qualified(type($a)) `,` qualified(type($b)) `->` qualified(type($result))
  }];
  let hasFolder = 1;
}

def Torch_PrimMinIntOp : Torch_IntPairOp<"min.int"> { let summary = "`min(a, b)`"; }
def Torch_PrimMaxIntOp : Torch_IntPairOp<"max.int"> { let summary = "`max(a, b)`"; }

class Torch_IntListOp<string name> : Torch_PrimOp<name, [DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let arguments = (ins Torch_ListType:$self);
  let results = (outs Torch_IntType:$result);
  let assemblyFormat = "$self attr-dict `:` qualified(type($self)) `->` qualified(type($result))";
}

def Torch_PrimMinSelfIntOp : Torch_IntListOp<"min.self_int"> { let summary = "`min(list)`"; }
def Torch_PrimMaxSelfIntOp : Torch_IntListOp<"max.self_int"> { let summary = "`max(list)`"; }

def Torch_PrimPrintOp : Torch_PrimOp<"Print"> {
  let summary = "`print(*arguments)`";
  let arguments = (ins Variadic<AnyTorchType>:$arguments);
  let assemblyFormat = "`(` $arguments `)` attr-dict (`:` qualified(type($arguments))^)?";
}

#endif
