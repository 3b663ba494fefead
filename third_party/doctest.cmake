# doctest::doctest: the test framework. Headers only.
find_package(doctest 2.4 QUIET)
if(NOT TARGET doctest::doctest)
  pliant_fetch(doctest https://github.com/doctest/doctest/archive/refs/tags/v2.4.11.tar.gz
               632ed2c05a7f53fa961381497bf8069093f0d6628c5f26286161fbd32a560186)
  # The headers lie in doctest/, beside a CMakeLists.txt of the same archive.
  add_library(pliant-doctest INTERFACE)
  target_include_directories(pliant-doctest SYSTEM INTERFACE ${doctest_SOURCE_DIR})
  add_library(doctest::doctest ALIAS pliant-doctest)
endif()
