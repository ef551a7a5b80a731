#include "npcomp/Torch/AtenSchema.h"

#include "npcomp/Torch/TorchTypes.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace npcomp::torch {
namespace {

/// A recursive descent parser over the text of one schema.
class SchemaParser {
public:
  explicit SchemaParser(StringRef text) : text(text), rest(text) {}

  llvm::Expected<AtenSchema> parse() {
    AtenSchema schema;
    schema.text = text.str();
    schema.name = rest.take_until([](char c) { return c == '('; }).trim().str();
    rest = rest.drop_while([](char c) { return c != '('; });
    if (!parseValues(schema.arguments, schema.variadicArguments) || !eat("->") || !parseResults(schema))
      return failure();
    skipSpace();
    if (!rest.empty() || schema.name.empty())
      return failure();
    return schema;
  }

private:
  llvm::Error failure() const {
    return llvm::createStringError("no ATen schema: '" + text.str() + "', stuck at '" + rest.str() + "'");
  }

  void skipSpace() { rest = rest.ltrim(); }

  bool eat(StringRef token) {
    skipSpace();
    return rest.consume_front(token);
  }

  bool parseName(std::string &name) {
    skipSpace();
    StringRef found = rest.take_while([](char c) { return llvm::isAlnum(c) || c == '_' || c == '.'; });
    rest = rest.drop_front(found.size());
    name = found.str();
    return !found.empty();
  }

  /// `(a)`, `(a!)`, `(a|b)`, `(a! -> a|b)`, `(*)`: never a type, so told from `Dict(...)` by its name.
  bool parseAlias(SchemaType &type) {
    if (!eat("("))
      return false;
    StringRef alias = rest.take_until([](char c) { return c == ')'; });
    rest = rest.drop_front(alias.size());
    type.aliases = true;
    type.writes = alias.contains('!');
    return eat(")");
  }

  bool parseItems(SchemaType &type) {
    if (!eat("("))
      return false;
    while (!eat(")")) {
      if (!type.items.empty() && !eat(","))
        return false;
      if (!parseType(type.items.emplace_back()))
        return false;
      std::string ignoredName;
      parseName(ignoredName);
    }
    return true;
  }

  bool parseAtom(SchemaType &type) {
    skipSpace();
    if (rest.starts_with("(")) {
      type.kind = SchemaType::Kind::Tuple;
      return parseItems(type);
    }
    if (!parseName(type.name))
      return false;
    if (type.name == "Dict")
      type.kind = SchemaType::Kind::Dict;
    if (!rest.starts_with("("))
      return true;
    bool isGeneric = llvm::is_contained({"Dict", "Future", "RRef", "Await", "Union"}, StringRef(type.name));
    return isGeneric ? parseItems(type) : parseAlias(type);
  }

  static void wrap(SchemaType &type, SchemaType::Kind kind) {
    SchemaType outer;
    outer.kind = kind;
    outer.aliases = type.aliases;
    outer.writes = type.writes;
    outer.items.push_back(std::move(type));
    type = std::move(outer);
  }

  bool parseType(SchemaType &type) {
    if (!parseAtom(type))
      return false;
    while (true) {
      if (rest.consume_front("?")) {
        wrap(type, SchemaType::Kind::Optional);
      } else if (rest.consume_front("[")) {
        StringRef length = rest.take_while([](char c) { return llvm::isDigit(c); });
        rest = rest.drop_front(length.size());
        if (!rest.consume_front("]"))
          return false;
        wrap(type, SchemaType::Kind::List);
        type.fixedLength = !length.empty();
      } else if (type.kind != SchemaType::Kind::Named && rest.starts_with("(")) {
        if (!parseAlias(type))
          return false;
      } else {
        return true;
      }
    }
  }

  bool parseValue(SchemaValue &value) {
    skipSpace();
    StringRef start = rest;
    if (!parseType(value.type))
      return false;
    value.spelling = start.drop_back(rest.size()).str();
    parseName(value.name);
    if (eat("="))
      skipDefault();
    return true;
  }

