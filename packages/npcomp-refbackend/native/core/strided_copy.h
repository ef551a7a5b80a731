// Copies of strided tensors into dense memory.
#pragma once

#include <cstdint>

namespace refrt {

/// Writes the elements of a tensor with the given sizes and strides *in bytes* densely, row-major, to `to`. The source
/// need not be aligned; strides may be negative or 0.
void stridedCopy(void *to, const void *from, int64_t elementSize, int64_t rank, const int64_t *sizes,
                 const int64_t *strides) noexcept;

} // namespace refrt
