// Conversions that LLVM calls by name on processors without the instruction. Half and bfloat values travel in the low
// 16 bits of xmm0, which is how _Float16 is passed; the *Bits forms are the older convention with integers.
#pragma once

#include <cstdint>

namespace refrt {

_Float16 halfFromFloat(float value);
_Float16 halfFromDouble(double value);
float floatFromHalf(_Float16 value);
uint16_t halfBitsFromFloat(float value);
float floatFromHalfBits(uint16_t bits);
_Float16 bfloatFromFloat(float value);
_Float16 bfloatFromDouble(double value);

} // namespace refrt
