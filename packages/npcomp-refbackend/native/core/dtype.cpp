#include "dtype.h"

namespace refrt {
namespace {

struct Row {
  const char *name;
  int32_t code;
};
constexpr Row kRows[] = {{"u8", U8},     {"i8", I8},   {"i16", I16}, {"i32", I32}, {"i64", I64},   {"f16", F16},
                         {"f32", F32},   {"f64", F64}, {"c32", C32}, {"c64", C64}, {"c128", C128}, {"bool", BOOL},
                         {"bf16", BF16}, {"u16", U16}, {"u32", U32}, {"u64", U64}};

} // namespace

std::string dtypeName(int32_t dtype) {
  for (const Row &row : kRows)
    if (row.code == dtype)
      return row.name;
  return "dtype " + std::to_string(dtype);
}

int32_t dtypeCode(const std::string &name) {
  for (const Row &row : kRows)
    if (name == row.name)
      return row.code;
  return -1;
}

} // namespace refrt
