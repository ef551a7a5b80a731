#include "tensor.h"

#include "dtype.h"
#include "memory.h"
#include "strided_copy.h"

#include <atomic>
#include <cstring>
#include <new>

namespace refrt {
namespace {

std::atomic<int64_t> gLive{0};

inline std::atomic<int64_t> &count(refrt_tensor *t) {
  static_assert(sizeof(std::atomic<int64_t>) == sizeof(int64_t), "lock-free counter in the header");
  return *reinterpret_cast<std::atomic<int64_t> *>(&t->refcount);
}

void endTensor(refrt_tensor *t) {
  unlink(t);
  t->drop(t);
}

void dropView(refrt_tensor *t) {
  refrt_tensor *base = static_cast<refrt_tensor *>(t->owner);
  freeHandle(t);
  removeOwner(base);
}

refrt_tensor *fillHeader(void *block, Kind kind, size_t capacity, int32_t dtype, int64_t rank, const int64_t *sizes,
                         int64_t numel) {
  Prefix *prefix = static_cast<Prefix *>(block);
  prefix->kind = kind;
  prefix->capacity = capacity;
  refrt_tensor *t = reinterpret_cast<refrt_tensor *>(prefix + 1);
  t->refcount = kCallReference;
  t->rank = static_cast<int32_t>(rank);
  t->dtype = dtype;
  t->numel = numel;
  t->owner = nullptr;
  t->prev = t->next = nullptr;
  for (int64_t d = 0; d < rank; ++d)
    t->dims[d] = sizes[d];
  return t;
}

} // namespace

int64_t countElements(int64_t rank, const int64_t *sizes) noexcept {
  int64_t numel = 1;
  bool empty = false, overflow = false;
  for (int64_t d = 0; d < rank; ++d) {
    if (sizes[d] < 0)
      return -1;
    empty |= sizes[d] == 0;
    overflow |= __builtin_mul_overflow(numel, sizes[d], &numel);
  }
  return empty ? 0 : overflow ? -1 : numel;
}

void denseStrides(int64_t rank, const int64_t *sizes, int64_t *strides) noexcept {
  uint64_t stride = 1; // unsigned: sizes next to a 0 may multiply to anything
  for (int64_t d = rank - 1; d >= 0; --d) {
    strides[d] = static_cast<int64_t>(stride);
    stride *= static_cast<uint64_t>(sizes[d] > 1 ? sizes[d] : 1);
  }
}

bool isDense(const refrt_tensor *t) noexcept {
  if (t->numel == 0)
    return true;
  int64_t expected = 1;
  for (int64_t d = t->rank - 1; d >= 0; --d) {
    int64_t size = t->dims[d];
    if (size != 1 && t->dims[t->rank + d] != expected)
      return false;
    expected *= size;
  }
  return true;
}

refrt_tensor *newHeapTensor(int32_t dtype, int64_t rank, const int64_t *sizes, int64_t numel) noexcept {
  int64_t bytes;
  size_t start = sizeof(Prefix) + headerBytes(rank), capacity;
  if (__builtin_mul_overflow(numel, elementSize(dtype), &bytes) || bytes > (int64_t(1) << 47))
    return nullptr;
  char *block = static_cast<char *>(blockAlloc(start + size_t(bytes), &capacity));
  if (!block)
    return nullptr;
  refrt_tensor *t = fillHeader(block, Kind::Heap, capacity, dtype, rank, sizes, numel);
  t->data = block + start;
  t->drop = freeHandle;
  denseStrides(rank, sizes, stridesOf(t));
  gLive.fetch_add(1, std::memory_order_relaxed);
  return t;
}

refrt_tensor *newHandle(Kind kind, int32_t dtype, int64_t rank, const int64_t *sizes, int64_t numel) noexcept {
  size_t capacity;
  void *block = blockAlloc(sizeof(Prefix) + headerBytes(rank), &capacity);
  if (!block)
    return nullptr;
  refrt_tensor *t = fillHeader(block, kind, capacity, dtype, rank, sizes, numel);
  t->data = nullptr;
  t->drop = kind == Kind::View ? dropView : kind == Kind::Foreign ? freeHandle : nullptr;
  gLive.fetch_add(1, std::memory_order_relaxed);
  return t;
}

refrt_tensor *placeArgument(void *place, int32_t dtype, int64_t rank, const int64_t *sizes, int64_t numel,
                            void *data) noexcept {
  refrt_tensor *t = fillHeader(place, Kind::Argument, 0, dtype, rank, sizes, numel);
  t->data = data;
  t->drop = nullptr;
  denseStrides(rank, sizes, stridesOf(t));
  return t;
}

refrt_tensor *copyTensor(refrt_tensor *t) noexcept {
  refrt_tensor *copy = newHeapTensor(t->dtype, t->rank, sizesOf(t), t->numel);
  if (!copy)
    return nullptr;
  int64_t size = elementSize(t->dtype), strides[kMaxRank];
  for (int32_t d = 0; d < t->rank; ++d)
    strides[d] = stridesOf(t)[d] * size;
  stridedCopy(copy->data, t->data, size, t->rank, sizesOf(t), strides);
  return copy;
}

void addOwner(refrt_tensor *t) noexcept {
  if (t->drop)
    count(t).fetch_add(kOwner, std::memory_order_relaxed);
}

void removeOwner(refrt_tensor *t) noexcept {
  if (!t->drop)
    return;
  // The only reference needs no read-modify-write.
  if (count(t).load(std::memory_order_acquire) == kOwner || count(t).fetch_sub(kOwner) == kOwner)
    endTensor(t);
}

void clearCallReferences(refrt_tensor *t) noexcept {
  unlink(t);
  if (count(t).load(std::memory_order_acquire) < kOwner || count(t).fetch_and(~(kOwner - 1)) < kOwner)
    endTensor(t);
}

refrt_tensor *rootOf(refrt_tensor *t) noexcept {
  while (kindOf(t) == Kind::View)
    t = static_cast<refrt_tensor *>(t->owner);
  return t;
}

bool isExclusive(refrt_tensor *t) noexcept {
  for (; kindOf(t) == Kind::View; t = static_cast<refrt_tensor *>(t->owner))
    if (count(t).load(std::memory_order_acquire) != kOwner)
      return false;
  return t->drop && count(t).load(std::memory_order_acquire) == kOwner;
}

refrt_tensor *takeExclusive(refrt_tensor *t) noexcept {
  if (isExclusive(t))
    return t;
  refrt_tensor *copy = copyTensor(t);
  removeOwner(t);
  if (copy)
    copy->refcount = kOwner;
  return copy;
}

int64_t liveTensors() noexcept { return gLive.load(std::memory_order_relaxed); }

void freeHandle(refrt_tensor *t) noexcept {
  Prefix *prefix = reinterpret_cast<Prefix *>(t) - 1;
  gLive.fetch_sub(1, std::memory_order_relaxed);
  blockFree(prefix, prefix->capacity);
}

} // namespace refrt

