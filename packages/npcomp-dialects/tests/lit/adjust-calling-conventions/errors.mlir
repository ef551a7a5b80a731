// RUN: npcomp-opt %s -p adjust-calling-conventions --verify-diagnostics --split-input-file

// expected-error @below {{argument 0 has the bound !torch.int, which is no tensor type}}
func.func @bound(%x: !torch.tensor {torch.type_bound = !torch.int}) {
  return
}

// -----

// expected-error @below {{argument 0 of type !torch.int is declared to be a tensor !torch.vtensor<[2],f32>}}
func.func @kind(%x: !torch.int {torch.type_bound = !torch.vtensor<[2],f32>}) {
  return
}

// -----

// expected-error @below {{the signature of 'count' lists 2 arguments and the function has 1}}
func.func @count(%x: !torch.int) attributes {npcomp.signature = "{\"args\":[{\"kind\":\"int\"},{\"kind\":\"int\"}],\"returns\":{\"kind\":\"none\"}}"} {
  return
}

// -----

// expected-error @below {{argument 'l' of 'list' is a list of unknown length}}
func.func @list(%t: !torch.tuple<int, int>, %l: !torch.list<int>) attributes {npcomp.signature = "{\"args\":[{\"kind\":\"tuple\",\"items\":[{\"kind\":\"int\"},{\"kind\":\"int\"}]},{\"name\":\"l\",\"kind\":\"list\"}],\"returns\":{\"kind\":\"none\"}}"} {
  return
}

// -----

// expected-error @below {{argument 't' has 1 items, its type is !torch.tuple<int, int>}}
func.func @tuple(%t: !torch.tuple<int, int>) attributes {npcomp.signature = "{\"args\":[{\"name\":\"t\",\"kind\":\"tuple\",\"items\":[{\"kind\":\"int\"}]}],\"returns\":{\"kind\":\"none\"}}"} {
  return
}

// -----

// expected-error @below {{argument 't' is a tuple, its type is !torch.int}}
func.func @wrong(%t: !torch.int) attributes {npcomp.signature = "{\"args\":[{\"name\":\"t\",\"kind\":\"tuple\",\"items\":[{\"kind\":\"int\"},{\"kind\":\"int\"}]}],\"returns\":{\"kind\":\"none\"}}"} {
  return
}

// -----

func.func @changed(%l: !torch.list<int>, %n: !torch.int) attributes {npcomp.signature = "{\"args\":[{\"name\":\"l\",\"kind\":\"list\",\"items\":[{\"kind\":\"int\"}]},{\"kind\":\"int\"}],\"returns\":{\"kind\":\"none\"}}"} {
  // expected-error @below {{aten.append.t changes argument 'l', a list of the caller}}
  %0 = torch.operator "aten.append.t"(%l, %n) : (!torch.list<int>, !torch.int) -> !torch.list<int>
  return
}
