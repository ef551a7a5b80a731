#include "npcomp/Torch/TorchTypes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace npcomp::torch {

//===------------------------------------------------------------------------------------------===//
// Assembly: nested torch types drop the `!torch.` prefix.
//===------------------------------------------------------------------------------------------===//

static Type parseShortType(AsmParser &parser);
static void printShortType(Type type, AsmPrinter &printer);

static ParseResult parseShortTypeList(AsmParser &parser, SmallVectorImpl<Type> &types) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, [&]() -> ParseResult {
    types.push_back(parseShortType(parser));
    return success(static_cast<bool>(types.back()));
  });
}

static void printShortTypeList(ArrayRef<Type> types, AsmPrinter &printer) {
  printer << "<";
  llvm::interleaveComma(types, printer, [&](Type type) { printShortType(type, printer); });
  printer << ">";
}

/// One size: a number or `?`.
static ParseResult parseSize(AsmParser &parser, SmallVectorImpl<int64_t> &sizes) {
  if (succeeded(parser.parseOptionalQuestion())) {
    sizes.push_back(ValueTensorType::kUnknownSize);
    return success();
  }
  SMLoc loc = parser.getCurrentLocation();
  int64_t size = 0;
  if (parser.parseInteger(size))
    return failure();
  if (size < 0)
    return parser.emitError(loc) << "a size is `?` or at least 0, got " << size;
  sizes.push_back(size);
  return success();
}

template <typename TensorT> static Type parseTensor(AsmParser &parser) {
  MLIRContext *context = parser.getContext();
  SMLoc loc = parser.getCurrentLocation();
  auto emitError = [&] { return parser.emitError(loc); };
  std::optional<ArrayRef<int64_t>> known;
  if (failed(parser.parseOptionalLess()))
    return TensorT::getChecked(emitError, context, known, Type());
  bool ranked = failed(parser.parseOptionalStar());
  SmallVector<int64_t> sizes;
  if (ranked && parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] { return parseSize(parser, sizes); }))
    return {};
  Type dtype;
  if (parser.parseComma())
    return {};
  if (failed(parser.parseOptionalKeyword("unk")) && parser.parseType(dtype))
    return {};
  if (parser.parseGreater())
    return {};
  if (ranked)
    known = sizes;
  return TensorT::getChecked(emitError, context, known, dtype);
}

template <typename TensorT> static void printTensor(TensorT type, AsmPrinter &printer) {
  if (!type.getRanked() && !type.getDtype())
    return;
  printer << "<";
  if (type.getRanked()) {
    printer << "[";
    llvm::interleave(
        type.getDims(), printer,
        [&](int64_t size) {
          if (size == TensorT::kUnknownSize)
            printer << "?";
          else
            printer << size;
        },
        ",");
    printer << "]";
  } else {
    printer << "*";
  }
  printer << ",";
  if (type.getDtype())
    printer.printType(type.getDtype());
  else
    printer << "unk";
  printer << ">";
}

Type ValueTensorType::parse(AsmParser &parser) { return parseTensor<ValueTensorType>(parser); }
void ValueTensorType::print(AsmPrinter &printer) const { printTensor(*this, printer); }
Type NonValueTensorType::parse(AsmParser &parser) { return parseTensor<NonValueTensorType>(parser); }
void NonValueTensorType::print(AsmPrinter &printer) const { printTensor(*this, printer); }

template <typename WrapperT> static Type parseWrapper(AsmParser &parser) {
  if (parser.parseLess())
    return {};
  Type contained = parseShortType(parser);
  if (!contained || parser.parseGreater())
    return {};
  return WrapperT::get(contained);
}

Type ListType::parse(AsmParser &parser) { return parseWrapper<ListType>(parser); }
void ListType::print(AsmPrinter &printer) const { printShortTypeList(getContained(), printer); }
Type OptionalType::parse(AsmParser &parser) { return parseWrapper<OptionalType>(parser); }
void OptionalType::print(AsmPrinter &printer) const { printShortTypeList(getContained(), printer); }

template <typename MultiT> static Type parseMulti(AsmParser &parser) {
  SmallVector<Type> types;
  if (parseShortTypeList(parser, types))
    return {};
  return MultiT::get(parser.getContext(), types);
}

Type TupleType::parse(AsmParser &parser) { return parseMulti<TupleType>(parser); }
void TupleType::print(AsmPrinter &printer) const { printShortTypeList(getContainedTypes(), printer); }
Type UnionType::parse(AsmParser &parser) { return parseMulti<UnionType>(parser); }
void UnionType::print(AsmPrinter &printer) const { printShortTypeList(getContainedTypes(), printer); }

