// RUN: npcomp-opt %s -p refine-types --split-input-file | FileCheck %s

// At a join only what both sides know is kept.
// CHECK-LABEL: func.func @join
// CHECK-SAME:    -> !torch.vtensor<[?,3],f32>
// CHECK:         torch.prim.If %arg0 -> (!torch.vtensor<[?,3],f32>)
// CHECK:           torch.tensor_static_info_cast %arg1 : !torch.vtensor<[2,3],f32> to !torch.vtensor<[?,3],f32>
// CHECK:           torch.tensor_static_info_cast %arg2 : !torch.vtensor<[4,3],f32> to !torch.vtensor<[?,3],f32>
func.func @join(%c: !torch.bool, %x: !torch.vtensor<[2,3],f32>, %y: !torch.vtensor<[4,3],f32>) -> !torch.vtensor {
  %0 = torch.prim.If %c -> (!torch.vtensor) {
    %1 = torch.tensor_static_info_cast %x : !torch.vtensor<[2,3],f32> to !torch.vtensor
    torch.prim.If.yield %1 : !torch.vtensor
  } else {
    %2 = torch.tensor_static_info_cast %y : !torch.vtensor<[4,3],f32> to !torch.vtensor
    torch.prim.If.yield %2 : !torch.vtensor
  }
  return %0 : !torch.vtensor
}

// -----

// Different ranks and dtypes leave nothing.
// CHECK-LABEL: func.func @nothing
// CHECK:         torch.prim.If %arg0 -> (!torch.vtensor)
func.func @nothing(%c: !torch.bool, %x: !torch.vtensor<[2,3],f32>, %y: !torch.vtensor<[4],si64>) {
  %0 = torch.prim.If %c -> (!torch.vtensor) {
    %1 = torch.tensor_static_info_cast %x : !torch.vtensor<[2,3],f32> to !torch.vtensor
    torch.prim.If.yield %1 : !torch.vtensor
  } else {
    %2 = torch.tensor_static_info_cast %y : !torch.vtensor<[4],si64> to !torch.vtensor
    torch.prim.If.yield %2 : !torch.vtensor
  }
  return
}

// -----

// A branch that raises has no say, nor has a value that no path reads.
// CHECK-LABEL: func.func @raises
// CHECK:         torch.prim.If %arg0 -> (!torch.vtensor<[2],f32>)
func.func @raises(%c: !torch.bool, %x: !torch.vtensor<[2],f32>) -> !torch.vtensor {
  %text = torch.constant.str "no"
  %0 = torch.prim.If %c -> (!torch.vtensor) {
    %1 = torch.tensor_static_info_cast %x : !torch.vtensor<[2],f32> to !torch.vtensor
    torch.prim.If.yield %1 : !torch.vtensor
  } else {
    torch.prim.RaiseException %text : !torch.str
    %2 = torch.prim.Uninitialized : !torch.vtensor
    torch.prim.If.yield %2 : !torch.vtensor
  }
  return %0 : !torch.vtensor
}

// -----

// An optional that is always there.
// CHECK-LABEL: func.func @optional
// CHECK:         torch.prim.If %arg0 -> (!torch.vtensor<[2],f32>)
// CHECK-NOT:     torch.aten.__is__
func.func @optional(%c: !torch.bool, %x: !torch.vtensor<[2],f32>) -> !torch.vtensor {
  %none = torch.constant.none
  %0 = torch.prim.If %c -> (!torch.optional<vtensor>) {
    %1 = torch.derefine %x : !torch.vtensor<[2],f32> to !torch.optional<vtensor>
    torch.prim.If.yield %1 : !torch.optional<vtensor>
  } else {
    %2 = torch.aten.tanh %x : !torch.vtensor<[2],f32> -> !torch.vtensor
    %3 = torch.derefine %2 : !torch.vtensor to !torch.optional<vtensor>
    torch.prim.If.yield %3 : !torch.optional<vtensor>
  }
  %4 = torch.prim.unchecked_cast %0 : !torch.optional<vtensor> -> !torch.vtensor
  return %4 : !torch.vtensor
}

