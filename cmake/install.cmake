# `cmake --install`, and find_package(pliant) afterwards.

option(PLIANT_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
if(PLIANT_INSTALL AND (TARGET pliant-eigen OR TARGET pliant-zlib))
  # What was fetched is not in the prefix, so find_package(pliant) could not find it again.
  message(STATUS "pliant: no install rules, because Eigen or zlib is not installed")
  return()
elseif(NOT PLIANT_INSTALL)
  return()
endif()

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/pliant)
install(TARGETS pliant EXPORT pliant-targets)
install(FILES pliant.h DESTINATION include/pliant)
install(DIRECTORY core autograd layers data DESTINATION include/pliant
        FILES_MATCHING PATTERN "*.h" PATTERN "internal" EXCLUDE PATTERN "core/cpu" EXCLUDE)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT pliant-targets NAMESPACE pliant:: DESTINATION ${package_dir})
configure_package_config_file(cmake/pliant-config.cmake.in pliant-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(pliant-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/pliant-config.cmake
              ${PROJECT_BINARY_DIR}/pliant-config-version.cmake DESTINATION ${package_dir})
get_property(programs GLOBAL PROPERTY pliant_programs)
if(programs)
  install(TARGETS ${programs})
endif()
