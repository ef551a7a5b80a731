#include "npcomp/Torch/TorchOps.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace npcomp::torch {

//===------------------------------------------------------------------------------------------===//
// Instances and classes
//===------------------------------------------------------------------------------------------===//

/// The class of an instance type, or null after an error at `op`.
static ClassTypeOp findClass(SymbolTableCollection &symbols, Operation *op, NnModuleType type) {
  auto found = symbols.lookupNearestSymbolFrom<ClassTypeOp>(op, type.getClassName());
  if (!found)
    op->emitOpError() << "is of class \"" << type.getClassName().getValue() << "\", which no torch.class_type defines";
  return found;
}

LogicalResult NnModuleOp::verifySymbolUses(SymbolTableCollection &symbols) {
  ClassTypeOp classOp = findClass(symbols, *this, getType());
  if (!classOp)
    return failure();
  llvm::StringMap<AttrOp> attributes;
  for (auto attribute : classOp.getOps<AttrOp>())
    attributes[attribute.getName()] = attribute;
  llvm::StringSet<> seen;
  for (Operation &op : getRegion().front().without_terminator()) {
    auto slot = dyn_cast<SlotOp>(op);
    if (!slot)
      return op.emitOpError() << "has no place in a torch.nn_module: only torch.slot has";
    if (!seen.insert(slot.getName()).second)
      return slot.emitOpError() << "gives attribute \"" << slot.getName() << "\" a second value";
    auto attribute = attributes.find(slot.getName());
    if (attribute == attributes.end())
      return slot.emitOpError() << "sets \"" << slot.getName() << "\", which is no attribute of class @"
                                << classOp.getSymName();
    Type declared = attribute->second.getType();
    if (!mayBeSame(slot.getValue().getType(), declared))
      return slot.emitOpError() << "holds " << slot.getValue().getType() << " but attribute \"" << slot.getName()
                                << "\" is declared " << declared;
  }
  for (auto attribute : classOp.getOps<AttrOp>())
    if (!seen.contains(attribute.getName()))
      return emitOpError() << "has no torch.slot for attribute \"" << attribute.getName() << "\" of class @"
                           << classOp.getSymName();
  return success();
}

LogicalResult ClassTypeOp::verifyRegions() {
  llvm::StringSet<> names;
  for (Operation &op : getRegion().front().without_terminator()) {
    StringRef name;
    if (auto attribute = dyn_cast<AttrOp>(op))
      name = attribute.getName();
    else if (auto method = dyn_cast<MethodOp>(op))
      name = method.getName();
    else
      return op.emitOpError() << "has no place in a torch.class_type: only torch.attr and torch.method have";
    if (!names.insert(name).second)
      return op.emitOpError() << "declares \"" << name << "\" a second time";
  }
  return success();
}

LogicalResult AttrOp::verify() {
  if (isTorchType(getType()))
    return success();
  return emitOpError() << "\"" << getName() << "\" must be of a torch type, not " << getType();
}

LogicalResult MethodOp::verifySymbolUses(SymbolTableCollection &symbols) {
  auto classOp = cast<ClassTypeOp>((*this)->getParentOp());
  auto function = symbols.lookupNearestSymbolFrom<FunctionOpInterface>(classOp, getFunctionAttr());
  if (!function)
    return emitOpError() << "names the function " << getFunctionAttr() << ", which is not defined";
  if (function.getNumArguments() == 0)
    return emitOpError() << "needs a function whose first argument is the instance; " << getFunctionAttr()
                         << " has no arguments";
  auto receiver = dyn_cast<NnModuleType>(function.getArgumentTypes().front());
  if (!receiver || receiver.getClassName().getValue() != classOp.getSymName())
    return emitOpError() << "needs a function whose first argument is !torch.nn.Module<\"" << classOp.getSymName()
                         << "\">; that of " << getFunctionAttr() << " is " << function.getArgumentTypes().front();
  return success();
}

//===------------------------------------------------------------------------------------------===//
// Global slots
//===------------------------------------------------------------------------------------------===//

LogicalResult GlobalSlotOp::verify() {
  if (isTorchType(getTypeBound()))
    return success();
  return emitOpError() << "@" << getSymName() << " must be of a torch type, not " << getTypeBound();
}

