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
  if(PLIANT_SANITIZE MATCHES "undefined")
    # It opens a pipe to see whether an object can be read, and calls it none where no file can be
    # opened, as in the tests of limits.
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=vptr>)
  endif()
  add_link_options(-fsanitize=${PLIANT_SANITIZE})
endif()

if(PLIANT_FUZZ)  # what libFuzzer is steered by
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fsanitize=fuzzer-no-link>)
endif()

# What the compiler is told about the processor: nothing that an installed package hands on, unless
# PLIANT_NATIVE is on. Release builds are -O3 by CMake's own default.
include(CheckCXXCompilerFlag)
include(CheckCXXSourceCompiles)
include(cmake/instruction_sets.cmake)
# Nothing here looks at floating-point exceptions; while g++ has to keep them it vectorises no loop
# with a selection or a floor(). No value changes.
check_cxx_compiler_flag(-fno-trapping-math PLIANT_HAS_NO_TRAPPING_MATH)
if(PLIANT_HAS_NO_TRAPPING_MATH)
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fno-trapping-math>)
endif()
if(PLIANT_NATIVE)
  include(cmake/native.cmake)
else()
  add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:${pliant_baseline_options}>")
  list(JOIN pliant_instruction_sets ", " machine)
  message(STATUS "pliant: code for any processor of its kind, kernels for ${machine}")
endif()

# Release code is hardened: programs that lie anywhere in memory, tables that no bug can overwrite,
# checked stacks, copies and jumps. What is linked into a larger build follows that build instead.
option(PLIANT_HARDEN "Harden release builds" ${PROJECT_IS_TOP_LEVEL})
if(PLIANT_HARDEN AND NOT PLIANT_SANITIZE)
  include(CheckPIESupported)
  check_pie_supported(LANGUAGES CXX)
  include(CheckLinkerFlag)
  set(optimised $<AND:$<COMPILE_LANGUAGE:CXX>,$<NOT:$<CONFIG:Debug>>>)
  foreach(flag IN ITEMS -fstack-protector-strong -fstack-clash-protection -fcf-protection=full
          -mbranch-protection=standard)  # the last two by processor
    string(MAKE_C_IDENTIFIER PLIANT_HAS${flag} has)
    check_cxx_compiler_flag(${flag} ${has})
    if(${has})
      add_compile_options($<${optimised}:${flag}>)
    endif()
  endforeach()
  # Some compilers define it already.
  add_compile_options($<${optimised}:-U_FORTIFY_SOURCE> $<${optimised}:-D_FORTIFY_SOURCE=2>)
  if(NOT BUILD_SHARED_LIBS AND NOT CMAKE_POSITION_INDEPENDENT_CODE)
    add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-fPIE>)
  endif()
  set(pliant_link_options)
  set(flags -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack)
  if(PLIANT_X86_64)  # said, because the start-up files of some systems are compiled without the mark
    list(APPEND flags -Wl,-z,ibt,-z,shstk)
  endif()
  foreach(flag IN LISTS flags)
    string(MAKE_C_IDENTIFIER PLIANT_LINKS${flag} links)
    check_linker_flag(CXX ${flag} ${links})
    if(${links})
      list(APPEND pliant_link_options ${flag})
    endif()
  endforeach()
endif()

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
  target_link_options(${name} PRIVATE ${pliant_link_options})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
  pliant_warnings(${name})
endfunction()

# pliant_precompiled(TARGET [HEADER...]): the standard headers that most files include, and those of
# ours that are given, are parsed once. By g++ alone, whose header clang's tools cannot read (.clangd
# removes it); and not where a cache of compilations stands before the compiler, for it serves files
# better one by one. A file says all the same what it includes: builds with clang or with a cache have
# no other headers. After pliant_warnings.
function(pliant_precompiled target)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND NOT CMAKE_CXX_COMPILER_LAUNCHER AND NOT PLIANT_SANITIZE)
    target_precompile_headers(${target} PRIVATE <algorithm> <cmath> <filesystem> <functional> <memory>
                              <optional> <span> <sstream> <string> <vector> ${ARGN})
    # g++ forgets that these are a system's headers and reports its false alarms inside std::string;
    # the other builds keep these warnings.
    foreach(warning IN ITEMS array-bounds stringop-overflow stringop-overread)
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-${warning}>)
    endforeach()
  endif()
endfunction()
