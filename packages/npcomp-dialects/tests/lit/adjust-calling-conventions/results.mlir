// RUN: npcomp-opt %s -p adjust-calling-conventions --split-input-file | FileCheck %s

// A tuple just made gives its items; None and what it holds take no place.
// CHECK-LABEL: func.func @made
// CHECK-SAME:    -> (!torch.tensor, !torch.int)
// CHECK-SAME:    \22returns\22:{\22kind\22:\22tuple\22,\22items\22:[{\22kind\22:\22tensor\22},{\22kind\22:\22none\22},{\22kind\22:\22int\22}]}
// CHECK:         return %arg0, %arg1 : !torch.tensor, !torch.int
func.func @made(%x: !torch.tensor, %n: !torch.int) -> !torch.tuple<tensor, none, int> {
  %none = torch.constant.none
  %0 = torch.prim.TupleConstruct %x, %none, %n : !torch.tensor, !torch.none, !torch.int -> !torch.tuple<tensor, none, int>
  return %0 : !torch.tuple<tensor, none, int>
}

// -----

// A tuple from elsewhere is unpacked.
// CHECK-LABEL: func.func @chosen
// CHECK:         %[[T:.*]] = torch.prim.If
// CHECK:         %[[P:.*]]:2 = torch.prim.TupleUnpack %[[T]]
// CHECK-NEXT:    return %[[P]]#0, %[[P]]#1 : !torch.int, !torch.int
func.func @chosen(%c: !torch.bool, %a: !torch.int, %b: !torch.int) -> !torch.tuple<int, int> {
  %0 = torch.prim.If %c -> (!torch.tuple<int, int>) {
    %1 = torch.prim.TupleConstruct %a, %b : !torch.int, !torch.int -> !torch.tuple<int, int>
    torch.prim.If.yield %1 : !torch.tuple<int, int>
  } else {
    %2 = torch.prim.TupleConstruct %b, %a : !torch.int, !torch.int -> !torch.tuple<int, int>
    torch.prim.If.yield %2 : !torch.tuple<int, int>
  }
  return %0 : !torch.tuple<int, int>
}

// -----

// A list just made gives its items.
// CHECK-LABEL: func.func @list
// CHECK-SAME:    -> (!torch.tensor, !torch.tensor)
// CHECK-SAME:    \22returns\22:{\22kind\22:\22list\22,\22items\22:[{\22kind\22:\22tensor\22},{\22kind\22:\22tensor\22}]}
// CHECK:         return %arg0, %arg1
func.func @list(%x: !torch.tensor, %y: !torch.tensor) -> !torch.list<tensor> {
  %0 = torch.prim.ListConstruct %x, %y : (!torch.tensor, !torch.tensor) -> !torch.list<tensor>
  return %0 : !torch.list<tensor>
}

// -----

// A list that the program goes on to change does not.
// CHECK-LABEL: func.func @grown
// CHECK-SAME:    -> !torch.list<tensor>
func.func @grown(%x: !torch.tensor) -> !torch.list<tensor> {
  %0 = torch.prim.ListConstruct %x : (!torch.tensor) -> !torch.list<tensor>
  %1 = torch.operator "aten.append.t"(%0, %x) : (!torch.list<tensor>, !torch.tensor) -> !torch.list<tensor>
  return %0 : !torch.list<tensor>
}

// -----

// Nothing returned but None.
// CHECK-LABEL: func.func @none() attributes
// CHECK-SAME:    \22returns\22:{\22kind\22:\22none\22}
// CHECK:         return{{$}}
func.func @none() -> !torch.none {
  %0 = torch.constant.none
  return %0 : !torch.none
}

// -----

// A dict just made, with constant keys.
// CHECK-LABEL: func.func @dict
// CHECK-SAME:    -> !torch.int
// CHECK-SAME:    \22returns\22:{\22kind\22:\22dict\22,\22keys\22:[\22k\22],\22items\22:[{\22kind\22:\22int\22}]}
// CHECK:         return %arg0
func.func @dict(%n: !torch.int) -> !torch.dict<str, int> {
  %k = torch.constant.str "k"
  %0 = torch.prim.DictConstruct keys(%k : !torch.str) values(%n : !torch.int) -> !torch.dict<str, int>
  return %0 : !torch.dict<str, int>
}
