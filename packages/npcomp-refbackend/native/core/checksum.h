// A fast check against damage (not against intent).
#pragma once

#include <cstddef>
#include <cstdint>

namespace refrt {

/// 64-bit checksum of bytes that come in pieces.
class Checksum {
public:
  void add(const uint8_t *data, size_t size);
  uint64_t value() const;

private:
  uint64_t lanes[4] = {1, 2, 3, 4}, length = 0;
  uint8_t rest[32]; // of a block that is not complete yet
  size_t restSize = 0;

  void block(const uint8_t *data);
};

} // namespace refrt
