// RUN: npcomp-opt %s -p functionalize-statistics | FileCheck %s

// In training the statistics are results that overwrite what was given.
// CHECK-LABEL: func.func @training
// CHECK:         %[[N:.*]]:5 = torch.aten._native_batch_norm_legit_functional %arg0
// CHECK:         torch.overwrite.tensor.contents %[[N]]#3 overwrites %[[MEAN:.*]] {torch.form = "inplace", torch.writer = "aten.batch_norm"}
// CHECK:         torch.overwrite.tensor.contents %[[N]]#4 overwrites %arg2
// CHECK:         return %[[N]]#0
func.func @training(%x: !torch.tensor, %mean: !torch.optional<tensor>, %var: !torch.tensor) -> !torch.tensor {
  %none = torch.constant.none
  %false = torch.constant.bool false
  %true = torch.constant.bool true
  %f = torch.constant.float 0.1
  %0 = torch.aten.batch_norm %x, %none, %none, %mean, %var, %true, %f, %f, %false : !torch.tensor, !torch.none, !torch.none, !torch.optional<tensor>, !torch.tensor, !torch.bool, !torch.float, !torch.float, !torch.bool -> !torch.tensor
  return %0 : !torch.tensor
}

// A flag that inference knows becomes the constant.
// CHECK-LABEL: func.func @evaluation
// CHECK:         torch.aten.__not__
// CHECK-NEXT:    %[[FALSE:.*]] = torch.constant.bool false
// CHECK-NEXT:    torch.aten.batch_norm %arg0, %{{.*}}, %{{.*}}, %arg1, %arg2, %[[FALSE]]
func.func @evaluation(%x: !torch.tensor, %mean: !torch.tensor, %var: !torch.tensor) -> !torch.tensor {
  %none = torch.constant.none
  %false = torch.constant.bool false
  %true = torch.constant.bool true
  %f = torch.constant.float 0.1
  %known = torch.aten.__not__ %true : !torch.bool -> !torch.bool
  %0 = torch.aten.batch_norm %x, %none, %none, %mean, %var, %known, %f, %f, %false : !torch.tensor, !torch.none, !torch.none, !torch.tensor, !torch.tensor, !torch.bool, !torch.float, !torch.float, !torch.bool -> !torch.tensor
  return %0 : !torch.tensor
}

// Without running statistics there is nothing to write.
// CHECK-LABEL: func.func @stateless
// CHECK:         torch.aten.batch_norm
// CHECK-NOT:     torch.overwrite.tensor.contents
func.func @stateless(%x: !torch.tensor) -> !torch.tensor {
  %none = torch.constant.none
  %false = torch.constant.bool false
  %true = torch.constant.bool true
  %f = torch.constant.float 0.1
  %0 = torch.aten.batch_norm %x, %none, %none, %none, %none, %true, %f, %f, %false : !torch.tensor, !torch.none, !torch.none, !torch.none, !torch.none, !torch.bool, !torch.float, !torch.float, !torch.bool -> !torch.tensor
  return %0 : !torch.tensor
}
