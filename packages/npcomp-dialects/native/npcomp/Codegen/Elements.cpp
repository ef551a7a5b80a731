#include "npcomp/Codegen/Elements.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;

namespace npcomp::codegen {

static llvm::Expected<ElementBytes> fromResource(DenseResourceElementsAttr attribute) {
  AsmResourceBlob *blob = attribute.getRawHandle().getBlob();
  if (!blob)
    return llvm::createStringError("the resource '" + attribute.getRawHandle().getKey().str() +
                                   "' has no data in this context");
  ElementBytes result;
  result.bytes = blob->getData();
  return result;
}

static ElementBytes fromBools(DenseElementsAttr attribute) {
  ElementBytes result;
  for (bool value : attribute.getValues<bool>())
    result.storage.push_back(value);
  result.bytes = result.storage;
  return result;
}

static ElementBytes fromDense(DenseElementsAttr attribute) {
  if (attribute.getElementType().isInteger(1))
    return fromBools(attribute);
  ElementBytes result;
  result.bytes = attribute.getRawData();
  if (!attribute.isSplat())
    return result;
  for (int64_t index = 0, end = attribute.getNumElements(); index < end; ++index)
    llvm::append_range(result.storage, attribute.getRawData());
  result.bytes = result.storage;
  return result;
}

llvm::Expected<ElementBytes> getElementBytes(Attribute attribute) {
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(attribute))
    return fromResource(resource);
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute))
    if (dense.getElementType().isIntOrFloat())
      return fromDense(dense);
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return llvm::createStringError("no dense elements: " + StringRef(text).take_front(200).str());
}

} // namespace npcomp::codegen
