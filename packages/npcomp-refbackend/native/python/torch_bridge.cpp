#include "torch_bridge.h"

#include "dtype.h"

#include <cstring>
#include <dlfcn.h>
#include <link.h>
#include <thread>
#include <vector>

namespace refrt {
namespace {

Torch gTorch;
enum State { Unknown, Ready, Unusable } gState = Unknown;
bool gDisabled = false;
std::string gProblem;
const std::string kDisabled = "switched off", kNone;

struct LoadedLibrary {
  const char *name;
  void *handle;
};

int openIfNamed(dl_phdr_info *info, size_t, void *data) {
  auto *library = static_cast<LoadedLibrary *>(data);
  const char *base = info->dlpi_name ? strrchr(info->dlpi_name, '/') : nullptr;
  if (!base || strcmp(base + 1, library->name) != 0)
    return 0;
  library->handle = dlopen(info->dlpi_name, RTLD_NOLOAD | RTLD_LAZY);
  return 1;
}

/// A library that this process has loaded already.
void *loadedLibrary(const char *name) {
  LoadedLibrary library{name, nullptr};
  dl_iterate_phdr(openIfNamed, &library);
  return library.handle;
}

template <typename F> void find(F &function, void *library, const char *name) {
  void *symbol = library ? dlsym(library, name) : nullptr;
  if (!symbol && gProblem.empty())
    gProblem = std::string("this torch does not export ") + name;
  function = reinterpret_cast<F>(symbol);
}

void findFunctions() {
  void *cpu = loadedLibrary("libtorch_cpu.so"), *python = loadedLibrary("libtorch_python.so");
  find(gTorch.getDtype, cpu, "aoti_torch_get_dtype");
  find(gTorch.getDim, cpu, "aoti_torch_get_dim");
  find(gTorch.getSizes, cpu, "aoti_torch_get_sizes");
  find(gTorch.getStrides, cpu, "aoti_torch_get_strides");
  find(gTorch.getStorageSize, cpu, "aoti_torch_get_storage_size");
  find(gTorch.getData, cpu, "aoti_torch_get_data_ptr");
  find(gTorch.newHandle, cpu, "aoti_torch_new_tensor_handle");
  find(gTorch.deleteHandle, cpu, "aoti_torch_delete_tensor_object");
  find(gTorch.fromBlob, cpu, "torch_from_blob");
  find(gTorch.wrap, python, "_Z16THPVariable_WrapON2at10TensorBaseE");
  find(gTorch.callDispatcher, cpu, "torch_call_dispatcher");
  find(gTorch.abiVersion, cpu, "aoti_torch_abi_version");
  find(gTorch.newList, cpu, "torch_new_list_reserve_size");
  find(gTorch.listPush, cpu, "torch_list_push_back");
  find(gTorch.listSize, cpu, "torch_list_size");
  find(gTorch.listItem, cpu, "torch_list_get_item");
  find(gTorch.deleteList, cpu, "torch_delete_list");
  find(gTorch.newString, cpu, "torch_new_string_handle");
  find(gTorch.newOptional, cpu, "torch_new_stable_ivalue");
  find(gTorch.lastError, cpu, "torch_exception_get_what_without_backtrace");
}

inline uint64_t wordAt(const void *base, size_t offset) {
  uint64_t word;
  memcpy(&word, static_cast<const char *>(base) + offset, sizeof word);
  return word;
}

void *implOf(PyObject *tensor) { return reinterpret_cast<void *>(wordAt(tensor, gTorch.implOffset)); }

/// The only offset below `end` where every object holds its own value.
bool findOffset(const std::vector<std::pair<const void *, uint64_t>> &samples, size_t begin, size_t end,
                size_t &offset) {
  int found = 0;
  for (size_t at = begin; at + 8 <= end; at += 8) {
    bool all = true;
    for (const auto &[object, value] : samples)
      all &= wordAt(object, at) == value;
    if (all && ++found)
      offset = at;
  }
  return found == 1;
}

uint64_t keysOf(nb::handle module, nb::handle tensor) {
  return nb::cast<uint64_t>(module.attr("_C").attr("_dispatch_keys")(tensor).attr("raw_repr")());
}

/// Learns the layout of this torch's objects from samples.
bool probe(nb::handle module) {
  nb::object empty = module.attr("empty"), bits = module.attr("int8");
  nb::object plain = empty(3), other = empty(2, nb::arg("dtype") = bits), meta = empty(1, nb::arg("device") = "meta");
  nb::object inference = module.attr("inference_mode")(), fast;
  inference.attr("__enter__")();
  fast = empty(1);
  inference.attr("__exit__")(nb::none(), nb::none(), nb::none());

  std::vector<std::pair<const void *, uint64_t>> objects, implementations;
  for (const nb::object &tensor : {plain, other, meta, fast})
    objects.emplace_back(tensor.ptr(), nb::cast<uint64_t>(tensor.attr("_cdata")));
  if (!findOffset(objects, sizeof(PyObject), size_t(gTorch.tensorType->tp_basicsize), gTorch.implOffset))
    return false;
  for (const nb::object &tensor : {plain, other, meta, fast})
    implementations.emplace_back(implOf(tensor.ptr()), keysOf(module, tensor));
  // 192 bytes: the least that any implementation has, by the size of what a tensor must hold.
  if (!findOffset(implementations, 8, 192, gTorch.keysOffset))
    return false;
  gTorch.plainKeys = keysOf(module, plain);
  gTorch.neededKeys = keysOf(module, fast);
  return true;
}

/// Whether what was found describes a tensor as torch itself does.
bool selfTest(nb::handle module) {
  nb::object x = module.attr("arange")(12).attr("view")(3, 4).attr("t")().attr("narrow")(0, 1, 2);
  AtenHandle handle = atenOf(gTorch, x.ptr());
  int32_t dtype = -1;
  int64_t rank = -1, *sizes = nullptr, *strides = nullptr;
  void *data = nullptr;
  bool fine = !gTorch.getDtype(handle, &dtype) && !gTorch.getDim(handle, &rank) && !gTorch.getSizes(handle, &sizes) &&
              !gTorch.getStrides(handle, &strides) && !gTorch.getData(handle, &data);
  return fine && dtype == I64 && rank == 2 && sizes[0] == 2 && sizes[1] == 3 && strides[0] == 1 && strides[1] == 4 &&
         reinterpret_cast<uint64_t>(data) == nb::cast<uint64_t>(x.attr("data_ptr")());
}

void attach(nb::handle module) {
  findFunctions();
  gTorch.tensorType = reinterpret_cast<PyTypeObject *>(module.attr("Tensor").ptr());
  gTorch.parameterType = reinterpret_cast<PyTypeObject *>(module.attr("nn").attr("Parameter").ptr());
  Py_INCREF(gTorch.tensorType);
  Py_INCREF(gTorch.parameterType);
  if (gProblem.empty() && (!probe(module) || !selfTest(module)))
    gProblem = "this torch lays out tensors in an unknown way";
  gState = gProblem.empty() ? Ready : Unusable;
}

void tryToAttach(nb::handle module) {
  nb::gil_scoped_acquire lock;
  try {
    attach(module);
  } catch (const std::exception &problem) {
    gProblem = std::string("looking into torch failed: ") + problem.what();
    gState = Unusable;
  }
}

/// Tries once torch is there and fully imported. In a thread of its own: inference mode, fake tensors, vmap and default
/// devices are settings of a thread, and samples made under the caller's would not show how plain tensors look.
void attachInThread() {
  PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "torch");
  if (!module || !PyObject_HasAttrString(module, "inference_mode") || !PyObject_HasAttrString(module, "nn"))
    return;
  nb::object kept = nb::borrow(module);
  nb::gil_scoped_release unlock;
  std::thread(tryToAttach, nb::handle(module)).join();
}

void endBlob(void *, void *context) { removeOwner(static_cast<refrt_tensor *>(context)); }

std::string refuseReason(nb::handle object) {
  std::string device = textOf(nb::object(object.attr("device")));
  if (device != "cpu" && device.rfind("cpu:", 0) != 0)
    return "on device " + device + ", and programs run on the CPU. do: pass .cpu()";
  std::string layout = textOf(nb::object(object.attr("layout")));
  if (layout != "torch.strided")
    return "of layout " + layout + ", and programs take strided tensors. do: pass .to_dense()";
  return "a " + typeNameOf(object.ptr()) + " without plain memory. do: pass a plain torch.Tensor";
}

} // namespace

