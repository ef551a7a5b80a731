// What fallback.py worked out about each op that runs in torch.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>

#include <atomic>
#include <string>
#include <vector>

namespace refrt {

namespace nb = nanobind;

/// An argument: slots of the program, and what the compiler fixed.
struct Spec {
  enum Kind { TensorSlot, IntSlot, FloatSlot, BoolSlot, None, Some, List, Word, Text, Object } kind;
  int32_t dtype = -1;   // of a tensor slot, where the program knows it better than the handle (u8)
  bool asFloat = false; // an int slot where the schema has a float
  uint64_t word = 0;
  std::string text;
  std::vector<Spec> items;
  nb::object object;
};

/// A result: what the compiler takes it to be.
struct Expected {
  enum Kind { Tensor, Int, Float, Bool, List, None } kind;
  int32_t dtype = -1;
  bool ranked = false;
  std::vector<int64_t> dims; // -1: any size
  std::vector<Expected> items;
};

struct Op {
  std::string label, name, overload, location;
  nb::object function;
  bool isNative = false;                        // runs through the C interface
  std::vector<Spec> arguments, nativeArguments; // of the function and of the C interface
  std::vector<Expected> results;
  size_t argumentSlots = 0, resultSlots = 0;
  std::atomic<int64_t> count{0};
};

/// Fills an op from its plan, a dict.
void readPlan(nb::handle plan, Op &op);

} // namespace refrt
