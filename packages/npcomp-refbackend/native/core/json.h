// JSON as the artifact's header is written in.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace refrt::json {

struct Value {
  enum Type { Null, Bool, Int, Float, String, Array, Object } type = Null;
  bool boolean = false;
  int64_t integer = 0;
  double number = 0;
  std::string text;
  std::vector<Value> items;
  std::vector<std::pair<std::string, Value>> members;

  /// The member called `name`, or null.
  const Value *find(const char *name) const;
  /// The member called `name`; LoadError when it is missing.
  const Value &at(const char *name) const;
  /// The value as this type; LoadError when it has another one.
  const std::string &string() const;
  int64_t asInt() const;
  double asDouble() const;
  bool asBool() const;
  const std::vector<Value> &array() const;
  /// The items of the member called `name`, none when it is missing.
  const std::vector<Value> &list(const char *name) const;
  /// The text of the member called `name`, empty when it is missing.
  std::string textOr(const char *name) const;
};

/// LoadError names the position of what is wrong. Accepts NaN and Infinity, as Python writes them.
Value parse(const std::string &text);

} // namespace refrt::json
