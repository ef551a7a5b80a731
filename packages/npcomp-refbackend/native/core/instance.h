// A program with state of its own.
#pragma once

#include "context.h"
#include "program.h"

#include <atomic>
#include <mutex>

namespace refrt {

/// Runs the ops that a program leaves to a framework.
struct FallbackRunner {
  virtual ~FallbackRunner() = default;
  /// Fills the results with handles linked to the call; false with `ctx.failure` filled when the op fails.
  virtual bool run(refrt_ctx &ctx, int64_t op, int64_t nargs, const int64_t *args, int64_t nresults,
                   int64_t *results) noexcept = 0;
};

struct Instance {
  std::shared_ptr<const Program> program;
  std::shared_ptr<FallbackRunner> fallbacks;
  std::vector<int64_t> slots; // a handle with one owner, or the bits of a scalar
  std::recursive_mutex busy;  // held by a call of a program with state
  std::atomic<int64_t> calls{0}, failures{0};

  explicit Instance(std::shared_ptr<const Program> program);
  ~Instance();
  Instance(const Instance &) = delete;
  Instance &operator=(const Instance &) = delete;

  /// Every slot as it was at first.
  void reset();
  /// Stores a tensor; false when there is no memory for the copy of an argument.
  bool setTensor(size_t slot, refrt_tensor *t) noexcept;
  refrt_tensor *tensor(size_t slot) const { return reinterpret_cast<refrt_tensor *>(slots[slot]); }
  bool isTensor(size_t slot) const { return program->slots[slot].constant >= 0; }
};

} // namespace refrt
