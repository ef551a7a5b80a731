// What compiled code may call.
#pragma once

#include <string>

namespace refrt {

/// Address of a runtime function, a compiler support routine, or a function of libm or libc; null for anything else.
void *resolveSymbol(const std::string &name);

} // namespace refrt
