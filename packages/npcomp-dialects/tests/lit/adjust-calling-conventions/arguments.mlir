// RUN: npcomp-opt %s -p adjust-calling-conventions --split-input-file | FileCheck %s

// A bound gives the argument its type; uses keep the one they had.
// CHECK-LABEL: func.func @bound
// CHECK-SAME:    (%arg0: !torch.tensor<[?,3],f32>, %arg1: !torch.int) -> !torch.tensor
// CHECK-SAME:    \22args\22:[{\22name\22:\22arg0\22,\22kind\22:\22tensor\22},{\22name\22:\22arg1\22,\22kind\22:\22int\22}]
// CHECK-NEXT:    %[[X:.*]] = torch.tensor_static_info_cast %arg0 : !torch.tensor<[?,3],f32> to !torch.tensor
// CHECK-NEXT:    return %[[X]]
func.func @bound(%x: !torch.tensor {torch.type_bound = !torch.vtensor<[?,3],f32>}, %n: !torch.int) -> !torch.tensor {
  return %x : !torch.tensor
}

// -----

// An optional argument with a bound is always there.
// CHECK-LABEL: func.func @optional(%arg0: !torch.tensor<[2],f32>)
// CHECK-NEXT:    %[[C:.*]] = torch.tensor_static_info_cast %arg0 : !torch.tensor<[2],f32> to !torch.tensor
// CHECK-NEXT:    %[[O:.*]] = torch.derefine %[[C]] : !torch.tensor to !torch.optional<tensor>
// CHECK-NEXT:    torch.prim.unchecked_cast %[[O]]
func.func @optional(%x: !torch.optional<tensor> {torch.type_bound = !torch.vtensor<[2],f32>}) -> !torch.tensor {
  %0 = torch.prim.unchecked_cast %x : !torch.optional<tensor> -> !torch.tensor
  return %0 : !torch.tensor
}

// -----

// Tuples need no signature; their leaves become arguments in depth-first order.
// CHECK-LABEL: func.func @tuples
// CHECK-SAME:    (%arg0: !torch.tensor, %arg1: !torch.int, %arg2: !torch.float) -> !torch.int
// CHECK-NEXT:    %[[I:.*]] = torch.prim.TupleConstruct %arg1, %arg2
// CHECK-NEXT:    %[[O:.*]] = torch.prim.TupleConstruct %arg0, %[[I]]
// CHECK-NEXT:    %[[P:.*]]:2 = torch.prim.TupleUnpack %[[O]]
func.func @tuples(%t: !torch.tuple<tensor, tuple<int, float>>) -> !torch.int {
  %0:2 = torch.prim.TupleUnpack %t : !torch.tuple<tensor, tuple<int, float>> -> !torch.tensor, !torch.tuple<int, float>
  %1:2 = torch.prim.TupleUnpack %0#1 : !torch.tuple<int, float> -> !torch.int, !torch.float
  return %1#0 : !torch.int
}

// -----

// A list, a dict, None and a constant take their shape from the signature; so do sizes and dtypes of leaves.
// CHECK-LABEL: func.func @containers
// CHECK-SAME:    (%arg0: !torch.tensor<[?,2],f32>, %arg1: !torch.tensor, %arg2: !torch.int)
// CHECK-DAG:     %[[C:.*]] = torch.tensor_static_info_cast %arg0 : !torch.tensor<[?,2],f32> to !torch.tensor
// CHECK-DAG:     %[[L:.*]] = torch.prim.ListConstruct %[[C]], %arg1
// CHECK-DAG:     %[[K:.*]] = torch.constant.str "k"
// CHECK-DAG:     %[[D:.*]] = torch.prim.DictConstruct keys(%[[K]] : !torch.str) values(%arg2 : !torch.int)
// CHECK-DAG:     %[[N:.*]] = torch.constant.none
// CHECK-DAG:     torch.derefine %[[N]] : !torch.none to !torch.optional<tensor>
// CHECK-DAG:     torch.constant.float 2.5
func.func @containers(%l: !torch.list<tensor>, %d: !torch.dict<str, int>, %o: !torch.optional<tensor>, %f: !torch.float)
    attributes {npcomp.signature = "{\"name\":\"containers\",\"args\":[{\"name\":\"l\",\"kind\":\"list\",\"items\":[{\"kind\":\"tensor\",\"dtype\":\"f32\",\"dims\":[\"n\",2]},{\"kind\":\"tensor\"}]},{\"name\":\"d\",\"kind\":\"dict\",\"keys\":[\"k\"],\"items\":[{\"kind\":\"int\"}]},{\"name\":\"o\",\"kind\":\"none\"},{\"name\":\"f\",\"kind\":\"const\",\"value\":2.5}],\"returns\":{\"kind\":\"none\"}}"} {
  return
}

// -----

// Private functions are not part of the program's face.
// CHECK-LABEL: func.func private @inner(%arg0: !torch.tuple<int, int>)
func.func private @inner(%t: !torch.tuple<int, int>) {
  return
}
