// Ops that a program leaves to torch.
#pragma once

#include "instance.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

namespace refrt {

/// A runner for the ops as `plans` (fallback.py) describe them. TypeError when torch is not usable.
std::shared_ptr<FallbackRunner> makeFallbacks(nanobind::list plans);
/// How often each op ran.
nanobind::list fallbackCounts(const FallbackRunner &runner);

} // namespace refrt
