// Where the keys of random computations come from.
#pragma once

#include <cstdint>

namespace refrt {

/// Fills two numbers in [0, 2^63). False when `problem` (of `capacity` bytes) says why there are none.
using DrawKey = bool (*)(int64_t *key, char *problem, int64_t capacity);

/// Replaces the runtime's own generator; a framework in this process may have one that its users seed.
void setKeySource(DrawKey draw);

/// The runtime's own generator.
void drawOwnKey(int64_t *key) noexcept;

} // namespace refrt
