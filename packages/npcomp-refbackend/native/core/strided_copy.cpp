#include "strided_copy.h"

#include "tensor.h"

#include <algorithm>
#include <cstring>

namespace refrt {
namespace {

/// Dimensions that matter, innermost last; strides of both tensors in bytes.
struct Loop {
  int64_t size, in, out;
};

/// Drops dimensions of size 1 and joins neighbours that are one run in both tensors.
int collapse(Loop *loops, int64_t rank, const int64_t *sizes, const int64_t *in, const int64_t *out) {
  int count = 0;
  for (int64_t d = 0; d < rank; ++d) {
    if (sizes[d] == 1)
      continue;
    Loop *last = count ? &loops[count - 1] : nullptr;
    if (last && last->in == in[d] * sizes[d] && last->out == out[d] * sizes[d])
      *last = {last->size * sizes[d], in[d], out[d]};
    else
      loops[count++] = {sizes[d], in[d], out[d]};
  }
  return count;
}

template <typename T> inline void copyElement(char *to, const char *from) {
  T value;
  memcpy(&value, from, sizeof(T));
  memcpy(to, &value, sizeof(T));
}

template <typename T> void copyRow(char *to, const char *from, const Loop &loop) {
  if (loop.in == int64_t(sizeof(T)) && loop.out == int64_t(sizeof(T))) {
    memcpy(to, from, size_t(loop.size) * sizeof(T));
    return;
  }
  for (int64_t i = 0; i < loop.size; ++i)
    copyElement<T>(to + i * loop.out, from + i * loop.in);
}

/// Two inner loops where the source runs along the outer one: by square tiles, so that both sides stay in cache.
template <typename T> void copyTransposed(char *to, const char *from, const Loop &outer, const Loop &inner) {
  constexpr int64_t kTile = 32;
  for (int64_t i0 = 0; i0 < outer.size; i0 += kTile)
    for (int64_t j0 = 0; j0 < inner.size; j0 += kTile) {
      int64_t iEnd = std::min(i0 + kTile, outer.size), jEnd = std::min(j0 + kTile, inner.size);
      for (int64_t i = i0; i < iEnd; ++i)
        for (int64_t j = j0; j < jEnd; ++j)
          copyElement<T>(to + i * outer.out + j * inner.out, from + i * outer.in + j * inner.in);
    }
}

template <typename T> void copyLoops(char *to, const char *from, const Loop *loops, int count) {
  if (count == 0) {
    copyElement<T>(to, from);
  } else if (count == 1) {
    copyRow<T>(to, from, loops[0]);
  } else if (count == 2 && loops[0].in == int64_t(sizeof(T))) {
    copyTransposed<T>(to, from, loops[0], loops[1]);
  } else {
    for (int64_t i = 0; i < loops[0].size; ++i)
      copyLoops<T>(to + i * loops[0].out, from + i * loops[0].in, loops + 1, count - 1);
  }
}

} // namespace

void stridedCopy(void *to, const void *from, int64_t elementSize, int64_t rank, const int64_t *sizes,
                 const int64_t *strides) noexcept {
  int64_t dense[kMaxRank], stride = elementSize;
  for (int64_t d = rank - 1; d >= 0; --d) {
    dense[d] = stride;
    stride *= sizes[d];
  }
  stridedStore(to, dense, from, strides, elementSize, rank, sizes);
}

void stridedStore(void *to, const int64_t *toStrides, const void *from, const int64_t *fromStrides, int64_t elementSize,
                  int64_t rank, const int64_t *sizes) noexcept {
  for (int64_t d = 0; d < rank; ++d)
    if (sizes[d] == 0)
      return;
  Loop loops[kMaxRank];
  int count = collapse(loops, rank, sizes, fromStrides, toStrides);
  char *target = static_cast<char *>(to);
  const char *source = static_cast<const char *>(from);
  switch (elementSize) {
  case 1:
    return copyLoops<uint8_t>(target, source, loops, count);
  case 2:
    return copyLoops<uint16_t>(target, source, loops, count);
  case 4:
    return copyLoops<uint32_t>(target, source, loops, count);
  case 8:
    return copyLoops<uint64_t>(target, source, loops, count);
  default:
    return copyLoops<unsigned __int128>(target, source, loops, count);
  }
}

} // namespace refrt
