# SPDX-License-Identifier: MIT
# cmake --install: the library, its public headers, a CMake package and a
# pkg-config file.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(tri_package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/tricolor")
install(TARGETS tricolor EXPORT tricolorTargets)
if(EXISTS "${PROJECT_SOURCE_DIR}/include")
  install(DIRECTORY include/ DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}"
    FILES_MATCHING PATTERN "*.h")
endif()
install(EXPORT tricolorTargets NAMESPACE tricolor::
  DESTINATION "${tri_package_dir}")
configure_package_config_file(cmake/tricolorConfig.cmake.in
  "${PROJECT_BINARY_DIR}/tricolorConfig.cmake"
  INSTALL_DESTINATION "${tri_package_dir}")
write_basic_package_version_file(
  "${PROJECT_BINARY_DIR}/tricolorConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/tricolorConfig.cmake"
  "${PROJECT_BINARY_DIR}/tricolorConfigVersion.cmake"
  DESTINATION "${tri_package_dir}")
set(tri_pc_defines "")
if(TRI_ENABLE_CHECKS)
  set(tri_pc_defines " -DTRI_ENABLE_CHECKS=1")
endif()
configure_file(cmake/tricolor.pc.in tricolor.pc @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/tricolor.pc"
  DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
