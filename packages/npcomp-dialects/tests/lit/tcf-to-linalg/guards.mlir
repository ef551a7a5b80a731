// RUN: npcomp-opt %s -p tcf-to-linalg | FileCheck %s

// Sizes that are known to agree need no guard.
// CHECK-LABEL: func.func @static
// CHECK-NOT:     tcf.guard
// CHECK:         linalg.generic
func.func @static(%a: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<3x4xf32> {
  %r = tcf.map(%a, %b) : (tensor<3x4xf32>, tensor<4xf32>) -> tensor<3x4xf32> {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    tcf.yield %s : f32
  }
  return %r : tensor<3x4xf32>
}

// Unknown sizes may broadcast at run time: one guard, and a choice for each operand.
// CHECK-LABEL: func.func @unknown
// CHECK:         tcf.guard {{.*}} "RuntimeError", "The size of tensor a ({0}) must match the size of tensor b ({1})
// CHECK-COUNT-2: scf.if
// CHECK-NOT:     scf.if
// CHECK:         return
func.func @unknown(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  %r = tcf.map(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32> {
  ^bb0(%x: f32, %y: f32):
    %s = arith.addf %x, %y : f32
    tcf.yield %s : f32
  }
  return %r : tensor<?xf32>
}

// What a guard has checked is not checked again.
// CHECK-LABEL: func.func @once
// CHECK-COUNT-1: tcf.guard
// CHECK-NOT:     tcf.guard
// CHECK:         return
func.func @once(%a: tensor<?x?xf32>, %b: tensor<?x?xf32>) -> (tensor<?x?xf32>, tensor<?x?xf32>) {
  %r = tcf.contract "mk,kn->mn" %a, %b : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  %s = tcf.contract "mk,kn->nm" %a, %b : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %r, %s : tensor<?x?xf32>, tensor<?x?xf32>
}

// A transposed operand is read through its map; no copy is left.
// CHECK-LABEL: func.func @transposed
// CHECK-COUNT-1: linalg.generic
// CHECK-NOT:     linalg.generic
// CHECK:         return
func.func @transposed(%a: tensor<3x4xf32>, %b: tensor<5x4xf32>) -> tensor<3x5xf32> {
  %t = tcf.permute %b dims [1, 0] : (tensor<5x4xf32>) -> tensor<4x5xf32>
  %r = tcf.contract "mk,kn->mn" %a, %t : (tensor<3x4xf32>, tensor<4x5xf32>) -> tensor<3x5xf32>
  return %r : tensor<3x5xf32>
}
