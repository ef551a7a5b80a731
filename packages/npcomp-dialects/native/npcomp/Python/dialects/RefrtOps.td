#ifndef NPCOMP_PYTHON_REFRT_OPS_TD
#define NPCOMP_PYTHON_REFRT_OPS_TD

include "npcomp/Refrt/RefrtOps.td"

#endif
