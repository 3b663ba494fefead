# Every dependency: the system's package first, else one in PLIANT_DEPS, else a pinned archive,
# checked by its SHA-256.

include(FetchContent)
# A prefix to look in after the system's, for machines without a network (tools/gpu-check deps).
set(PLIANT_DEPS "" CACHE PATH "Folder with libraries that the system lacks")
if(PLIANT_DEPS)
  list(APPEND CMAKE_SYSTEM_PREFIX_PATH ${PLIANT_DEPS}/usr ${PLIANT_DEPS})
endif()
# Who adds this folder to a larger build links our dependencies through us.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)

# Fetches an archive into ${name}_SOURCE_DIR; no folder `no-project` means that its own CMake project
# is left alone. The file that calls this makes the target.
macro(pliant_fetch name url sha256)
  message(STATUS "pliant: ${name} is not installed; fetching ${url}")
  FetchContent_Declare(${name} URL ${url} URL_HASH SHA256=${sha256}
                       DOWNLOAD_EXTRACT_TIMESTAMP ON SOURCE_SUBDIR no-project)
  FetchContent_MakeAvailable(${name})
endmacro()

find_package(Threads REQUIRED)
include(third_party/eigen.cmake)
include(third_party/zlib.cmake)
include(third_party/json.cmake)
include(third_party/png.cmake)
include(third_party/jpeg.cmake)
include(third_party/pugixml.cmake)
include(third_party/curl.cmake)
include(third_party/openssl.cmake)
include(third_party/mpi.cmake)
include(third_party/archive.cmake)
if(PLIANT_APPS OR PLIANT_TESTS)
  include(third_party/cli11.cmake)
endif()
if(PLIANT_TESTS)
  include(third_party/doctest.cmake)
endif()
if(PLIANT_BENCH)
  include(third_party/benchmark.cmake)
endif()
