// RUN: npcomp-opt %s -p aten-recognize-kernels,maximize-value-semantics --verify-diagnostics --split-input-file

func.func private @argument(%x: !torch.tensor) {
  // expected-error @below {{aten.zero_ changes argument 0 in place}}
  %0 = torch.operator "aten.zero_"(%x) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

func.func private @view_of_argument(%n: !torch.int, %x: !torch.tensor) {
  %0 = torch.operator "aten.t"(%x) : (!torch.tensor) -> !torch.tensor
  // expected-error @below {{aten.zero_ changes argument 1 in place}}
  %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

func.func @maybe_argument(%c: !torch.bool, %x: !torch.tensor) {
  %0 = torch.prim.If %c -> (!torch.tensor) {
    torch.prim.If.yield %x : !torch.tensor
  } else {
    %1 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
    torch.prim.If.yield %1 : !torch.tensor
  }
  // expected-error @below {{aten.zero_ writes to a tensor that may or may not be argument 1}}
  %2 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

func.func @reshape(%x: !torch.tensor, %l: !torch.list<int>) -> !torch.tensor {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.reshape"(%0, %l) : (!torch.tensor, !torch.list<int>) -> !torch.tensor
  %2 = torch.operator "aten.zero_"(%1) : (!torch.tensor) -> !torch.tensor
  // expected-error @below {{this tensor may or may not have been changed by aten.zero_}}
  return %0 : !torch.tensor
}

// -----

func.func @unfold(%x: !torch.tensor, %n: !torch.int) {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.unfold"(%0, %n, %n, %n) : (!torch.tensor, !torch.int, !torch.int, !torch.int) -> !torch.tensor
  // expected-error @below {{aten.zero_ writes through aten.unfold, which cannot be undone}}
  %2 = torch.operator "aten.zero_"(%1) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

func.func @permute(%x: !torch.tensor, %l: !torch.list<int>) {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.permute"(%0, %l) : (!torch.tensor, !torch.list<int>) -> !torch.tensor
  // expected-error @below {{aten.zero_ writes through aten.permute, which cannot be undone}}
  %2 = torch.operator "aten.zero_"(%1) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

func.func @in_list(%x: !torch.tensor) {
  %l = torch.prim.ListConstruct : () -> !torch.list<tensor>
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  %1 = torch.operator "aten.append.t"(%l, %0) : (!torch.list<tensor>, !torch.tensor) -> !torch.list<tensor>
  // expected-error @below {{aten.zero_ changes a tensor that is in a list or dict which the program changes in place}}
  %2 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

func.func @unknown_out(%x: !torch.tensor) {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  // expected-error @below {{aten.nothing_known.out writes to its arguments, and its form without writing is not known}}
  %1 = torch.operator "aten.nothing_known.out"(%x, %0) : (!torch.tensor, !torch.tensor) -> !torch.tensor
  return
}

// -----

// The turn after the first would read what the turn before may have changed.
func.func @next_turn(%x: !torch.tensor, %n: !torch.int, %c: !torch.bool) {
  %true = torch.constant.bool true
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  torch.prim.Loop %n, %true, init() {
  ^bb0(%i: !torch.int):
    // expected-error @below {{this tensor may or may not have been changed in place by the turn of the loop before}}
    %1 = torch.operator "aten.sigmoid"(%0) : (!torch.tensor) -> !torch.tensor
    %2 = torch.prim.If %c -> (!torch.tensor) {
      torch.prim.If.yield %0 : !torch.tensor
    } else {
      torch.prim.If.yield %1 : !torch.tensor
    }
    %3 = torch.operator "aten.zero_"(%2) : (!torch.tensor) -> !torch.tensor
    torch.prim.Loop.condition %true, iter()
  } : (!torch.int, !torch.bool) -> ()
  return
}

// -----

// A variable of the loop that may be the tensor which the body writes under its other name.
func.func @doubtful(%x: !torch.tensor, %n: !torch.int) {
  %true = torch.constant.bool true
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  // expected-error @below {{the loop writes in place to a tensor that a variable of the loop may or may not be}}
  %1 = torch.prim.Loop %n, %true, init(%0) {
  ^bb0(%i: !torch.int, %t: !torch.tensor):
    %2 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
    %3 = torch.operator "aten.sigmoid"(%t) : (!torch.tensor) -> !torch.tensor
    torch.prim.Loop.condition %true, iter(%3 : !torch.tensor)
  } : (!torch.int, !torch.bool, !torch.tensor) -> !torch.tensor
  return
}

// -----

// A tensor put into a list at the end of a turn must not be written at the start of the next.
func.func @list_in_loop(%x: !torch.tensor, %n: !torch.int) {
  %l = torch.prim.ListConstruct : () -> !torch.list<tensor>
  %true = torch.constant.bool true
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  // expected-error @below {{the loop writes in place to a tensor that is in a list or dict which the program changes}}
  torch.prim.Loop %n, %true, init() {
  ^bb0(%i: !torch.int):
    %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
    %2 = torch.operator "aten.append.t"(%l, %0) : (!torch.list<tensor>, !torch.tensor) -> !torch.list<tensor>
    torch.prim.Loop.condition %true, iter()
  } : (!torch.int, !torch.bool) -> ()
  return
}

// -----

torch.global_slot "private" @s : !torch.tensor
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  torch.initialize.global_slots [
    @s(%0 : !torch.tensor<[2],f32>)
  ]
}
func.func @replaced(%x: !torch.tensor) {
  %0 = torch.global_slot.get @s : !torch.tensor
  torch.global_slot.set @s = %x : !torch.tensor
  // expected-error @below {{aten.zero_ changes the tensor that attribute 's' held before it was assigned anew}}
  %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

// Written, then replaced, then read under the old name.
torch.global_slot "private" @s : !torch.tensor
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  torch.initialize.global_slots [
    @s(%0 : !torch.tensor<[2],f32>)
  ]
}
func.func @read_after(%x: !torch.tensor) -> !torch.tensor {
  %0 = torch.global_slot.get @s : !torch.tensor
  %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  torch.global_slot.set @s = %x : !torch.tensor
  // expected-error @below {{the tensor that attribute 's' held is used after it was written and replaced}}
  return %0 : !torch.tensor
}

// -----

// Assigned on one way only.
torch.global_slot "private" @s : !torch.tensor
torch.global_slot.module_initializer {
  %0 = torch.tensor.literal(dense<1.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
  torch.initialize.global_slots [
    @s(%0 : !torch.tensor<[2],f32>)
  ]
}
func.func @maybe_slot(%x: !torch.tensor, %c: !torch.bool) {
  %0 = torch.operator "aten.tanh"(%x) : (!torch.tensor) -> !torch.tensor
  torch.prim.If %c -> () {
    torch.global_slot.set @s = %0 : !torch.tensor
    torch.prim.If.yield
  } else {
    torch.prim.If.yield
  }
  // expected-error @below {{aten.zero_ changes a tensor that may or may not be attribute 's' in place}}
  %1 = torch.operator "aten.zero_"(%0) : (!torch.tensor) -> !torch.tensor
  return
}

// -----

func.func @list_argument(%x: !torch.tensor, %l: !torch.list<tensor>) {
  // expected-error @below {{aten.append.t changes argument 1 in place}}
  %0 = torch.operator "aten.append.t"(%l, %x) : (!torch.list<tensor>, !torch.tensor) -> !torch.list<tensor>
  return
}
