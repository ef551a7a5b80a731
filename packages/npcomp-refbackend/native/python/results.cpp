#include "frame.h"

#include "dtype.h"
#include "torch_bridge.h"

#include <cstring>

namespace refrt {
namespace {

struct Reader {
  Frame &frame;
  size_t next = 0;
};

/// A result as a tensor of the library that `giveNumpy` arrays can be handed to.
PyObject *giveThroughDlpack(nb::handle library, refrt_tensor *t) {
  nb::object array = nb::steal(giveNumpy(t));
  if (!array.is_valid())
    return nullptr;
  return library.attr("from_dlpack")(array).release().ptr();
}

PyObject *giveTensor(Frame &frame, refrt_tensor *t) {
  if (frame.library == Library::Torch) {
    if (const Torch *torch = torchIfLoaded())
      return giveTorch(*torch, t);
    nb::object module = nb::module_::import_("torch");
    bool isBf16 = t->dtype == BF16;
    nb::object result = nb::steal(giveThroughDlpack(module, t));
    return (isBf16 ? result.attr("view")(module.attr("bfloat16")) : result).release().ptr();
  }
  if (frame.library == Library::Other && PyObject_HasAttrString(frame.firstTensor, "__array_namespace__"))
    return giveThroughDlpack(nb::handle(frame.firstTensor).attr("__array_namespace__")(), t);
  return giveNumpy(t);
}

/// Whether an argument is a tensor of the library that results go to, so that it may be returned itself.
bool isOwn(Frame &frame, int64_t slot) {
  PyObject *object = frame.objects[size_t(slot)];
  if (frame.library == Library::Numpy)
    return PyObject_HasAttrString(object, "__array_interface__");
  if (frame.library == Library::Other)
    return object == frame.firstTensor;
  const Torch *torch = torchIfLoaded();
  return torch ? isTorchTensor(*torch, object) : PyObject_HasAttrString(object, "requires_grad");
}

PyObject *build(Reader &reader, const Node &node);

bool fill(Reader &reader, const Node &node, PyObject *tuple) {
  for (size_t i = 0; i < node.items.size(); ++i) {
    PyObject *item = build(reader, node.items[i]);
    if (!item)
      return false;
    if (PyList_Check(tuple))
      PyList_SET_ITEM(tuple, Py_ssize_t(i), item);
    else
      PyTuple_SET_ITEM(tuple, Py_ssize_t(i), item);
  }
  return true;
}

PyObject *buildContainer(Reader &reader, const Node &node) {
  Py_ssize_t size = Py_ssize_t(node.items.size());
  nb::object items = nb::steal(node.kind == Node::List ? PyList_New(size) : PyTuple_New(size));
  if (!items.is_valid() || !fill(reader, node, items.ptr()))
    return nullptr;
  if (node.kind == Node::NamedTuple)
    return PyObject_HasAttrString(node.type.ptr(), "_make")
               ? PyObject_CallMethod(node.type.ptr(), "_make", "(O)", items.ptr())
               : PyObject_CallOneArg(node.type.ptr(), items.ptr()); // torch.return_types
  if (node.kind != Node::Dict)
    return items.release().ptr();
  nb::object dict = nb::steal(PyDict_New());
  for (size_t i = 0; dict.is_valid() && i < node.items.size(); ++i)
    if (PyDict_SetItem(dict.ptr(), nb::object(node.keys[i]).ptr(), PyTuple_GET_ITEM(items.ptr(), Py_ssize_t(i))) < 0)
      return nullptr;
  return dict.release().ptr();
}

PyObject *build(Reader &reader, const Node &node) {
  if (node.kind >= Node::List)
    return buildContainer(reader, node);
  if (node.kind == Node::None)
    Py_RETURN_NONE;
  if (node.kind == Node::Const)
    return Py_NewRef(node.value.ptr());
  int64_t slot = reader.frame.results[reader.next];
  reader.frame.results[reader.next++] = 0;
  if (node.kind == Node::Int)
    return PyLong_FromLongLong(slot);
  if (node.kind == Node::Bool)
    return PyBool_FromLong(slot & 1);
  if (node.kind == Node::Float) {
    double value;
    memcpy(&value, &slot, sizeof value);
    return PyFloat_FromDouble(value);
  }
  if (node.alias >= 0 && isOwn(reader.frame, node.alias)) {
    removeOwner(reinterpret_cast<refrt_tensor *>(slot));
    return Py_NewRef(reader.frame.objects[size_t(node.alias)]);
  }
  refrt_tensor *t = takeExclusive(reinterpret_cast<refrt_tensor *>(slot));
  if (!t)
    return PyErr_NoMemory();
  if (node.dtype == U8 && t->dtype == I8) // compiled code has one 8-bit integer type; the signature knows which it is
    t->dtype = U8;
  return giveTensor(reader.frame, t);
}

void dropRest(const Node &node, Reader &reader) {
  if (node.kind <= Node::Bool) {
    int64_t slot = reader.frame.results[reader.next++];
    if (node.kind == Node::Tensor && slot)
      removeOwner(reinterpret_cast<refrt_tensor *>(slot));
  }
  for (const Node &item : node.items)
    dropRest(item, reader);
}

} // namespace

PyObject *buildResult(Frame &frame) {
  const Node &node = frame.signature.returns;
  Reader reader{frame};
  PyObject *result = nullptr;
  try {
    result = build(reader, node);
  } catch (nb::python_error &error) {
    error.restore();
  }
  if (!result)
    dropResults(frame);
  return result;
}

void dropResults(Frame &frame) {
  Reader reader{frame};
  dropRest(frame.signature.returns, reader);
}

} // namespace refrt
