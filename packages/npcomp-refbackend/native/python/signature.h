// A method's signature, as the header's JSON states it, ready for parsing calls.
#pragma once

#include "json.h"

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <string>
#include <vector>

namespace refrt {

namespace nb = nanobind;

struct Dim {
  int64_t size = -1; // static size, or -1
  int named = -1;    // index of a size that several dimensions share, or -1
};

/// A value in a signature: a leaf or a container of values.
struct Node {
  enum Kind { Tensor, Int, Float, Bool, None, Const, List, Tuple, Dict, NamedTuple } kind;
  int32_t dtype = 0; // of a tensor, or -1
  std::vector<Dim> dims;
  enum Writes { Never, Guarded, Unguarded } writes = Never; // of an argument; unguarded: whether or not gradients flow
  int64_t alias = -1;                                       // of a result: the argument slot whose tensor it is
  std::vector<Node> items;
  nb::object value; // of a constant
  nb::tuple keys;   // of a dict
  nb::object type;  // of a namedtuple
};

struct Argument {
  nb::str name;
  Node node;
  nb::object fallback; // the value when the caller gives none; invalid when there is none
  bool keywordOnly = false;
};

struct Signature {
  std::string name;
  std::vector<Argument> arguments;
  Node returns;
  std::vector<std::string> sizeNames; // of Dim::named
  size_t argumentSlots = 0, resultSlots = 0;
  size_t handleBytes = 0;      // room that handles of the arguments need
  std::vector<uint8_t> writes; // one an argument slot
  bool writesAny = false, keepsObjects = false;

  explicit Signature(const json::Value &text);
  /// "f32[batch, 784]"
  std::string describe(const Node &node) const;
  /// "'x'" or "'xs'[0]", the place of an argument slot
  std::string slotText(size_t slot) const;
  /// "forward(x: f32[batch, 784], n: int = 1) -> (f32[batch, 10], int)"
  std::string text() const;
};

/// A JSON value as a Python object.
nb::object toPython(const json::Value &value);

} // namespace refrt
