// RUN: npcomp-opt %s -p aten-recognize-kernels,maximize-value-semantics --split-input-file | FileCheck %s

// Without writes only types change.
// CHECK-LABEL: func.func @pure(%arg0: !torch.vtensor<[2],f32>) -> !torch.vtensor
// CHECK-NEXT:    torch.aten.tanh %arg0 : !torch.vtensor<[2],f32> -> !torch.vtensor
// CHECK-NEXT:    torch.vtensor.literal
// CHECK-NEXT:    torch.prim.ListConstruct {{.*}} -> !torch.list<vtensor>
// CHECK-NEXT:    return
func.func @pure(%x: !torch.tensor<[2],f32>) -> !torch.tensor {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor<[2],f32>) -> !torch.tensor
  %1 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %2 = torch.copy.to_vtensor %1 : !torch.vtensor<[2],f32>
  %3 = torch.copy.to_tensor %2 : !torch.tensor<[2],f32>
  %4 = torch.prim.ListConstruct %0 : (!torch.tensor) -> !torch.list<tensor>
  return %0 : !torch.tensor
}

// -----

// A write to a slice is a new value of the tensor below, and of every other view of it that is used later.
// CHECK-LABEL: func.func @views
// CHECK:         %[[X:.*]] = torch.aten.tanh %arg0
// CHECK:         %[[ROW:.*]] = torch.aten.select.int %[[X]], %[[D:.*]], %[[I:.*]] :
// CHECK:         %[[NEW:.*]] = torch.aten.sigmoid %[[ROW]]
// CHECK:         %[[SAME:.*]] = torch.aten.copy %[[ROW]], %[[NEW]]
// CHECK-SAME:      torch.writer = "aten.sigmoid_"
// CHECK:         %[[Y:.*]] = torch.aten.select_scatter %[[X]], %[[SAME]], %[[D]], %[[I]]
// CHECK:         %[[T:.*]] = torch.aten.t %[[Y]]
// CHECK:         %[[R:.*]] = torch.aten.select.int %[[Y]]
// CHECK:         return %[[Y]], %[[T]], %[[R]]
func.func @views(%x: !torch.tensor) -> (!torch.tensor, !torch.tensor, !torch.tensor) {
  %zero = torch.constant.int 0
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.t"(%0) : (!torch.tensor) -> !torch.tensor
  %2 = torch.operator "aten.select.int"(%0, %zero, %zero) : (!torch.tensor, !torch.int, !torch.int) -> !torch.tensor
  %3 = torch.operator "aten.sigmoid_"(%2) : (!torch.tensor) -> !torch.tensor
  return %0, %1, %3 : !torch.tensor, !torch.tensor, !torch.tensor
}

// -----

