// RUN: npcomp-opt %s -p decompose | FileCheck %s

// An op defined by others becomes those, with types and the place of the op that it was.
// CHECK-LABEL: func.func @gone
// CHECK-NOT:     torch.aten.absolute
// CHECK:         torch.aten.abs %arg0 : !torch.vtensor<[?],f32> -> !torch.vtensor<[?],f32>
func.func @gone(%x: !torch.vtensor<[?],f32>) -> !torch.vtensor<[?],f32> {
  %0 = torch.aten.absolute %x : !torch.vtensor<[?],f32> -> !torch.vtensor<[?],f32>
  return %0 : !torch.vtensor<[?],f32>
}

// Not while rank or dtype are unknown.
// CHECK-LABEL: func.func @unknown
// CHECK:         torch.aten.absolute
func.func @unknown(%x: !torch.vtensor) -> !torch.vtensor {
  %0 = torch.aten.absolute %x : !torch.vtensor -> !torch.vtensor
  return %0 : !torch.vtensor
}

// What had a weaker type keeps it for its uses.
// CHECK-LABEL: func.func @weaker
// CHECK:         %[[A:.*]] = torch.aten.abs %arg0 : !torch.vtensor<[2],f32> -> !torch.vtensor<[2],f32>
// CHECK:         torch.tensor_static_info_cast %[[A]] : !torch.vtensor<[2],f32> to !torch.vtensor
func.func @weaker(%x: !torch.vtensor<[2],f32>) -> !torch.vtensor {
  %0 = torch.aten.absolute %x : !torch.vtensor<[2],f32> -> !torch.vtensor
  return %0 : !torch.vtensor
}
