// RUN: npcomp-opt %s -p verify-backend-contract --verify-diagnostics --split-input-file

func.func @good(%x: tensor<?xf32>) -> tensor<?xf32> attributes {npcomp.signature = "{}"} {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %1 = math.tanh %a : f32
    linalg.yield %1 : f32
  } -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @op(%x: tensor<2x2xf32>) attributes {npcomp.signature = "{}"} {
  // expected-error @below {{backend contract, rule ops: linalg.matmul does not belong to the backend contract}}
  %0 = linalg.matmul ins(%x, %x : tensor<2x2xf32>, tensor<2x2xf32>) outs(%x : tensor<2x2xf32>) -> tensor<2x2xf32>
  return
}

// -----

func.func private @aten(%x: !torch.vtensor<[2],f32>) {
  // expected-error @below {{backend contract, rule ops: torch.aten.tanh does not belong to the backend contract}}
  %0 = torch.aten.tanh %x : !torch.vtensor<[2],f32> -> !torch.vtensor<[2],f32>
  return
}

// -----

func.func private @unranked(%x: tensor<2xf32>) {
  // expected-error @below {{backend contract, rule ranked-tensors: tensor.cast gives a tensor<*xf32>, which is no ranked tensor}}
  %0 = tensor.cast %x : tensor<2xf32> to tensor<*xf32>
  return
}

// -----

// expected-error @below {{backend contract, rule public-types: function 'face' takes or gives a !torch.str}}
func.func @face(%s: !torch.str) attributes {npcomp.signature = "{}"} {
  return
}

// -----

// expected-error @below {{backend contract, rule signature: function 'unsigned' has no npcomp.signature}}
func.func @unsigned() {
  return
}
