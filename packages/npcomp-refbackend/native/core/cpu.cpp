#include "cpu.h"

#include "error.h"

#include <algorithm>
#include <cpuid.h>

namespace refrt {
namespace {

enum Register { EAX, EBX, ECX, EDX };
/// What the operating system must save for the registers of a feature: bits of XCR0.
enum State : uint64_t { None = 0, Avx = 0x6, Avx512 = 0xE6, Amx = 0x60000 };

struct Feature {
  const char *name;
  unsigned leaf, subleaf;
  Register in;
  unsigned bit;
  State state;
};

constexpr Feature kFeatures[] = {
    {"sse3", 1, 0, ECX, 0, None},
    {"pclmul", 1, 0, ECX, 1, None},
    {"ssse3", 1, 0, ECX, 9, None},
    {"fma", 1, 0, ECX, 12, Avx},
    {"cx16", 1, 0, ECX, 13, None},
    {"sse4.1", 1, 0, ECX, 19, None},
    {"sse4.2", 1, 0, ECX, 20, None},
    {"crc32", 1, 0, ECX, 20, None},
    {"movbe", 1, 0, ECX, 22, None},
    {"popcnt", 1, 0, ECX, 23, None},
    {"aes", 1, 0, ECX, 25, None},
    {"avx", 1, 0, ECX, 28, Avx},
    {"f16c", 1, 0, ECX, 29, Avx},
    {"bmi", 7, 0, EBX, 3, None},
    {"avx2", 7, 0, EBX, 5, Avx},
    {"bmi2", 7, 0, EBX, 8, None},
    {"avx512f", 7, 0, EBX, 16, Avx512},
    {"avx512dq", 7, 0, EBX, 17, Avx512},
    {"adx", 7, 0, EBX, 19, None},
    {"avx512ifma", 7, 0, EBX, 21, Avx512},
    {"avx512cd", 7, 0, EBX, 28, Avx512},
    {"sha", 7, 0, EBX, 29, None},
    {"avx512bw", 7, 0, EBX, 30, Avx512},
    {"avx512vl", 7, 0, EBX, 31, Avx512},
    {"avx512vbmi", 7, 0, ECX, 1, Avx512},
    {"avx512vbmi2", 7, 0, ECX, 6, Avx512},
    {"gfni", 7, 0, ECX, 8, None},
    {"vaes", 7, 0, ECX, 9, Avx},
    {"vpclmulqdq", 7, 0, ECX, 10, Avx},
    {"avx512vnni", 7, 0, ECX, 11, Avx512},
    {"avx512bitalg", 7, 0, ECX, 12, Avx512},
    {"avx512vpopcntdq", 7, 0, ECX, 14, Avx512},
    {"avx512vp2intersect", 7, 0, EDX, 8, Avx512},
    {"amx-bf16", 7, 0, EDX, 22, Amx},
    {"avx512fp16", 7, 0, EDX, 23, Avx512},
    {"amx-tile", 7, 0, EDX, 24, Amx},
    {"amx-int8", 7, 0, EDX, 25, Amx},
    {"avxvnni", 7, 1, EAX, 4, Avx},
    {"avx512bf16", 7, 1, EAX, 5, Avx512},
    {"amx-fp16", 7, 1, EAX, 21, Amx},
    {"avxifma", 7, 1, EAX, 23, Avx},
    {"avxvnniint8", 7, 1, EDX, 4, Avx},
    {"avxneconvert", 7, 1, EDX, 5, Avx},
    {"amx-complex", 7, 1, EDX, 8, Amx},
    {"avxvnniint16", 7, 1, EDX, 10, Avx},
    {"sahf", 0x80000001, 0, ECX, 0, None},
    {"lzcnt", 0x80000001, 0, ECX, 5, None},
    {"sse4a", 0x80000001, 0, ECX, 6, None},
    {"xop", 0x80000001, 0, ECX, 11, Avx},
    {"fma4", 0x80000001, 0, ECX, 16, Avx},
    {"tbm", 0x80000001, 0, ECX, 21, None},
};

/// The register states that the operating system saves.
uint64_t enabledState() {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1)) // OSXSAVE
    return 0;
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

bool present(const Feature &feature, uint64_t state) {
  unsigned registers[4];
  return __get_cpuid_count(feature.leaf, feature.subleaf, &registers[EAX], &registers[EBX], &registers[ECX],
                           &registers[EDX]) &&
         (registers[feature.in] >> feature.bit & 1) && (state & feature.state) == feature.state;
}

std::vector<std::string> requiredFeatures(const json::Value &target) {
  std::vector<std::string> names;
  const json::Value *features = target.find("features");
  if (!features)
    return names;
  if (features->type == json::Value::Array) {
    for (const json::Value &item : features->items)
      names.push_back(item.string());
  } else {
    const std::string &text = features->string();
    for (size_t begin = 0; begin < text.size();) {
      size_t end = std::min(text.find(',', begin), text.size());
      names.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return names;
}

} // namespace

std::vector<std::string> hostFeatures() {
  std::vector<std::string> names;
  uint64_t state = enabledState();
  for (const Feature &feature : kFeatures)
    if (present(feature, state))
      names.push_back(feature.name);
  return names;
}

void requireTarget(const json::Value &target) {
  std::string arch = target.textOr("arch");
  if (!arch.empty() && arch != "x86_64" && arch != "x86-64")
    throw LoadError("the program was compiled for " + arch + ", and this machine is x86_64. do: compile it for x86_64");
  std::vector<std::string> host = hostFeatures();
  std::string missing;
  for (std::string name : requiredFeatures(target)) {
    if (name.empty() || name[0] == '-')
      continue;
    if (name[0] == '+')
      name.erase(0, 1);
    // Names outside the table tune code or concern the operating system; code does not depend on them.
    bool known =
        std::any_of(std::begin(kFeatures), std::end(kFeatures), [&](const Feature &f) { return name == f.name; });
    if (known && std::find(host.begin(), host.end(), name) == host.end())
      missing += (missing.empty() ? "" : ", ") + name;
  }
  if (!missing.empty())
    throw LoadError("the program needs processor features that this machine lacks: " + missing +
                    ". do: compile it for this machine");
}

} // namespace refrt
