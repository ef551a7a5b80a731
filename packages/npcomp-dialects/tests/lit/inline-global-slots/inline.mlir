// RUN: npcomp-opt %s -p inline-global-slots --split-input-file | FileCheck %s

// What nothing writes becomes a constant at the start of each function that reads it, once.
// CHECK-NOT:   torch.global_slot
// CHECK-LABEL: func.func @constants
// CHECK-NEXT:    %[[W:.*]] = torch.tensor.literal
// CHECK-NEXT:    %[[A:.*]] = torch.tensor_static_info_cast %[[W]] : !torch.tensor<[2],f32> to !torch.tensor
// CHECK-NEXT:    %[[B:.*]] = torch.tensor_static_info_cast %[[W]]
// CHECK-NEXT:    return %[[A]], %[[B]]
torch.global_slot "private" @w : !torch.tensor
torch.global_slot "private" @unread : !torch.int
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %1 = torch.constant.int 3
  torch.initialize.global_slots [
    @w(%0 : !torch.tensor<[2],f32>),
    @unread(%1 : !torch.int)
  ]
}
func.func @constants() -> (!torch.tensor, !torch.tensor) {
  %0 = torch.global_slot.get @w : !torch.tensor
  %1 = torch.global_slot.get @w : !torch.tensor
  return %0, %1 : !torch.tensor, !torch.tensor
}

// -----

// An optional that holds None.
// CHECK-LABEL: func.func @optional
// CHECK-NEXT:    %[[N:.*]] = torch.constant.none
// CHECK-NEXT:    torch.derefine %[[N]] : !torch.none to !torch.optional<tensor>
torch.global_slot "private" @bias : !torch.optional<tensor>
torch.global_slot.module_initializer {
  %0 = torch.constant.none
  torch.initialize.global_slots [
    @bias(%0 : !torch.none)
  ]
}
func.func @optional() -> !torch.optional<tensor> {
  %0 = torch.global_slot.get @bias : !torch.optional<tensor>
  return %0 : !torch.optional<tensor>
}

// -----

// A slot that is set stays, and so does its initial value.
// CHECK:       torch.global_slot "private" @n : !torch.int
// CHECK-NOT:   torch.global_slot "private" @m
// CHECK:       torch.global_slot.module_initializer
// CHECK-NEXT:    torch.constant.int 1
// CHECK-NEXT:    torch.initialize.global_slots [
// CHECK-NEXT:      @n(%{{.*}} : !torch.int)
// CHECK-LABEL: func.func @set
// CHECK:         torch.global_slot.get @n
torch.global_slot "private" @m : !torch.int
torch.global_slot "private" @n : !torch.int
torch.global_slot.module_initializer {
  %0 = torch.constant.int 0
  %1 = torch.constant.int 1
  torch.initialize.global_slots [
    @m(%0 : !torch.int),
    @n(%1 : !torch.int)
  ]
}
func.func @set() -> !torch.int {
  %0 = torch.global_slot.get @n : !torch.int
  %1 = torch.global_slot.get @m : !torch.int
  torch.global_slot.set @n = %1 : !torch.int
  return %0 : !torch.int
}

// -----

// An in-place write to what was read is a write of the slot: the original's num_batches_tracked bug.
// CHECK:       torch.global_slot "private" @num_batches_tracked
// CHECK-LABEL: func.func @counts
// CHECK:         torch.global_slot.get @num_batches_tracked
torch.global_slot "private" @num_batches_tracked : !torch.tensor
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<0> : tensor<si64>) : !torch.tensor<[],si64>
  torch.initialize.global_slots [
    @num_batches_tracked(%0 : !torch.tensor<[],si64>)
  ]
}
func.func @counts() {
  %one = torch.constant.int 1
  %0 = torch.global_slot.get @num_batches_tracked : !torch.tensor
  %1 = torch.operator "aten.add_.Scalar"(%0, %one, %one) : (!torch.tensor, !torch.int, !torch.int) -> !torch.tensor
  return
}

// -----

