#include "npcomp/Codegen/EmitObject.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"

#include <mutex>

using namespace mlir;

namespace npcomp::codegen {
namespace {

void initializeTargets() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
}

llvm::CodeGenOptLevel codegenLevel(int level) {
  return level <= 0   ? llvm::CodeGenOptLevel::None
         : level == 1 ? llvm::CodeGenOptLevel::Less
         : level == 2 ? llvm::CodeGenOptLevel::Default
                      : llvm::CodeGenOptLevel::Aggressive;
}

llvm::OptimizationLevel pipelineLevel(int level) {
  return level == 1   ? llvm::OptimizationLevel::O1
         : level == 2 ? llvm::OptimizationLevel::O2
                      : llvm::OptimizationLevel::O3;
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> makeTarget(const ObjectOptions &options) {
  initializeTargets();
  llvm::Triple triple(llvm::sys::getDefaultTargetTriple());
  std::string problem;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, problem);
  if (!target)
    return llvm::createStringError("no code generator for " + triple.str() + ": " + problem);
  std::unique_ptr<llvm::MCSubtargetInfo> subtarget(target->createMCSubtargetInfo(triple, "", ""));
  if (!options.cpu.empty() && !subtarget->isCPUStringValid(options.cpu))
    return llvm::createStringError("no CPU is called '" + options.cpu + "'");
  auto reloc = options.positionIndependent ? llvm::Reloc::PIC_ : llvm::Reloc::Static;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(triple, options.cpu, options.features,
                                                                           llvm::TargetOptions(), reloc, std::nullopt,
                                                                           codegenLevel(options.optLevel)));
  if (!machine)
    return llvm::createStringError("no code generator for " + triple.str());
  return machine;
}

/// Collects MLIR's diagnostics of a context while it lives.
class DiagnosticText {
public:
  explicit DiagnosticText(MLIRContext *context)
      : handler(context, [this](Diagnostic &diagnostic) {
          llvm::raw_string_ostream stream(text);
          stream << (text.empty() ? "" : "\n") << diagnostic.getLocation() << ": " << diagnostic;
        }) {}
  const std::string &get() const { return text; }

private:
  std::string text;
  ScopedDiagnosticHandler handler;
};

llvm::Expected<std::unique_ptr<llvm::Module>> translate(Operation *module, llvm::LLVMContext &llvmContext) {
  MLIRContext *context = module->getContext();
  DiagnosticText diagnostics(context);
  if (failed(verify(module)))
    return llvm::createStringError("the module is not valid: " + diagnostics.get());
  registerBuiltinDialectTranslation(*context);
  registerLLVMDialectTranslation(*context);
  std::unique_ptr<llvm::Module> translated = translateModuleToLLVMIR(module, llvmContext);
  if (!translated)
    return llvm::createStringError("the module is not in the LLVM dialect: " + diagnostics.get());
  std::string problem;
  llvm::raw_string_ostream stream(problem);
  if (llvm::verifyModule(*translated, &stream))
    return llvm::createStringError("LLVM refuses the module: " + problem);
  return translated;
}

/// Tells LLVM's passes, function by function, which machine they work for.
void setTarget(llvm::Module &module, const llvm::TargetMachine &machine) {
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  bool wide = machine.getMCSubtargetInfo()->checkFeatures("+avx512f");
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    if (!machine.getTargetCPU().empty())
      function.addFnAttr("target-cpu", machine.getTargetCPU());
    if (!machine.getTargetFeatureString().empty())
      function.addFnAttr("target-features", machine.getTargetFeatureString());
    if (wide)
      function.addFnAttr("prefer-vector-width", "512");
    function.setDoesNotThrow();
  }
}

void optimize(llvm::Module &module, llvm::TargetMachine &machine, int level) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = level >= 2;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  if (level <= 0)
    builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0).run(module, modules);
  else
    builder.buildPerModuleDefaultPipeline(pipelineLevel(level)).run(module, modules);
}

/// Keeps what LLVM reports while code is generated.
struct ReportedErrors : llvm::DiagnosticHandler {
  explicit ReportedErrors(std::string &text) : text(text) {}

  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error)
      return true;
    llvm::raw_string_ostream stream(text);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    info.print(printer);
    return true;
  }

  std::string &text;
};

} // namespace

llvm::Expected<llvm::SmallVector<char, 0>> emitObject(Operation *module, const ObjectOptions &options) {
  std::string errors;
  llvm::LLVMContext llvmContext;
  llvmContext.setDiagnosticHandler(std::make_unique<ReportedErrors>(errors));
  auto machine = makeTarget(options);
  if (!machine)
    return machine.takeError();
  auto translated = translate(module, llvmContext);
  if (!translated)
    return translated.takeError();
  setTarget(**translated, **machine);
  optimize(**translated, **machine, options.optLevel);

  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if ((*machine)->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::ObjectFile))
    return llvm::createStringError("this target has no object files");
  passes.run(**translated);
  if (!errors.empty())
    return llvm::createStringError("LLVM reports: " + errors);
  return bytes;
}

std::string getHostCpu() { return llvm::sys::getHostCPUName().str(); }

std::string getHostFeatures() {
  llvm::SmallVector<std::string> features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.push_back((feature.second ? "+" : "-") + feature.first().str());
  llvm::sort(features);
  return llvm::join(features, ",");
}

} // namespace npcomp::codegen
