// RUN: npcomp-opt %s -p globalize-object-graph | FileCheck %s

// Every method that is not private is public, also of a submodule; a method that nothing reaches is gone.
// A submodule passed on as an Optional is still known.

// CHECK-DAG: func.func @forward()
// CHECK-DAG: func.func @reset()
// CHECK-DAG: func.func @sub.peek()
// CHECK-DAG: func.func private @through()
// CHECK-NOT: unreached
torch.class_type @Net {
  torch.attr "sub" : !torch.nn.Module<"Sub">
  torch.method "forward", @Net.forward
  torch.method "reset", @Net.reset
  torch.method private "unreached", @Net.unreached
}
torch.class_type @Sub {
  torch.method "peek", @Sub.peek
}
func.func private @Sub.peek(%self: !torch.nn.Module<"Sub">) -> !torch.int {
  %0 = torch.constant.int 7
  return %0 : !torch.int
}
func.func private @Net.forward(%self: !torch.nn.Module<"Net">) -> !torch.int {
  %sub = torch.prim.GetAttr %self["sub"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Sub">
  %opt = torch.derefine %sub : !torch.nn.Module<"Sub"> to !torch.optional<nn.Module<"Sub">>
  %again = torch.prim.unchecked_cast %opt : !torch.optional<nn.Module<"Sub">> -> !torch.nn.Module<"Sub">
  %0 = func.call @through(%again) : (!torch.nn.Module<"Sub">) -> !torch.int
  return %0 : !torch.int
}
func.func private @through(%sub: !torch.nn.Module<"Sub">) -> !torch.int {
  %0 = torch.prim.CallMethod %sub["peek"]() : !torch.nn.Module<"Sub">, () -> !torch.int
  return %0 : !torch.int
}
func.func private @Net.reset(%self: !torch.nn.Module<"Net">) -> !torch.int {
  %0 = torch.constant.int 0
  return %0 : !torch.int
}
func.func private @Net.unreached(%self: !torch.nn.Module<"Net">) -> !torch.int {
  %0 = torch.constant.int 0
  return %0 : !torch.int
}
%sub = torch.nn_module {
} : !torch.nn.Module<"Sub">
%net = torch.nn_module {
  torch.slot "sub", %sub : !torch.nn.Module<"Sub">
} : !torch.nn.Module<"Net">
