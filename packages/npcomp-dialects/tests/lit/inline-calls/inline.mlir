// RUN: npcomp-opt %s -p inline-calls | FileCheck %s

// Calls of calls are inlined, what only they called is gone, and what is public stays.
// CHECK-LABEL: func.func @forward
// CHECK-NEXT:    torch.operator "aten.tanh"
// CHECK-NEXT:    torch.operator "aten.tanh"
// CHECK-NEXT:    return
// CHECK-LABEL: func.func @also
// CHECK-NOT:   func.func
func.func @forward(%x: !torch.tensor) -> !torch.tensor {
  %0 = call @twice(%x) : (!torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}
func.func private @twice(%x: !torch.tensor) -> !torch.tensor {
  %0 = call @also(%x) : (!torch.tensor) -> !torch.tensor
  %1 = call @also(%0) : (!torch.tensor) -> !torch.tensor
  return %1 : !torch.tensor
}
func.func @also(%x: !torch.tensor) -> !torch.tensor {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}
func.func private @uncalled(%x: !torch.tensor) -> !torch.tensor {
  %0 = call @uncalled(%x) : (!torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}
