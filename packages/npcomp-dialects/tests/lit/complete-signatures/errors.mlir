// RUN: npcomp-opt %s -p complete-signatures --verify-diagnostics

// expected-error @below {{the signature of 'forward' has 2 places and the function 1}}
func.func @forward(%n: !torch.int) attributes {npcomp.signature = "{\"args\":[{\"kind\":\"int\"},{\"kind\":\"int\"}],\"returns\":{\"kind\":\"none\"}}"} {
  return
}
