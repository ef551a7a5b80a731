#include "bridge.h"
#include "dtype.h"

#define NPY_NO_DEPRECATED_API NPY_1_25_API_VERSION
#define NPY_TARGET_VERSION NPY_1_25_API_VERSION
#include <numpy/arrayobject.h>

#include <cstring>

namespace refrt {
namespace {

int32_t dtypeOf(PyArray_Descr *descriptor, bool asBf16) {
  switch (descriptor->type_num) {
  case NPY_BOOL:
    return BOOL;
  case NPY_UINT8:
    return U8;
  case NPY_INT8:
    return I8;
  case NPY_INT16:
    return I16;
  case NPY_INT32:
    return I32;
  case NPY_INT64:
  case NPY_LONGLONG:
    return I64;
  case NPY_HALF:
    return F16;
  case NPY_FLOAT:
    return F32;
  case NPY_DOUBLE:
    return F64;
  case NPY_CFLOAT:
    return C64;
  case NPY_CDOUBLE:
    return C128;
  case NPY_UINT16:
    return asBf16 ? BF16 : U16;
  case NPY_UINT32:
    return U32;
  case NPY_UINT64:
  case NPY_ULONGLONG:
    return U64;
  }
  bool isBf16 = descriptor->typeobj && strcmp(descriptor->typeobj->tp_name, "bfloat16") == 0; // of ml_dtypes
  return isBf16 || strstr(descriptor->typeobj->tp_name, ".bfloat16") ? BF16 : -1;
}

int numpyType(int32_t dtype) {
  switch (dtype) {
  case BOOL:
    return NPY_BOOL;
  case U8:
    return NPY_UINT8;
  case I8:
    return NPY_INT8;
  case I16:
    return NPY_INT16;
  case I32:
    return NPY_INT32;
  case I64:
    return NPY_INT64;
  case F16:
    return NPY_HALF;
  case F32:
    return NPY_FLOAT;
  case F64:
    return NPY_DOUBLE;
  case C64:
    return NPY_CFLOAT;
  case C128:
    return NPY_CDOUBLE;
  case U32:
    return NPY_UINT32;
  case U64:
    return NPY_UINT64;
  }
  return NPY_UINT16;
}

/// What an array shows as its base: ends the tensor with the last array on it.
struct Memory {
  PyObject_HEAD refrt_tensor *tensor;
};

void endMemory(PyObject *self) {
  removeOwner(reinterpret_cast<Memory *>(self)->tensor);
  PyObject_Free(self);
}

PyTypeObject gMemoryType = [] {
  PyTypeObject type{};
  type.tp_name = "npcomp_refbackend._runtime.Memory";
  type.tp_doc = "Memory of a result.";
  type.tp_basicsize = sizeof(Memory);
  type.tp_flags = Py_TPFLAGS_DEFAULT;
  type.tp_dealloc = endMemory;
  return type;
}();

} // namespace

bool initNumpy() {
  gMemoryType.ob_base.ob_base.ob_refcnt = 1;
  return _import_array() >= 0 && PyType_Ready(&gMemoryType) >= 0;
}

Taken takeNumpy(PyObject *object, Incoming &in, bool asBf16) {
  if (!PyArray_Check(object))
    return Taken::No;
  PyArrayObject *array = reinterpret_cast<PyArrayObject *>(object);
  in.dtype = dtypeOf(PyArray_DESCR(array), asBf16);
  if (in.dtype < 0 || !PyArray_ISNOTSWAPPED(array)) {
    in.problem = "a numpy array of " + textOf(reinterpret_cast<PyObject *>(PyArray_DESCR(array))) +
                 ", which programs cannot take. do: convert it with .astype()";
    return Taken::Refused;
  }
  static_assert(sizeof(npy_intp) == sizeof(int64_t), "64-bit sizes");
  in.data = PyArray_DATA(array);
  in.rank = PyArray_NDIM(array);
  in.sizes = reinterpret_cast<const int64_t *>(PyArray_DIMS(array));
  in.strides = reinterpret_cast<const int64_t *>(PyArray_STRIDES(array));
  in.byteStrides = true;
  in.library = Library::Numpy;
  in.readOnly = !PyArray_ISWRITEABLE(array);
  return Taken::Yes;
}

PyObject *giveNumpy(refrt_tensor *t) {
  if (t->dtype == C32) {
    removeOwner(t);
    PyErr_SetString(PyExc_TypeError, "numpy has no complex numbers of half precision. do: call with torch tensors");
    return nullptr;
  }
  npy_intp strides[kMaxRank];
  for (int32_t d = 0; d < t->rank; ++d)
    strides[d] = stridesOf(t)[d] * elementSize(t->dtype);
  Memory *memory = PyObject_New(Memory, &gMemoryType);
  if (!memory) {
    removeOwner(t);
    return nullptr;
  }
  memory->tensor = t;
  PyObject *base = reinterpret_cast<PyObject *>(memory);
  PyObject *array =
      PyArray_NewFromDescr(&PyArray_Type, PyArray_DescrFromType(numpyType(t->dtype)), t->rank,
                           reinterpret_cast<npy_intp *>(sizesOf(t)), strides, t->data, NPY_ARRAY_WRITEABLE, nullptr);
  if (!array) {
    Py_DECREF(base);
    return nullptr;
  }
  if (PyArray_SetBaseObject(reinterpret_cast<PyArrayObject *>(array), base) < 0) { // takes over `base`
    Py_DECREF(array);
    return nullptr;
  }
  return array;
}

} // namespace refrt
