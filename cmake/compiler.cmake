# The language, the warnings and the machine that code is made for.

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "pliant: g++ ${CMAKE_CXX_COMPILER_VERSION} is too old; it needs g++ >= 12 or clang >= 14")
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
  message(FATAL_ERROR "pliant: clang ${CMAKE_CXX_COMPILER_VERSION} is too old; it needs g++ >= 12 or clang >= 14")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  if(NOT multi_config AND NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
  endif()
endif()

if(PLIANT_SANITIZE)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${PLIANT_SANITIZE}>
                      $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize-recover=all>
                      $<$<COMPILE_LANGUAGE:CXX>:-fno-omit-frame-pointer>)
  add_link_options(-fsanitize=${PLIANT_SANITIZE})
endif()

if(PLIANT_FUZZ)  # what libFuzzer is steered by
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
endif()

# pliant_machine_options: what the compiler is told about the processor. Release builds are -O3 by
# CMake's own default.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
set(pliant_machine_options)
# Nothing here looks at floating-point exceptions; while g++ has to keep them it vectorises no loop
# with a selection or a floor(). No value changes.
check_cxx_compiler_flag(-fno-trapping-math PLIANT_HAS_NO_TRAPPING_MATH)
if(PLIANT_HAS_NO_TRAPPING_MATH)
  list(APPEND pliant_machine_options -fno-trapping-math)
endif()
set(machine "this compiler's default processor")
if(PLIANT_NATIVE)
  check_cxx_compiler_flag(-march=native PLIANT_HAS_MARCH_NATIVE)
  if(PLIANT_HAS_MARCH_NATIVE)
    list(APPEND pliant_machine_options -march=native)
    set(machine "this machine's processor (-march=native)")
    set(CMAKE_REQUIRED_FLAGS -march=native)
    check_cxx_source_compiles("#ifndef __AVX512F__\n#error\n#endif\nint main() {}" PLIANT_HAS_AVX512)
    unset(CMAKE_REQUIRED_FLAGS)
    check_cxx_compiler_flag(-mprefer-vector-width=512 PLIANT_HAS_PREFER_VECTOR_WIDTH)
    if(PLIANT_HAS_AVX512 AND PLIANT_HAS_PREFER_VECTOR_WIDTH)
      list(APPEND pliant_machine_options -mprefer-vector-width=512)
      set(machine "this machine's processor (-march=native, 512-bit vectors)")
    endif()
  endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
  unset(PLIANT_HAS_MARCH CACHE)  # of what it was before
  check_cxx_compiler_flag(-march=${PLIANT_MARCH} PLIANT_HAS_MARCH)
  if(NOT PLIANT_HAS_MARCH)
    message(FATAL_ERROR "pliant: PLIANT_MARCH is ${PLIANT_MARCH}, which the compiler does not know")
  endif()
  list(APPEND pliant_machine_options -march=${PLIANT_MARCH})
  set(machine "any ${PLIANT_MARCH} processor (PLIANT_MARCH; PLIANT_NATIVE is off)")
endif()
message(STATUS "pliant: code for ${machine}")
list(TRANSFORM pliant_machine_options REPLACE "(.+)" "$<$<COMPILE_LANGUAGE:CXX>:\\1>")

# The matrix kernels are compiled once for each instruction set, whatever the rest is compiled for;
# other processors than x86-64 have the first alone.
function(pliant_instruction_sets sources)
  set(kernels ${PROJECT_SOURCE_DIR}/core/gemm_kernels)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    set_source_files_properties(${kernels}_baseline.cpp PROPERTIES COMPILE_OPTIONS -march=x86-64)
    set_source_files_properties(${kernels}_avx2.cpp PROPERTIES COMPILE_OPTIONS -march=x86-64-v3)
    set_source_files_properties(${kernels}_avx512.cpp PROPERTIES
                                COMPILE_OPTIONS "-march=x86-64-v4;-mprefer-vector-width=512")
  else()
    list(REMOVE_ITEM ${sources} ${kernels}_avx2.cpp ${kernels}_avx512.cpp)
    set(${sources} ${${sources}} PARENT_SCOPE)
  endif()
endfunction()

# Our warnings, for our own code alone: never inherited by who links the library.
function(pliant_warnings target)
  set(warnings -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow
               -Wmissing-declarations)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # g++ 12 sees uninitialised values in its own AVX-512 intrinsics (inlined from Eigen), and an
    # overlap in std::string's `"a" + string` (its bug 105651).
    list(APPEND warnings -Wno-maybe-uninitialized -Wno-restrict)
    if(PLIANT_SANITIZE)
      list(APPEND warnings -Wno-uninitialized)
    endif()
  endif()
  # Kernels pass vectors wider than the machine's between inlined functions, never across an ABI.
  list(APPEND warnings -Wno-psabi)
  if(PLIANT_WERROR)
    list(APPEND warnings -Werror)
  endif()
  list(TRANSFORM warnings REPLACE "(.+)" "$<$<COMPILE_LANGUAGE:CXX>:\\1>")
  target_compile_options(${target} PRIVATE ${warnings})
endfunction()

# A program of ours, put at the top of the build folder; PLIANT_VERSION is for its --version.
function(pliant_program name)
  add_executable(${name} ${ARGN})
  target_link_libraries(${name} PRIVATE pliant::pliant)
  target_compile_definitions(${name} PRIVATE PLIANT_VERSION="${PROJECT_VERSION}")
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  pliant_warnings(${name})
endfunction()