Type DictType::parse(AsmParser &parser) {
  if (parser.parseLess())
    return {};
  Type key = parseShortType(parser);
  if (!key || parser.parseComma())
    return {};
  Type value = parseShortType(parser);
  if (!value || parser.parseGreater())
    return {};
  return get(parser.getContext(), key, value);
}

void DictType::print(AsmPrinter &printer) const { printShortTypeList({getKey(), getValue()}, printer); }

Type NnModuleType::parse(AsmParser &parser) {
  std::string name;
  if (parser.parseLess() || parser.parseString(&name) || parser.parseGreater())
    return {};
  return get(parser.getContext(), StringRef(name));
}

void NnModuleType::print(AsmPrinter &printer) const {
  printer << "<";
  printer.printString(getClassName().getValue());
  printer << ">";
}

//===------------------------------------------------------------------------------------------===//
// Verification
//===------------------------------------------------------------------------------------------===//

bool isElementType(Type type) {
  if (isa<Float16Type, BFloat16Type, Float32Type, Float64Type>(type))
    return true;
  if (auto complexType = dyn_cast<ComplexType>(type))
    return isa<Float16Type, Float32Type, Float64Type>(complexType.getElementType());
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return false;
  if (integer.isSignless())
    return integer.getWidth() == 1;
  return llvm::is_contained({8u, 16u, 32u, 64u}, integer.getWidth());
}

static LogicalResult verifyTensor(llvm::function_ref<InFlightDiagnostic()> emitError, bool ranked,
                                  ArrayRef<int64_t> sizes, Type dtype) {
  if (!ranked && !sizes.empty())
    return emitError() << "a tensor of unknown rank has no sizes";
  for (int64_t size : sizes)
    if (size < ValueTensorType::kUnknownSize)
      return emitError() << "a size is -1 (unknown) or at least 0, got " << size;
  if (dtype && !isElementType(dtype))
    return emitError() << "no torch dtype is spelled " << dtype << "; integers are signed (si64, ui8), bool is i1";
  return success();
}

LogicalResult ValueTensorType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, bool ranked,
                                      ArrayRef<int64_t> sizes, Type dtype) {
  return verifyTensor(emitError, ranked, sizes, dtype);
}

LogicalResult NonValueTensorType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, bool ranked,
                                         ArrayRef<int64_t> sizes, Type dtype) {
  return verifyTensor(emitError, ranked, sizes, dtype);
}

static LogicalResult verifyContained(llvm::function_ref<InFlightDiagnostic()> emitError, Type type) {
  if (!isTorchType(type))
    return emitError() << "a torch container holds torch types, got " << type;
  return success();
}

LogicalResult ListType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Type contained) {
  return verifyContained(emitError, contained);
}

LogicalResult OptionalType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Type contained) {
  return verifyContained(emitError, contained);
}

LogicalResult TupleType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<Type> types) {
  for (Type type : types)
    if (failed(verifyContained(emitError, type)))
      return failure();
  return success();
}

LogicalResult UnionType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, ArrayRef<Type> types) {
  return TupleType::verify(emitError, types);
}

LogicalResult DictType::verify(llvm::function_ref<InFlightDiagnostic()> emitError, Type key, Type value) {
  return TupleType::verify(emitError, {key, value});
}

} // namespace npcomp::torch

#define GET_TYPEDEF_CLASSES
#include "npcomp/Torch/TorchTypes.cpp.inc"

namespace npcomp::torch {

//===------------------------------------------------------------------------------------------===//
// Dialect hooks
//===------------------------------------------------------------------------------------------===//

static Type parseShortType(AsmParser &parser) {
  SMLoc loc = parser.getCurrentLocation();
  Type type;
  StringRef mnemonic;
  OptionalParseResult result = generatedTypeParser(parser, &mnemonic, type);
  if (!result.has_value()) {
    parser.emitError(loc) << "the torch dialect has no type `" << mnemonic << "`";
    return {};
  }
  return failed(*result) ? Type() : type;
}

static void printShortType(Type type, AsmPrinter &printer) {
  LogicalResult printed = generatedTypePrinter(type, printer);
  assert(succeeded(printed) && "a torch container holds torch types");
  (void)printed;
}

Type TorchDialect::parseType(DialectAsmParser &parser) const { return parseShortType(parser); }

void TorchDialect::printType(Type type, DialectAsmPrinter &printer) const { printShortType(type, printer); }

void TorchDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "npcomp/Torch/TorchTypes.cpp.inc"
      >();
}

} // namespace npcomp::torch
