// The arguments that a program writes: their new contents go to the caller's memory when the call has succeeded.
#pragma once

#include "error.h"
#include "program.h"
#include "region.h"

namespace refrt {

/// Copies the new contents, which follow the returned values among `results`, to `regions`, one for each number of
/// `method.written`, and gives them up. Returned tensors that show memory of an argument are copied before. False:
/// nothing was written, `failure` says why; the returned values are left to the caller.
bool writeBack(const Method &method, const int64_t *arguments, const Region *regions, int64_t *results,
               Failure &failure);

} // namespace refrt
