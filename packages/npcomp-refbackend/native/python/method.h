// A method of an instance as a Python callable with a C call path.
#pragma once

#include "instance.h"
#include "signature.h"

#include <memory>

namespace refrt {

/// Creates the Python type; false with a Python exception on failure.
bool initMethods();

/// A callable for method `number`. `outputs` is where results go when no argument is a tensor and "auto" follows the
/// arguments: "auto", "torch" or "numpy" ("torch"/"numpy" hold for every call).
nb::object makeMethod(std::shared_ptr<Instance> instance, size_t number, const std::string &outputs);

} // namespace refrt
