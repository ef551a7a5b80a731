// RUN: npcomp-opt %s -p scalarize-lists --split-input-file | FileCheck %s

// Changes one after the other; each reader gets the list as it is there.
// CHECK-LABEL: func.func @changes
// CHECK-NOT:     torch.aten.{{append|insert|extend|pop|_set_item|Delete|reverse|clear}}
// CHECK:         %[[A:.*]] = torch.prim.ListConstruct %arg0, %arg1 :
// CHECK-NEXT:    torch.aten.len.t %[[A]]
// CHECK:         %[[B:.*]] = torch.prim.ListConstruct %arg2, %arg1, %arg2 :
// CHECK-NEXT:    torch.aten.len.t %[[B]]
// CHECK:         %[[C:.*]] = torch.prim.ListConstruct  :
// CHECK-NEXT:    return %{{.*}}, %{{.*}}, %arg0, %[[C]]
func.func @changes(%x: !torch.int, %y: !torch.int, %z: !torch.int) -> (!torch.int, !torch.int, !torch.int, !torch.list<int>) {
  %zero = torch.constant.int 0
  %one = torch.constant.int 1
  %minus = torch.constant.int -1
  %l = torch.prim.ListConstruct %x : (!torch.int) -> !torch.list<int>
  %0 = torch.aten.append.t %l, %y : !torch.list<int>, !torch.int -> !torch.list<int>
  %1 = torch.aten.len.t %l : !torch.list<int> -> !torch.int
  %m = torch.prim.ListConstruct %z, %x : (!torch.int, !torch.int) -> !torch.list<int>
  torch.aten.extend.t %l, %m : !torch.list<int>, !torch.list<int> ->
  torch.aten.insert.t %0, %zero, %z : !torch.list<int>, !torch.int, !torch.int ->
  torch.aten.Delete.t %l, %one : !torch.list<int>, !torch.int ->
  %2 = torch.aten.pop.t %l, %minus : !torch.list<int>, !torch.int -> !torch.int
  %3 = torch.aten.len.t %0 : !torch.list<int> -> !torch.int
  %4 = torch.aten._set_item.t %l, %zero, %x : !torch.list<int>, !torch.int, !torch.int -> !torch.list<int>
  torch.aten.reverse.t %l : !torch.list<int> ->
  torch.aten.clear.t %l : !torch.list<int> ->
  return %1, %3, %2, %l : !torch.int, !torch.int, !torch.int, !torch.list<int>
}

// -----

// A counted loop that appends is unrolled; other loops are not.
// CHECK-LABEL: func.func @loops
// CHECK-NOT:     torch.aten.append.t
// CHECK:         %[[I:.*]] = torch.constant.int 0
// CHECK:         %[[J:.*]] = torch.constant.int 1
// CHECK:         torch.prim.ListConstruct %[[I]], %[[J]] :
// CHECK:         torch.prim.Loop
func.func @loops(%n: !torch.int) -> !torch.int {
  %two = torch.constant.int 2
  %true = torch.constant.bool true
  %l = torch.prim.ListConstruct : () -> !torch.list<int>
  torch.prim.Loop %two, %true, init() {
  ^bb0(%i: !torch.int):
    %0 = torch.aten.append.t %l, %i : !torch.list<int>, !torch.int -> !torch.list<int>
    torch.prim.Loop.condition %true, iter()
  } : (!torch.int, !torch.bool) -> ()
  %1 = torch.aten.len.t %l : !torch.list<int> -> !torch.int
  %2 = torch.prim.Loop %two, %true, init(%n) {
  ^bb0(%i: !torch.int, %k: !torch.int):
    torch.prim.Loop.condition %true, iter(%i : !torch.int)
  } : (!torch.int, !torch.bool, !torch.int) -> !torch.int
  return %2 : !torch.int
}

// -----

// A reader inside a branch.
// CHECK-LABEL: func.func @branch
// CHECK-NOT:     torch.aten.append.t
// CHECK:         %[[L:.*]] = torch.prim.ListConstruct %arg1 :
// CHECK-NEXT:    torch.prim.If
// CHECK:           torch.aten.len.t %[[L]]
func.func @branch(%c: !torch.bool, %x: !torch.int) -> !torch.int {
  %l = torch.prim.ListConstruct : () -> !torch.list<int>
  %0 = torch.aten.append.t %l, %x : !torch.list<int>, !torch.int -> !torch.list<int>
  %1 = torch.prim.If %c -> (!torch.int) {
    %2 = torch.aten.len.t %l : !torch.list<int> -> !torch.int
    torch.prim.If.yield %2 : !torch.int
  } else {
    torch.prim.If.yield %x : !torch.int
  }
  return %1 : !torch.int
}

