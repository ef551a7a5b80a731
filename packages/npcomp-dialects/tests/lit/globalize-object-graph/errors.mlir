// RUN: npcomp-opt %s -p globalize-object-graph --verify-diagnostics --split-input-file

torch.class_type @Two {
}
%a = torch.nn_module {
} : !torch.nn.Module<"Two">
// expected-error @below {{the program has 2 root modules where one is expected}}
%b = torch.nn_module {
} : !torch.nn.Module<"Two">

// -----

// A module chosen at run time.
torch.class_type @Net {
  torch.attr "a" : !torch.nn.Module<"Sub">
  torch.attr "b" : !torch.nn.Module<"Sub">
  torch.method "forward", @forward
}
torch.class_type @Sub {
}
func.func private @forward(%self: !torch.nn.Module<"Net">, %c: !torch.bool) -> !torch.int {
  // expected-error @+3 {{a module is selected at run time by an `if`}}
  %m = torch.prim.If %c -> (!torch.nn.Module<"Sub">) {
    %a = torch.prim.GetAttr %self["a"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Sub">
    torch.prim.If.yield %a : !torch.nn.Module<"Sub">
  } else {
    %b = torch.prim.GetAttr %self["b"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Sub">
    torch.prim.If.yield %b : !torch.nn.Module<"Sub">
  }
  %0 = torch.constant.int 0
  return %0 : !torch.int
}
%sub = torch.nn_module {
} : !torch.nn.Module<"Sub">
%net = torch.nn_module {
  torch.slot "a", %sub : !torch.nn.Module<"Sub">
  torch.slot "b", %sub : !torch.nn.Module<"Sub">
} : !torch.nn.Module<"Net">

// -----

// A module as a result.
torch.class_type @Net {
  torch.method "forward", @forward
}
func.func private @forward(%self: !torch.nn.Module<"Net">) -> !torch.nn.Module<"Net"> {
  // expected-error @below {{a function returns a module}}
  return %self : !torch.nn.Module<"Net">
}
%net = torch.nn_module {
} : !torch.nn.Module<"Net">

// -----

// Modules in a list.
torch.class_type @Net {
  torch.method "forward", @forward
}
func.func private @forward(%self: !torch.nn.Module<"Net">) {
  // expected-error @below {{modules are kept in a list}}
  %0 = torch.prim.ListConstruct %self : (!torch.nn.Module<"Net">) -> !torch.list<nn.Module<"Net">>
  return
}
%net = torch.nn_module {
} : !torch.nn.Module<"Net">

// -----

// A module from a loop.
torch.class_type @Net {
  torch.method "forward", @forward
}
func.func private @forward(%self: !torch.nn.Module<"Net">, %n: !torch.int, %c: !torch.bool) {
  %m = torch.prim.Loop %n, %c, init(%self) {
  ^bb0(%i: !torch.int, %carried: !torch.nn.Module<"Net">):
    // expected-error @below {{a loop carries a module from one iteration to the next}}
    torch.prim.Loop.condition %c, iter(%carried : !torch.nn.Module<"Net">)
  } : (!torch.int, !torch.bool, !torch.nn.Module<"Net">) -> !torch.nn.Module<"Net">
  return
}
%net = torch.nn_module {
} : !torch.nn.Module<"Net">

// -----

// A submodule assigned by the program.
torch.class_type @Net {
  torch.attr "a" : !torch.nn.Module<"Sub">
  torch.method "forward", @forward
}
torch.class_type @Sub {
}
func.func private @forward(%self: !torch.nn.Module<"Net">) {
  %a = torch.prim.GetAttr %self["a"] : !torch.nn.Module<"Net"> -> !torch.nn.Module<"Sub">
  // expected-error @below {{submodule 'a' is assigned while the program runs}}
  torch.prim.SetAttr %self["a"] = %a : !torch.nn.Module<"Net">, !torch.nn.Module<"Sub">
  return
}
%sub = torch.nn_module {
} : !torch.nn.Module<"Sub">
%net = torch.nn_module {
  torch.slot "a", %sub : !torch.nn.Module<"Sub">
} : !torch.nn.Module<"Net">

// -----

// An exported method that takes a module.
torch.class_type @Net {
  torch.method "forward", @forward
}
// expected-error @below {{exported method 'forward' takes a module as an argument}}
func.func private @forward(%self: !torch.nn.Module<"Net">, %other: !torch.nn.Module<"Net">) {
  return
}
%net = torch.nn_module {
} : !torch.nn.Module<"Net">

// -----

// One tensor under two names, one of which is assigned.
torch.class_type @Net {
  torch.attr "a" : !torch.tensor
  torch.attr "b" : !torch.tensor
  torch.method "forward", @forward
}
func.func private @forward(%self: !torch.nn.Module<"Net">, %x: !torch.tensor) {
  torch.prim.SetAttr %self["b"] = %x : !torch.nn.Module<"Net">, !torch.tensor
  return
}
%t = torch.tensor.literal(dense<0.0> : tensor<2xf32>) : !torch.tensor<[2],f32>
%net = torch.nn_module {
  torch.slot "a", %t : !torch.tensor<[2],f32>
  // expected-error @below {{attributes 'a' and 'b' hold the same object, and the program assigns one of them anew}}
  torch.slot "b", %t : !torch.tensor<[2],f32>
} : !torch.nn.Module<"Net">

// -----

// A method that does not exist.
torch.class_type @Net {
  torch.method "forward", @forward
}
func.func private @forward(%self: !torch.nn.Module<"Net">) -> !torch.int {
  // expected-error @below {{class 'Net' has no method 'missing'}}
  %0 = torch.prim.CallMethod %self["missing"]() : !torch.nn.Module<"Net">, () -> !torch.int
  return %0 : !torch.int
}
%net = torch.nn_module {
} : !torch.nn.Module<"Net">

// -----

// An attribute that does not exist.
torch.class_type @Net {
  torch.method "forward", @forward
}
func.func private @forward(%self: !torch.nn.Module<"Net">) -> !torch.int {
  // expected-error @below {{module of class 'Net' has no attribute 'missing'}}
  %0 = torch.prim.GetAttr %self["missing"] : !torch.nn.Module<"Net"> -> !torch.int
  return %0 : !torch.int
}
%net = torch.nn_module {
} : !torch.nn.Module<"Net">
