#ifndef NPCOMP_CAPI_NATIVENUMBER_H
#define NPCOMP_CAPI_NATIVENUMBER_H

/// Contract epoch * 1000 + native revision. Raise it, here and in npcomp_dialects/__init__.py, with every change
/// of a dialect or of this library that Python code relies on; a stale build then says so when it is imported.
#define NPCOMP_NATIVE_NUMBER 1002

#endif
