#ifndef NPCOMP_TORCH_BASE_TD
#define NPCOMP_TORCH_BASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"

def Torch_Dialect : Dialect {
  let name = "torch";
  let cppNamespace = "::npcomp::torch";
  let summary = "PyTorch programs: object graphs, primitives and ATen ops.";
  let description = [{
    Types and op spellings follow torch-mlir's assembly. The ATen ops are not declared here: they are
    registered into a context from a table of schemas (AtenOps.h).
  }];
  let useDefaultTypePrinterParser = 0;
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let extraClassDeclaration = [{
    ::mlir::Type parseType(::mlir::DialectAsmParser &parser) const override;
    void printType(::mlir::Type type, ::mlir::DialectAsmPrinter &printer) const override;
    void registerTypes();

    /// The schema of a registered ATen op, null for any other op.
    const AtenSchema *lookupAten(::mlir::OperationName name) const {
      return atenSchemas.lookup(name.getAsOpaquePointer());
    }
    void insertAten(::mlir::OperationName name, const AtenSchema *schema) {
      atenSchemas.insert({name.getAsOpaquePointer(), schema});
    }

  private:
    /// By the opaque pointer of the op's name.
    ::llvm::DenseMap<void *, const AtenSchema *> atenSchemas;

  public:
  }];
}

class Torch_Op<string mnemonic, list<Trait> traits = []> : Op<Torch_Dialect, mnemonic, traits>;

#endif