// Views of views, each undone in turn.
// CHECK-LABEL: func.func @chain
// CHECK:         %[[X:.*]] = torch.aten.tanh %arg0
// CHECK:         %[[T:.*]] = torch.aten.transpose.int %[[X]]
// CHECK:         %[[U:.*]] = torch.aten.unsqueeze %[[T]]
// CHECK:         %[[Z:.*]] = torch.aten.zero %[[U]]
// CHECK:         %[[TB:.*]] = torch.aten.view_as %[[Z]], %[[T]]
// CHECK:         %[[XB:.*]] = torch.aten.transpose.int %[[TB]]
// CHECK:         return %[[XB]]
func.func @chain(%x: !torch.tensor) -> !torch.tensor {
  %zero = torch.constant.int 0
  %one = torch.constant.int 1
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.transpose.int"(%0, %zero, %one) : (!torch.tensor, !torch.int, !torch.int) -> !torch.tensor
  %2 = torch.operator "aten.unsqueeze"(%1, %zero) : (!torch.tensor, !torch.int) -> !torch.tensor
  %3 = torch.operator "aten.zero_"(%2) : (!torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}

// -----

// An out form takes the dtype of what it writes, not its sizes.
// CHECK-LABEL: func.func @out
// CHECK:         %[[O:.*]] = torch.aten.tanh
// CHECK:         %[[R:.*]] = torch.aten.sigmoid %arg0
// CHECK:         %[[F:.*]] = torch.aten.type_as %[[R]], %[[O]]
// CHECK:         return %[[F]]
func.func @out(%x: !torch.tensor) -> !torch.tensor {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.sigmoid.out"(%x, %0) : (!torch.tensor, !torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}

// -----

// A list holds the tensors themselves: it is made anew after one of them changed.
// CHECK-LABEL: func.func @list
// CHECK:         %[[A:.*]] = torch.aten.tanh
// CHECK:         torch.prim.ListConstruct %[[A]], %[[A]]
// CHECK:         %[[Z:.*]] = torch.aten.zero %[[A]]
// CHECK:         %[[L:.*]] = torch.prim.ListConstruct %[[Z]], %[[Z]]
// CHECK:         torch.aten.cat %[[L]]
func.func @list(%x: !torch.tensor) -> !torch.tensor {
  %zero = torch.constant.int 0
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.prim.ListConstruct %0, %0 : (!torch.tensor, !torch.tensor) -> !torch.list<tensor>
  %2 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  %3 = torch.operator "aten.cat"(%1, %zero) : (!torch.list<tensor>, !torch.int) -> !torch.tensor
  return %3 : !torch.tensor
}

// -----

// A write to the tensor of a slot stores the slot; what was stored into a slot is the slot's tensor.
// CHECK:       torch.global_slot "private" @s : !torch.vtensor
// CHECK:         torch.vtensor.literal
// CHECK-LABEL: func.func @slots
// CHECK:         %[[S:.*]] = torch.global_slot.get @s : !torch.vtensor
// CHECK:         %[[Z:.*]] = torch.aten.zero %[[S]]
// CHECK:         torch.global_slot.set @s = %[[Z]]
// CHECK:         %[[N:.*]] = torch.aten.tanh %arg0
// CHECK:         torch.global_slot.set @s = %[[N]]
// CHECK:         %[[NZ:.*]] = torch.aten.zero %[[N]]
// CHECK:         torch.global_slot.set @s = %[[NZ]]
// CHECK:         return %[[NZ]]
torch.global_slot "private" @s : !torch.tensor
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  torch.initialize.global_slots [
    @s(%0 : !torch.tensor<[2],f32>)
  ]
}
func.func @slots(%x: !torch.tensor) -> !torch.tensor {
  %0 = torch.global_slot.get @s : !torch.tensor
  %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  %2 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  torch.global_slot.set @s = %2 : !torch.tensor
  %3 = torch.operator "aten.zero_"(%2) : (!torch.tensor) -> !torch.tensor
  %4 = torch.global_slot.get @s : !torch.tensor
  return %4 : !torch.tensor
}

// What a public function writes into an argument is one more result, and the signature says so.
// CHECK-LABEL: func.func @writes_argument(%arg0: !torch.vtensor) -> (!torch.vtensor, !torch.vtensor)
// CHECK-SAME: npcomp.signature = {{.*}}writes
func.func @writes_argument(%x: !torch.tensor) -> !torch.tensor {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  // CHECK: %[[ZERO:.*]] = torch.aten.zero %arg0
  %1 = torch.operator "aten.zero_"(%x) : (!torch.tensor) -> !torch.tensor
  // CHECK: return %{{.*}}, %[[ZERO]]
  return %0 : !torch.tensor
}

// A tensor that shows its memory in another way since `unsqueeze_`; a view that was made before does not.
// CHECK-LABEL: func.func private @other_view
func.func private @other_view(%x: !torch.tensor, %zero: !torch.int) -> (!torch.tensor, !torch.tensor) {
  // CHECK: %[[X:.*]] = torch.aten.tanh
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  // CHECK: %[[VIEW:.*]] = torch.aten.t %[[X]]
  %1 = torch.operator "aten.t"(%0) : (!torch.tensor) -> !torch.tensor
  // CHECK: %[[LONG:.*]] = torch.aten.unsqueeze %[[X]]
  %2 = torch.operator "aten.unsqueeze_"(%0, %zero) : (!torch.tensor, !torch.int) -> !torch.tensor
  // CHECK: return %[[LONG]]
  return %0, %1 : !torch.tensor, !torch.tensor
}
