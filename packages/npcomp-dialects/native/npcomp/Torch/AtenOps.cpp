#include "npcomp/Torch/AtenOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "npcomp/Torch/Effects.h"
#include "npcomp/Torch/TorchDialect.h"
#include "npcomp/Torch/TorchOps.h"

#include <map>
#include <mutex>

using namespace mlir;

namespace npcomp::torch {
namespace {

//===------------------------------------------------------------------------------------------===//
// The model of every ATen op
//===------------------------------------------------------------------------------------------===//

struct AtenEffects : MemoryEffectOpInterface::FallbackModel<AtenEffects> {
  void getEffects(Operation *op, MemoryEffectList &effects) const {
    if (auto aten = AtenOp::from(op))
      addSchemaEffects(*aten, effects);
  }
};

::mlir::detail::InterfaceMap makeInterfaces() {
  ::mlir::detail::InterfaceMap interfaces;
  interfaces.insertModels<AtenEffects>();
  return interfaces;
}

/// `%r = torch.aten.add.Tensor %a, %b, %c : !torch.int, ... -> !torch.int`
ParseResult parseAten(OpAsmParser &parser, OperationState &state) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  SmallVector<Type> operandTypes;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands) || parser.parseOptionalAttrDict(state.attributes))
    return failure();
  if (operands.empty() && failed(parser.parseOptionalColon()))
    return success();
  if (!operands.empty() && (parser.parseColon() || parseAnyTypes(parser, operandTypes)))
    return failure();
  if (succeeded(parser.parseOptionalArrow()) && parseAnyTypes(parser, state.types))
    return failure();
  return parser.resolveOperands(operands, operandTypes, loc, state.operands);
}

void printAten(Operation *op, OpAsmPrinter &printer) {
  printer << op->getName();
  if (op->getNumOperands())
    printer << ' ' << op->getOperands();
  printer.printOptionalAttrDict(op->getAttrs());
  if (op->getNumOperands() == 0 && op->getNumResults() == 0)
    return;
  printer << " :";
  if (op->getNumOperands())
    printer << ' ' << op->getOperandTypes();
  if (op->getNumResults())
    printer << " -> " << op->getResultTypes();
}

LogicalResult verifyValues(Operation *op, StringRef what, TypeRange types, ArrayRef<SchemaValue> expected,
                           bool variadic, const AtenSchema &schema) {
  if (variadic ? types.size() < expected.size() : types.size() != expected.size())
    return op->emitOpError() << "takes " << expected.size() << " " << what << "s, got " << types.size() << ": "
                             << schema.text;
  for (auto [index, value, type] : llvm::enumerate(expected, types.take_front(expected.size()))) {
    if (value.type.accepts(type))
      continue;
    InFlightDiagnostic error = op->emitOpError() << what << " " << index;
    if (!value.name.empty())
      error << " (" << value.name << ")";
    return error << " is " << value.spelling << ", got " << type << ": " << schema.text;
  }
  return success();
}

class AtenModel : public OperationName::Impl {
public:
  AtenModel(StringRef name, TorchDialect *dialect, TypeID id, const AtenSchema *schema)
      : Impl(name, dialect, id, makeInterfaces()), schema(schema) {}

  LogicalResult verifyInvariants(Operation *op) final {
    if (op->getNumRegions() || op->getNumSuccessors())
      return op->emitOpError() << "has neither regions nor successors";
    if (failed(
            verifyValues(op, "operand", op->getOperandTypes(), schema->arguments, schema->variadicArguments, *schema)))
      return failure();
    return verifyValues(op, "result", op->getResultTypes(), schema->results, schema->variadicResults, *schema);
  }

  OperationName::ParseAssemblyFn getParseAssemblyFn() final { return parseAten; }
  void printAssembly(Operation *op, OpAsmPrinter &printer, StringRef) final { printAten(op, printer); }

  LogicalResult foldHook(Operation *, ArrayRef<Attribute>, SmallVectorImpl<OpFoldResult> &) final { return failure(); }
  void getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) final {}
  bool hasTrait(TypeID) final { return false; }
  void populateDefaultAttrs(const OperationName &, NamedAttrList &) final {}
  LogicalResult verifyRegionInvariants(Operation *) final { return success(); }

  // All attributes are discardable: there are no properties, so any two are equal, which lets CSE merge ops.
  std::optional<Attribute> getInherentAttr(Operation *, StringRef) final { return std::nullopt; }
  void setInherentAttr(Operation *op, StringAttr name, Attribute value) final { op->setDiscardableAttr(name, value); }
  void populateInherentAttrs(Operation *, NamedAttrList &) final {}
  LogicalResult verifyInherentAttrs(OperationName, NamedAttrList &, function_ref<InFlightDiagnostic()>) final {
    return success();
  }
  int getOpPropertyByteSize() final { return 0; }
  void initProperties(OperationName, OpaqueProperties, OpaqueProperties) final {}
  void deleteProperties(OpaqueProperties) final {}
  void populateDefaultProperties(OperationName, OpaqueProperties) final {}
  LogicalResult setPropertiesFromAttr(OperationName, OpaqueProperties, Attribute,
                                      function_ref<InFlightDiagnostic()> emitError) final {
    if (emitError)
      emitError() << "an ATen op has no properties";
    return failure();
  }
  Attribute getPropertiesAsAttr(Operation *) final { return {}; }
  void copyProperties(OpaqueProperties, OpaqueProperties) final {}
  bool compareProperties(OpaqueProperties, OpaqueProperties) final { return true; }
  llvm::hash_code hashProperties(OpaqueProperties) final { return llvm::hash_code(0); }

