// Why a program cannot be loaded or run.
#pragma once

#include <stdexcept>
#include <string>

namespace refrt {

/// A file or program that cannot be loaded; the message says what, why and what to do.
struct LoadError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A call that ended early. `kind` names a Python exception.
struct Failure {
  std::string kind, message;
};

} // namespace refrt
