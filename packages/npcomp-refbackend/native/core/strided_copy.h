// Copies between strided tensors.
#pragma once

#include <cstdint>

namespace refrt {

/// Writes the elements of a tensor with the given sizes and strides *in bytes* densely, row-major, to `to`. The source
/// need not be aligned; strides may be negative or 0.
void stridedCopy(void *to, const void *from, int64_t elementSize, int64_t rank, const int64_t *sizes,
                 const int64_t *strides) noexcept;
/// The same into memory with strides of its own, also in bytes. The two must not overlap.
void stridedStore(void *to, const int64_t *toStrides, const void *from, const int64_t *fromStrides, int64_t elementSize,
                  int64_t rank, const int64_t *sizes) noexcept;

} // namespace refrt
