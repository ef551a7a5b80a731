#include "signature.h"

#include "dtype.h"
#include "error.h"
#include "tensor.h"

#include <algorithm>

namespace refrt {
namespace {

struct KindRow {
  const char *name;
  Node::Kind kind;
};
constexpr KindRow kKinds[] = {{"tensor", Node::Tensor},
                              {"int", Node::Int},
                              {"float", Node::Float},
                              {"bool", Node::Bool},
                              {"none", Node::None},
                              {"const", Node::Const},
                              {"str", Node::Const},
                              {"list", Node::List},
                              {"tuple", Node::Tuple},
                              {"dict", Node::Dict},
                              {"namedtuple", Node::NamedTuple}};

Node::Kind kindNamed(const std::string &name) {
  for (const KindRow &row : kKinds)
    if (name == row.name)
      return row.kind;
  throw LoadError("the signature holds a value of kind '" + name +
                  "', which this version does not know. do: update "
                  "npcomp-refbackend");
}

Dim readDim(const json::Value &dim, std::vector<std::string> &names) {
  if (dim.type == json::Value::Int)
    return {dim.integer, -1};
  if (dim.type == json::Value::Null)
    return {};
  auto found = std::find(names.begin(), names.end(), dim.string());
  if (found == names.end())
    found = names.insert(names.end(), dim.string());
  return {-1, int(found - names.begin())};
}

/// The value of a constant; "of" names the type of one that JSON lacks.
nb::object constantOf(const json::Value &node) {
  nb::object value = toPython(node.at("value"));
  const json::Value *of = node.find("of");
  if (!of)
    return value;
  return nb::module_::import_("npcomp_refbackend.python_values").attr("constant")(of->string().c_str(), value);
}

nb::object namedTupleType(const json::Value &node) {
  nb::list fields;
  for (const json::Value &field : node.at("fields").array())
    fields.append(nb::str(field.string().c_str()));
  const json::Value *module = node.find("module");
  return nb::module_::import_("npcomp_refbackend.python_values")
      .attr("record_type")(node.at("name").string().c_str(), fields, module ? module->string().c_str() : "");
}

Node readNode(const json::Value &text, std::vector<std::string> &names, bool isResult) {
  Node node;
  node.kind = kindNamed(text.at("kind").string());
  if (node.kind == Node::Tensor) {
    const json::Value *dtype = text.find("dtype");
    node.dtype = dtype ? dtypeCode(dtype->string()) : -1;
    const json::Value *dims = text.find("dims");
    if (!isResult && (node.dtype < 0 || !dims || dims->type != json::Value::Array))
      throw LoadError("the signature declares a tensor without a known dtype and dims");
    if (dims && dims->type == json::Value::Array)
      for (const json::Value &dim : dims->items)
        node.dims.push_back(readDim(dim, names));
    if (int64_t(node.dims.size()) > kMaxRank)
      throw LoadError("the signature declares a tensor of rank " + std::to_string(node.dims.size()));
  }
  if (const json::Value *writes = text.find("writes"))
    node.writes = writes->type == json::Value::String ? Node::Unguarded : Node::Guarded;
  if (const json::Value *alias = text.find("alias"))
    node.alias = alias->asInt();
  if (node.kind == Node::Const)
    node.value = constantOf(text);
  if (node.kind >= Node::List)
    for (const json::Value &item : text.at("items").array())
      node.items.push_back(readNode(item, names, isResult));
  if (node.kind == Node::Dict) {
    nb::list keys;
    for (const json::Value &key : text.at("keys").array())
      keys.append(toPython(key));
    node.keys = nb::tuple(keys);
  }
  if (node.kind == Node::NamedTuple)
    node.type = namedTupleType(text);
  size_t labels = node.kind == Node::Dict         ? node.keys.size()
                  : node.kind == Node::NamedTuple ? text.at("fields").array().size()
                                                  : node.items.size();
  if (labels != node.items.size())
    throw LoadError("the signature names " + std::to_string(labels) + " items of a container that has " +
                    std::to_string(node.items.size()));
  return node;
}

void countSlots(const Node &node, size_t &slots, size_t &bytes) {
  if (node.kind <= Node::Bool)
    ++slots;
  if (node.kind == Node::Tensor)
    bytes += sizeof(Prefix) + headerBytes(int64_t(node.dims.size()));
  for (const Node &item : node.items)
    countSlots(item, slots, bytes);
}

void markWrites(const Node &node, std::vector<uint8_t> &writes) {
  if (node.kind <= Node::Bool)
    writes.push_back(node.writes != Node::Never);
  for (const Node &item : node.items)
    markWrites(item, writes);
}

bool hasAlias(const Node &node, size_t slots) {
  if (node.alias >= int64_t(slots))
    throw LoadError("the signature returns argument " + std::to_string(node.alias) + ", which does not exist");
  bool found = node.alias >= 0;
  for (const Node &item : node.items)
    found |= hasAlias(item, slots);
  return found;
}

std::string join(const std::vector<std::string> &parts, const char *separator) {
  std::string text;
  for (const std::string &part : parts)
    text += (text.empty() ? "" : separator) + part;
  return text;
}

std::string reprOf(nb::handle object) { return nb::repr(object).c_str(); }

} // namespace

Signature::Signature(const json::Value &text) {
  name = text.at("name").string();
  for (const json::Value &row : text.list("args")) {
    Argument argument;
    PyObject *interned = PyUnicode_InternFromString(row.at("name").string().c_str());
    if (!interned)
      throw nb::python_error();
    argument.name = nb::steal<nb::str>(interned);
    argument.node = readNode(row, sizeNames, false);
    if (const json::Value *fallback = row.find("default"))
      argument.fallback = toPython(*fallback);
    else if (argument.node.kind == Node::None)
      argument.fallback = nb::none();
    else if (argument.node.kind == Node::Const)
      argument.fallback = argument.node.value;
    if (const json::Value *flag = row.find("kwonly"))
      argument.keywordOnly = flag->asBool();
    countSlots(argument.node, argumentSlots, handleBytes);
    arguments.push_back(std::move(argument));
  }
  if (const json::Value *node = text.find("returns"))
    returns = readNode(*node, sizeNames, true);
  else
    returns.kind = Node::None;
  size_t unused = 0;
  countSlots(returns, resultSlots, unused);
  for (const Argument &argument : arguments)
    markWrites(argument.node, writes);
  size_t written = size_t(std::count(writes.begin(), writes.end(), 1));
  resultSlots += written;
  writesAny = written > 0;
  keepsObjects = hasAlias(returns, argumentSlots) || writesAny;
}

std::string Signature::describe(const Node &node) const {
  static const char *const kWords[] = {"tensor", "int", "float", "bool", "None"};
  std::vector<std::string> parts;
  if (node.kind == Node::Tensor) {
    for (const Dim &dim : node.dims)
      parts.push_back(dim.size >= 0 ? std::to_string(dim.size) : dim.named >= 0 ? sizeNames[size_t(dim.named)] : "?");
    return node.dtype < 0 ? "tensor" : dtypeName(node.dtype) + "[" + join(parts, ", ") + "]";
  }
  if (node.kind < Node::Const)
    return kWords[node.kind];
  if (node.kind == Node::Const)
    return reprOf(node.value);
  for (size_t i = 0; i < node.items.size(); ++i)
    parts.push_back((node.kind == Node::Dict ? reprOf(node.keys[i]) + ": " : "") + describe(node.items[i]));
  if (node.kind == Node::List)
    return "[" + join(parts, ", ") + "]";
  if (node.kind == Node::Dict)
    return "{" + join(parts, ", ") + "}";
  std::string type = node.kind == Node::NamedTuple ? nb::cast<std::string>(node.type.attr("__name__")) : "";
  return type + "(" + join(parts, ", ") + (parts.size() == 1 ? ",)" : ")");
}

namespace {

/// Finds slot number `rest` below a node; what is left of `rest` is counted down.
bool findSlot(const Node &node, const std::string &path, size_t &rest, std::string &found) {
  if (node.kind <= Node::Bool && rest-- == 0) {
    found = path;
    return true;
  }
  for (size_t i = 0; i < node.items.size(); ++i)
    if (findSlot(node.items[i], path + "[" + (node.kind == Node::Dict ? reprOf(node.keys[i]) : std::to_string(i)) + "]",
                 rest, found))
      return true;
  return false;
}

} // namespace

std::string Signature::slotText(size_t slot) const {
  std::string found;
  for (const Argument &argument : arguments)
    if (findSlot(argument.node, std::string("'") + argument.name.c_str() + "'", slot, found))
      break;
  return found;
}

std::string Signature::text() const {
  std::vector<std::string> parts;
  for (const Argument &argument : arguments)
    parts.push_back(argument.name.c_str() + (": " + describe(argument.node)) +
                    (argument.fallback.is_valid() ? " = " + reprOf(argument.fallback) : ""));
  return name + "(" + join(parts, ", ") + ") -> " + describe(returns);
}

nb::object toPython(const json::Value &value) {
  switch (value.type) {
  case json::Value::Null:
    return nb::none();
  case json::Value::Bool:
    return nb::bool_(value.boolean);
  case json::Value::Int:
    return nb::int_(value.integer);
  case json::Value::Float:
    return nb::float_(value.number);
  case json::Value::String:
    return nb::str(value.text.c_str(), value.text.size());
  case json::Value::Array: {
    nb::list items;
    for (const json::Value &item : value.items)
      items.append(toPython(item));
    return items;
  }
  case json::Value::Object: {
    nb::dict members;
    for (const auto &member : value.members)
      members[nb::str(member.first.c_str(), member.first.size())] = toPython(member.second);
    return members;
  }
  }
  return nb::none();
}

} // namespace refrt
