// Tensor handles: what lies before the public header, and who counts what.
//
// The low half of `refcount` counts references of the running call, the high half counts owners that outlive it (views,
// state slots, tensors of a framework). When a call ends, well or badly, the runtime clears the low half of everything
// on its live list: a program can neither leak nor needs clean-up code.
#pragma once

#include "refrt.h"

#include <cstddef>

namespace refrt {

enum class Kind : int32_t {
  Heap,     // elements lie in the handle's own block
  View,     // elements belong to `owner`, another handle
  Foreign,  // elements belong to `owner`, an object of a framework that `drop` gives back
  Constant, // elements belong to the program; not counted
  Argument, // elements belong to the caller; not counted, ends with the call
};

/// What lies right before every handle; as long as the header, so that both are 64-byte aligned.
struct Prefix {
  Kind kind;
  int32_t unused;
  size_t capacity; // of the whole block, for blockFree
  char padding[48];
};
static_assert(sizeof(Prefix) == 64 && offsetof(refrt_tensor, dims) == 64, "ABI of refrt.h");

constexpr int64_t kCallReference = 1;
constexpr int64_t kOwner = int64_t(1) << 32;
constexpr int64_t kMaxRank = 64;

inline Kind kindOf(const refrt_tensor *t) { return reinterpret_cast<const Prefix *>(t)[-1].kind; }
inline int64_t *sizesOf(refrt_tensor *t) { return t->dims; }
inline int64_t *stridesOf(refrt_tensor *t) { return t->dims + t->rank; }
inline size_t headerBytes(int64_t rank) { return (sizeof(refrt_tensor) + 16 * size_t(rank) + 63) & ~size_t(63); }

/// Product of the sizes; -1 when a size is negative or the product exceeds int64.
int64_t countElements(int64_t rank, const int64_t *sizes) noexcept;
/// Fills row-major strides.
void denseStrides(int64_t rank, const int64_t *sizes, int64_t *strides) noexcept;
bool isDense(const refrt_tensor *t) noexcept;

/// A dense tensor with memory of its own and one call reference, on no list; null when there is no memory for it.
refrt_tensor *newHeapTensor(int32_t dtype, int64_t rank, const int64_t *sizes, int64_t numel) noexcept;
/// A handle without elements of its own; strides are left to the caller. Null when there is no memory for it.
refrt_tensor *newHandle(Kind kind, int32_t dtype, int64_t rank, const int64_t *sizes, int64_t numel) noexcept;
/// Writes an Argument handle into `place` (sizeof(Prefix) + headerBytes(rank) bytes, 64-byte aligned).
refrt_tensor *placeArgument(void *place, int32_t dtype, int64_t rank, const int64_t *sizes, int64_t numel,
                            void *data) noexcept;
/// A dense copy with one call reference, on no list; null when there is no memory for it.
refrt_tensor *copyTensor(refrt_tensor *t) noexcept;

void addOwner(refrt_tensor *t) noexcept;
void removeOwner(refrt_tensor *t) noexcept;
/// Forgets all references of the running call.
void clearCallReferences(refrt_tensor *t) noexcept;
/// The handle whose memory `t` shows.
refrt_tensor *rootOf(refrt_tensor *t) noexcept;
/// Whether nobody but the one owner of `t` can reach its memory.
bool isExclusive(refrt_tensor *t) noexcept;
/// What may leave a call in place of a result: the tensor itself when it is exclusive, else a copy; null when there is
/// no memory for the copy. Takes over the owner of `t`.
refrt_tensor *takeExclusive(refrt_tensor *t) noexcept;

inline void unlink(refrt_tensor *t) noexcept {
  if (!t->prev)
    return;
  t->prev->next = t->next;
  t->next->prev = t->prev;
  t->prev = t->next = nullptr;
}

/// Counted handles that exist in the process.
int64_t liveTensors() noexcept;
/// Gives a handle's block back; for `drop` functions.
void freeHandle(refrt_tensor *t) noexcept;

} // namespace refrt
