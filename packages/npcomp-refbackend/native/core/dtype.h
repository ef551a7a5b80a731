// Element types by their torch ScalarType number.
#pragma once

#include <cstdint>
#include <string>

namespace refrt {

enum : int32_t {
  U8 = 0,
  I8 = 1,
  I16 = 2,
  I32 = 3,
  I64 = 4,
  F16 = 5,
  F32 = 6,
  F64 = 7,
  C32 = 8,
  C64 = 9,
  C128 = 10,
  BOOL = 11,
  BF16 = 15,
  U16 = 27,
  U32 = 28,
  U64 = 29
};

/// Bytes of an element; 0 for a type that programs cannot hold.
inline int64_t elementSize(int32_t dtype) {
  constexpr int8_t kSizes[] = {1, 1, 2, 4, 8, 2, 4, 8, 4, 8, 16, 1, 0, 0, 0,
                               2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0, 2, 4, 8};
  return dtype >= 0 && dtype <= U64 ? kSizes[dtype] : 0;
}

/// "f32" for 6; "dtype 12" for a type that programs cannot hold.
std::string dtypeName(int32_t dtype);

/// 6 for "f32", -1 for a name that is none.
int32_t dtypeCode(const std::string &name);

} // namespace refrt
