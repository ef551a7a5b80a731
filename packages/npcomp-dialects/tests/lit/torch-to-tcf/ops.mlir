// RUN: npcomp-opt %s -p torch-to-tcf | FileCheck %s

// An elementwise op is one map; its constants are gone.
// CHECK-LABEL: func.func @elementwise(%arg0: tensor<?x4xf32>, %arg1: tensor<4xf32>) -> tensor<?x4xf32>
// CHECK-NEXT:    %[[R:.*]] = tcf.map(%arg0, %arg1)
// CHECK-NEXT:    ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32):
// CHECK-NEXT:      %[[S:.*]] = arith.addf %[[A]], %[[B]] : f32
// CHECK-NEXT:      tcf.yield %[[S]] : f32
// CHECK-NEXT:    }
// CHECK-NEXT:    return %[[R]]
func.func @elementwise(%a: !torch.vtensor<[?,4],f32>, %b: !torch.vtensor<[4],f32>) -> !torch.vtensor<[?,4],f32> {
  %one = torch.constant.int 1
  %r = torch.aten.add.Tensor %a, %b, %one : !torch.vtensor<[?,4],f32>, !torch.vtensor<[4],f32>, !torch.int -> !torch.vtensor<[?,4],f32>
  return %r : !torch.vtensor<[?,4],f32>
}

// An op without lowering stays a kernel call between border casts.
// CHECK-LABEL: func.func @fallback
// CHECK-NEXT:    torch.from_builtin_tensor %arg0
// CHECK-NEXT:    torch.operator "aten.frobnicate"
// CHECK-NEXT:    torch.to_builtin_tensor
func.func @fallback(%a: !torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32> {
  %r = torch.operator "aten.frobnicate"(%a) : (!torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32>
  return %r : !torch.vtensor<[?],f32>
}

// A branch that only raises is a guard.
// CHECK-LABEL: func.func @raise
// CHECK-NOT:     scf.if
// CHECK:         tcf.guard %arg0, "ValueError", "no"()
func.func @raise(%c: !torch.bool, %a: !torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32> {
  %message = torch.constant.str "no"
  %class = torch.constant.str "builtins.ValueError"
  torch.prim.If %c -> () {
    torch.prim.If.yield
  } else {
    torch.prim.RaiseException %message, %class : !torch.str, !torch.str
    torch.prim.If.yield
  }
  return %a : !torch.vtensor<[?],f32>
}
