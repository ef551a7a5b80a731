// RUN: npcomp-opt %s -p refine-types --split-input-file | FileCheck %s

// Sizes and dtypes flow forward; what is unknown stays unknown.
// CHECK-LABEL: func.func @sizes
// CHECK-SAME:    -> !torch.vtensor<[?,4],f32>
// CHECK:         torch.aten.mm {{.*}} -> !torch.vtensor<[?,4],f32>
// CHECK:         torch.aten.tanh {{.*}} -> !torch.vtensor<[?,4],f32>
func.func @sizes(%x: !torch.vtensor<[?,3],f32>, %w: !torch.vtensor<[3,4],f32>) -> !torch.vtensor {
  %0 = torch.aten.mm %x, %w : !torch.vtensor<[?,3],f32>, !torch.vtensor<[3,4],f32> -> !torch.vtensor
  %1 = torch.aten.tanh %0 : !torch.vtensor -> !torch.vtensor
  return %1 : !torch.vtensor
}

// -----

// What a type says already is kept where inference knows less.
// CHECK-LABEL: func.func @declared
// CHECK:         torch.operator "aten.unheard_of"{{.*}} -> !torch.vtensor<[3,3],f32>
// CHECK:         torch.aten.tanh {{.*}} -> !torch.vtensor<[3,3],f32>
func.func @declared(%x: !torch.vtensor<[3,3],f32>) -> !torch.vtensor {
  %0 = torch.operator "aten.unheard_of"(%x) : (!torch.vtensor<[3,3],f32>) -> !torch.vtensor<[3,3],f32>
  %1 = torch.aten.tanh %0 : !torch.vtensor<[3,3],f32> -> !torch.vtensor
  return %1 : !torch.vtensor
}

// -----

// A cast that tells something, and what follows from it.
// CHECK-LABEL: func.func @cast
// CHECK-SAME:    -> !torch.vtensor<[2,3],f32>
func.func @cast(%x: !torch.vtensor) -> !torch.vtensor {
  %0 = torch.tensor_static_info_cast %x : !torch.vtensor to !torch.vtensor<[2,3],f32>
  %1 = torch.tensor_static_info_cast %0 : !torch.vtensor<[2,3],f32> to !torch.vtensor
  return %1 : !torch.vtensor
}

// -----

// Known numbers become constants, and an `if` on them goes one way.
// CHECK-LABEL: func.func @constants
// CHECK:         %[[N:.*]] = torch.constant.int 8
// CHECK-NOT:     torch.prim.If
// CHECK:         return %[[N]]
func.func @constants(%x: !torch.vtensor<[?,8],f32>) -> !torch.int {
  %minus = torch.constant.int -1
  %two = torch.constant.int 2
  %zero = torch.constant.int 0
  %size = torch.aten.size.int %x, %minus : !torch.vtensor<[?,8],f32>, !torch.int -> !torch.int
  %dim = torch.aten.dim %x : !torch.vtensor<[?,8],f32> -> !torch.int
  %ok = torch.aten.eq.int %dim, %two : !torch.int, !torch.int -> !torch.bool
  %0 = torch.prim.If %ok -> (!torch.int) {
    torch.prim.If.yield %size : !torch.int
  } else {
    torch.prim.If.yield %zero : !torch.int
  }
  return %0 : !torch.int
}

// -----

// A size that only run time knows is no constant.
// CHECK-LABEL: func.func @dynamic
// CHECK:         torch.aten.size.int
func.func @dynamic(%x: !torch.vtensor<[?,8],f32>) -> !torch.int {
  %zero = torch.constant.int 0
  %size = torch.aten.size.int %x, %zero : !torch.vtensor<[?,8],f32>, !torch.int -> !torch.int
  return %size : !torch.int
}

// -----