const Torch *torchIfLoaded() {
  if (gState == Unknown)
    attachInThread();
  return gState == Ready && !gDisabled ? &gTorch : nullptr;
}

const std::string &torchProblem() { return gDisabled ? kDisabled : gState == Unusable ? gProblem : kNone; }

void disableTorch(bool disable) { gDisabled = disable; }

bool isTorchTensor(const Torch &torch, PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  return type == torch.tensorType || type == torch.parameterType || PyType_IsSubtype(type, torch.tensorType);
}

AtenHandle atenOf(const Torch &torch, PyObject *tensor) {
  return reinterpret_cast<AtenHandle>(reinterpret_cast<char *>(tensor) + torch.implOffset);
}

bool isPlain(const Torch &torch, AtenHandle tensor) {
  uint64_t keys = wordAt(reinterpret_cast<void *>(wordAt(tensor, 0)), torch.keysOffset);
  return !(keys & ~torch.plainKeys) && (keys & torch.neededKeys) == torch.neededKeys;
}

Taken takeTorch(const Torch &torch, PyObject *object, Incoming &in, nb::object &holder) {
  if (!isPlain(torch, atenOf(torch, object))) {
    nb::handle tensor(object);
    if (nb::cast<bool>(tensor.attr("is_neg")()) || nb::cast<bool>(tensor.attr("is_conj")())) {
      holder = tensor.attr("detach")().attr("resolve_conj")().attr("resolve_neg")();
      object = holder.ptr();
      in.readOnly = true;
    }
    if (!isPlain(torch, atenOf(torch, object))) {
      in.problem = refuseReason(tensor);
      return Taken::Refused;
    }
  }
  AtenHandle handle = atenOf(torch, object);
  int64_t *sizes = nullptr, *strides = nullptr;
  if (torch.getDtype(handle, &in.dtype) || torch.getDim(handle, &in.rank) || torch.getSizes(handle, &sizes) ||
      torch.getStrides(handle, &strides) || torch.getData(handle, &in.data)) {
    in.problem = std::string("a tensor whose memory torch does not give: ") + torch.lastError();
    return Taken::Refused;
  }
  if (!elementSize(in.dtype)) {
    nb::object type = nb::handle(object).attr("dtype");
    in.problem = "a tensor of " + textOf(type) + ", which programs cannot take. do: convert it with .to()";
    return Taken::Refused;
  }
  in.sizes = sizes;
  in.strides = strides;
  in.byteStrides = false;
  in.library = Library::Torch;
  return Taken::Yes;
}

