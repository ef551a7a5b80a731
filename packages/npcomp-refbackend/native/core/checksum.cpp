#include "checksum.h"

#include <cstring>

namespace refrt {
namespace {

/// A bijection of the lane for a given word, so one changed word always changes the result; the rotation lets later
/// words meet all of its bits.
inline uint64_t mix(uint64_t lane, uint64_t word) {
  uint64_t x = (lane ^ word) * 0x9E3779B97F4A7C15u;
  return x << 29 | x >> 35;
}

} // namespace

void Checksum::block(const uint8_t *data) {
  uint64_t words[4];
  memcpy(words, data, 32);
  for (int i = 0; i < 4; ++i)
    lanes[i] = mix(lanes[i], words[i]);
}

void Checksum::add(const uint8_t *data, size_t size) {
  length += size;
  while (size && restSize) {
    rest[restSize++] = *data++;
    --size;
    if (restSize == 32) {
      block(rest);
      restSize = 0;
    }
  }
  for (; size >= 32; data += 32, size -= 32)
    block(data);
  if (size)
    memcpy(rest, data, restSize = size);
}

uint64_t Checksum::value() const {
  Checksum whole = *this;
  if (restSize) {
    memset(whole.rest + restSize, 0, 32 - restSize);
    whole.block(whole.rest);
  }
  uint64_t result = length;
  for (uint64_t lane : whole.lanes)
    result = mix(result, lane);
  return result ^ result >> 32;
}

} // namespace refrt
