// RUN: npcomp-opt %s -p refine-types --verify-diagnostics --split-input-file

// A program that torch would refuse is refused, at the user's line.
func.func @mm(%x: !torch.vtensor<[2,3],f32>, %y: !torch.vtensor<[4,5],f32>) -> !torch.vtensor {
  // expected-error @unknown {{model.py:12: aten.mm: }}
  %0 = torch.aten.mm %x, %y : !torch.vtensor<[2,3],f32>, !torch.vtensor<[4,5],f32> -> !torch.vtensor loc("model.py":12:8)
  return %0 : !torch.vtensor
}

// -----

// The line of the call in the user's file, not of the library function that was called.
func.func @callsite(%x: !torch.vtensor<[2,3],f32>, %y: !torch.vtensor<[4,5],f32>) -> !torch.vtensor {
  // expected-error @unknown {{user.py:3: aten.add.Tensor: }}
  %one = torch.constant.int 1
  %0 = torch.aten.add.Tensor %x, %y, %one : !torch.vtensor<[2,3],f32>, !torch.vtensor<[4,5],f32>, !torch.int -> !torch.vtensor loc(callsite("user.py":3:1 at "main.py":9:1))
  return %0 : !torch.vtensor
}

// -----

// An annotation that contradicts what is known.
func.func @annotation(%x: !torch.vtensor<[2,3],f32>) -> !torch.vtensor<[2,4],f32> {
  // expected-error @below {{the tensor is f32[2,3] and is declared to be f32[2,4]}}
  %0 = torch.aten.tanh %x : !torch.vtensor<[2,3],f32> -> !torch.vtensor<[2,4],f32>
  return %0 : !torch.vtensor<[2,4],f32>
}

// -----

// An in-place write that would change the dtype.
func.func @inplace(%x: !torch.vtensor<[2],si64>, %y: !torch.vtensor<[2],f32>) -> !torch.vtensor {
  %false = torch.constant.bool false
  // expected-error @below {{aten.add_.Tensor: the result is f32 and cannot be stored in a tensor of i64}}
  %0 = torch.aten.copy %x, %y, %false {torch.writer = "aten.add_.Tensor"} : !torch.vtensor<[2],si64>, !torch.vtensor<[2],f32>, !torch.bool -> !torch.vtensor
  return %0 : !torch.vtensor
}

// -----

// What copy_ itself may do.
func.func @copy(%x: !torch.vtensor<[2],si64>, %y: !torch.vtensor<[2],f32>) -> !torch.vtensor {
  %false = torch.constant.bool false
  %0 = torch.aten.copy %x, %y, %false : !torch.vtensor<[2],si64>, !torch.vtensor<[2],f32>, !torch.bool -> !torch.vtensor
  return %0 : !torch.vtensor
}