LogicalResult GlobalSlotModuleInitializerOp::verifyRegions() {
  Block &body = getInitializer().front();
  if (!body.empty() && isa<InitializeGlobalSlotsOp>(body.back()))
    return success();
  return emitOpError() << "must end with torch.initialize.global_slots";
}

static GlobalSlotOp findSlot(SymbolTableCollection &symbols, Operation *op, FlatSymbolRefAttr name) {
  auto slot = symbols.lookupNearestSymbolFrom<GlobalSlotOp>(op, name);
  if (!slot)
    op->emitOpError() << "names the slot " << name << ", which no torch.global_slot defines";
  return slot;
}

LogicalResult GlobalSlotGetOp::verifySymbolUses(SymbolTableCollection &symbols) {
  GlobalSlotOp slot = findSlot(symbols, *this, getSlotAttr());
  if (!slot)
    return failure();
  if (mayBeSame(withValueSemantics(getType()), withValueSemantics(slot.getTypeBound())))
    return success();
  return emitOpError() << "reads " << getType() << " from " << getSlotAttr() << ", which holds " << slot.getTypeBound();
}

LogicalResult GlobalSlotSetOp::verifySymbolUses(SymbolTableCollection &symbols) {
  GlobalSlotOp slot = findSlot(symbols, *this, getSlotAttr());
  if (!slot)
    return failure();
  Type value = getValue().getType();
  if (mayBeSame(withValueSemantics(value), withValueSemantics(slot.getTypeBound())))
    return success();
  return emitOpError() << "writes " << value << " to " << getSlotAttr() << ", which holds " << slot.getTypeBound();
}

//===------------------------------------------------------------------------------------------===//
// The module initializer's end: `[ @a(%0 : !torch.int), @b(%1 : !torch.tensor) ]`
//===------------------------------------------------------------------------------------------===//

ParseResult InitializeGlobalSlotsOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<Attribute> names;
  auto parseSlot = [&]() -> ParseResult {
    StringAttr name;
    OpAsmParser::UnresolvedOperand value;
    Type type;
    if (parser.parseSymbolName(name) || parser.parseLParen() || parser.parseOperand(value) ||
        parser.parseColonType(type) || parser.parseRParen() || parser.resolveOperand(value, type, result.operands))
      return failure();
    names.push_back(FlatSymbolRefAttr::get(name));
    return success();
  };
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseSlot))
    return failure();
  result.addAttribute(getSlotSymNamesAttrName(result.name), parser.getBuilder().getArrayAttr(names));
  return success();
}

void InitializeGlobalSlotsOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDict((*this)->getAttrs(), {getSlotSymNamesAttrName()});
  printer << " [";
  printer.increaseIndent();
  llvm::interleave(
      llvm::zip(getSlotSymNames(), getInitialValues()),
      [&](auto slot) {
        auto [name, value] = slot;
        printer.printNewline();
        printer << name << "(" << value << " : " << value.getType() << ")";
      },
      [&] { printer << ","; });
  printer.decreaseIndent();
  printer.printNewline();
  printer << "]";
}

LogicalResult InitializeGlobalSlotsOp::verify() {
  if (getSlotSymNames().size() == getInitialValues().size())
    return success();
  return emitOpError() << "names " << getSlotSymNames().size() << " slots but has " << getInitialValues().size()
                       << " values";
}

LogicalResult InitializeGlobalSlotsOp::verifySymbolUses(SymbolTableCollection &symbols) {
  llvm::StringSet<> seen;
  for (auto [name, value] : llvm::zip(getSlotSymNames().getAsRange<FlatSymbolRefAttr>(), getInitialValues())) {
    GlobalSlotOp slot = findSlot(symbols, *this, name);
    if (!slot)
      return failure();
    if (!seen.insert(name.getValue()).second)
      return emitOpError() << "initializes " << name << " twice";
    if (!mayBeSame(withValueSemantics(value.getType()), withValueSemantics(slot.getTypeBound())))
      return emitOpError() << "gives " << name << " a " << value.getType() << ", which holds " << slot.getTypeBound();
  }
  auto module = (*this)->getParentOfType<ModuleOp>();
  for (auto slot : module.getOps<GlobalSlotOp>())
    if (!seen.contains(slot.getSymName()))
      return emitOpError() << "leaves @" << slot.getSymName() << " without an initial value";
  return success();
}

} // namespace npcomp::torch
