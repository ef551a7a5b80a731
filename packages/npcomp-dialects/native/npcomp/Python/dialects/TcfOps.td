#ifndef NPCOMP_PYTHON_TCF_OPS_TD
#define NPCOMP_PYTHON_TCF_OPS_TD

include "npcomp/Tcf/TcfOps.td"

#endif
