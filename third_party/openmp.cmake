# OpenMP::OpenMP_CXX: threads behind core/parallel.h. A part of the compiler, so never fetched.
find_package(OpenMP QUIET COMPONENTS CXX)
if(NOT OpenMP_CXX_FOUND)
  message(STATUS "pliant: this compiler has no OpenMP; the library will use one thread")
endif()
