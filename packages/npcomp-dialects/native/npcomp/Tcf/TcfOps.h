#ifndef NPCOMP_TCF_TCFOPS_H
#define NPCOMP_TCF_TCFOPS_H

#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "npcomp/Tcf/TcfDialect.h.inc"

#define GET_OP_CLASSES
#include "npcomp/Tcf/TcfOps.h.inc"

#endif
