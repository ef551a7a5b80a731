// RUN: npcomp-opt %s -p aten-recognize-kernels,maximize-value-semantics --split-input-file | FileCheck %s

// What a branch writes leaves it as a result; the other branch gives the old value.
// CHECK-LABEL: func.func @branch
// CHECK:         %[[X:.*]] = torch.aten.tanh
// CHECK:         %[[R:.*]] = torch.prim.If %arg1 -> (!torch.vtensor) {
// CHECK:           %[[Z:.*]] = torch.aten.zero %[[X]]
// CHECK:           torch.prim.If.yield %[[Z]]
// CHECK:         } else {
// CHECK:           torch.prim.If.yield %[[X]]
// CHECK:         return %[[R]]
func.func @branch(%x: !torch.tensor, %c: !torch.bool) -> !torch.tensor {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  torch.prim.If %c -> () {
    %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
    torch.prim.If.yield
  } else {
    torch.prim.If.yield
  }
  return %0 : !torch.tensor
}

// -----

// What a loop writes is carried; a variable that stays the same tensor is that tensor after the loop.
// CHECK-LABEL: func.func @loop
// CHECK:         %[[X:.*]] = torch.aten.tanh
// CHECK:         %[[R:.*]]:2 = torch.prim.Loop %arg1, %{{.*}}, init(%[[X]], %[[X]])
// CHECK:         ^bb0(%{{.*}}: !torch.int, %{{.*}}: !torch.vtensor, %[[C:.*]]: !torch.vtensor):
// CHECK:           %[[S:.*]] = torch.aten.sigmoid %[[C]]
// CHECK:           %[[F:.*]] = torch.aten.copy %[[C]], %[[S]]
// CHECK:           torch.prim.Loop.condition %{{.*}}, iter(%[[F]], %[[F]] :
// CHECK:         return %[[R]]#1, %[[R]]#1
func.func @loop(%x: !torch.tensor, %n: !torch.int) -> (!torch.tensor, !torch.tensor) {
  %true = torch.constant.bool true
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.prim.Loop %n, %true, init(%0) {
  ^bb0(%i: !torch.int, %t: !torch.tensor):
    %2 = torch.operator "aten.sigmoid_"(%t) : (!torch.tensor) -> !torch.tensor
    torch.prim.Loop.condition %true, iter(%2 : !torch.tensor)
  } : (!torch.int, !torch.bool, !torch.tensor) -> !torch.tensor
  return %0, %1 : !torch.tensor, !torch.tensor
}

// -----

// Views taken before a loop see what it wrote.
// CHECK-LABEL: func.func @view_of_loop
// CHECK:         %[[L:.*]] = torch.prim.Loop
// CHECK:         torch.aten.t %[[L]]
func.func @view_of_loop(%x: !torch.tensor, %n: !torch.int) -> !torch.tensor {
  %true = torch.constant.bool true
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.t"(%0) : (!torch.tensor) -> !torch.tensor
  torch.prim.Loop %n, %true, init() {
  ^bb0(%i: !torch.int):
    %zero = torch.constant.int 0
    %2 = torch.operator "aten.select.int"(%0, %zero, %i) : (!torch.tensor, !torch.int, !torch.int) -> !torch.tensor
    %3 = torch.operator "aten.zero_"(%2) : (!torch.tensor) -> !torch.tensor
    torch.prim.Loop.condition %true, iter()
  } : (!torch.int, !torch.bool) -> ()
  return %1 : !torch.tensor
}

// -----

// A slot written in a loop is read anew in each turn.
// CHECK-LABEL: func.func @slot_in_loop
// CHECK:         torch.prim.Loop
// CHECK:           %[[G:.*]] = torch.global_slot.get @s
// CHECK:           %[[Z:.*]] = torch.aten.sigmoid %[[G]]
// CHECK:           torch.global_slot.set @s
torch.global_slot "private" @s : !torch.tensor
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  torch.initialize.global_slots [
    @s(%0 : !torch.tensor<[2],f32>)
  ]
}
func.func @slot_in_loop(%n: !torch.int) {
  %true = torch.constant.bool true
  %0 = torch.global_slot.get @s : !torch.tensor
  torch.prim.Loop %n, %true, init() {
  ^bb0(%i: !torch.int):
    %1 = torch.operator "aten.sigmoid_"(%0) : (!torch.tensor) -> !torch.tensor
    torch.prim.Loop.condition %true, iter()
  } : (!torch.int, !torch.bool) -> ()
  return
}
