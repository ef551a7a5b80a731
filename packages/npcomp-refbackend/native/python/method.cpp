#include "method.h"

#include "frame.h"
#include "torch_bridge.h"

#include <cstddef>
#include <structmember.h>
#include <x86intrin.h>

namespace refrt {
namespace {

struct MethodObject {
  PyObject_HEAD vectorcallfunc call;
  const Method *method;
  Signature *signature;
  std::shared_ptr<Instance> *instance;
  Library outputs; // None: those of the arguments
  bool isSlow;     // its last call took long enough to let other threads run meanwhile
};

/// Cycles (some 20 µs) from which giving the interpreter to other threads is worth its price.
constexpr uint64_t kSlowCycles = 60000;

bool refuseCall(const Signature &signature, const std::string &problem) {
  PyErr_Format(PyExc_TypeError, "%s(): %s. do: call %s", signature.name.c_str(), problem.c_str(),
               signature.text().c_str());
  return false;
}

/// Puts keyword arguments into their places.
bool placeKeywords(const Signature &signature, PyObject *const *values, PyObject *names, PyObject **given) {
  size_t total = signature.arguments.size();
  for (Py_ssize_t k = 0; k < PyTuple_GET_SIZE(names); ++k) {
    PyObject *name = PyTuple_GET_ITEM(names, k);
    size_t i = 0;
    while (i < total && signature.arguments[i].name.ptr() != name &&
           PyUnicode_Compare(signature.arguments[i].name.ptr(), name) != 0)
      ++i;
    if (i == total)
      return refuseCall(signature, std::string("there is no argument '") + PyUnicode_AsUTF8(name) + "'");
    if (given[i])
      return refuseCall(signature, std::string("argument '") + PyUnicode_AsUTF8(name) + "' is given twice");
    given[i] = values[k];
  }
  return true;
}

/// The value of every argument: positional, by keyword, or its default.
bool bind(const Signature &signature, PyObject *const *values, size_t positional, PyObject *names, PyObject **given) {
  size_t total = signature.arguments.size(), allowed = 0;
  while (allowed < total && !signature.arguments[allowed].keywordOnly)
    ++allowed;
  if (positional > allowed)
    return refuseCall(signature, std::to_string(positional) + " positional arguments are given and " +
                                     std::to_string(allowed) + " are declared");
  for (size_t i = 0; i < total; ++i)
    given[i] = i < positional ? values[i] : nullptr;
  if (names && !placeKeywords(signature, values + positional, names, given))
    return false;
  for (size_t i = positional; i < total; ++i) {
    if (given[i])
      continue;
    const Argument &argument = signature.arguments[i];
    if (!argument.fallback.is_valid())
      return refuseCall(signature, std::string("argument '") + argument.name.c_str() + "' is missing");
    given[i] = argument.fallback.ptr();
  }
  return true;
}

/// Takes the state of a program for one call at a time. Waits without the interpreter lock: whoever holds the state may
/// need it to go on.
class Exclusive {
public:
  explicit Exclusive(Instance &instance) : busy(instance.slots.empty() ? nullptr : &instance.busy) {
    if (!busy || busy->try_lock())
      return;
    PyThreadState *thread = PyEval_SaveThread();
    busy->lock();
    PyEval_RestoreThread(thread);
  }
  ~Exclusive() {
    if (busy)
      busy->unlock();
  }

private:
  std::recursive_mutex *busy;
};

bool execute(MethodObject *self, Frame &frame) {
  Instance &instance = **self->instance;
  const Method &method = *self->method;
  const uint8_t *isTensor = method.resultIsTensor.data();
  int64_t count = int64_t(method.resultIsTensor.size());
  Exclusive exclusive(instance);
  PyThreadState *thread = self->isSlow ? PyEval_SaveThread() : nullptr;
  uint64_t start = __rdtsc();
  bool fine = runEntry(frame.ctx, method.entry, frame.arguments.get(), frame.results.get(), isTensor, count);
  bool isSlow = __rdtsc() - start > kSlowCycles;
  if (thread)
    PyEval_RestoreThread(thread);
  self->isSlow = isSlow;
  instance.calls.store(instance.calls.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  if (fine)
    return true;
  instance.failures.fetch_add(1, std::memory_order_relaxed);
  return false;
}

/// Turns the failure of a call into the Python exception of that name.
void raise(const Failure &failure) {
  PyObject *builtins = PyEval_GetBuiltins();
  PyObject *type = builtins ? PyDict_GetItemString(builtins, failure.kind.c_str()) : nullptr;
  if (!type && failure.kind == "_LinAlgError") // of torch.linalg
    if (PyObject *torch = PyDict_GetItemString(PyImport_GetModuleDict(), "torch._C"))
      if (PyObject *names = PyModule_GetDict(torch))
        type = PyDict_GetItemString(names, "_LinAlgError");
  if (!type && failure.kind == "_LinAlgError")
    type = PyExc_RuntimeError;
  if (type && PyExceptionClass_Check(type))
    PyErr_SetString(type, failure.message.c_str());
  else
    PyErr_SetString(PyExc_RuntimeError, (failure.kind + ": " + failure.message).c_str());
}

PyObject *invoke(MethodObject *self, PyObject *const *values, size_t positional, PyObject *names) {
  const Signature &signature = *self->signature;
  Buffer<PyObject *, 16> given(signature.arguments.size());
  if (!bind(signature, values, positional, names, given.get()))
    return nullptr;
  Frame frame(self->instance->get(), signature);
  for (size_t i = 0; i < signature.arguments.size(); ++i)
    if (!loadArgument(frame, signature.arguments[i], given[i]))
      return nullptr;
  if (signature.writesAny && !checkTargets(frame))
    return nullptr;
  if (!execute(self, frame)) {
    raise(frame.ctx.failure);
    return nullptr;
  }
  if (signature.writesAny && !storeWrites(frame, *self->method)) {
    dropResults(frame);
    raise(frame.ctx.failure);
    return nullptr;
  }
  if (self->outputs != Library::None)
    frame.library = self->outputs;
  else if (frame.library == Library::None && torchIfLoaded())
    frame.library = Library::Torch;
  return buildResult(frame);
}

PyObject *methodCall(PyObject *self, PyObject *const *values, size_t flags, PyObject *names) {
  try {
    return invoke(reinterpret_cast<MethodObject *>(self), values, size_t(PyVectorcall_NARGS(flags)), names);
  } catch (nb::python_error &error) {
    error.restore();
  } catch (const std::bad_alloc &) {
    PyErr_NoMemory();
  } catch (const std::exception &error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

void methodEnd(PyObject *object) {
  auto *self = reinterpret_cast<MethodObject *>(object);
  PyTypeObject *type = Py_TYPE(object);
  delete self->signature;
  delete self->instance;
  type->tp_free(object);
  Py_DECREF(type);
}

PyObject *methodText(PyObject *object, void *) {
  return PyUnicode_FromString(reinterpret_cast<MethodObject *>(object)->signature->text().c_str());
}

PyObject *methodRepr(PyObject *object) {
  return PyUnicode_FromFormat("<npcomp method %s>",
                              reinterpret_cast<MethodObject *>(object)->signature->text().c_str());
}

PyObject *methodName(PyObject *object, void *) {
  return PyUnicode_FromString(reinterpret_cast<MethodObject *>(object)->method->name.c_str());
}

PyGetSetDef kProperties[] = {{"__name__", methodName, nullptr, "Name of the method.", nullptr},
                             {"signature", methodText, nullptr, "What the method takes and returns.", nullptr},
                             {nullptr, nullptr, nullptr, nullptr, nullptr}};
PyMemberDef kMembers[] = {{"__vectorcalloffset__", T_PYSSIZET, offsetof(MethodObject, call), READONLY, nullptr},
                          {nullptr, 0, 0, 0, nullptr}};
PyType_Slot kSlots[] = {{Py_tp_dealloc, reinterpret_cast<void *>(methodEnd)},
                        {Py_tp_call, reinterpret_cast<void *>(PyVectorcall_Call)},
                        {Py_tp_repr, reinterpret_cast<void *>(methodRepr)},
                        {Py_tp_getset, kProperties},
                        {Py_tp_members, kMembers},
                        {Py_tp_doc, const_cast<char *>("A method of a loaded program.")},
                        {0, nullptr}};
PyType_Spec kSpec = {"npcomp_refbackend._runtime.Method", sizeof(MethodObject), 0,
                     Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_DISALLOW_INSTANTIATION, kSlots};
PyTypeObject *gType = nullptr;

} // namespace

bool initMethods() {
  gType = reinterpret_cast<PyTypeObject *>(PyType_FromSpec(&kSpec));
  return gType != nullptr;
}

nb::object makeMethod(std::shared_ptr<Instance> instance, size_t number, const std::string &outputs) {
  const Method &method = instance->program->methods.at(number);
  auto signature = std::make_unique<Signature>(method.signature);
  auto *self = reinterpret_cast<MethodObject *>(gType->tp_alloc(gType, 0));
  if (!self)
    throw nb::python_error();
  self->call = methodCall;
  self->method = &method;
  self->signature = signature.release();
  self->instance = new std::shared_ptr<Instance>(std::move(instance));
  self->outputs = outputs == "torch" ? Library::Torch : outputs == "numpy" ? Library::Numpy : Library::None;
  self->isSlow = false;
  return nb::steal(reinterpret_cast<PyObject *>(self));
}

} // namespace refrt