// dtype, layout, min and max of numbers, items of tuples.
// CHECK-LABEL: func.func @queries
// CHECK:         %[[DTYPE:.*]] = torch.constant.int 6
// CHECK-NEXT:    %[[LAYOUT:.*]] = torch.constant.int 0
// CHECK-NEXT:    %[[MAX:.*]] = torch.constant.int 3
// CHECK:         %[[LARGEST:.*]] = torch.constant.int 3
// CHECK:         %[[ITEM:.*]] = torch.constant.int 6
// CHECK:         return %[[DTYPE]], %[[LAYOUT]], %[[MAX]], %[[LARGEST]], %[[ITEM]]
func.func @queries(%x: !torch.vtensor<[2],f32>) -> (!torch.int, !torch.int, !torch.int, !torch.int, !torch.int) {
  %one = torch.constant.int 1
  %three = torch.constant.int 3
  %0 = torch.prim.dtype %x : !torch.vtensor<[2],f32> -> !torch.int
  %1 = torch.prim.layout %x : !torch.vtensor<[2],f32> -> !torch.int
  %2 = torch.prim.max.int %one, %three : !torch.int, !torch.int -> !torch.int
  %3 = torch.prim.ListConstruct %three, %one : (!torch.int, !torch.int) -> !torch.list<int>
  %4 = torch.prim.max.self_int %3 : !torch.list<int> -> !torch.int
  %5 = torch.prim.TupleConstruct %x, %0 : !torch.vtensor<[2],f32>, !torch.int -> !torch.tuple<vtensor<[2],f32>, int>
  %6 = torch.prim.TupleIndex %5, %one : !torch.tuple<vtensor<[2],f32>, int>, !torch.int -> !torch.int
  return %0, %1, %2, %4, %6 : !torch.int, !torch.int, !torch.int, !torch.int, !torch.int
}

// -----

// A list that nothing writes is as good as its items, one that something writes is not.
// CHECK-LABEL: func.func @lists
// CHECK:         torch.aten.reshape {{.*}} -> !torch.vtensor<[6],f32>
// CHECK:         torch.aten.reshape {{.*}} -> !torch.vtensor<*,f32>
func.func @lists(%x: !torch.vtensor<[2,3],f32>) {
  %six = torch.constant.int 6
  %0 = torch.prim.ListConstruct %six : (!torch.int) -> !torch.list<int>
  %1 = torch.prim.ListConstruct %six : (!torch.int) -> !torch.list<int>
  %2 = torch.aten.append.t %1, %six : !torch.list<int>, !torch.int -> !torch.list<int>
  %3 = torch.aten.reshape %x, %0 : !torch.vtensor<[2,3],f32>, !torch.list<int> -> !torch.vtensor
  %4 = torch.aten.reshape %x, %1 : !torch.vtensor<[2,3],f32>, !torch.list<int> -> !torch.vtensor
  return
}

// -----

// Items of a dict with constant keys.
// CHECK-LABEL: func.func @dict
// CHECK:         torch.aten.tanh %arg0
// CHECK:         return %{{.*}}, %{{.*}} : !torch.vtensor<[2],f32>, !torch.bool
func.func @dict(%x: !torch.vtensor<[2],f32>) -> (!torch.vtensor, !torch.bool) {
  %k = torch.constant.str "k"
  %0 = torch.prim.DictConstruct keys(%k : !torch.str) values(%x : !torch.vtensor<[2],f32>) -> !torch.dict<str, vtensor<[2],f32>>
  %1 = torch.aten.__getitem__.Dict_str %0, %k : !torch.dict<str, vtensor<[2],f32>>, !torch.str -> !torch.vtensor<[2],f32>
  %2 = torch.aten.tanh %1 : !torch.vtensor<[2],f32> -> !torch.vtensor
  %3 = torch.aten.__contains__.str %0, %k : !torch.dict<str, vtensor<[2],f32>>, !torch.str -> !torch.bool
  return %2, %3 : !torch.vtensor, !torch.bool
}

// -----

// A Scalar whose kind is known.
// CHECK-LABEL: func.func @number
// CHECK-SAME:    -> !torch.float
// CHECK:         torch.aten.item %arg0 : !torch.vtensor<[],f32> -> !torch.float
func.func @number(%x: !torch.vtensor<[],f32>) -> !torch.number {
  %0 = torch.aten.item %x : !torch.vtensor<[],f32> -> !torch.number
  return %0 : !torch.number
}

// -----

// A size that only run time knows may be 1: broadcasting with it is legal and decides nothing but the rank.
// CHECK-LABEL: func.func @broadcast
// CHECK:         torch.aten.add.Tensor %arg0, %arg0, {{.*}} -> !torch.vtensor<[?],f32>
// CHECK:         torch.aten.add.Tensor %arg0, %arg1, {{.*}} -> !torch.vtensor<[5],f32>
func.func @broadcast(%x: !torch.vtensor<[?],f32>, %y: !torch.vtensor<[5],f32>) {
  %one = torch.constant.int 1
  %0 = torch.aten.add.Tensor %x, %x, %one : !torch.vtensor<[?],f32>, !torch.vtensor<[?],f32>, !torch.int -> !torch.vtensor
  %1 = torch.aten.add.Tensor %x, %y, %one : !torch.vtensor<[?],f32>, !torch.vtensor<[5],f32>, !torch.int -> !torch.vtensor
  return
}
