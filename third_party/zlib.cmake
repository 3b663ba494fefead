# ZLIB::ZLIB: reads .gz files. Fetched, its C files are compiled here, without its own project.
find_package(ZLIB QUIET)
if(NOT TARGET ZLIB::ZLIB)
  pliant_fetch(zlib https://github.com/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz
               9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23)
  enable_language(C)
  file(GLOB zlib_sources ${zlib_SOURCE_DIR}/*.c)
  add_library(pliant-zlib STATIC ${zlib_sources})
  set_target_properties(pliant-zlib PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_compile_definitions(pliant-zlib PRIVATE HAVE_UNISTD_H HAVE_STDARG_H)
  target_include_directories(pliant-zlib SYSTEM PUBLIC ${zlib_SOURCE_DIR})
  add_library(ZLIB::ZLIB ALIAS pliant-zlib)
endif()
