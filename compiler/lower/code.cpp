// The object file that LLVM writes is linked here: its sections side by side, what they say of each other filled in.
//
// A kernel calls nothing and reads nothing but its arguments and constants of its own, so there is nothing to look for
// outside; a name that is not defined is a defect, told and not resolved.  The result holds no absolute address: it is
// the same bytes in memory and in a file.
#include "compiler/lower/code.h"

#include <cstring>

#include "compiler/lower/loops.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "mlir/Transforms/Passes.h"

namespace tpc::loops {
namespace {

struct PolynomialPass : mlir::PassWrapper<PolynomialPass, mlir::OperationPass<mlir::func::FuncOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(PolynomialPass)
  void runOnOperation() override {
    mlir::RewritePatternSet patterns(&getContext());
    mlir::populateMathPolynomialApproximationPatterns(patterns, [](llvm::StringRef name) {
      return name == "math.exp" || name == "math.log" || name == "math.tanh" || name == "math.erf";
    });
    if (failed(mlir::applyPatternsGreedily(getOperation(), std::move(patterns)))) signalPassFailure();
  }
};

void lowerToLlvm(mlir::ModuleOp module) {
  mlir::PassManager passes(module.getContext());
  passes.addNestedPass<mlir::func::FuncOp>(std::make_unique<PolynomialPass>());
  passes.addPass(mlir::createCSEPass());
  passes.addPass(mlir::createSCFToControlFlowPass());
  passes.addPass(mlir::createConvertVectorToLLVMPass());
  passes.addPass(mlir::createConvertMathToLLVMPass());
  passes.addPass(mlir::createArithToLLVMConversionPass());
  passes.addPass(mlir::createConvertControlFlowToLLVMPass());
  passes.addPass(mlir::createConvertFuncToLLVMPass());
  passes.addPass(mlir::createReconcileUnrealizedCastsPass());
  if (failed(passes.run(module))) throw Failure{"a defect of tpc: its loops do not lower to LLVM"};
}

std::unique_ptr<llvm::TargetMachine> hostMachine(std::string& instructions) {
  static const bool once = (llvm::InitializeNativeTarget(), llvm::InitializeNativeTargetAsmPrinter(), true);
  (void)once;
  const llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string reason;
  const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, reason);
  if (!target) throw Failure{"LLVM has no code for this machine: " + reason};
  // The level of the instruction set, not the model: what is compiled here runs on every machine that has it.
  const llvm::StringMap<bool> has = llvm::sys::getHostCPUFeatures();
  const auto supported = [&](const char* feature) { return has.lookup(feature); };
  std::string cpu = "x86-64", features;
  instructions = "x86-64";
  if (triple.isX86()) {
    if (supported("avx2") && supported("fma")) cpu = "x86-64-v3", instructions = "avx2 fma";
  } else {
    throw Failure{"code for " + triple.getArchName().str() + " is not made by this version; it makes x86-64"};
  }
  llvm::TargetOptions options;
  return std::unique_ptr<llvm::TargetMachine>(target->createTargetMachine(
      triple, cpu, features, options, llvm::Reloc::PIC_, llvm::CodeModel::Small, llvm::CodeGenOptLevel::Default));
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine) {
  for (llvm::Function& function : module) {
    if (function.isDeclaration()) continue;
    function.addFnAttr("no-builtins");  // no loop becomes a call of memset
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager graph;
  llvm::ModuleAnalysisManager modules;
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;  // the vectors are ours
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  llvm::PassBuilder builder(&machine, tuning);
  functions.registerPass([&] {
    llvm::TargetLibraryInfoImpl library(module.getTargetTriple());
    library.disableAllFunctions();
    return llvm::TargetLibraryAnalysis(library);
  });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(graph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, graph, modules);
  builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O2).run(module, modules);
}

llvm::SmallVector<char, 0> written(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type) {
  llvm::SmallVector<char, 0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    throw Failure{"LLVM cannot write code for this machine"};
  passes.run(module);
  return bytes;
}

MachineCode linked(llvm::SmallVector<char, 0> object) {
  const llvm::SmallVectorMemoryBuffer buffer(std::move(object), "kernels.o", false);
  auto parsed = llvm::object::ObjectFile::createELFObjectFile(buffer.getMemBufferRef());
  const auto fail = [](llvm::Error error) -> Failure {
    return Failure{"a defect of tpc: the code of its loops cannot be linked: " + llvm::toString(std::move(error))};
  };
  if (!parsed) throw fail(parsed.takeError());
  const auto& elf = llvm::cast<llvm::object::ELFObjectFileBase>(**parsed);
  MachineCode code;
  std::map<uint64_t, uint64_t> begins;  // per section index: where it stands
  for (const llvm::object::ELFSectionRef section : elf.sections()) {
    if (!(section.getFlags() & llvm::ELF::SHF_ALLOC) || section.getSize() == 0) continue;
    if (section.getType() == llvm::ELF::SHT_X86_64_UNWIND) continue;
    auto name = section.getName();
    if (name && (name->starts_with(".eh_frame") || name->starts_with(".note"))) continue;
    const uint64_t alignment = std::max<uint64_t>(section.getAlignment().value(), 64);
    code.bytes.resize((code.bytes.size() + alignment - 1) / alignment * alignment, 0xcc);
    begins[section.getIndex()] = code.bytes.size();
    auto contents = section.getContents();
    if (!contents) throw fail(contents.takeError());
    code.bytes.insert(code.bytes.end(), contents->bytes_begin(), contents->bytes_end());
  }
  const auto addressOf = [&](const llvm::object::SymbolRef& symbol) -> uint64_t {
    auto section = symbol.getSection();
    auto name = symbol.getName();
    const std::string called = name ? name->str() : "?";
    if (!section) throw fail(section.takeError());
    if (*section == elf.section_end() || !begins.contains((*section)->getIndex()))
      throw Failure{"a defect of tpc: the code of its loops asks for `" + called + "`"};
    auto value = symbol.getValue();
    if (!value) throw fail(value.takeError());
    return begins[(*section)->getIndex()] + *value;
  };
  for (const llvm::object::ELFSectionRef section : elf.sections()) {
    auto target = section.getRelocatedSection();
    if (!target) throw fail(target.takeError());
    if (*target == elf.section_end() || !begins.contains((*target)->getIndex())) continue;
    for (const llvm::object::ELFRelocationRef relocation : section.relocations()) {
      const uint64_t place = begins[(*target)->getIndex()] + relocation.getOffset();
      auto addend = relocation.getAddend();
      if (!addend) throw fail(addend.takeError());
      const uint32_t type = uint32_t(relocation.getType());
      if (type != llvm::ELF::R_X86_64_PC32 && type != llvm::ELF::R_X86_64_PLT32)
        throw Failure{"a defect of tpc: the code of its loops has a relocation of type " + std::to_string(type)};
      const int64_t value = int64_t(addressOf(*relocation.getSymbol())) + *addend - int64_t(place);
      const int32_t narrow = int32_t(value);
      if (narrow != value || place + 4 > code.bytes.size())
        throw Failure{"a defect of tpc: the code of its loops is too long"};
      std::memcpy(code.bytes.data() + place, &narrow, 4);
    }
  }
  for (const llvm::object::ELFSymbolRef symbol : elf.symbols()) {
    if (symbol.getELFType() != llvm::ELF::STT_FUNC) continue;
    auto name = symbol.getName();
    if (!name) throw fail(name.takeError());
    code.entries[name->str()] = addressOf(symbol);
  }
  return code;
}

}  // namespace

mlir::MLIRContext& loweringContext() {
  static mlir::MLIRContext* context = [] {
    mlir::DialectRegistry registry;
    registry
        .insert<mlir::arith::ArithDialect, mlir::func::FuncDialect, mlir::LLVM::LLVMDialect, mlir::math::MathDialect,
                mlir::scf::SCFDialect, mlir::vector::VectorDialect, mlir::cf::ControlFlowDialect>();
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    auto* made = new mlir::MLIRContext(registry, mlir::MLIRContext::Threading::DISABLED);
    made->loadAllAvailableDialects();
    return made;
  }();
  return *context;
}

MachineCode machineCode(mlir::ModuleOp module, const CodeListings& listings) {
  if (failed(mlir::verify(module))) throw Failure{"a defect of tpc: its loops are not well formed"};
  if (listings.mlir) {
    llvm::raw_string_ostream stream(*listings.mlir);
    module.print(stream);
  }
  lowerToLlvm(module);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> translated = mlir::translateModuleToLLVMIR(module, context);
  if (!translated) throw Failure{"a defect of tpc: its loops do not translate to LLVM"};
  std::string target;
  const std::unique_ptr<llvm::TargetMachine> machine = hostMachine(target);
  translated->setTargetTriple(machine->getTargetTriple());
  translated->setDataLayout(machine->createDataLayout());
  optimize(*translated, *machine);
  if (listings.llvm) {
    llvm::raw_string_ostream stream(*listings.llvm);
    translated->print(stream, nullptr);
  }
  if (listings.assembly) {
    // Writing code changes the module, so the listing is made of a copy.
    const std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*translated);
    const auto text = written(*copy, *machine, llvm::CodeGenFileType::AssemblyFile);
    listings.assembly->append(text.begin(), text.end());
  }
  MachineCode code = linked(written(*translated, *machine, llvm::CodeGenFileType::ObjectFile));
  code.target = target;
  return code;
}

}  // namespace tpc::loops
