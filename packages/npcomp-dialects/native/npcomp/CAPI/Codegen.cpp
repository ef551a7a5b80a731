#include "npcomp/CAPI/Codegen.h"

#include "mlir/CAPI/IR.h"
#include "mlir/CAPI/Support.h"
#include "npcomp/Codegen/Elements.h"
#include "npcomp/Codegen/EmitObject.h"

using namespace npcomp::codegen;

/// Hands the text of an error over.
static bool report(llvm::Error error, MlirStringCallback callback, void *userData) {
  std::string text = llvm::toString(std::move(error));
  callback(wrap(llvm::StringRef(text)), userData);
  return false;
}

bool npcompEmitObject(MlirOperation module, int optLevel, MlirStringRef cpu, MlirStringRef features,
                      bool positionIndependent, MlirStringCallback bytes, MlirStringCallback error, void *userData) {
  ObjectOptions options{optLevel, unwrap(cpu).str(), unwrap(features).str(), positionIndependent};
  auto object = emitObject(unwrap(module), options);
  if (!object)
    return report(object.takeError(), error, userData);
  bytes(wrap(llvm::StringRef(object->data(), object->size())), userData);
  return true;
}

void npcompGetHostCpu(MlirStringCallback callback, void *userData) {
  std::string cpu = getHostCpu();
  callback(wrap(llvm::StringRef(cpu)), userData);
}

void npcompGetHostFeatures(MlirStringCallback callback, void *userData) {
  std::string features = getHostFeatures();
  callback(wrap(llvm::StringRef(features)), userData);
}

bool npcompGetElementBytes(MlirAttribute attribute, void (*bytes)(MlirStringRef, bool, void *),
                           MlirStringCallback error, void *userData) {
  auto elements = getElementBytes(unwrap(attribute));
  if (!elements)
    return report(elements.takeError(), error, userData);
  bytes(wrap(llvm::StringRef(elements->bytes.data(), elements->bytes.size())), elements->storage.empty(), userData);
  return true;
}
