#include "fallback_plan.h"

#include "dtype.h"

#include <cstring>

namespace refrt {
namespace {

Spec::Kind specKind(const std::string &word) {
  static const struct {
    const char *word;
    Spec::Kind kind;
  } kRows[] = {{"tensor", Spec::TensorSlot}, {"int", Spec::IntSlot},  {"float", Spec::FloatSlot},
               {"bool", Spec::BoolSlot},     {"none", Spec::None},    {"some", Spec::Some},
               {"list", Spec::List},         {"word", Spec::Word},    {"number", Spec::Word},
               {"text", Spec::Text},         {"object", Spec::Object}};
  for (const auto &row : kRows)
    if (word == row.word)
      return row.kind;
  throw nb::value_error(("unknown argument form " + word).c_str());
}

/// From the tuples of fallback.py: (word, value...).
Spec readSpec(nb::handle tuple) {
  Spec spec;
  std::string word = nb::cast<std::string>(tuple[0]);
  spec.kind = specKind(word);
  if (spec.kind == Spec::TensorSlot)
    spec.dtype = dtypeCode(nb::cast<std::string>(tuple[1]));
  if (spec.kind == Spec::IntSlot)
    spec.asFloat = nb::cast<bool>(tuple[1]);
  if (spec.kind == Spec::Some)
    spec.items.push_back(readSpec(tuple[1]));
  if (spec.kind == Spec::List)
    for (nb::handle item : tuple[1])
      spec.items.push_back(readSpec(item));
  if (spec.kind == Spec::Text)
    spec.text = nb::cast<std::string>(tuple[1]);
  if (spec.kind == Spec::Object)
    spec.object = tuple[1];
  if (word == "number") {
    double value = nb::cast<double>(tuple[1]);
    memcpy(&spec.word, &value, sizeof value);
  } else if (spec.kind == Spec::Word) {
    spec.word = uint64_t(nb::cast<int64_t>(tuple[1]));
  }
  return spec;
}

Expected readExpected(nb::handle row) {
  static const struct {
    const char *word;
    Expected::Kind kind;
  } kRows[] = {{"tensor", Expected::Tensor}, {"int", Expected::Int},   {"float", Expected::Float},
               {"bool", Expected::Bool},     {"list", Expected::List}, {"none", Expected::None}};
  nb::dict fields = nb::cast<nb::dict>(row);
  std::string word = nb::cast<std::string>(fields["kind"]);
  Expected expected;
  expected.kind = Expected::None;
  for (const auto &known : kRows)
    if (word == known.word)
      expected.kind = known.kind;
  if (fields.contains("dtype"))
    expected.dtype = dtypeCode(nb::cast<std::string>(fields["dtype"]));
  if (fields.contains("dims") && !fields["dims"].is_none()) {
    expected.ranked = true;
    for (nb::handle dim : fields["dims"])
      expected.dims.push_back(nb::isinstance<nb::int_>(dim) ? nb::cast<int64_t>(dim) : -1);
  }
  if (expected.kind == Expected::List)
    for (nb::handle item : fields["items"])
      expected.items.push_back(readExpected(item));
  return expected;
}

size_t slotsOf(const Spec &spec) {
  size_t count = spec.kind <= Spec::BoolSlot;
  for (const Spec &item : spec.items)
    count += slotsOf(item);
  return count;
}

size_t slotsOf(const Expected &expected) {
  size_t count = expected.kind <= Expected::Bool;
  for (const Expected &item : expected.items)
    count += slotsOf(item);
  return count;
}

} // namespace

void readPlan(nb::handle plan, Op &op) {
  op.label = nb::cast<std::string>(plan["label"]);
  op.name = nb::cast<std::string>(plan["name"]);
  op.overload = nb::cast<std::string>(plan["overload"]);
  op.location = nb::cast<std::string>(plan["location"]);
  op.function = plan["function"];
  for (nb::handle row : plan["python"]) {
    op.arguments.push_back(readSpec(row));
    op.argumentSlots += slotsOf(op.arguments.back());
  }
  op.isNative = !plan["native"].is_none();
  if (op.isNative)
    for (nb::handle row : plan["native"])
      op.nativeArguments.push_back(readSpec(row));
  for (nb::handle row : plan["results"]) {
    op.results.push_back(readExpected(row));
    op.resultSlots += slotsOf(op.results.back());
  }
}

} // namespace refrt