using namespace refrt;

extern "C" {

void refrt_retain(refrt_ctx *, refrt_tensor *t) {
  if (t->drop)
    count(t).fetch_add(kCallReference, std::memory_order_relaxed);
}

void refrt_release(refrt_ctx *, refrt_tensor *t) {
  if (!t->drop)
    return;
  if (count(t).load(std::memory_order_acquire) == kCallReference ||
      count(t).fetch_sub(kCallReference) == kCallReference)
    endTensor(t);
}

refrt_tensor *refrt_tensor_wrap(void *data, int32_t dtype, int64_t rank, const int64_t *sizes, const int64_t *strides) {
  int64_t numel = rank < 0 || rank > kMaxRank || !elementSize(dtype) ? -1 : countElements(rank, sizes);
  refrt_tensor *t = numel < 0 ? nullptr : newHandle(Kind::Argument, dtype, rank, sizes, numel);
  if (!t)
    return nullptr;
  t->data = data;
  if (strides)
    memcpy(stridesOf(t), strides, sizeof(int64_t) * size_t(rank));
  else
    denseStrides(rank, sizes, stridesOf(t));
  return t;
}

void refrt_tensor_drop(refrt_tensor *t) {
  if (t && t->drop)
    removeOwner(t);
  else if (t && kindOf(t) == Kind::Argument)
    freeHandle(t);
}

} // extern "C"
