#include "half.h"

#include <cmath>
#include <cstring>

namespace refrt {
namespace {

template <typename To, typename From> To bitsOf(From value) {
  static_assert(sizeof(To) == sizeof(From), "a copy of bits");
  To result;
  memcpy(&result, &value, sizeof(To));
  return result;
}

/// Keeps what rounding once more would need: odd mantissas never look like ties.
float roundToOdd(double value) {
  float nearest = float(value);
  if (std::isnan(value) || std::isinf(nearest) || double(nearest) == value)
    return nearest;
  float toZero = std::fabs(double(nearest)) > std::fabs(value) ? std::nextafter(nearest, 0.0f) : nearest;
  return bitsOf<float>(bitsOf<uint32_t>(toZero) | 1);
}

} // namespace

uint16_t halfBitsFromFloat(float value) {
  uint32_t bits = bitsOf<uint32_t>(value), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return uint16_t(sign | 0x7E00 | (magnitude >> 13 & 0x1FF));
  if (magnitude >= 0x477FF000) // rounds to 65536 or more
    return uint16_t(sign | 0x7C00);
  if (magnitude < 0x38800000) { // below the smallest normal half: the addition aligns and rounds
    float aligned = bitsOf<float>(magnitude) + 0.5f;
    return uint16_t(sign | (bitsOf<uint32_t>(aligned) - 0x3F000000));
  }
  uint32_t rounded = magnitude - 0x38000000 + 0xFFF + (magnitude >> 13 & 1);
  return uint16_t(sign | rounded >> 13);
}

float floatFromHalfBits(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16, magnitude = bits & 0x7FFF;
  if (magnitude >= 0x7C00)
    return bitsOf<float>(sign | 0x7F800000 | magnitude << 13);
  if (magnitude < 0x0400)
    return bitsOf<float>(sign | bitsOf<uint32_t>(float(magnitude) * 0x1p-24f));
  return bitsOf<float>(sign | ((magnitude << 13) + 0x38000000));
}

_Float16 halfFromFloat(float value) { return bitsOf<_Float16>(halfBitsFromFloat(value)); }
_Float16 halfFromDouble(double value) { return halfFromFloat(roundToOdd(value)); }
float floatFromHalf(_Float16 value) { return floatFromHalfBits(bitsOf<uint16_t>(value)); }

_Float16 bfloatFromFloat(float value) {
  uint32_t bits = bitsOf<uint32_t>(value);
  if (std::isnan(value))
    return bitsOf<_Float16>(uint16_t(bits >> 16 | 0x40));
  return bitsOf<_Float16>(uint16_t((bits + 0x7FFF + (bits >> 16 & 1)) >> 16));
}

_Float16 bfloatFromDouble(double value) { return bfloatFromFloat(roundToOdd(value)); }

} // namespace refrt
