// RUN: npcomp-opt %s -p complete-signatures --split-input-file | FileCheck %s

// Named dims keep their names, known sizes are numbers, the rest is null; results get dtypes.
// CHECK: \22args\22:[{\22name\22:\22x\22,\22kind\22:\22tensor\22,\22dims\22:[\22batch\22,3,null],\22dtype\22:\22f32\22},{\22name\22:\22n\22,\22kind\22:\22int\22}]
// CHECK-SAME: \22returns\22:{\22kind\22:\22tuple\22,\22items\22:[{\22kind\22:\22tensor\22,\22dtype\22:\22f32\22,\22dims\22:[null,3,null]},{\22kind\22:\22none\22},{\22kind\22:\22int\22}]}
func.func @forward(%x: !torch.vtensor<[?,3,?],f32>, %n: !torch.int) -> (!torch.vtensor<[?,3,?],f32>, !torch.int)
    attributes {npcomp.signature = "{\"name\":\"forward\",\"args\":[{\"name\":\"x\",\"kind\":\"tensor\",\"dims\":[\"batch\",null,null]},{\"name\":\"n\",\"kind\":\"int\"}],\"returns\":{\"kind\":\"tuple\",\"items\":[{\"kind\":\"tensor\"},{\"kind\":\"none\"},{\"kind\":\"int\"}]}}"} {
  return %x, %n : !torch.vtensor<[?,3,?],f32>, !torch.int
}

// -----

// Without a signature there is one from the types. Private functions have none.
// CHECK: func.func @derived
// CHECK-SAME: npcomp.signature = "{\22name\22:\22derived\22,\22args\22:[{\22name\22:\22arg0\22,\22kind\22:\22tensor\22,\22dtype\22:\22i64\22,\22dims\22:[]}],\22returns\22:{\22kind\22:\22none\22}}"
// CHECK: func.func private @inner() {
func.func @derived(%x: !torch.vtensor<[],si64>) {
  return
}
func.func private @inner() {
  return
}
