// Two caches, both by size class (four classes a power of two, so at most a quarter is wasted): small blocks in lists
// of the thread, large ones in lists of the process with a limit on what they keep.
#include "memory.h"

#include <cstdlib>
#include <mutex>
#include <sys/mman.h>
#include <sys/sysinfo.h>

namespace refrt {
namespace {

struct Free {
  Free *next;
};

constexpr size_t kSmallest = 256, kSmallLimit = size_t(32) << 10, kMapLimit = size_t(4) << 20;
constexpr size_t kHugePage = size_t(2) << 20;
constexpr int kSmallClasses = 32, kClasses = 192, kSmallKept = 64;

/// Class number of a size, and the size that blocks of this class have.
inline int sizeClass(size_t bytes, size_t *capacity) {
  if (bytes <= kSmallest) {
    *capacity = kSmallest;
    return 0;
  }
  int top = 63 - __builtin_clzll(bytes - 1); // bytes lies in (2^top, 2^(top+1)]
  size_t step = size_t(1) << (top - 2);
  size_t quarter = (bytes - 1 - (size_t(1) << top)) / step;
  *capacity = (size_t(1) << top) + (quarter + 1) * step;
  return (top - 8) * 4 + int(quarter) + 1;
}

/// Free small blocks of one thread. Plain data, so that a block freed after the thread's destructors ran is still safe.
struct SmallCache {
  Free *lists[kSmallClasses];
  int16_t counts[kSmallClasses];
  enum State : int8_t { Unused, Open, Closed } state;
};
thread_local SmallCache tSmall;

struct Reaper {
  ~Reaper() {
    for (Free *&list : tSmall.lists)
      while (list) {
        Free *next = list->next;
        std::free(list);
        list = next;
      }
    tSmall.state = SmallCache::Closed;
  }
};

__attribute__((noinline)) void openSmallCache() {
  static thread_local Reaper reaper;
  (void)reaper;
  if (tSmall.state == SmallCache::Unused)
    tSmall.state = SmallCache::Open;
}

struct LargeCache {
  std::mutex mutex;
  Free *lists[kClasses] = {};
  size_t kept = 0, limit = 0, machine = 0;

  LargeCache() {
    struct sysinfo info;
    if (sysinfo(&info) == 0) {
      machine = (info.totalram + info.totalswap) * info.mem_unit;
      limit = info.totalram * info.mem_unit / 8;
    }
  }
};

/// Never destroyed: tensors that a framework holds may end after static destructors ran.
LargeCache &large() {
  static LargeCache *cache = new LargeCache;
  return *cache;
}

void *mapPages(size_t bytes) {
  char *start =
      static_cast<char *>(mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (start == MAP_FAILED)
    return nullptr;
  char *block = reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(start) + kHugePage - 1) & ~(kHugePage - 1));
  if (block != start)
    munmap(start, block - start);
  munmap(block + bytes, start + kHugePage - block);
  madvise(block, bytes, MADV_HUGEPAGE);
  return block;
}

void returnToSystem(void *block, size_t capacity) {
  if (capacity >= kMapLimit)
    munmap(block, capacity);
  else
    std::free(block);
}

void *largeAlloc(size_t capacity, int number) {
  LargeCache &cache = large();
  if (number >= kClasses || capacity > cache.machine)
    return nullptr;
  {
    std::lock_guard<std::mutex> lock(cache.mutex);
    if (Free *block = cache.lists[number]) {
      cache.lists[number] = block->next;
      cache.kept -= capacity;
      return block;
    }
  }
  return capacity >= kMapLimit ? mapPages(capacity) : std::aligned_alloc(64, capacity);
}

void largeFree(void *block, size_t capacity, int number) {
  LargeCache &cache = large();
  {
    std::lock_guard<std::mutex> lock(cache.mutex);
    if (cache.kept + capacity <= cache.limit) {
      Free *entry = static_cast<Free *>(block);
      entry->next = cache.lists[number];
      cache.lists[number] = entry;
      cache.kept += capacity;
      return;
    }
  }
  returnToSystem(block, capacity);
}

} // namespace

void *blockAlloc(size_t bytes, size_t *capacity) noexcept {
  if (bytes > (size_t(1) << 47))
    return nullptr;
  int number = sizeClass(bytes, capacity);
  if (*capacity > kSmallLimit)
    return largeAlloc(*capacity, number);
  if (Free *block = tSmall.lists[number]) {
    tSmall.lists[number] = block->next;
    --tSmall.counts[number];
    return block;
  }
  return std::aligned_alloc(64, *capacity);
}

void blockFree(void *block, size_t capacity) noexcept {
  size_t same;
  int number = sizeClass(capacity, &same);
  if (capacity > kSmallLimit)
    return largeFree(block, capacity, number);
  if (tSmall.state == SmallCache::Unused)
    openSmallCache();
  if (tSmall.state == SmallCache::Closed || tSmall.counts[number] >= kSmallKept) {
    std::free(block);
    return;
  }
  Free *entry = static_cast<Free *>(block);
  entry->next = tSmall.lists[number];
  tSmall.lists[number] = entry;
  ++tSmall.counts[number];
}

void trimMemory() noexcept {
  LargeCache &cache = large();
  std::lock_guard<std::mutex> lock(cache.mutex);
  for (int number = 0; number < kClasses; ++number)
    while (Free *block = cache.lists[number]) {
      cache.lists[number] = block->next;
      // The class number and the capacity determine each other.
      size_t capacity =
          number == 0 ? kSmallest : (size_t(1) << ((number - 1) / 4 + 8)) / 4 * (4 + (number - 1) % 4 + 1);
      returnToSystem(block, capacity);
    }
  cache.kept = 0;
}

size_t cachedMemory() noexcept {
  LargeCache &cache = large();
  std::lock_guard<std::mutex> lock(cache.mutex);
  return cache.kept;
}

} // namespace refrt
