// tcf, tensor compute frontend: structured ops on builtin ranked tensors, with implicit broadcasting, and guards.
#ifndef NPCOMP_TCF_OPS_TD
#define NPCOMP_TCF_OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tcf_Dialect : Dialect {
  let name = "tcf";
  let cppNamespace = "::npcomp::tcf";
  let summary = "Structured tensor computations, each op's guards made explicit.";
}

class Tcf_Op<string mnemonic, list<Trait> traits = []> : Op<Tcf_Dialect, mnemonic, traits>;

/// A pure op that prints its operands, its attributes and its type.
class Tcf_TensorOp<string mnemonic, list<Trait> traits = []> : Tcf_Op<mnemonic, !listconcat([Pure], traits)> {
  let hasVerifier = 1;
}

//===------------------------------------------------------------------------------------------===//
// Elementwise
//===------------------------------------------------------------------------------------------===//

def Tcf_MapOp : Tcf_TensorOp<"map", [SingleBlock]> {
  let summary = "Applies a scalar function to tensors, broadcasting as numpy does";
  let description = [{
    The rank of the results is the largest rank of the inputs; the body sees one element of each input.

    ```mlir
    %r = tcf.map(%a, %b) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32> {
    ^bb0(%x: f32, %y: f32):
      %s = arith.addf %x, %y : f32
      tcf.yield %s : f32
    }
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`(` $inputs `)` attr-dict `:` functional-type($inputs, $outputs) $body";
  let hasVerifier = 0;
  let hasRegionVerifier = 1;
}

def Tcf_YieldOp : Tcf_Op<"yield", [Pure, Terminator, HasParent<"MapOp">]> {
  let summary = "The elements that a body computes";
  let arguments = (ins Variadic<AnyType>:$elements);
  let assemblyFormat = "attr-dict ($elements^ `:` type($elements))?";
}

//===------------------------------------------------------------------------------------------===//
// Reductions, contractions, windows
//===------------------------------------------------------------------------------------------===//

def Tcf_ReduceOp : Tcf_TensorOp<"reduce"> {
  let summary = "Reduces dimensions with sum, prod, max, min, all or any";
  let arguments = (ins AnyRankedTensor:$x, StrAttr:$kind, DenseI64ArrayAttr:$dims, BoolAttr:$keepdim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$kind $x `dims` $dims `keepdim` $keepdim attr-dict `:` functional-type(operands, results)";
}

def Tcf_ArgReduceOp : Tcf_TensorOp<"arg_reduce"> {
  let summary = "The first index of the largest or smallest element along a dimension; NaN wins";
  let arguments = (ins AnyRankedTensor:$x, StrAttr:$kind, I64Attr:$dim, BoolAttr:$keepdim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$kind $x `dim` $dim `keepdim` $keepdim attr-dict `:` functional-type(operands, results)";
}

def Tcf_ContractOp : Tcf_TensorOp<"contract"> {
  let summary = "Sums products over the indices that the result lacks";
  let description = [{
    `tcf.contract "bmk,bkn->bmn" %lhs, %rhs`: one letter a dimension; a letter means the same size everywhere.
  }];
  let arguments = (ins AnyRankedTensor:$lhs, AnyRankedTensor:$rhs, StrAttr:$spec);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$spec $lhs `,` $rhs attr-dict `:` functional-type(operands, results)";
}

def Tcf_ConvOp : Tcf_TensorOp<"conv"> {
  let summary = "Convolution of (N, C, *S) by (F, C / groups, *K)";
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$weight, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, I64Attr:$groups);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `,` $weight `stride` $stride `padding` $padding `dilation` $dilation `groups` $groups attr-dict `:`
    functional-type(operands, results)
  }];
}

def Tcf_PoolOp : Tcf_TensorOp<"pool"> {
  let summary = "Reduces windows of the last dimensions with max or sum";
  let description = [{
    With two results, the second holds the index of each maximum in its plane, as i64.
  }];
  let arguments = (ins AnyRankedTensor:$x, StrAttr:$kind, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$stride,
                       DenseI64ArrayAttr:$padding, DenseI64ArrayAttr:$dilation, BoolAttr:$ceil_mode);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = [{
    $kind $x `kernel` $kernel `stride` $stride `padding` $padding `dilation` $dilation `ceil_mode` $ceil_mode
    attr-dict `:` functional-type(operands, results)
  }];
}

//===------------------------------------------------------------------------------------------===//
// Layout
//===------------------------------------------------------------------------------------------===//

def Tcf_PermuteOp : Tcf_TensorOp<"permute"> {
  let summary = "Dimension `d` of the result is dimension `dims[d]` of the operand";
  let arguments = (ins AnyRankedTensor:$x, DenseI64ArrayAttr:$dims);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `dims` $dims attr-dict `:` functional-type(operands, results)";
}

/// An op whose operands are a tensor and then the sizes of the result.
class Tcf_SizedOp<string mnemonic> : Tcf_TensorOp<mnemonic> {
  let arguments = (ins AnyRankedTensor:$x, Variadic<Index>:$sizes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `sizes` `(` $sizes `)` attr-dict `:` type($x) `->` type($result)";
}

def Tcf_ReshapeOp : Tcf_SizedOp<"reshape"> { let summary = "The same elements, in row-major order, with other sizes"; }
def Tcf_BroadcastOp : Tcf_SizedOp<"broadcast"> { let summary = "Repeats dimensions of size 1, and adds leading ones"; }

def Tcf_SliceOp : Tcf_TensorOp<"slice"> {
  let summary = "Every `step`th index of a dimension, from `start` to before `stop`";
  let arguments = (ins AnyRankedTensor:$x, Index:$start, Index:$stop, Index:$step, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `dim` $dim `[` $start `:` $stop `:` $step `]` attr-dict `:` type($x) `->` type($result)";
}

def Tcf_ConcatOp : Tcf_TensorOp<"concat"> {
  let summary = "Joins tensors along a dimension";
  let arguments = (ins Variadic<AnyRankedTensor>:$inputs, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$inputs `dim` $dim attr-dict `:` functional-type(operands, results)";
}

def Tcf_PadOp : Tcf_TensorOp<"pad", [SameVariadicOperandSize]> {
  let summary = "Adds `low[d]` elements before and `high[d]` after, in each dimension";
  let arguments = (ins AnyRankedTensor:$x, AnyType:$value, Variadic<Index>:$low, Variadic<Index>:$high);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `,` $value `low` `(` $low `)` `high` `(` $high `)` attr-dict `:` type($x) `,` type($value) `->` type($result)
  }];
}

//===------------------------------------------------------------------------------------------===//
// Indexing, factories
//===------------------------------------------------------------------------------------------===//

def Tcf_GatherOp : Tcf_TensorOp<"gather"> {
  let summary = "`torch.gather`: the index replaces one coordinate of its own position";
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$index, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $index `dim` $dim attr-dict `:` functional-type(operands, results)";
}

def Tcf_IndexSelectOp : Tcf_TensorOp<"index_select"> {
  let summary = "The dimensions of the index take the place of one dimension";
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$index, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `,` $index `dim` $dim attr-dict `:` functional-type(operands, results)";
}

def Tcf_FullOp : Tcf_TensorOp<"full"> {
  let summary = "A tensor with one value everywhere";
  let arguments = (ins AnyType:$value, Variadic<Index>:$sizes);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$value `sizes` `(` $sizes `)` attr-dict `:` type($value) `->` type($result)";
}

def Tcf_IotaOp : Tcf_TensorOp<"iota"> {
  let summary = "0, 1, 2, ...";
  let arguments = (ins Index:$size);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$size attr-dict `:` type($result)";
}

//===------------------------------------------------------------------------------------------===//
// Order: scatter, sort, scan, search
//===------------------------------------------------------------------------------------------===//

def Tcf_ScatterOp : Tcf_TensorOp<"scatter"> {
  let summary = "Combines elements with those at the places that an index names, one after the other";
  let description = [{
    `x` with, for each position `p` of the index, `src[p]` set, added, multiplied, or kept where it is larger or smaller.
    The index replaces one coordinate of its own position; the others must not be larger than the sizes of `x`, nor any
    than those of `src`. Row-major order of the index, so that the last of several `set` stays.

    ```mlir
    %r = tcf.scatter "add" %x, %index, %src dim 0 : (tensor<?xf32>, tensor<5xi64>, tensor<5xf32>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$index, AnyRankedTensor:$src, StrAttr:$kind, I64Attr:$dim);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$kind $x `,` $index `,` $src `dim` $dim attr-dict `:` functional-type(operands, results)";
}

def Tcf_SortOp : Tcf_TensorOp<"sort"> {
  let summary = "The elements along a dimension in order, and the index each had; stable, NaN is the largest";
  let description = [{
    ```mlir
    %values, %indices = tcf.sort %x dim 0 descending false : (tensor<?xf32>) -> (tensor<?xf32>, tensor<?xi64>)
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, I64Attr:$dim, BoolAttr:$descending);
  let results = (outs AnyRankedTensor:$values, AnyRankedTensor:$indices);
  let assemblyFormat = "$x `dim` $dim `descending` $descending attr-dict `:` functional-type(operands, results)";
}

def Tcf_ScanOp : Tcf_TensorOp<"scan"> {
  let summary = "Running sum, prod, max, min or logsumexp along a dimension";
  let description = [{
    With two results, the second holds the index of the last extremum so far, as i64; NaN wins.

    ```mlir
    %r = tcf.scan "sum" %x dim 1 : (tensor<?x4xf32>) -> tensor<?x4xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$x, StrAttr:$kind, I64Attr:$dim);
  let results = (outs Variadic<AnyRankedTensor>:$outputs);
  let assemblyFormat = "$kind $x `dim` $dim attr-dict `:` functional-type(operands, results)";
}

def Tcf_SearchOp : Tcf_TensorOp<"search"> {
  let summary = "How many elements of a sorted sequence are smaller than each value, or not larger with `right`";
  let description = [{
    The sequence is of one dimension, or has the dimensions of the values but the last.

    ```mlir
    %r = tcf.search %sequence, %values right false : (tensor<?xf32>, tensor<3x4xf32>) -> tensor<3x4xi64>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$sequence, AnyRankedTensor:$values, BoolAttr:$right);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$sequence `,` $values `right` $right attr-dict `:` functional-type(operands, results)";
}

//===------------------------------------------------------------------------------------------===//
// Random numbers
//===------------------------------------------------------------------------------------------===//

def Tcf_RandomKeyOp : Tcf_Op<"random_key", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Draws from the runtime's generator what tells one random computation from every other";
  let description = [{
    Two numbers that are not negative: the key and the upper counter of a counter-based generator. Every execution draws
    anew and in order.
  }];
  let results = (outs I64:$seed, I64:$offset);
  let assemblyFormat = "attr-dict";
}

//===------------------------------------------------------------------------------------------===//
// Guards
//===------------------------------------------------------------------------------------------===//

def Tcf_GuardOp : Tcf_Op<"guard", [MemoryEffects<[MemWrite]>]> {
  let summary = "Raises an error at run time unless the condition holds";
  let description = [{
    ```mlir
    tcf.guard %ok, "RuntimeError", "sizes {0} and {1} differ"(%m, %n) : index, index
    ```
  }];
  let arguments = (ins I1:$condition, Variadic<AnyTypeOf<[Index, I64]>>:$values, StrAttr:$kind, StrAttr:$message);
  let assemblyFormat = "$condition `,` $kind `,` $message `(` $values `)` attr-dict (`:` type($values)^)?";
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

#endif
