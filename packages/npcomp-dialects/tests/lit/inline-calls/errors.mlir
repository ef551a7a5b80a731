// RUN: npcomp-opt %s -p inline-calls --verify-diagnostics --split-input-file

func.func @loop(%x: !torch.int) -> !torch.int {
  // expected-error @below {{function 'loop' calls itself}}
  %0 = call @loop(%x) : (!torch.int) -> !torch.int
  return %0 : !torch.int
}

// -----

// Through another function, at the user's place.
func.func @a(%x: !torch.int) -> !torch.int {
  %0 = call @b(%x) : (!torch.int) -> !torch.int loc("model.py":7:3)
  return %0 : !torch.int
}
func.func private @b(%x: !torch.int) -> !torch.int {
  // expected-error @unknown {{model.py:7: function 'b' calls itself}}
  %0 = call @b(%x) : (!torch.int) -> !torch.int loc("model.py":3:5)
  return %0 : !torch.int
}
