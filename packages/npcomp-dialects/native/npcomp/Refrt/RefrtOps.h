#ifndef NPCOMP_REFRT_REFRTOPS_H
#define NPCOMP_REFRT_REFRTOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "npcomp/Refrt/RefrtDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "npcomp/Refrt/RefrtTypes.h.inc"

#define GET_OP_CLASSES
#include "npcomp/Refrt/RefrtOps.h.inc"

#endif
