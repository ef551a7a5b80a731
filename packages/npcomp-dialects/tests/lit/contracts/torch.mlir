// RUN: npcomp-opt %s -p verify-torch-contract --verify-diagnostics --split-input-file

// What satisfies it.
torch.global_slot "private" @s : !torch.vtensor<[2],f32>
torch.global_slot.module_initializer {
  %0 = torch.vtensor.literal(dense<1.0> : tensor<2xf32>) : !torch.vtensor<[2],f32>
  torch.initialize.global_slots [
    @s(%0 : !torch.vtensor<[2],f32>)
  ]
}
func.func @good(%x: !torch.vtensor<[2],f32>, %c: !torch.bool) -> !torch.vtensor<[2],f32> {
  %0 = torch.prim.If %c -> (!torch.vtensor<[2],f32>) {
    %1 = torch.aten.tanh %x : !torch.vtensor<[2],f32> -> !torch.vtensor<[2],f32>
    torch.prim.If.yield %1 : !torch.vtensor<[2],f32>
  } else {
    %2 = torch.global_slot.get @s : !torch.vtensor<[2],f32>
    torch.prim.If.yield %2 : !torch.vtensor<[2],f32>
  }
  torch.global_slot.set @s = %0 : !torch.vtensor<[2],f32>
  %3 = torch.operator "aten.unheard_of"(%0) : (!torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32>
  return %3 : !torch.vtensor<[2],f32>
}

// -----

// expected-error @below {{torch contract, rule no-objects: torch.class_type is part of an object graph}}
torch.class_type @C {
}

// -----

func.func private @f()
func.func @calls() {
  // expected-error @below {{torch contract, rule no-calls: function 'f' is called}}
  call @f() : () -> ()
  return
}

// -----

// expected-error @below {{torch contract, rule values: function 'tensor' has a tensor that may change, of type !torch.list<tensor>}}
func.func @tensor(%x: !torch.list<tensor>) {
  return
}

// -----

func.func @rank(%x: !torch.vtensor<[2],f32>) -> !torch.vtensor<*,f32> {
  // expected-error @below {{torch contract, rule known-tensors: the rank of a tensor that aten.tanh gives is not known}}
  %0 = torch.aten.tanh %x : !torch.vtensor<[2],f32> -> !torch.vtensor<*,f32>
  return %0 : !torch.vtensor<*,f32>
}

// -----

func.func @dtype(%x: !torch.vtensor<[2],f32>) -> !torch.vtensor<[2],unk> {
  // expected-error @below {{torch contract, rule known-tensors: the op library has no aten.unheard_of, so the dtype of what it gives is not known}}
  %0 = torch.operator "aten.unheard_of"(%x) : (!torch.vtensor<[2],f32>) -> !torch.vtensor<[2],unk>
  return %0 : !torch.vtensor<[2],unk>
}

// -----

// The place where a tensor is made is named rather than the one that passes it on.
func.func @cause(%c: !torch.bool, %x: !torch.vtensor<[2],f32>) -> !torch.vtensor {
  %0 = torch.prim.If %c -> (!torch.vtensor) {
    // expected-error @below {{the op library has no aten.unheard_of, so the rank of what it gives is not known (and 1 more)}}
    %1 = torch.operator "aten.unheard_of"(%x) : (!torch.vtensor<[2],f32>) -> !torch.vtensor
    torch.prim.If.yield %1 : !torch.vtensor
  } else {
    %2 = torch.prim.Uninitialized : !torch.vtensor
    torch.prim.If.yield %2 : !torch.vtensor
  }
  return %0 : !torch.vtensor
}

// -----

func.func @number(%x: !torch.vtensor<[],f32>) -> !torch.number {
  // expected-error @below {{torch contract, rule known-numbers: aten.item gives a value of which only run time knows the type (!torch.number)}}
  %0 = torch.aten.item %x : !torch.vtensor<[],f32> -> !torch.number
  return %0 : !torch.number
}

// -----

func.func @foreign(%a: i64) -> i64 {
  // expected-error @below {{torch contract, rule known-ops: arith.addi does not belong to the torch contract}}
  %0 = arith.addi %a, %a : i64
  return %0 : i64
}
