# Installs what C, C++ and TableGen users need: headers, .td files, the CMake package.

include(CMakePackageConfigHelpers)

set(_destination npcomp_dialects/native)
file(READ "${PROJECT_SOURCE_DIR}/pyproject.toml" _pyproject)
string(REGEX MATCH "\nversion = \"([0-9.]+)\"" _match "${_pyproject}")
set(_version_file "${CMAKE_BINARY_DIR}/NpcompConfigVersion.cmake")
write_basic_package_version_file("${_version_file}" VERSION "${CMAKE_MATCH_1}" COMPATIBILITY SameMinorVersion)

install(DIRECTORY "${PROJECT_SOURCE_DIR}/native/npcomp/CAPI/"
  DESTINATION ${_destination}/include/npcomp/CAPI COMPONENT NpcompDevelopment
  FILES_MATCHING PATTERN "*.h")
foreach(_dialect Torch Tcf Refrt)
  install(DIRECTORY "${PROJECT_SOURCE_DIR}/native/npcomp/${_dialect}/"
    DESTINATION ${_destination}/include/npcomp/${_dialect} COMPONENT NpcompDevelopment
    FILES_MATCHING PATTERN "*.td")
endforeach()
install(FILES "${CMAKE_CURRENT_LIST_DIR}/NpcompConfig.cmake" "${_version_file}"
  DESTINATION ${_destination}/cmake COMPONENT NpcompDevelopment)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/native_init.py" RENAME __init__.py
  DESTINATION ${_destination} COMPONENT NpcompDevelopment)
