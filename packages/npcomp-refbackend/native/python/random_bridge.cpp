#include "random_bridge.h"

#include "dtype.h"
#include "random.h"
#include "torch_bridge.h"

#include <cstdio>

namespace refrt {
namespace {

/// torch itself, once it is fully imported.
PyObject *torchModule() {
  PyObject *module = PyDict_GetItemString(PyImport_GetModuleDict(), "torch");
  return module && PyObject_HasAttrString(module, "default_generator") ? module : nullptr;
}

bool drawThroughDispatcher(const Torch &torch, int64_t *key, const char *&problem) {
  constexpr int32_t kCpu = 0, kNoIndex = -1, kStrided = 0;
  const int64_t size = 2, stride = 1;
  AtenHandle target = nullptr;
  if (torch.fromBlob(key, 1, &size, &stride, 0, I64, kCpu, kNoIndex, &target, kStrided, nullptr, 0, nullptr, nullptr)) {
    problem = torch.lastError();
    return false;
  }
  uint64_t stack[2] = {reinterpret_cast<uint64_t>(target), 0}; // the default generator
  if (torch.callDispatcher("aten::random_", "", stack, torch.abiVersion())) {
    problem = torch.lastError();
    return false;
  }
  torch.deleteHandle(reinterpret_cast<AtenHandle>(stack[0]));
  return true;
}

void drawThroughPython(PyObject *module, int64_t *key) {
  nb::handle torch(module);
  nb::object drawn = torch.attr("empty")(2, nb::arg("dtype") = torch.attr("int64")).attr("random_")().attr("tolist")();
  for (int i = 0; i < 2; ++i)
    key[i] = nb::cast<int64_t>(drawn[i]);
}

bool draw(int64_t *key, char *problem, int64_t capacity) {
  const Torch *torch = nullptr;
  {
    nb::gil_scoped_acquire lock;
    PyObject *module = torchModule();
    if (!module) {
      drawOwnKey(key);
      return true;
    }
    torch = torchIfLoaded();
    try {
      if (!torch) {
        drawThroughPython(module, key);
        return true;
      }
    } catch (const std::exception &error) {
      snprintf(problem, size_t(capacity), "%s", error.what());
      return false;
    }
  }
  const char *why = nullptr;
  if (drawThroughDispatcher(*torch, key, why))
    return true;
  snprintf(problem, size_t(capacity), "%s", why);
  return false;
}

} // namespace

void useTorchsGenerator() { setKeySource(draw); }

} // namespace refrt
