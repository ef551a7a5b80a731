# find_package(Npcomp): the target Npcomp::CAPI, the variables NPCOMP_INCLUDE_DIR (C headers and TableGen files) and
# NPCOMP_PYTHON_PACKAGE_PREFIX (for extensions that share our Python bindings).

get_filename_component(_native "${CMAKE_CURRENT_LIST_DIR}" DIRECTORY)
get_filename_component(_package "${_native}" DIRECTORY)
set(NPCOMP_INCLUDE_DIR "${_native}/include")
set(NPCOMP_PYTHON_PACKAGE_PREFIX "npcomp_dialects.mlir.")

if(NOT TARGET Npcomp::CAPI)
  add_library(Npcomp::CAPI SHARED IMPORTED)
  set_target_properties(Npcomp::CAPI PROPERTIES
    IMPORTED_LOCATION "${_package}/mlir/_mlir_libs/libNpcompAggregateCAPI.so"
    INTERFACE_INCLUDE_DIRECTORIES "${NPCOMP_INCLUDE_DIR};${_package}/mlir/_mlir_libs/include")
endif()
