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

nb::object namedTupleType(const json::Value &node) {
  nb::list fields;
  for (const json::Value &field : node.at("fields").array())
    fields.append(nb::str(field.string().c_str()));
  return nb::module_::import_("collections").attr("namedtuple")(node.at("name").string().c_str(), fields);
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
  if (node.kind == Node::Const)
    node.value = toPython(text.at("value"));
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