// -----

// A loop is run to a fixed point: a size that grows becomes unknown.
// CHECK-LABEL: func.func @loop
// CHECK-SAME:    -> !torch.vtensor<[?,3],f32>
// CHECK:         torch.prim.Loop %arg0, %{{.*}}, init(%{{.*}})
// CHECK:         ^bb0(%{{.*}}: !torch.int, %[[T:.*]]: !torch.vtensor<[?,3],f32>):
func.func @loop(%n: !torch.int, %x: !torch.vtensor<[1,3],f32>) -> !torch.vtensor {
  %true = torch.constant.bool true
  %zero = torch.constant.int 0
  %0 = torch.tensor_static_info_cast %x : !torch.vtensor<[1,3],f32> to !torch.vtensor
  %1 = torch.prim.Loop %n, %true, init(%0) {
  ^bb0(%i: !torch.int, %t: !torch.vtensor):
    %2 = torch.prim.ListConstruct %t, %x : (!torch.vtensor, !torch.vtensor<[1,3],f32>) -> !torch.list<vtensor>
    %3 = torch.aten.cat %2, %zero : !torch.list<vtensor>, !torch.int -> !torch.vtensor
    torch.prim.Loop.condition %true, iter(%3 : !torch.vtensor)
  } : (!torch.int, !torch.bool, !torch.vtensor) -> !torch.vtensor
  return %1 : !torch.vtensor
}

// -----

// A loop that surely runs forgets what it started with; after it, that is known again.
// CHECK-LABEL: func.func @runs
// CHECK-SAME:    -> !torch.vtensor<[5],f32>
func.func @runs(%x: !torch.vtensor<[5],f32>, %empty: !torch.vtensor<[0],f32>) -> !torch.vtensor {
  %true = torch.constant.bool true
  %three = torch.constant.int 3
  %0 = torch.tensor_static_info_cast %empty : !torch.vtensor<[0],f32> to !torch.vtensor
  %1 = torch.prim.Loop %three, %true, init(%0) {
  ^bb0(%i: !torch.int, %t: !torch.vtensor):
    %2 = torch.aten.tanh %x : !torch.vtensor<[5],f32> -> !torch.vtensor
    torch.prim.Loop.condition %true, iter(%2 : !torch.vtensor)
  } : (!torch.int, !torch.bool, !torch.vtensor) -> !torch.vtensor
  return %1 : !torch.vtensor
}

// -----

// A slot has what its initial value and every store to it have in common.
// CHECK:       torch.global_slot "private" @s : !torch.vtensor<[?],f32>
// CHECK:         @s(%{{.*}} : !torch.vtensor<[?],f32>)
// CHECK-LABEL: func.func @slot
// CHECK:         torch.global_slot.get @s : !torch.vtensor<[?],f32>
// CHECK:         torch.global_slot.set @s = %{{.*}} : !torch.vtensor<[?],f32>
torch.global_slot "private" @s : !torch.vtensor
torch.global_slot.module_initializer {
  %0 = torch.vtensor.literal(dense<0.0> : tensor<1xf32>) : !torch.vtensor<[1],f32>
  torch.initialize.global_slots [
    @s(%0 : !torch.vtensor<[1],f32>)
  ]
}
func.func @slot(%x: !torch.vtensor<[1],f32>) {
  %zero = torch.constant.int 0
  %0 = torch.global_slot.get @s : !torch.vtensor
  %1 = torch.prim.ListConstruct %0, %x : (!torch.vtensor, !torch.vtensor<[1],f32>) -> !torch.list<vtensor>
  %2 = torch.aten.cat %1, %zero : !torch.list<vtensor>, !torch.int -> !torch.vtensor
  torch.global_slot.set @s = %2 : !torch.vtensor
  return
}
