// One running call: its live list, and the way out when something fails.
#pragma once

#include "error.h"
#include "refrt.h"
#include "tensor.h"

#include <csetjmp>

namespace refrt {
struct Instance;
}

struct refrt_ctx {
  refrt::Instance *instance;
  refrt::Failure failure;
  alignas(refrt_tensor) char sentinel[sizeof(refrt_tensor)]; // of the ring of tensors with call references
  jmp_buf entry;
  // A guard that failed, kept raw: its message is made after the jump.
  int64_t guard = -1, valueCount = 0, values[8];

  explicit refrt_ctx(refrt::Instance *instance) : instance(instance) { live()->prev = live()->next = live(); }
  refrt_tensor *live() { return reinterpret_cast<refrt_tensor *>(sentinel); }
  ~refrt_ctx() { sweep(); }
  refrt_ctx(const refrt_ctx &) = delete;
  refrt_ctx &operator=(const refrt_ctx &) = delete;
  /// Drops everything that only the call kept alive.
  void sweep() noexcept {
    while (live()->next != live())
      refrt::clearCallReferences(live()->next);
  }
};

namespace refrt {

inline void link(refrt_ctx *ctx, refrt_tensor *t) noexcept {
  t->next = ctx->live()->next;
  t->prev = ctx->live();
  t->next->prev = t;
  ctx->live()->next = t;
}

/// Runs compiled code. True: every result tensor carries one owner. False: `ctx.failure` says why, nothing is left.
bool runEntry(refrt_ctx &ctx, refrt_entry entry, int64_t *args, int64_t *results, const uint8_t *isTensor,
              int64_t resultCount) noexcept;

/// Ends the running call with an error. The caller must hold nothing that needs a destructor.
[[noreturn]] void fail(refrt_ctx *ctx, const char *kind, const char *format, ...) __attribute__((format(printf, 3, 4)));

} // namespace refrt
