// RUN: npcomp-opt %s -p functionalize-statistics --verify-diagnostics

func.func @unknown(%x: !torch.tensor, %t: !torch.bool, %mean: !torch.tensor, %var: !torch.tensor) -> !torch.tensor {
  %none = torch.constant.none
  %false = torch.constant.bool false
  %true = torch.constant.bool true
  %f = torch.constant.float 0.1
  // expected-error @below {{aten.batch_norm is in training mode or not, as a run-time value has it}}
  %0 = torch.aten.batch_norm %x, %none, %none, %mean, %var, %t, %f, %f, %false : !torch.tensor, !torch.none, !torch.none, !torch.tensor, !torch.tensor, !torch.bool, !torch.float, !torch.float, !torch.bool -> !torch.tensor
  return %0 : !torch.tensor
}