private:
  const AtenSchema *schema;
};

//===------------------------------------------------------------------------------------------===//
// Tables
//===------------------------------------------------------------------------------------------===//

/// A row of a table. Rows live as long as the process: contexts point to them.
struct AtenRow {
  std::string name;
  AtenSchema schema;
  TypeID id;
};

/// Tables by their text, so that a context costs no parsing, and one type id for each op name.
struct ParsedTables {
  std::mutex mutex;
  std::map<std::string, std::vector<AtenRow>, std::less<>> tables;
  std::map<std::string, std::unique_ptr<SelfOwningTypeID>, std::less<>> ids;

  static ParsedTables &get() {
    static ParsedTables *tables = new ParsedTables;
    return *tables;
  }

  TypeID idOf(const std::string &name) {
    std::unique_ptr<SelfOwningTypeID> &id = ids[name];
    if (!id)
      id = std::make_unique<SelfOwningTypeID>();
    return *id;
  }
};

llvm::Expected<AtenRow> parseRow(StringRef line, ParsedTables &parsed) {
  auto [name, rest] = line.split('|');
  auto [schemaText, traitText] = rest.rsplit('|');
  if (!name.starts_with("torch.") || rest.find('|') == StringRef::npos)
    return llvm::createStringError("no row of an op table: '" + line.str() + "'; a row is torch.NAME|SCHEMA|TRAITS");
  llvm::Expected<AtenSchema> schema = AtenSchema::parse(schemaText);
  if (!schema)
    return schema.takeError();
  SmallVector<StringRef> traits;
  traitText.split(traits, ',', -1, false);
  auto has = [&](StringRef trait) { return llvm::is_contained(traits, trait); };
  schema->isPure = has("pure");
  bool isAnnotated = has("pure") || has("inplace") || has("out") || has("mutates");
  schema->effectsFromAnnotations = isAnnotated && !has("random") && !has("writes");
  return AtenRow{name.str(), std::move(*schema), parsed.idOf(name.str())};
}

llvm::Expected<const std::vector<AtenRow> *> parseTable(StringRef text) {
  ParsedTables &parsed = ParsedTables::get();
  std::lock_guard<std::mutex> lock(parsed.mutex);
  auto known = parsed.tables.find(text);
  if (known != parsed.tables.end())
    return &known->second;
  std::vector<AtenRow> rows;
  SmallVector<StringRef> lines;
  text.split(lines, '\n', -1, false);
  for (StringRef line : lines) {
    llvm::Expected<AtenRow> row = parseRow(line.trim(), parsed);
    if (!row)
      return row.takeError();
    rows.push_back(std::move(*row));
  }
  return &parsed.tables.emplace(text.str(), std::move(rows)).first->second;
}

LogicalResult registerRow(MLIRContext *context, TorchDialect *dialect, const AtenRow &row) {
  if (auto known = RegisteredOperationName::lookup(row.name, context)) {
    const AtenSchema *schema = dialect->lookupAten(*known);
    if (schema && schema->text == row.schema.text)
      return success();
    return emitError(UnknownLoc::get(context))
           << row.name << " is registered already, as " << (schema ? schema->text : "an op that is not ATen's");
  }
  RegisteredOperationName::insert(std::make_unique<AtenModel>(row.name, dialect, row.id, &row.schema), {});
  dialect->insertAten(OperationName(row.name, context), &row.schema);
  return success();
}

} // namespace

LogicalResult registerAtenOps(MLIRContext *context, StringRef table) {
  auto *dialect = context->getOrLoadDialect<TorchDialect>();
  llvm::Expected<const std::vector<AtenRow> *> rows = parseTable(table);
  if (!rows)
    return emitError(UnknownLoc::get(context)) << llvm::toString(rows.takeError());
  for (const AtenRow &row : **rows)
    if (failed(registerRow(context, dialect, row)))
      return failure();
  return success();
}

//===------------------------------------------------------------------------------------------===//
// AtenOp
//===------------------------------------------------------------------------------------------===//

std::optional<AtenOp> AtenOp::from(Operation *op) {
  auto *dialect = dyn_cast_or_null<TorchDialect>(op->getDialect());
  const AtenSchema *schema = dialect ? dialect->lookupAten(op->getName()) : nullptr;
  return schema ? std::optional<AtenOp>(AtenOp(op, schema)) : std::nullopt;
}

Value AtenOp::getOperand(StringRef name) const {
  for (auto [argument, operand] : llvm::zip(schema->arguments, op->getOperands()))
    if (argument.name == name)
      return operand;
  return {};
}

} // namespace npcomp::torch
