// RUN: npcomp-opt %s -p globalize-object-graph | FileCheck %s

// A submodule under two names is one instance: one function, one slot. Equal numbers are two slots.

// CHECK:     torch.global_slot "private" @a.steps : !torch.int
// CHECK:     torch.global_slot "private" @first : !torch.int
// CHECK:     torch.global_slot "private" @second : !torch.int
// CHECK-NOT: torch.global_slot "private"
// CHECK:     func.func private @a.count()
// CHECK-NOT: func.func private
// CHECK:     func.func @forward()
// CHECK:       call @a.count()
// CHECK:       call @a.count()
torch.class_type @Net {
  torch.attr "a" : !torch.nn.Module<"Counter">
  torch.attr "b" : !torch.nn.Module<"Counter">
  torch.attr "first" : !torch.int
  torch.attr "second" : !torch.int
  torch.method "forward", @Net.forward
}
torch.class_type @Counter {
  torch.attr "steps" : !torch.int
  torch.method private "count", @Counter.count
}
func.func private @Counter.count(%self: !torch.nn.Module<"Counter">) -> !torch.int {
  %0 = torch.prim.GetAttr %self["steps"] : !torch.nn.Module<"Counter"> -> !torch.int
  %1 = torch.constant.int 1
  %2 = torch.operator "aten.add.int"(%0, %1) : (!torch.int, !torch.int) -> !torch.int
  torch.prim.SetAttr %self["steps"] = %2 : !torch.nn.Module<"Counter">, !torch.int
  return %2 : !torch.int
}
func.func private @Net.forward(%self: !torch.nn.Module<"Net">) -> !torch.int {
  %a = torch.prim.GetAttr %self["a"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Counter">
  %b = torch.prim.GetAttr %self["b"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Counter">
  %0 = torch.prim.CallMethod %a["count"]() : !torch.nn.Module<"Counter">, () -> !torch.int
  %1 = torch.prim.CallMethod %b["count"]() : !torch.nn.Module<"Counter">, () -> !torch.int
  return %1 : !torch.int
}
%zero = torch.constant.int 0
%counter = torch.nn_module {
  torch.slot "steps", %zero : !torch.int
} : !torch.nn.Module<"Counter">
%net = torch.nn_module {
  torch.slot "a", %counter : !torch.nn.Module<"Counter">
  torch.slot "b", %counter : !torch.nn.Module<"Counter">
  torch.slot "first", %zero : !torch.int
  torch.slot "second", %zero : !torch.int
} : !torch.nn.Module<"Net">
