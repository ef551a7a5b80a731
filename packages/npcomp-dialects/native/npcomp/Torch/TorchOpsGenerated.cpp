// The definitions that TableGen makes, in a file of their own: they take the longest to compile.
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "npcomp/Torch/TorchOps.h"

#define GET_OP_CLASSES
#include "npcomp/Torch/TorchOps.cpp.inc"
