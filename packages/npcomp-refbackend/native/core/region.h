// Memory that a caller's tensor covers, and whether two of them share elements.
#pragma once

#include "refrt.h"

#include <cstddef>

namespace refrt {

/// The elements of a tensor in memory. Null strides mean dense; a stride of 1 is `unit` bytes.
struct Region {
  char *data = nullptr;
  int64_t elementBytes = 0, rank = 0;
  const int64_t *sizes = nullptr, *strides = nullptr;
  int64_t unit = 1;
};

/// Fills the strides in bytes.
void byteStrides(const Region &region, int64_t *strides) noexcept;
/// Whether several indices name one element, by a stride of 0.
bool repeatsElements(const Region &region) noexcept;
/// Whether a byte belongs to both. Exact, but for views so tangled that the search gives up: those count as sharing.
bool sharesMemory(const Region &a, const Region &b) noexcept;

struct Overlap {
  size_t written, other;
};
/// Whether a region that is written shares memory with another one, and which.
bool findOverlap(const Region *regions, const uint8_t *isWritten, size_t count, Overlap &found);

} // namespace refrt