// Through a view, a branch, a tuple and a loop.
// CHECK-DAG: torch.global_slot "private" @view
// CHECK-DAG: torch.global_slot "private" @branch
// CHECK-DAG: torch.global_slot "private" @tuple
// CHECK-DAG: torch.global_slot "private" @loop
// CHECK-DAG: torch.global_slot "private" @list
// CHECK-NOT: torch.global_slot "private" @read
torch.global_slot "private" @view : !torch.tensor
torch.global_slot "private" @branch : !torch.tensor
torch.global_slot "private" @tuple : !torch.tensor
torch.global_slot "private" @loop : !torch.tensor
torch.global_slot "private" @list : !torch.list<int>
torch.global_slot "private" @read : !torch.list<int>
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %1 = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %2 = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %3 = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %4 = torch.prim.ListConstruct : () -> !torch.list<int>
  %5 = torch.prim.ListConstruct : () -> !torch.list<int>
  torch.initialize.global_slots [
    @view(%0 : !torch.tensor<[2],f32>),
    @branch(%1 : !torch.tensor<[2],f32>),
    @tuple(%2 : !torch.tensor<[2],f32>),
    @loop(%3 : !torch.tensor<[2],f32>),
    @list(%4 : !torch.list<int>),
    @read(%5 : !torch.list<int>)
  ]
}
func.func @writes(%c: !torch.bool, %n: !torch.int, %x: !torch.tensor) -> !torch.int {
  %zero = torch.constant.int 0
  %0 = torch.global_slot.get @view : !torch.tensor
  %1 = torch.operator "aten.select.int"(%0, %zero, %zero) : (!torch.tensor, !torch.int, !torch.int) -> !torch.tensor
  %2 = torch.operator "aten.select.int"(%1, %zero, %zero) : (!torch.tensor, !torch.int, !torch.int) -> !torch.tensor
  %3 = torch.operator "aten.zero_"(%2) : (!torch.tensor) -> !torch.tensor

  %4 = torch.global_slot.get @branch : !torch.tensor
  %5 = torch.prim.If %c -> (!torch.tensor) {
    torch.prim.If.yield %4 : !torch.tensor
  } else {
    torch.prim.If.yield %x : !torch.tensor
  }
  %6 = torch.operator "aten.zero_"(%5) : (!torch.tensor) -> !torch.tensor

  %7 = torch.global_slot.get @tuple : !torch.tensor
  %8 = torch.prim.TupleConstruct %7, %x : !torch.tensor, !torch.tensor -> !torch.tuple<tensor, tensor>
  %9 = torch.prim.TupleIndex %8, %zero : !torch.tuple<tensor, tensor>, !torch.int -> !torch.tensor
  %10 = torch.operator "aten.zero_"(%9) : (!torch.tensor) -> !torch.tensor

  %11 = torch.global_slot.get @loop : !torch.tensor
  %12 = torch.prim.Loop %n, %c, init(%11) {
  ^bb0(%i: !torch.int, %t: !torch.tensor):
    %13 = torch.operator "aten.zero_"(%t) : (!torch.tensor) -> !torch.tensor
    torch.prim.Loop.condition %c, iter(%t : !torch.tensor)
  } : (!torch.int, !torch.bool, !torch.tensor) -> !torch.tensor

  %14 = torch.global_slot.get @list : !torch.list<int>
  %15 = torch.operator "aten.append.t"(%14, %zero) : (!torch.list<int>, !torch.int) -> !torch.list<int>
  %16 = torch.global_slot.get @read : !torch.list<int>
  %17 = torch.operator "aten.len.t"(%16) : (!torch.list<int>) -> !torch.int
  return %17 : !torch.int
}

// -----

// A slot that holds part of a slot which is written.
// CHECK-DAG: torch.global_slot "private" @part
// CHECK-DAG: torch.global_slot "private" @whole
torch.global_slot "private" @part : !torch.tensor
torch.global_slot "private" @whole : !torch.tuple<tensor, int>
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %1 = torch.constant.int 3
  %2 = torch.tensor_static_info_cast %0 : !torch.tensor<[2],f32> to !torch.tensor
  %3 = torch.prim.TupleConstruct %2, %1 : !torch.tensor, !torch.int -> !torch.tuple<tensor, int>
  torch.initialize.global_slots [
    @part(%2 : !torch.tensor),
    @whole(%3 : !torch.tuple<tensor, int>)
  ]
}
func.func @parts() {
  %0 = torch.global_slot.get @part : !torch.tensor
  %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

// Batch normalization that may train writes its statistics; one that does not, does not.
// CHECK-DAG: torch.global_slot "private" @mean_t
// CHECK-NOT: torch.global_slot "private" @mean_e
torch.global_slot "private" @mean_t : !torch.tensor
torch.global_slot "private" @mean_e : !torch.tensor
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  %1 = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  torch.initialize.global_slots [
    @mean_t(%0 : !torch.tensor<[2],f32>),
    @mean_e(%1 : !torch.tensor<[2],f32>)
  ]
}
func.func @norms(%x: !torch.tensor, %train: !torch.bool) -> (!torch.tensor, !torch.tensor) {
  %none = torch.constant.none
  %false = torch.constant.bool false
  %f = torch.constant.float 0.1
  %t = torch.global_slot.get @mean_t : !torch.tensor
  %e = torch.global_slot.get @mean_e : !torch.tensor
  %0 = torch.aten.batch_norm %x, %none, %none, %t, %t, %train, %f, %f, %false : !torch.tensor, !torch.none, !torch.none, !torch.tensor, !torch.tensor, !torch.bool, !torch.float, !torch.float, !torch.bool -> !torch.tensor
  %1 = torch.aten.batch_norm %x, %none, %none, %e, %e, %false, %f, %f, %false : !torch.tensor, !torch.none, !torch.none, !torch.tensor, !torch.tensor, !torch.bool, !torch.float, !torch.float, !torch.bool -> !torch.tensor
  return %0, %1 : !torch.tensor, !torch.tensor
}
