// Memory of any library that speaks DLPack (https://dmlc.github.io/dlpack).
#include "bridge.h"
#include "dtype.h"

#include <cstring>

namespace refrt {
namespace {

struct Device {
  int32_t type, id;
};
struct DataType {
  uint8_t code, bits;
  uint16_t lanes;
};
struct Tensor {
  void *data;
  Device device;
  int32_t rank;
  DataType dtype;
  int64_t *sizes, *strides;
  uint64_t byteOffset;
};
struct VersionedTensor {
  uint32_t major, minor;
  void *context;
  void (*deleter)(VersionedTensor *);
  uint64_t flags;
  Tensor tensor;
};

constexpr int32_t kCpu = 1;

int32_t dtypeOf(DataType type) {
  enum { Int = 0, Unsigned = 1, Float = 2, Bfloat = 4, Complex = 5, Bool = 6 };
  if (type.lanes != 1)
    return -1;
  switch (type.code << 8 | type.bits) {
  case Bool << 8 | 8:
    return BOOL;
  case Unsigned << 8 | 8:
    return U8;
  case Int << 8 | 8:
    return I8;
  case Int << 8 | 16:
    return I16;
  case Int << 8 | 32:
    return I32;
  case Int << 8 | 64:
    return I64;
  case Float << 8 | 16:
    return F16;
  case Float << 8 | 32:
    return F32;
  case Float << 8 | 64:
    return F64;
  case Complex << 8 | 64:
    return C64;
  case Complex << 8 | 128:
    return C128;
  case Bfloat << 8 | 16:
    return BF16;
  }
  return -1;
}

} // namespace

Taken takeDlpack(PyObject *object, Incoming &in, nb::object &holder) {
  PyObject *capsule = PyObject_CallMethod(object, "__dlpack__", nullptr);
  if (!capsule)
    return Taken::Failed;
  holder = nb::steal(capsule); // not consumed: the capsule gives the memory back when it ends
  Tensor *tensor = nullptr;
  if (PyCapsule_IsValid(capsule, "dltensor"))
    tensor = static_cast<Tensor *>(PyCapsule_GetPointer(capsule, "dltensor"));
  else if (PyCapsule_IsValid(capsule, "dltensor_versioned"))
    tensor = &static_cast<VersionedTensor *>(PyCapsule_GetPointer(capsule, "dltensor_versioned"))->tensor;
  if (!tensor) {
    in.problem = "an object whose __dlpack__() does not return a DLPack capsule";
    return Taken::Refused;
  }
  if (tensor->device.type != kCpu) {
    in.problem = "a tensor on DLPack device type " + std::to_string(tensor->device.type) +
                 ", and programs run on the CPU. do: move it there";
    return Taken::Refused;
  }
  in.dtype = dtypeOf(tensor->dtype);
  if (in.dtype < 0) {
    in.problem = "a tensor of DLPack type code " + std::to_string(tensor->dtype.code) + " with " +
                 std::to_string(tensor->dtype.bits) + " bits, which programs cannot take";
    return Taken::Refused;
  }
  in.data = static_cast<char *>(tensor->data) + tensor->byteOffset;
  in.rank = tensor->rank;
  in.sizes = tensor->sizes;
  in.strides = tensor->strides;
  in.byteStrides = false;
  in.library = Library::Other;
  in.readOnly = true; // the protocol does not say
  return Taken::Yes;
}

std::string describeIncoming(const Incoming &in) {
  std::string text = dtypeName(in.dtype) + "[";
  for (int64_t d = 0; d < in.rank; ++d)
    text += (d ? ", " : "") + std::to_string(in.sizes[d]);
  return text + "]";
}

std::string textOf(nb::handle object) { return nb::cast<std::string>(nb::str(object)); }

std::string typeNameOf(PyObject *object) {
  nb::handle type(reinterpret_cast<PyObject *>(Py_TYPE(object)));
  std::string module = nb::cast<std::string>(type.attr("__module__")),
              name = nb::cast<std::string>(type.attr("__name__"));
  return module == "builtins" ? name : module + "." + name;
}

} // namespace refrt
