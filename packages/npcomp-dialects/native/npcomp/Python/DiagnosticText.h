#ifndef NPCOMP_PYTHON_DIAGNOSTICTEXT_H
#define NPCOMP_PYTHON_DIAGNOSTICTEXT_H

#include "mlir-c/Diagnostics.h"
#include "mlir-c/IR.h"

#include <string>

namespace npcomp::python {

/// Collects a context's diagnostics while it lives. MLIR's own helper of this kind would pull LLVM into the extension.
class DiagnosticText {
public:
  explicit DiagnosticText(MlirContext context)
      : context(context), id(mlirContextAttachDiagnosticHandler(context, handle, this, nullptr)) {}
  ~DiagnosticText() { mlirContextDetachDiagnosticHandler(context, id); }
  DiagnosticText(const DiagnosticText &) = delete;
  DiagnosticText &operator=(const DiagnosticText &) = delete;

  const char *c_str() const { return text.c_str(); }

private:
  static void append(MlirStringRef part, void *self) {
    static_cast<DiagnosticText *>(self)->text.append(part.data, part.length);
  }

  static MlirLogicalResult handle(MlirDiagnostic diagnostic, void *self) {
    if (!static_cast<DiagnosticText *>(self)->text.empty())
      append(mlirStringRefCreateFromCString("\n"), self);
    mlirDiagnosticPrint(diagnostic, append, self);
    return mlirLogicalResultSuccess();
  }

  MlirContext context;
  std::string text;
  MlirDiagnosticHandlerID id;
};

} // namespace npcomp::python

#endif
