// RUN: npcomp-opt %s -p globalize-object-graph | FileCheck %s

// Each method becomes one function an instance; a tensor under several names is one slot; slots are named by path.

// CHECK:      torch.global_slot "private" @training : !torch.bool
// CHECK-NEXT: torch.global_slot "private" @a.weight : !torch.tensor
// CHECK-NOT:  torch.global_slot "
// CHECK:      torch.global_slot.module_initializer
// CHECK:        @training(%{{.*}} : !torch.bool)
// CHECK-NEXT:   @a.weight(%{{.*}} : !torch.tensor<[3,3],f32>)
// CHECK-NOT:  torch.class_type
// CHECK-NOT:  torch.nn_module

// CHECK-LABEL: func.func private @a.forward(%arg0: !torch.tensor) -> !torch.tensor
// CHECK:         torch.global_slot.get @a.weight
// CHECK-LABEL: func.func private @b.forward(%arg0: !torch.tensor) -> !torch.tensor
// CHECK:         torch.global_slot.get @a.weight
// CHECK-LABEL: func.func private @helper(%arg0: !torch.tensor) -> !torch.tensor
// CHECK:         call @b.forward(%arg0)
// CHECK-LABEL: func.func @forward
// CHECK-SAME:    (%arg0: !torch.tensor {torch.type_bound = !torch.vtensor<[?,3],f32>}) -> !torch.tensor
// CHECK-SAME:    npcomp.signature = "kept"
// CHECK-NEXT:    %[[A:.*]] = call @a.forward(%arg0)
// CHECK-NEXT:    %[[B:.*]] = call @helper(%[[A]])
// CHECK-NEXT:    return %[[B]]
torch.class_type @Net {
  torch.attr private "training" : !torch.bool
  torch.attr private "a" : !torch.nn.Module<"Linear">
  torch.attr private "b" : !torch.nn.Module<"Linear">
  torch.attr private "w" : !torch.tensor
  torch.method "forward", @Net.forward
}
torch.class_type @Linear {
  torch.attr private "weight" : !torch.tensor
  torch.method private "forward", @Linear.forward
}
func.func private @Linear.forward(%self: !torch.nn.Module<"Linear">, %x: !torch.tensor) -> !torch.tensor {
  %w = torch.prim.GetAttr %self["weight"] : !torch.nn.Module<"Linear"> -> !torch.tensor
  %0 = torch.operator "aten.mm"(%x, %w) : (!torch.tensor, !torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}
func.func private @helper(%m: !torch.nn.Module<"Linear">, %x: !torch.tensor) -> !torch.tensor {
  %0 = torch.prim.CallMethod %m["forward"](%x) : !torch.nn.Module<"Linear">, (!torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}
func.func private @Net.forward(%self: !torch.nn.Module<"Net">, %x: !torch.tensor {torch.type_bound = !torch.vtensor<[?,3],f32>}) -> !torch.tensor attributes {npcomp.signature = "kept"} {
  %a = torch.prim.GetAttr %self["a"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Linear">
  %b = torch.prim.GetAttr %self["b"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Linear">
  %0 = torch.prim.CallMethod %a["forward"](%x) : !torch.nn.Module<"Linear">, (!torch.tensor) -> !torch.tensor
  %1 = func.call @helper(%b, %0) : (!torch.nn.Module<"Linear">, !torch.tensor) -> !torch.tensor
  return %1 : !torch.tensor
}
%true = torch.constant.bool true
%w = torch.tensor.literal(dense<1.0> : tensor<3x3xf32>) : !torch.tensor<[3,3],f32>
%la = torch.nn_module {
  torch.slot "weight", %w : !torch.tensor<[3,3],f32>
} : !torch.nn.Module<"Linear">
%lb = torch.nn_module {
  torch.slot "weight", %w : !torch.tensor<[3,3],f32>
} : !torch.nn.Module<"Linear">
%net = torch.nn_module {
  torch.slot "training", %true : !torch.bool
  torch.slot "a", %la : !torch.nn.Module<"Linear">
  torch.slot "b", %lb : !torch.nn.Module<"Linear">
  torch.slot "w", %w : !torch.tensor<[3,3],f32>
} : !torch.nn.Module<"Net">
