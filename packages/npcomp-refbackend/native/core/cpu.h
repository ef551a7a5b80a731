// What this machine's processor can do, in LLVM's words.
#pragma once

#include "json.h"

#include <string>
#include <vector>

namespace refrt {

/// Features of this machine that compiled code may need.
std::vector<std::string> hostFeatures();

/// LoadError when `target` (arch, cpu, features as "+avx512f,-amx-tile" or a list) needs what this machine lacks.
void requireTarget(const json::Value &target);

} // namespace refrt
