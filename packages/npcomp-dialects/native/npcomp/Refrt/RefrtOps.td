// refrt: run-time values of the reference backend, and the kernels that compute them.
#ifndef NPCOMP_REFRT_OPS_TD
#define NPCOMP_REFRT_OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Refrt_Dialect : Dialect {
  let name = "refrt";
  let cppNamespace = "::npcomp::refrt";
  let summary = "Run-time values of the reference backend.";
  let useDefaultTypePrinterParser = 1;
}

def Refrt_TensorType : TypeDef<Refrt_Dialect, "Tensor"> {
  let summary = "A counted reference to a tensor of the runtime";
  let mnemonic = "tensor";
}

class Refrt_Op<string mnemonic, list<Trait> traits = []> : Op<Refrt_Dialect, mnemonic, traits>;

def Refrt_DispatchOp : Refrt_Op<"dispatch", [
    IsolatedFromAbove, AttrSizedOperandSegments, SingleBlock, RecursiveMemoryEffects]> {
  let summary = "One kernel: a computation that is compiled, scheduled and launched as a whole";
  let description = [{
    The body sees the inputs and then the initial values of the results, and yields the results.

    ```mlir
    %r = refrt.dispatch ins(%x, %n : tensor<?xf32>, i64) outs(%init : tensor<?xf32>) {
    ^bb0(%a: tensor<?xf32>, %m: i64, %o: tensor<?xf32>):
      ...
      refrt.yield %y : tensor<?xf32>
    } -> tensor<?xf32>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$ins, Variadic<AnyType>:$outs, OptionalAttr<DictionaryAttr>:$strategy);
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    (`ins` `(` $ins^ `:` type($ins) `)`)? (`outs` `(` $outs^ `:` type($outs) `)`)? (`strategy` $strategy^)?
    attr-dict-with-keyword $body (`->` type($outputs)^)?
  }];
  let hasRegionVerifier = 1;
}

def Refrt_YieldOp : Refrt_Op<"yield", [Pure, Terminator, HasParent<"DispatchOp">]> {
  let summary = "The results of a dispatch";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif
