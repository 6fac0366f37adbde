// The `tp` dialect: one operation per OpKind of compiler/graph/op_kind.h, under the same name.
//
//     %3 = tp.contract %0, %1 {a = array<i64: 0, 1>, b = array<i64: 1, 2>, labels = array<i64: 0, 2>}
//            : (!tp.tensor<s0, 64>, !tp.tensor<64, s1>) -> !tp.tensor<s0, s1>
//
// A length names its symbols by their position in the module's list (`tp.symbols`): s0, s1.  What an operation means and
// what its attributes say is written once, in op_kind.h and graph.h; here stands how it is spelled and verified.
#ifndef TPC_TP_OPS
#define TPC_TP_OPS

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Tp_Dialect : Dialect {
  let name = "tp";
  let cppNamespace = "::tpc::tp";
  let summary = "Tensor programs with symbolic lengths";
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = "void registerOperations();";  // ops.cpp, whose generated code is slow to compile
}

def Tp_Tensor : TypeDef<Tp_Dialect, "Tensor"> {
  let mnemonic = "tensor";
  let cppClassName = "Tensor";  // mlir has a TensorType of its own
  let summary = "an array of numbers with symbolic lengths; `!tp.tensor<>` has rank 0";
  let parameters = (ins TypeParameter<"std::vector<::tpc::Length>", "lengths", "const std::vector<::tpc::Length>&">:$lengths);
  let hasCustomAssemblyFormat = 1;
}

def Tp_LengthAttr : AttrDef<Tp_Dialect, "Length"> {
  let mnemonic = "length";
  let summary = "a length: `#tp.length<4 * s1 + 1>`";
  let parameters = (ins AttrParameter<"::tpc::Length", "the length", "const ::tpc::Length&">:$value);
  let hasCustomAssemblyFormat = 1;
}

def Tp_NumberAttr : AttrDef<Tp_Dialect, "Number"> {
  let mnemonic = "number";
  let summary = "a number as a program writes it: `#tp.number<plain, 2.0, s1 -1 2>` is 2 n^(-1/2)";
  // The coefficient as bits, so that equal attributes are equal storage.
  let parameters = (ins "uint64_t":$bits, "unsigned":$kind,
      AttrParameter<"std::vector<std::pair<::tpc::SymbolId, ::tpc::Rational>>", "powers",
                    "const std::vector<std::pair<::tpc::SymbolId, ::tpc::Rational>>&">:$powers);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static NumberAttr get(::mlir::MLIRContext* context, const ::tpc::Number& number);
    ::tpc::Number getNumber() const;
  }];
}

//===-- Operations with one result ---------------------------------------------------------------------------------===//

class Tp_Op<string name, dag args, list<Trait> traits = []> : Op<Tp_Dialect, name, traits> {
  let arguments = args;
  let results = (outs Tp_Tensor:$result);
  let assemblyFormat = "operands attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}
class Tp_PureOp<string name, dag args> : Tp_Op<name, args, [Pure]>;
class Tp_FnOp<string name, string fn, dag args> : Tp_PureOp<name, args> {
  let assemblyFormat = "custom<" # fn # ">($fn) operands attr-dict `:` functional-type(operands, results)";
}

// Leaves.
def Tp_ParameterOp : Tp_Op<"parameter", (ins
    Optional<Tp_Tensor>:$start,  // init is an expression of constants: its value
    StrAttr:$name, I32Attr:$init, UnitAttr:$fixed, OptionalAttr<Tp_NumberAttr>:$number, UnitAttr:$frozen,
    UnitAttr:$stacked,           // axis 0 is the trip count of the repeat that reads it by `layer`
    OptionalAttr<StrAttr>:$file, OptionalAttr<StrAttr>:$optimizer)> {
  let assemblyFormat = "$name custom<InitKind>($init) operands attr-dict `:` functional-type(operands, results)";
}
def Tp_InputOp : Tp_Op<"input", (ins StrAttr:$name, UnitAttr:$target, OptionalAttr<Tp_LengthAttr>:$below)> {
  let assemblyFormat = "$name attr-dict `:` functional-type(operands, results)";
}
def Tp_NumberOp : Tp_PureOp<"number", (ins Tp_NumberAttr:$value)>;
def Tp_FreeMultiplierOp : Tp_Op<"freeMultiplier", (ins StrAttr:$name, DenseI64ArrayAttr:$symbols)> {
  let assemblyFormat = "$name attr-dict `:` functional-type(operands, results)";
}
def Tp_IotaOp : Tp_PureOp<"iota", (ins)>;
def Tp_EyeOp : Tp_PureOp<"eye", (ins)>;
def Tp_LayerIndexOp : Tp_Op<"layerIndex", (ins)>;  // of the repeat whose body it stands in
def Tp_ArgumentOp : Tp_Op<"argument", (ins I32Attr:$role, StrAttr:$name, F64Attr:$number, UnitAttr:$startsAsParam)> {
  let assemblyFormat = "custom<Role>($role) $name attr-dict `:` functional-type(operands, results)";
}

// `counts` is the shape of the values: the lengths' numbers.
def Tp_ConstantOp : Tp_PureOp<"constant", (ins StrAttr:$file, DenseI64ArrayAttr:$counts, DenseF64ArrayAttr:$values)>;
def Tp_DropoutMaskOp : Tp_PureOp<"dropoutMask", (ins StrAttr:$name, F64Attr:$rate)>;

// Coordinatewise.
class Tp_BinaryOp<string name> : Tp_PureOp<name, (ins Tp_Tensor:$a, Tp_Tensor:$b)>;
def Tp_AddOp : Tp_BinaryOp<"add">;
def Tp_SubOp : Tp_BinaryOp<"sub">;
def Tp_MulOp : Tp_BinaryOp<"mul">;
def Tp_MaximumOp : Tp_BinaryOp<"maximum">;
def Tp_MinimumOp : Tp_BinaryOp<"minimum">;
def Tp_MapOp : Tp_FnOp<"map", "MapFn", (ins Tp_Tensor:$x, I32Attr:$fn, OptionalAttr<DenseI64ArrayAttr>:$power)>;
def Tp_CompareOp : Tp_FnOp<"compare", "CompareFn", (ins Tp_Tensor:$a, Tp_Tensor:$b, I32Attr:$fn)>;
def Tp_SelectOp : Tp_PureOp<"select", (ins Tp_Tensor:$condition, Tp_Tensor:$a, Tp_Tensor:$b)>;

// Sums of products, reductions.
def Tp_ContractOp : Tp_PureOp<"contract", (ins Tp_Tensor:$x, Tp_Tensor:$y,
    DenseI64ArrayAttr:$a, DenseI64ArrayAttr:$b, DenseI64ArrayAttr:$labels)>;
def Tp_ReduceOp : Tp_FnOp<"reduce", "ReduceFn", (ins Tp_Tensor:$x, I32Attr:$fn, DenseI64ArrayAttr:$axes)>;

// Indexing by data.
def Tp_GatherOp : Tp_PureOp<"gather", (ins Tp_Tensor:$table, Tp_Tensor:$index, I64Attr:$axis)>;
def Tp_ScatterAddOp : Tp_PureOp<"scatterAdd", (ins Tp_Tensor:$index, Tp_Tensor:$updates, I64Attr:$axis)>;
def Tp_OneHotOp : Tp_PureOp<"oneHot", (ins Tp_Tensor:$index)>;

// Plumbing.
def Tp_ReshapeOp : Tp_PureOp<"reshape", (ins Tp_Tensor:$x, DenseI64ArrayAttr:$groups)>;  // from, to, from, to, ...
def Tp_TransposeOp : Tp_PureOp<"transpose", (ins Tp_Tensor:$x, DenseI64ArrayAttr:$axes)>;
def Tp_BroadcastOp : Tp_PureOp<"broadcast", (ins Tp_Tensor:$x, DenseI64ArrayAttr:$axes)>;
def Tp_SliceOp : Tp_PureOp<"slice", (ins Tp_Tensor:$x, I64Attr:$axis, Tp_LengthAttr:$begin)>;
def Tp_PadOp : Tp_PureOp<"pad", (ins Tp_Tensor:$x, I64Attr:$axis, Tp_LengthAttr:$begin)>;
def Tp_ConcatOp : Tp_PureOp<"concat", (ins Variadic<Tp_Tensor>:$parts, I64Attr:$axis)>;
def Tp_StopGradientOp : Tp_PureOp<"stopGradient", (ins Tp_Tensor:$x)>;
def Tp_LayerOp : Tp_Op<"layer", (ins Tp_Tensor:$stacked)>;

//===-- Repeats ----------------------------------------------------------------------------------------------------===//

// The body's arguments are the carried values, its yield gives their next values and then the collected ones.  Results:
// the carried values after the last trip, then the collected ones stacked along a new axis 0.  A body reads values from
// outside as they are, or by `layer`, its own slice.
def Tp_RepeatOp : Op<Tp_Dialect, "repeat", [SingleBlock]> {
  let arguments = (ins Variadic<Tp_Tensor>:$initial, StrAttr:$name, Tp_LengthAttr:$trips, UnitAttr:$reversed,
      OptionalAttr<StrArrayAttr>:$argumentNames, OptionalAttr<StrArrayAttr>:$resultNames,
      // Set by differentiate: the ids of arguments and results, -1 where there is none; see `adjoint`.
      OptionalAttr<DenseI64ArrayAttr>:$argumentIds, OptionalAttr<DenseI64ArrayAttr>:$resultIds,
      OptionalAttr<I64Attr>:$id, OptionalAttr<I64Attr>:$forward);  // forward: the id of the repeat it is the reverse of
  let results = (outs Variadic<Tp_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name $initial attr-dict `:` functional-type($initial, $results) $body";
  let hasVerifier = 1;
}
def Tp_YieldOp : Op<Tp_Dialect, "yield", [Terminator, Pure, HasParent<"RepeatOp">]> {
  let arguments = (ins Variadic<Tp_Tensor>:$values);
  let assemblyFormat = "operands attr-dict `:` type($values)";
}

//===-- Programs ---------------------------------------------------------------------------------------------------===//

class Tp_Program<string name> : Op<Tp_Dialect, name, [SingleBlock, NoTerminator, HasParent<"::mlir::ModuleOp">]> {
  let arguments = (ins StrAttr:$name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name attr-dict-with-keyword $body";
}
class Tp_End<string name, dag args> : Op<Tp_Dialect, name> {
  let arguments = args;
  let assemblyFormat = "operands attr-dict `:` type(operands)";
}

def Tp_ProgramOp : Tp_Program<"program">;
def Tp_OutputOp : Tp_End<"output", (ins Tp_Tensor:$value, StrAttr:$name, UnitAttr:$metric)>;
def Tp_ClaimOp : Tp_End<"claim", (ins Tp_Tensor:$value, StrAttr:$name)>;  // also in the body of a repeat
def Tp_LossOp : Tp_End<"loss", (ins Tp_Tensor:$value)> { let hasVerifier = 1; }
// `of` is the id of a forward value v (`tp.id` on its operation, argumentIds or resultIds of its repeat); the operand is
// d loss / d v.  Inside a reverse repeat, v stands in the body of its forward repeat, at the same trip.
def Tp_AdjointOp : Tp_End<"adjoint", (ins Tp_Tensor:$value, I64Attr:$of)>;

def Tp_OptimizerOp : Tp_Program<"optimizer">;
def Tp_UpdateOp : Tp_End<"update", (ins Tp_Tensor:$value)>;
def Tp_NextOp : Tp_End<"next", (ins Tp_Tensor:$state, Tp_Tensor:$value)>;  // the state's next value

#endif
