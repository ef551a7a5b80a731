// A loaded program: immutable, shared by its instances.
#pragma once

#include "json.h"
#include "loader.h"
#include "refrt.h"

#include <memory>
#include <string>
#include <vector>

namespace refrt {

/// Memory that somebody else provides and keeps alive as long as `keeper` lives.
struct Span {
  const uint8_t *data = nullptr;
  size_t size = 0;
  std::shared_ptr<const void> keeper;
};

/// A check in the program; `message` may show the values that the check saw as {0}, {1}, ...
struct Guard {
  std::string kind, message, location;
};

struct Method {
  std::string name;
  refrt_entry entry;
  json::Value signature;
  std::vector<uint8_t> argumentIsTensor; // one an argument slot
  std::vector<uint8_t> resultIsTensor;   // one a result slot
  std::vector<size_t> written;           // argument slots whose new contents follow the returned values
  size_t returned = 0;                   // result slots before those
};

/// State of an instance: its name and what it holds at first.
struct Slot {
  std::string name, kind;
  int64_t constant = -1; // of a tensor
  int64_t bits = 0;      // of a scalar
};

struct Program {
  json::Value header;
  std::vector<Method> methods;
  std::vector<Guard> guards;
  std::vector<Slot> slots;
  std::vector<refrt_tensor *> constants;
  std::vector<std::shared_ptr<const void>> keepers;
  std::unique_ptr<LoadedObject> object;

  /// Loads a program from its parts. LoadError when it does not fit together or does not fit this machine.
  static std::shared_ptr<Program> create(const std::string &header, const Span &object,
                                         const std::vector<Span> &constants);
  /// The same with one block of constants, which the header's rows place.
  static std::shared_ptr<Program> create(const std::string &header, const Span &object, const Span &constants);
  Program() = default;
  ~Program();
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;
};

} // namespace refrt
