// RUN: npcomp-opt %s -p aten-recognize-kernels --verify-diagnostics --split-input-file

func.func @many(%x: !torch.tensor) -> !torch.tensor {
  // expected-error @below {{aten::tanh takes 1 arguments and is called with 2}}
  %0 = torch.operator "aten.tanh"(%x, %x) : (!torch.tensor, !torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}

// -----

func.func @few(%x: !torch.tensor) -> !torch.tensor {
  // expected-error @below {{aten::mm is called without argument 'mat2'}}
  %0 = torch.operator "aten.mm"(%x) : (!torch.tensor) -> !torch.tensor
  return %0 : !torch.tensor
}

// -----

func.func @value(%x: !torch.vtensor) -> !torch.vtensor {
  // expected-error @below {{aten.tanh_ writes to a value of type !torch.vtensor, which cannot be written}}
  %0 = torch.operator "aten.tanh_"(%x) : (!torch.vtensor) -> !torch.vtensor
  return %0 : !torch.vtensor
}

// -----

func.func @kind(%x: !torch.tensor, %s: !torch.str) -> !torch.tensor {
  // expected-error @below {{op operand 1 (mat2) is Tensor, got '!torch.str'}}
  %0 = torch.operator "aten.mm"(%x, %s) : (!torch.tensor, !torch.str) -> !torch.tensor
  return %0 : !torch.tensor
}