bool mayWriteTorch(PyObject *object) {
  nb::handle tensor(object);
  if (!nb::cast<bool>(tensor.attr("requires_grad")))
    return true;
  return !nb::cast<bool>(nb::module_::import_("torch").attr("is_grad_enabled")());
}

void countWrites(const nb::list &tensors) {
  if (!nb::len(tensors))
    return;
  nb::module_::import_("torch").attr("_C").attr("_increment_version")(tensors);
}

AtenHandle giveAten(const Torch &torch, refrt_tensor *t, int32_t dtype) {
  constexpr int32_t kCpu = 0, kNoIndex = -1, kStrided = 0;
  AtenHandle handle = nullptr;
  if (torch.fromBlob(t->data, t->rank, sizesOf(t), stridesOf(t), 0, dtype, kCpu, kNoIndex, &handle, kStrided, nullptr,
                     0, endBlob, t) == 0)
    return handle;
  removeOwner(t);
  return nullptr;
}

PyObject *giveTorch(const Torch &torch, refrt_tensor *t) {
  AtenHandle handle = giveAten(torch, t, t->dtype);
  if (!handle) {
    PyErr_Format(PyExc_RuntimeError, "torch cannot wrap a result: %s", torch.lastError());
    return nullptr;
  }
  PyObject *result = nullptr;
  try {
    result = torch.wrap(handle);
  } catch (const std::exception &problem) {
    PyErr_Format(PyExc_RuntimeError, "torch cannot wrap a result: %s", problem.what());
  }
  torch.deleteHandle(handle);
  return result;
}

} // namespace refrt
