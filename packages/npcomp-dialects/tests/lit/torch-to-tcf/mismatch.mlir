// RUN: npcomp-opt %s -p torch-to-tcf --verify-diagnostics

func.func @sizes(%a: !torch.vtensor<[2,3],f32>, %b: !torch.vtensor<[2,4],f32>) -> !torch.vtensor<[2,?],f32> {
  // expected-error @+1 {{aten.mul.Tensor: The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1}}
  %r = torch.aten.mul.Tensor %a, %b : !torch.vtensor<[2,3],f32>, !torch.vtensor<[2,4],f32> -> !torch.vtensor<[2,?],f32>
  return %r : !torch.vtensor<[2,?],f32>
}
