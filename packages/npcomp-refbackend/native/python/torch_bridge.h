// torch tensors as memory and back, through functions that libtorch exports in a process that imported torch already.
// Nothing of torch is needed to build this.
#pragma once

#include "bridge.h"

namespace refrt {

struct AtenTensor; // an at::Tensor of libtorch's stable C interface
using AtenHandle = AtenTensor *;

/// The functions and offsets found at run time.
struct Torch {
  PyTypeObject *tensorType, *parameterType;
  size_t implOffset; // of the pointer to the tensor's implementation in a torch.Tensor object
  size_t keysOffset; // of the set of dispatch keys in the implementation
  uint64_t plainKeys, neededKeys;

  int32_t (*getDtype)(AtenHandle, int32_t *);
  int32_t (*getDim)(AtenHandle, int64_t *);
  int32_t (*getSizes)(AtenHandle, int64_t **);
  int32_t (*getStrides)(AtenHandle, int64_t **);
  int32_t (*getStorageSize)(AtenHandle, int64_t *);
  int32_t (*getData)(AtenHandle, void **);
  int32_t (*newHandle)(AtenHandle, AtenHandle *);
  int32_t (*deleteHandle)(AtenHandle);
  int32_t (*fromBlob)(void *, int64_t, const int64_t *, const int64_t *, int64_t, int32_t, int32_t, int32_t,
                      AtenHandle *, int32_t, const uint8_t *, int64_t, void (*)(void *, void *), void *);
  PyObject *(*wrap)(AtenHandle); // THPVariable_Wrap(at::TensorBase &&): leaves an empty tensor behind
  int32_t (*callDispatcher)(const char *, const char *, uint64_t *, uint64_t);
  uint64_t (*abiVersion)();
  int32_t (*newList)(size_t, void **);
  int32_t (*listPush)(void *, uint64_t);
  int32_t (*listSize)(void *, size_t *);
  int32_t (*listItem)(void *, size_t, uint64_t *);
  int32_t (*deleteList)(void *);
  int32_t (*newString)(const char *, size_t, void **);
  int32_t (*newOptional)(uint64_t **);
  const char *(*lastError)();
};

/// Torch as this process imported it; null while it did not, and when this torch offers not all of the above.
const Torch *torchIfLoaded();
/// Why torchIfLoaded() is null although torch was imported; empty otherwise.
const std::string &torchProblem();
/// For tests: pretend that this torch does not offer its C functions.
void disableTorch(bool disable);

bool isTorchTensor(const Torch &torch, PyObject *object);
/// Whether a tensor is dense CPU memory and nothing else: no subclass with its own behaviour, no lazy negation.
bool isPlain(const Torch &torch, AtenHandle tensor);
/// `holder` receives a converted tensor that must outlive the use of `in`, where one was needed.
Taken takeTorch(const Torch &torch, PyObject *object, Incoming &in, nb::object &holder);
/// Whether eager torch would write to a tensor without recording that for gradients.
bool mayWriteTorch(PyObject *object);
/// Tells autograd that the contents of these tensors have changed.
void countWrites(const nb::list &tensors);
/// A torch.Tensor over the memory of `t`; takes over its owner. Null with a Python exception on failure.
PyObject *giveTorch(const Torch &torch, refrt_tensor *t);
/// The same as an at::Tensor of this dtype; null on failure.
AtenHandle giveAten(const Torch &torch, refrt_tensor *t, int32_t dtype);
/// The at::Tensor inside of a torch.Tensor.
AtenHandle atenOf(const Torch &torch, PyObject *tensor);

} // namespace refrt
