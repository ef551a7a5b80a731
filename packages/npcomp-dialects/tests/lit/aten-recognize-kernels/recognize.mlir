// RUN: npcomp-opt %s -p aten-recognize-kernels | FileCheck %s

// CHECK-LABEL: func.func @functional
// CHECK:         %[[ONE:.*]] = torch.constant.int 1
// CHECK:         torch.aten.add.Tensor %arg0, %arg1, %[[ONE]] : !torch.tensor, !torch.tensor, !torch.int -> !torch.tensor
// CHECK:         %[[DIMS:.*]] = torch.prim.ListConstruct  : () -> !torch.list<int>
func.func @functional(%x: !torch.tensor, %y: !torch.tensor) -> !torch.tensor {
  // Missing trailing arguments get their defaults.
  %0 = torch.operator "aten.add.Tensor"(%x, %y) : (!torch.tensor, !torch.tensor) -> !torch.tensor
  %dims = torch.prim.ListConstruct : () -> !torch.list<int>
  %1 = torch.operator "aten.permute"(%0, %dims) : (!torch.tensor, !torch.list<int>) -> !torch.tensor
  return %1 : !torch.tensor
}

// CHECK-LABEL: func.func @inplace
// CHECK:         %[[R:.*]] = torch.aten.add.Tensor %arg0, %arg1, %{{.*}} -> !torch.vtensor
// CHECK-NEXT:    torch.overwrite.tensor.contents %[[R]] overwrites %arg0
// CHECK-SAME:      torch.form = "inplace", torch.writer = "aten.add_.Tensor"
// CHECK-NEXT:    return %arg0
func.func @inplace(%x: !torch.tensor, %y: !torch.tensor) -> !torch.tensor {
  %0 = torch.operator "aten.add_.Tensor"(%x, %y) : (!torch.tensor, !torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}

// CHECK-LABEL: func.func @out
// CHECK:         %[[R:.*]] = torch.aten.tanh %arg0 : !torch.tensor -> !torch.vtensor
// CHECK-NEXT:    torch.overwrite.tensor.contents %[[R]] overwrites %arg1
// CHECK-SAME:      torch.form = "out", torch.writer = "aten.tanh.out"
// CHECK-NEXT:    return %arg1
func.func @out(%x: !torch.tensor, %out: !torch.tensor) -> !torch.tensor {
  %0 = torch.operator "aten.tanh.out"(%x, %out) : (!torch.tensor, !torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}

// CHECK-LABEL: func.func @number
// CHECK:         torch.aten.mul.Scalar %arg0, %arg1
func.func @number(%x: !torch.tensor, %n: !torch.float) -> !torch.tensor {
  %0 = torch.operator "aten.mul.Tensor"(%x, %n) : (!torch.tensor, !torch.float) -> !torch.tensor
  return %0 : !torch.tensor
}

// CHECK-LABEL: func.func @unknown
// CHECK:         torch.operator "aten.unheard_of"
// CHECK:         %[[R:.*]] = torch.operator "aten.not_a_kernel.Way"(%arg0) : (!torch.tensor) -> !torch.vtensor
// CHECK-NEXT:    torch.overwrite.tensor.contents %[[R]] overwrites %arg0
// CHECK:         torch.operator "custom.thing_"
func.func @unknown(%x: !torch.tensor) -> !torch.tensor {
  %0:3 = torch.operator "aten.unheard_of"(%x) : (!torch.tensor) -> (!torch.tensor, !torch.tensor, !torch.tensor)
  %1 = torch.operator "aten.not_a_kernel_.Way"(%x) : (!torch.tensor) -> !torch.tensor
  %2 = torch.operator "custom.thing_"(%1) : (!torch.tensor) -> !torch.tensor
  return %2 : !torch.tensor
}
