// RUN: npcomp-opt %s -p prune-dead-branches | FileCheck %s

// A branch that a constant decides takes the place of the `if`, with what is nested in it.
// CHECK-LABEL: func.func @nested
// CHECK-NOT:     torch.prim.If
// CHECK:         torch.aten.tanh
// CHECK-NOT:     torch.aten.sigmoid
// CHECK:         return
func.func @nested(%x: !torch.tensor) -> !torch.tensor {
  %true = torch.constant.bool true
  %false = torch.constant.bool false
  %0 = torch.prim.If %true -> (!torch.tensor) {
    %1 = torch.prim.If %false -> (!torch.tensor) {
      %2 = torch.aten.sigmoid %x : !torch.tensor -> !torch.tensor
      torch.prim.If.yield %2 : !torch.tensor
    } else {
      %3 = torch.aten.tanh %x : !torch.tensor -> !torch.tensor
      torch.prim.If.yield %3 : !torch.tensor
    }
    torch.prim.If.yield %1 : !torch.tensor
  } else {
    torch.prim.If.yield %x : !torch.tensor
  }
  return %0 : !torch.tensor
}

// A condition that only run time knows stays.
// CHECK-LABEL: func.func @stays
// CHECK:         torch.prim.If
func.func @stays(%c: !torch.bool, %x: !torch.tensor) -> !torch.tensor {
  %0 = torch.prim.If %c -> (!torch.tensor) {
    torch.prim.If.yield %x : !torch.tensor
  } else {
    %1 = torch.aten.tanh %x : !torch.tensor -> !torch.tensor
    torch.prim.If.yield %1 : !torch.tensor
  }
  return %0 : !torch.tensor
}

// A result that the branch gives with another type.
// CHECK-LABEL: func.func @widened
// CHECK:         torch.derefine %{{.*}} : !torch.none to !torch.optional<int>
func.func @widened() -> !torch.optional<int> {
  %true = torch.constant.bool true
  %none = torch.constant.none
  %one = torch.constant.int 1
  %0 = torch.prim.If %true -> (!torch.optional<int>) {
    %1 = torch.derefine %none : !torch.none to !torch.optional<int>
    torch.prim.If.yield %1 : !torch.optional<int>
  } else {
    %2 = torch.derefine %one : !torch.int to !torch.optional<int>
    torch.prim.If.yield %2 : !torch.optional<int>
  }
  return %0 : !torch.optional<int>
}

// A condition that is constant in the first turn of a loop only.
// CHECK-LABEL: func.func @loop
// CHECK:         torch.prim.If
func.func @loop(%n: !torch.int, %x: !torch.tensor) -> !torch.tensor {
  %true = torch.constant.bool true
  %zero = torch.constant.int 0
  %0:2 = torch.prim.Loop %n, %true, init(%zero, %x) {
  ^bb0(%i: !torch.int, %k: !torch.int, %t: !torch.tensor):
    %first = torch.aten.eq.int %k, %zero : !torch.int, !torch.int -> !torch.bool
    %1 = torch.prim.If %first -> (!torch.tensor) {
      torch.prim.If.yield %t : !torch.tensor
    } else {
      %2 = torch.aten.tanh %t : !torch.tensor -> !torch.tensor
      torch.prim.If.yield %2 : !torch.tensor
    }
    torch.prim.Loop.condition %true, iter(%i, %1 : !torch.int, !torch.tensor)
  } : (!torch.int, !torch.bool, !torch.int, !torch.tensor) -> (!torch.int, !torch.tensor)
  return %0#1 : !torch.tensor
}
