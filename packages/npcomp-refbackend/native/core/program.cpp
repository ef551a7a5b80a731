#include "program.h"

#include "cpu.h"
#include "dtype.h"
#include "error.h"
#include "tensor.h"

#include <cstdlib>
#include <cstring>
#include <new>

namespace refrt {
namespace {

/// The leaves of a value in slot order.
void addLeaves(const json::Value &node, std::vector<uint8_t> &isTensor) {
  const std::string &kind = node.at("kind").string();
  if (kind == "tensor")
    isTensor.push_back(1);
  else if (kind == "int" || kind == "float" || kind == "bool")
    isTensor.push_back(0);
  else if (kind == "list" || kind == "tuple" || kind == "dict" || kind == "namedtuple")
    for (const json::Value &item : node.at("items").array())
      addLeaves(item, isTensor);
  else if (kind == "str")
    node.at("value");
  else if (kind != "none" && kind != "const")
    throw LoadError("the signature holds a value of kind '" + kind +
                    "', which this version does not know. do: update "
                    "npcomp-refbackend");
}

/// The slots of the argument leaves that the program writes, in order; `slot` counts all that take one.
void addWritten(const json::Value &node, std::vector<size_t> &written, size_t &slot) {
  const std::string &kind = node.at("kind").string();
  if (node.find("writes"))
    written.push_back(slot);
  if (kind == "tensor" || kind == "int" || kind == "float" || kind == "bool")
    ++slot;
  for (const json::Value &item : node.list("items"))
    addWritten(item, written, slot);
}

Method readMethod(const json::Value &row, const LoadedObject &object) {
  Method method;
  method.signature = row.at("signature");
  method.name = row.find("name") ? row.at("name").string() : method.signature.at("name").string();
  const std::string &entry = row.at("entry").string();
  method.entry = reinterpret_cast<refrt_entry>(object.function(entry));
  if (!method.entry)
    throw LoadError("the program's object code lacks the function '" + entry + "' of method '" + method.name + "'");
  if (const json::Value *returns = method.signature.find("returns"))
    addLeaves(*returns, method.resultIsTensor);
  method.returned = method.resultIsTensor.size();
  size_t slot = 0;
  for (const json::Value &argument : method.signature.list("args")) {
    addLeaves(argument, method.argumentIsTensor);
    addWritten(argument, method.written, slot);
  }
  method.resultIsTensor.resize(method.returned + method.written.size(), 1);
  return method;
}

Slot readSlot(const json::Value &row, size_t constants) {
  Slot slot;
  slot.name = row.at("name").string();
  slot.kind = row.at("kind").string();
  if (slot.kind == "tensor") {
    slot.constant = row.at("constant").asInt();
    if (slot.constant < 0 || size_t(slot.constant) >= constants)
      throw LoadError("state '" + slot.name + "' starts from a constant that the program does not have");
  } else if (slot.kind == "float") {
    double value = row.at("value").asDouble();
    memcpy(&slot.bits, &value, 8);
  } else if (slot.kind == "bool") {
    slot.bits = row.at("value").asBool();
  } else if (slot.kind == "int") {
    slot.bits = row.at("value").asInt();
  } else {
    throw LoadError("state '" + slot.name + "' has unknown kind '" + slot.kind + "'");
  }
  return slot;
}

/// A copy of memory whose start is not aligned as kernels expect.
Span aligned(const Span &span) {
  if (reinterpret_cast<uintptr_t>(span.data) % 64 == 0)
    return span;
  size_t capacity = (span.size + 63) & ~size_t(63);
  void *memory = std::aligned_alloc(64, capacity ? capacity : 64);
  if (!memory)
    throw std::bad_alloc();
  if (span.size)
    memcpy(memory, span.data, span.size);
  return {static_cast<uint8_t *>(memory), span.size, std::shared_ptr<void>(memory, std::free)};
}

refrt_tensor *readConstant(const json::Value &row, const Span &span, size_t index) {
  std::vector<int64_t> sizes;
  for (const json::Value &size : row.at("sizes").array())
    sizes.push_back(size.asInt());
  int32_t dtype = dtypeCode(row.at("dtype").string());
  int64_t numel = countElements(int64_t(sizes.size()), sizes.data()), bytes;
  if (dtype < 0 || numel < 0 || int64_t(sizes.size()) > kMaxRank ||
      __builtin_mul_overflow(numel, elementSize(dtype), &bytes) || size_t(bytes) != span.size)
    throw LoadError("constant " + std::to_string(index) + " of the program has " + std::to_string(span.size) +
                    " bytes, which is not what its dtype and sizes say");
  refrt_tensor *t = newHandle(Kind::Constant, dtype, int64_t(sizes.size()), sizes.data(), numel);
  if (!t)
    throw std::bad_alloc();
  t->data = const_cast<uint8_t *>(span.data);
  denseStrides(t->rank, sizesOf(t), stridesOf(t));
  return t;
}

std::vector<Span> split(const json::Value &header, const Span &constants) {
  std::vector<Span> parts;
  for (const json::Value &row : header.list("constants")) {
    int64_t offset = row.at("offset").asInt(), size = row.at("nbytes").asInt();
    if (offset < 0 || size < 0 || size_t(offset) > constants.size || size_t(size) > constants.size - size_t(offset))
      throw LoadError("constant " + std::to_string(parts.size()) + " of the program lies outside of its file");
    parts.push_back({constants.data + offset, size_t(size), constants.keeper});
  }
  return parts;
}

std::shared_ptr<Program> build(json::Value header, const Span &object, const std::vector<Span> &constants) {
  auto program = std::make_shared<Program>();
  program->header = std::move(header);
  if (const json::Value *target = program->header.find("target"))
    requireTarget(*target);
  program->object = std::make_unique<LoadedObject>(object.data, object.size);
  const std::vector<json::Value> &rows = program->header.list("constants");
  if (rows.size() != constants.size())
    throw LoadError("the program lists " + std::to_string(rows.size()) + " constants and brings " +
                    std::to_string(constants.size()));
  for (size_t i = 0; i < rows.size(); ++i) {
    Span span = aligned(constants[i]);
    program->constants.push_back(readConstant(rows[i], span, i));
    program->keepers.push_back(span.keeper);
  }
  for (const json::Value &row : program->header.list("methods"))
    program->methods.push_back(readMethod(row, *program->object));
  for (const json::Value &row : program->header.list("guards"))
    program->guards.push_back({row.at("kind").string(), row.at("message").string(), row.textOr("loc")});
  for (const json::Value &row : program->header.list("slots"))
    program->slots.push_back(readSlot(row, constants.size()));
  return program;
}

} // namespace

std::shared_ptr<Program> Program::create(const std::string &header, const Span &object,
                                         const std::vector<Span> &constants) {
  return build(json::parse(header), object, constants);
}

std::shared_ptr<Program> Program::create(const std::string &header, const Span &object, const Span &constants) {
  json::Value parsed = json::parse(header);
  std::vector<Span> parts = split(parsed, constants);
  return build(std::move(parsed), object, parts);
}

Program::~Program() {
  for (refrt_tensor *t : constants)
    freeHandle(t);
}

} // namespace refrt
