#include "symbols.h"

#include "half.h"
#include "refrt.h"

#include <dlfcn.h>
#include <unordered_map>

namespace refrt {
namespace {

template <typename F> void *address(F *function) { return reinterpret_cast<void *>(function); }

const std::unordered_map<std::string, void *> &table() {
  static const auto *entries = new std::unordered_map<std::string, void *>{
      {"refrt_alloc", address(refrt_alloc)},
      {"refrt_retain", address(refrt_retain)},
      {"refrt_release", address(refrt_release)},
      {"refrt_view", address(refrt_view)},
      {"refrt_contiguous", address(refrt_contiguous)},
      {"refrt_unique", address(refrt_unique)},
      {"refrt_reuse", address(refrt_reuse)},
      {"refrt_constant", address(refrt_constant)},
      {"refrt_slot_get", address(refrt_slot_get)},
      {"refrt_slot_set", address(refrt_slot_set)},
      {"refrt_slot_get_scalar", address(refrt_slot_get_scalar)},
      {"refrt_slot_set_scalar", address(refrt_slot_set_scalar)},
      {"refrt_guard_fail", address(refrt_guard_fail)},
      {"refrt_fallback", address(refrt_fallback)},
      {"refrt_random_key", address(refrt_random_key)},
      {"refrt_launch", address(refrt_launch)},
      {"__truncsfhf2", address(halfFromFloat)},
      {"__truncdfhf2", address(halfFromDouble)},
      {"__extendhfsf2", address(floatFromHalf)},
      {"__gnu_f2h_ieee", address(halfBitsFromFloat)},
      {"__gnu_h2f_ieee", address(floatFromHalfBits)},
      {"__truncsfbf2", address(bfloatFromFloat)},
      {"__truncdfbf2", address(bfloatFromDouble)},
  };
  return *entries;
}

} // namespace

void *resolveSymbol(const std::string &name) {
  auto found = table().find(name);
  if (found != table().end())
    return found->second;
  static void *libm = dlopen("libm.so.6", RTLD_LAZY | RTLD_LOCAL);
  static void *libc = dlopen("libc.so.6", RTLD_LAZY | RTLD_LOCAL);
  static void *libgcc = dlopen("libgcc_s.so.1", RTLD_LAZY | RTLD_LOCAL);
  for (void *library : {libm, libc, libgcc})
    if (void *symbol = library ? dlsym(library, name.c_str()) : nullptr)
      return symbol;
  return nullptr;
}

} // namespace refrt