  /// Skips to the comma or parenthesis that ends a default value.
  void skipDefault() {
    int depth = 0;
    bool quoted = false;
    while (!rest.empty()) {
      char c = rest.front();
      if (c == '"' || c == '\'')
        quoted = !quoted;
      if (!quoted && depth == 0 && (c == ',' || c == ')'))
        return;
      if (!quoted && (c == '[' || c == '('))
        ++depth;
      if (!quoted && (c == ']' || c == ')'))
        --depth;
      rest = rest.drop_front();
    }
  }

  bool parseValues(std::vector<SchemaValue> &values, bool &variadic) {
    if (!eat("("))
      return false;
    bool first = true;
    while (!eat(")")) {
      if (!first && !eat(","))
        return false;
      first = false;
      if (eat("...")) {
        variadic = true;
        continue;
      }
      if (eat("*,") || eat("*"))
        if (eat(")"))
          return true;
      if (!parseValue(values.emplace_back()))
        return false;
    }
    return true;
  }

  bool parseResults(AtenSchema &schema) {
    skipSpace();
    if (rest.starts_with("..."))
      return schema.variadicResults = eat("...");
    if (rest.starts_with("("))
      return parseValues(schema.results, schema.variadicResults);
    return parseValue(schema.results.emplace_back());
  }

  StringRef text;
  StringRef rest;
};

bool namedAccepts(StringRef name, Type type) {
  if (name == "Tensor")
    return isTensorType(type);
  if (name == "int" || name == "SymInt" || name == "ScalarType" || name == "Layout" || name == "MemoryFormat" ||
      name == "QScheme")
    return isa<IntType, BoolType, NumberType>(type);
  if (name == "float")
    return isa<FloatType, IntType, NumberType>(type);
  if (name == "bool" || name == "SymBool")
    return isa<BoolType, IntType>(type);
  if (name == "Scalar" || name == "number" || name == "complex")
    return isa<NumberType, IntType, FloatType, BoolType>(type);
  if (name == "str")
    return isa<StringType>(type);
  if (name == "Device")
    return isa<DeviceType, StringType>(type);
  if (name == "Generator")
    return isa<GeneratorType, NoneType>(type);
  if (name == "None" || name == "NoneType")
    return isa<NoneType>(type);
  // Type variables (`t`), `Any` and the types that npcomp has no notion of.
  return true;
}

} // namespace

bool SchemaType::accepts(Type type) const {
  if (!isTorchType(type))
    return false;
  if (isa<AnyType>(type))
    return true;
  if (kind == Kind::Optional)
    return isa<NoneType>(type) || items.front().accepts(type) ||
           (isa<OptionalType>(type) && accepts(cast<OptionalType>(type).getContained()));
  if (kind == Kind::Named && name == "t")
    return true;
  if (auto optional = dyn_cast<OptionalType>(type))
    return accepts(optional.getContained());
  if (auto multi = dyn_cast<UnionType>(type))
    return llvm::any_of(multi.getContainedTypes(), [&](Type member) { return accepts(member); });
  switch (kind) {
  case Kind::Named:
    return namedAccepts(name, type);
  case Kind::List:
    if (auto list = dyn_cast<ListType>(type))
      return items.front().accepts(list.getContained());
    return fixedLength && items.front().accepts(type);
  case Kind::Tuple:
    if (auto tuple = dyn_cast<TupleType>(type))
      return tuple.getContainedTypes().size() == items.size() &&
             llvm::all_of(llvm::zip(items, tuple.getContainedTypes()),
                          [](auto pair) { return std::get<0>(pair).accepts(std::get<1>(pair)); });
    return false;
  case Kind::Dict:
    if (auto dict = dyn_cast<DictType>(type))
      return items.size() != 2 || (items[0].accepts(dict.getKey()) && items[1].accepts(dict.getValue()));
    return false;
  case Kind::Optional:
    break;
  }
  llvm_unreachable("optional is handled above");
}

llvm::Expected<AtenSchema> AtenSchema::parse(StringRef text) { return SchemaParser(text).parse(); }

} // namespace npcomp::torch
