// Memory blocks that are reused instead of returned: a call's temporaries cost no system call the second time.
#pragma once

#include <cstddef>
#include <cstdint>

namespace refrt {

/// A 64-byte aligned block of at least `bytes`; null when the machine cannot provide it. `capacity` receives what to
/// hand back to blockFree.
void *blockAlloc(size_t bytes, size_t *capacity) noexcept;
void blockFree(void *block, size_t capacity) noexcept;

/// Returns the large blocks kept for reuse to the system.
void trimMemory() noexcept;
/// Bytes of large blocks kept for reuse.
size_t cachedMemory() noexcept;

} // namespace refrt
