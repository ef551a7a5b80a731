// RUN: npcomp-opt %s -p simplify | FileCheck %s

// A cast that forgets is not needed by ops that take any tensor.
// CHECK-LABEL: func.func @cast
// CHECK-NEXT:    torch.aten.tanh %arg0 : !torch.vtensor<[2],f32>
func.func @cast(%x: !torch.vtensor<[2],f32>) -> !torch.vtensor<[2],f32> {
  %0 = torch.tensor_static_info_cast %x : !torch.vtensor<[2],f32> to !torch.vtensor
  %1 = torch.aten.tanh %0 : !torch.vtensor -> !torch.vtensor<[2],f32>
  return %1 : !torch.vtensor<[2],f32>
}

// A cast that tells something stays.
// CHECK-LABEL: func.func @telling
// CHECK-NEXT:    torch.tensor_static_info_cast
func.func @telling(%x: !torch.vtensor) -> !torch.vtensor<[2],f32> {
  %0 = torch.tensor_static_info_cast %x : !torch.vtensor to !torch.vtensor<[2],f32>
  %1 = torch.aten.tanh %0 : !torch.vtensor<[2],f32> -> !torch.vtensor<[2],f32>
  return %1 : !torch.vtensor<[2],f32>
}

// An item of a list just made.
// CHECK-LABEL: func.func @item
// CHECK-NEXT:    return %arg1
func.func @item(%a: !torch.int, %b: !torch.int) -> !torch.int {
  %minus = torch.constant.int -1
  %0 = torch.prim.ListConstruct %a, %b : (!torch.int, !torch.int) -> !torch.list<int>
  %1 = torch.aten.__getitem__.t %0, %minus : !torch.list<int>, !torch.int -> !torch.int
  return %1 : !torch.int
}

// Not if something writes to the list.
// CHECK-LABEL: func.func @written
// CHECK:         torch.aten.__getitem__.t
func.func @written(%a: !torch.int) -> !torch.int {
  %zero = torch.constant.int 0
  %0 = torch.prim.ListConstruct %a : (!torch.int) -> !torch.list<int>
  %1 = torch.aten.append.t %0, %a : !torch.list<int>, !torch.int -> !torch.list<int>
  %2 = torch.aten.__getitem__.t %0, %zero : !torch.list<int>, !torch.int -> !torch.int
  return %2 : !torch.int
}

// A copy to a tensor of the same sizes and dtype, but not where run time may find a size of 1.
// CHECK-LABEL: func.func @copy
// CHECK-NEXT:    torch.constant.bool
// CHECK-NEXT:    %[[C:.*]] = torch.aten.copy %arg2, %arg3
// CHECK-NEXT:    return %arg1, %[[C]]
func.func @copy(%a: !torch.vtensor<[2],f32>, %b: !torch.vtensor<[2],f32>, %c: !torch.vtensor<[?],f32>, %d: !torch.vtensor<[?],f32>) -> (!torch.vtensor<[2],f32>, !torch.vtensor<[?],f32>) {
  %false = torch.constant.bool false
  %0 = torch.aten.copy %a, %b, %false : !torch.vtensor<[2],f32>, !torch.vtensor<[2],f32>, !torch.bool -> !torch.vtensor<[2],f32>
  %1 = torch.aten.copy %c, %d, %false : !torch.vtensor<[?],f32>, !torch.vtensor<[?],f32>, !torch.bool -> !torch.vtensor<[?],f32>
  return %0, %1 : !torch.vtensor<[2],f32>, !torch.vtensor<[?],f32>
}

// A change of dtype that changes nothing.
// CHECK-LABEL: func.func @type_as
// CHECK-NEXT:    return %arg0
func.func @type_as(%a: !torch.vtensor<[2],f32>, %b: !torch.vtensor<[?],f32>) -> !torch.vtensor<[2],f32> {
  %0 = torch.aten.type_as %a, %b : !torch.vtensor<[2],f32>, !torch.vtensor<[?],f32> -> !torch.vtensor<[2],f32>
  return %0 : !torch.vtensor<[2],f32>
}
