// What every array library offers the call path: its tensors as memory, and memory as its tensors.
#pragma once

#include "tensor.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <string>

namespace refrt {

namespace nb = nanobind;

/// Who made the tensors of a call, and so gets the results.
enum class Library { None, Numpy, Torch, Other };

/// A caller's tensor. `byteStrides` says the unit of `strides`; null strides mean dense. `problem` says why an object
/// cannot be taken, as the end of a sentence that begins with "is".
struct Incoming {
  void *data;
  int32_t dtype;
  int64_t rank;
  const int64_t *sizes, *strides;
  bool byteStrides;
  Library library;
  std::string problem;
  bool readOnly = false; // programs must not write to it
};

/// What came of asking a library for the memory of an object.
enum class Taken {
  Yes,
  No,      // not an object of this library
  Refused, // one that programs cannot take; `problem` says why
  Failed,  // a Python exception is set
};

/// numpy arrays. bf16 arrays do not exist in numpy: where bf16 is declared, uint16 arrays hold its bits.
bool initNumpy(); // false: a Python exception is set
Taken takeNumpy(PyObject *object, Incoming &in, bool asBf16);
PyObject *giveNumpy(refrt_tensor *t); // takes over the owner of `t`

/// Anything with __dlpack__. `holder` receives what keeps the memory alive; it must outlive the use of `in`.
Taken takeDlpack(PyObject *object, Incoming &in, nb::object &holder);

/// "f32[3, 100]"
std::string describeIncoming(const Incoming &in);
/// str(object)
std::string textOf(nb::handle object);
/// "Tensor" with its module where that helps: "torch.Tensor", "int".
std::string typeNameOf(PyObject *object);

} // namespace refrt
