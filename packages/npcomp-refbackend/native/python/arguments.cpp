#include "frame.h"

#include "dtype.h"
#include "strided_copy.h"
#include "torch_bridge.h"
#include "write_back.h"

#include <cstring>

namespace refrt {
namespace {

/// The way to a value inside of an argument, for messages.
struct Where {
  const Argument &argument;
  const Where *parent;
  const Node *container;
  size_t index;

  std::string text() const {
    if (!parent)
      return "'" + std::string(argument.name.c_str()) + "'";
    std::string step = container->kind == Node::Dict ? nb::repr(container->keys[index]).c_str() : std::to_string(index);
    return parent->text() + "[" + step + "]";
  }
};

bool refuse(PyObject *type, Frame &frame, const Where &where, const std::string &problem) {
  std::string text = frame.signature.name + "(): argument " + where.text() + " is " + problem;
  PyErr_SetString(type, text.c_str());
  return false;
}

bool refuseTensor(PyObject *type, Frame &frame, const Where &where, const Node &node, const Incoming &in,
                  const std::string &problem) {
  return refuse(type, frame, where,
                describeIncoming(in) + " but " + frame.signature.describe(node) + " is declared: " + problem);
}

/// The memory of any object that has some.
Taken takeAny(Frame &frame, const Node &node, PyObject *object, Incoming &in) {
  nb::object holder;
  const Torch *torch = torchIfLoaded();
  Taken taken = torch && isTorchTensor(*torch, object) ? takeTorch(*torch, object, in, holder)
                                                       : takeNumpy(object, in, node.dtype == BF16);
  if (taken == Taken::No && PyObject_HasAttrString(object, "__dlpack__")) {
    bool isTorch = !torchProblem().empty() && PyObject_HasAttrString(object, "detach");
    nb::object source = isTorch ? nb::handle(object).attr("detach")() : nb::borrow(object);
    taken = takeDlpack(source.ptr(), in, holder);
    if (isTorch)
      in.library = Library::Torch;
  }
  if (holder.is_valid())
    frame.hold(std::move(holder));
  return taken;
}

bool checkSizes(Frame &frame, const Where &where, const Node &node, const Incoming &in) {
  for (size_t d = 0; d < node.dims.size(); ++d) {
    const Dim &dim = node.dims[d];
    int64_t size = in.sizes[d];
    if (dim.size >= 0 && size != dim.size)
      return refuseTensor(PyExc_ValueError, frame, where, node, in,
                          "dimension " + std::to_string(d) + " is " + std::to_string(size) + ", must be " +
                              std::to_string(dim.size) +
                              ". do: pass that size, or compile with this dimension dynamic");
    if (dim.named < 0)
      continue;
    size_t name = size_t(dim.named);
    if (frame.sizes[name] < 0) {
      frame.sizes[name] = size;
      frame.sizesFrom[name] = &where.argument;
    } else if (frame.sizes[name] != size) {
      return refuseTensor(PyExc_ValueError, frame, where, node, in,
                          "dimension " + std::to_string(d) + " is " + std::to_string(size) + ", but '" +
                              frame.signature.sizeNames[name] + "' is " + std::to_string(frame.sizes[name]) +
                              " in argument '" + frame.sizesFrom[name]->name.c_str() + "'. do: pass tensors whose '" +
                              frame.signature.sizeNames[name] + "' agrees");
    }
  }
  return true;
}

/// Whether kernels can read the memory as it is: row-major, aligned to its elements.
bool isReady(const Incoming &in, int64_t numel, int64_t elementBytes) {
  if (numel == 0)
    return true;
  if (reinterpret_cast<uintptr_t>(in.data) & uintptr_t(elementBytes - 1))
    return false;
  if (!in.strides)
    return true;
  int64_t expected = in.byteStrides ? elementBytes : 1;
  for (int64_t d = in.rank - 1; d >= 0; --d) {
    if (in.sizes[d] != 1 && in.strides[d] != expected)
      return false;
    expected *= in.sizes[d];
  }
  return true;
}

/// A dense copy that ends with the call.
refrt_tensor *copyIn(Frame &frame, const Incoming &in, int64_t numel, int64_t elementBytes) {
  refrt_tensor *t = newHeapTensor(in.dtype, in.rank, in.sizes, numel);
  if (!t) {
    PyErr_NoMemory();
    return nullptr;
  }
  link(&frame.ctx, t);
  int64_t strides[kMaxRank];
  for (int64_t d = 0; d < in.rank; ++d)
    strides[d] = (in.strides ? in.strides[d] : stridesOf(t)[d]) * (in.strides && in.byteStrides ? 1 : elementBytes);
  stridedCopy(t->data, in.data, elementBytes, in.rank, in.sizes, strides);
  return t;
}

/// Remembers the caller's tensor where the program writes or returns arguments. False: it must not be written.
bool keepObject(Frame &frame, const Where &where, const Node &node, PyObject *object, const Incoming &in,
                int64_t elementBytes) {
  frame.objects[frame.used] = object;
  if (!frame.signature.writesAny)
    return true;
  Region region{static_cast<char *>(in.data),     elementBytes, in.rank, in.sizes, in.strides,
                in.byteStrides ? 1 : elementBytes};
  frame.regions[frame.used] = region;
  if (node.writes == Node::Never)
    return true;
  if (in.readOnly)
    return refuse(PyExc_ValueError, frame, where,
                  describeIncoming(in) +
                      " and read-only, but the program writes to it. do: pass a copy that may change");
  if (repeatsElements(region))
    return refuse(PyExc_RuntimeError, frame, where,
                  describeIncoming(in) + " in memory where more than one element of the written-to tensor refers to a "
                                         "single location. do: clone() the tensor before the call");
  if (node.writes == Node::Unguarded || in.library != Library::Torch || mayWriteTorch(object))
    return true;
  bool isLeaf = nb::cast<bool>(nb::handle(object).attr("is_leaf"));
  return refuse(PyExc_RuntimeError, frame, where,
                isLeaf
                    ? "a leaf Variable that requires grad and is being used in an in-place operation. do: call under "
                      "torch.no_grad(), or pass it detached"
                    : "a tensor that records gradients, and the program writes to it without recording. do: call "
                      "under torch.no_grad(), or pass it detached");
}

bool loadTensor(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  Incoming in;
  Taken taken = takeAny(frame, node, object, in);
  if (taken == Taken::Failed)
    return false;
  if (taken == Taken::Refused)
    return refuse(PyExc_TypeError, frame, where, in.problem);
  if (taken == Taken::No)
    return refuse(PyExc_TypeError, frame, where,
                  "a " + typeNameOf(object) + " but " + frame.signature.describe(node) +
                      " is declared. do: pass a torch tensor or a numpy array");
  if (in.dtype != node.dtype)
    return refuseTensor(
        PyExc_TypeError, frame, where, node, in,
        "the dtype is " + dtypeName(in.dtype) + ", must be " + dtypeName(node.dtype) +
            (in.library == Library::Torch ? ". do: convert it with .to()" : ". do: convert it with .astype()"));
  if (in.rank != int64_t(node.dims.size()))
    return refuseTensor(PyExc_ValueError, frame, where, node, in,
                        "it has " + std::to_string(in.rank) + " dimensions, must have " +
                            std::to_string(node.dims.size()) + ". do: reshape it");
  if (!checkSizes(frame, where, node, in))
    return false;
  int64_t numel = countElements(in.rank, in.sizes), bytes = elementSize(in.dtype);
  refrt_tensor *t;
  if (isReady(in, numel, bytes)) {
    char *start = frame.handles.get();
    size_t room = -reinterpret_cast<uintptr_t>(start) & 63;
    t = placeArgument(start + room + frame.handleBytes, in.dtype, in.rank, in.sizes, numel, in.data);
    frame.handleBytes += sizeof(Prefix) + headerBytes(in.rank);
  } else if (!(t = copyIn(frame, in, numel, bytes))) {
    return false;
  }
  if (frame.library == Library::None) {
    frame.library = in.library;
    frame.firstTensor = object;
  }
  if (frame.signature.keepsObjects && !keepObject(frame, where, node, object, in, bytes))
    return false;
  frame.arguments[frame.used++] = reinterpret_cast<int64_t>(t);
  return true;
}

bool wrongType(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  std::string declared = frame.signature.describe(node);
  return refuse(PyExc_TypeError, frame, where,
                "a " + typeNameOf(object) + " but " + declared + " is declared. do: pass a value of that type");
}

bool loadInt(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  if (!PyIndex_Check(object))
    return wrongType(frame, where, node, object);
  nb::object number = nb::steal(PyNumber_Index(object));
  if (!number.is_valid())
    return false;
  int overflow;
  long long value = PyLong_AsLongLongAndOverflow(number.ptr(), &overflow);
  if (overflow)
    return refuse(PyExc_OverflowError, frame, where, std::string(nb::repr(number).c_str()) + ", which exceeds 64 bits");
  frame.arguments[frame.used++] = value;
  return true;
}

bool loadFloat(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  PyNumberMethods *methods = Py_TYPE(object)->tp_as_number;
  if (!PyFloat_Check(object) && !(methods && (methods->nb_float || methods->nb_index)))
    return wrongType(frame, where, node, object);
  double value = PyFloat_AsDouble(object);
  if (value == -1.0 && PyErr_Occurred())
    return false;
  memcpy(&frame.arguments[frame.used++], &value, sizeof value);
  return true;
}

bool loadBool(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  bool known = PyBool_Check(object) || strncmp(Py_TYPE(object)->tp_name, "numpy.bool", 10) == 0;
  if (!known)
    return wrongType(frame, where, node, object);
  frame.arguments[frame.used++] = PyObject_IsTrue(object);
  return true;
}

bool loadConstant(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  int same = PyObject_RichCompareBool(object, node.value.ptr(), Py_EQ);
  if (same == 0 && PyFloat_Check(object) && PyFloat_Check(node.value.ptr()))
    same = PyFloat_AS_DOUBLE(object) != PyFloat_AS_DOUBLE(object) &&
           PyFloat_AS_DOUBLE(node.value.ptr()) != PyFloat_AS_DOUBLE(node.value.ptr()); // NaN
  if (same == 0 && PyUnicode_Check(node.value.ptr()) && strncmp(Py_TYPE(object)->tp_name, "torch.", 6) == 0)
    same = PyObject_RichCompareBool(nb::str(nb::handle(object)).ptr(), node.value.ptr(), Py_EQ); // torch came later
  if (same > 0)
    return true;
  if (same < 0)
    return false;
  return refuse(PyExc_ValueError, frame, where,
                std::string(nb::repr(nb::handle(object)).c_str()) + " but the program was compiled for " +
                    frame.signature.describe(node) + ". do: compile it for this value");
}

bool loadValue(Frame &frame, const Where &where, const Node &node, PyObject *object);

/// Keeps the item until the call ends: another thread or a __dlpack__ method may change the container meanwhile.
bool loadItem(Frame &frame, const Where &where, const Node &node, PyObject *item) {
  frame.hold(nb::borrow(item));
  return loadValue(frame, where, node, item);
}

bool loadSequence(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  bool known = PyTuple_Check(object) || (PyList_Check(object) && node.kind != Node::NamedTuple);
  if (!known)
    return wrongType(frame, where, node, object);
  if (size_t(PySequence_Fast_GET_SIZE(object)) != node.items.size())
    return refuse(PyExc_ValueError, frame, where,
                  "a " + typeNameOf(object) + " of " + std::to_string(PySequence_Fast_GET_SIZE(object)) +
                      " items but " + frame.signature.describe(node) + " is declared. do: pass as many items");
  for (size_t i = 0; i < node.items.size(); ++i) {
    if (size_t(PySequence_Fast_GET_SIZE(object)) <= i)
      return refuse(PyExc_RuntimeError, frame, where, "a list that changed while it was read");
    if (!loadItem(frame, Where{where.argument, &where, &node, i}, node.items[i],
                  PySequence_Fast_GET_ITEM(object, Py_ssize_t(i))))
      return false;
  }
  return true;
}

bool loadDict(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  if (!PyDict_Check(object))
    return wrongType(frame, where, node, object);
  if (size_t(PyDict_Size(object)) != node.items.size())
    return refuse(PyExc_ValueError, frame, where,
                  "a dict of " + std::to_string(PyDict_Size(object)) + " items but " + frame.signature.describe(node) +
                      " is declared. do: pass exactly these keys");
  for (size_t i = 0; i < node.items.size(); ++i) {
    PyObject *item = PyDict_GetItemWithError(object, nb::object(node.keys[i]).ptr());
    if (!item)
      return !PyErr_Occurred() && refuse(PyExc_ValueError, frame, where,
                                         std::string("a dict without key ") + nb::repr(node.keys[i]).c_str() +
                                             ". do: pass exactly the keys of " + frame.signature.describe(node));
    if (!loadItem(frame, Where{where.argument, &where, &node, i}, node.items[i], item))
      return false;
  }
  return true;
}

bool loadValue(Frame &frame, const Where &where, const Node &node, PyObject *object) {
  switch (node.kind) {
  case Node::Tensor:
    return loadTensor(frame, where, node, object);
  case Node::Int:
    return loadInt(frame, where, node, object);
  case Node::Float:
    return loadFloat(frame, where, node, object);
  case Node::Bool:
    return loadBool(frame, where, node, object);
  case Node::None:
    return object == Py_None || wrongType(frame, where, node, object);
  case Node::Const:
    return loadConstant(frame, where, node, object);
  case Node::List:
  case Node::Tuple:
  case Node::NamedTuple:
    return loadSequence(frame, where, node, object);
  case Node::Dict:
    return loadDict(frame, where, node, object);
  }
  return false;
}

} // namespace

bool checkTargets(Frame &frame) {
  const Signature &signature = frame.signature;
  Overlap found;
  if (!findOverlap(frame.regions.get(), signature.writes.data(), frame.used, found))
    return true;
  PyErr_Format(PyExc_ValueError,
               "%s(): argument %s shares memory with argument %s, and the program writes to it. do: clone one of them "
               "before the call",
               signature.name.c_str(), signature.slotText(found.written).c_str(),
               signature.slotText(found.other).c_str());
  return false;
}

bool storeWrites(Frame &frame, const Method &method) {
  Buffer<Region, 4> targets(method.written.size());
  nb::object changed;
  for (size_t w = 0; w < method.written.size(); ++w) {
    size_t slot = method.written[w];
    targets[w] = frame.regions[slot];
    bool isSame = frame.results[method.returned + w] == frame.arguments[slot];
    const Torch *torch = isSame ? nullptr : torchIfLoaded();
    if (!torch || !isTorchTensor(*torch, frame.objects[slot]))
      continue;
    if (!changed.is_valid())
      changed = nb::list();
    nb::cast<nb::list>(changed).append(nb::handle(frame.objects[slot]));
  }
  if (!writeBack(method, frame.arguments.get(), targets.get(), frame.results.get(), frame.ctx.failure))
    return false;
  if (changed.is_valid())
    countWrites(nb::cast<nb::list>(changed));
  return true;
}

bool loadArgument(Frame &frame, const Argument &argument, PyObject *value) {
  return loadValue(frame, Where{argument, nullptr, nullptr, 0}, argument.node, value);
}

} // namespace refrt