// -----

// What cannot be followed stays as it is: a change in a branch, in a loop of unknown length, at an unknown or wrong
// index, by value, through another object, and after another object holds the list.
// CHECK-LABEL: func.func @stays
// CHECK-COUNT-7: torch.aten.{{append|pop|remove}}
func.func @stays(%c: !torch.bool, %n: !torch.int) -> !torch.tuple<list<int>, int> {
  %true = torch.constant.bool true
  %zero = torch.constant.int 0
  %in_branch = torch.prim.ListConstruct : () -> !torch.list<int>
  torch.prim.If %c -> () {
    %0 = torch.aten.append.t %in_branch, %n : !torch.list<int>, !torch.int -> !torch.list<int>
    torch.prim.If.yield
  } else {
    torch.prim.If.yield
  }
  %in_loop = torch.prim.ListConstruct : () -> !torch.list<int>
  torch.prim.Loop %n, %true, init() {
  ^bb0(%i: !torch.int):
    %0 = torch.aten.append.t %in_loop, %n : !torch.list<int>, !torch.int -> !torch.list<int>
    torch.prim.Loop.condition %true, iter()
  } : (!torch.int, !torch.bool) -> ()
  %unknown = torch.prim.ListConstruct %n : (!torch.int) -> !torch.list<int>
  %1 = torch.aten.pop.t %unknown, %n : !torch.list<int>, !torch.int -> !torch.int
  %empty = torch.prim.ListConstruct : () -> !torch.list<int>
  %2 = torch.aten.pop.t %empty, %zero : !torch.list<int>, !torch.int -> !torch.int
  %by_value = torch.prim.ListConstruct %n : (!torch.int) -> !torch.list<int>
  torch.aten.remove.int %by_value, %n : !torch.list<int>, !torch.int ->
  %inner = torch.prim.ListConstruct %n : (!torch.int) -> !torch.list<int>
  %outer = torch.prim.ListConstruct %inner : (!torch.list<int>) -> !torch.list<list<int>>
  %again = torch.aten.__getitem__.t %outer, %zero : !torch.list<list<int>>, !torch.int -> !torch.list<int>
  %3 = torch.aten.append.t %again, %n : !torch.list<int>, !torch.int -> !torch.list<int>
  %held = torch.prim.ListConstruct %n : (!torch.int) -> !torch.list<int>
  %tuple = torch.prim.TupleConstruct %held, %n : !torch.list<int>, !torch.int -> !torch.tuple<list<int>, int>
  %4 = torch.aten.append.t %held, %n : !torch.list<int>, !torch.int -> !torch.list<int>
  return %tuple : !torch.tuple<list<int>, int>
}

// -----

// A loop over the items of a list, and one with a variable that is None at first.
// CHECK-LABEL: func.func @unrolled
// CHECK-NOT:     torch.prim.Loop
// CHECK-COUNT-2: torch.aten.__getitem__.t
// CHECK-COUNT-2: torch.aten.__is__
func.func @unrolled(%l: !torch.list<int>, %x: !torch.int) -> (!torch.int, !torch.optional<int>) {
  %two = torch.constant.int 2
  %true = torch.constant.bool true
  %none = torch.constant.none
  %0 = torch.prim.Loop %two, %true, init(%x) {
  ^bb0(%i: !torch.int, %k: !torch.int):
    %1 = torch.aten.__getitem__.t %l, %i : !torch.list<int>, !torch.int -> !torch.int
    torch.prim.Loop.condition %true, iter(%1 : !torch.int)
  } : (!torch.int, !torch.bool, !torch.int) -> !torch.int
  %h = torch.derefine %none : !torch.none to !torch.optional<int>
  %2 = torch.prim.Loop %two, %true, init(%h) {
  ^bb0(%i: !torch.int, %k: !torch.optional<int>):
    %3 = torch.aten.__is__ %k, %none : !torch.optional<int>, !torch.none -> !torch.bool
    %4 = torch.derefine %i : !torch.int to !torch.optional<int>
    torch.prim.Loop.condition %true, iter(%4 : !torch.optional<int>)
  } : (!torch.int, !torch.bool, !torch.optional<int>) -> !torch.optional<int>
  return %0, %2 : !torch.int, !torch.optional<int>
}
