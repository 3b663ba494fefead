# PLIANT_NATIVE: everything for this machine's processor. The only build that may refuse another, and
# does so in one line.

# pliant_native_options: public, because inline code (Eigen's above all) must be compiled alike
# wherever it is seen.
set(pliant_native_options)
check_cxx_compiler_flag(-march=native PLIANT_HAS_MARCH_NATIVE)
if(NOT PLIANT_HAS_MARCH_NATIVE)
  message(STATUS "pliant: PLIANT_NATIVE has no effect: the compiler has no -march=native")
  return()
endif()
list(APPEND pliant_native_options -march=native)
execute_process(COMMAND ${CMAKE_CXX_COMPILER} -march=native -dM -E -x c++ /dev/null
                OUTPUT_VARIABLE native_macros ERROR_QUIET)
if(native_macros MATCHES "#define __AVX512F__ ")
  list(APPEND pliant_native_options -mprefer-vector-width=512)
endif()
message(STATUS "pliant: code for this machine's processor (${pliant_native_options})")
list(TRANSFORM pliant_native_options REPLACE "(.+)" "$<$<COMPILE_LANGUAGE:CXX>:\\1>")

# The names that every compiler's __builtin_cpu_supports knows.
set(features)
foreach(feature IN ITEMS sse3 ssse3 sse4.1 sse4.2 popcnt avx avx2 fma bmi bmi2 aes pclmul
        avx512f avx512bw avx512cd avx512dq avx512vl avx512ifma avx512vbmi avx512vbmi2 avx512vnni
        avx512bitalg avx512vpopcntdq gfni vpclmulqdq)
  string(TOUPPER ${feature} macro)
  string(REPLACE "." "_" macro ${macro})
  if(native_macros MATCHES "#define __${macro}__ ")
    string(APPEND features
           "      {\"${feature}\", __builtin_cpu_supports(\"${feature}\") != 0},\n")
  endif()
endforeach()
if(PLIANT_X86_64 AND features)
  configure_file(core/native_processor.cpp.in native_processor.cpp @ONLY)
  set(pliant_native_check ${PROJECT_BINARY_DIR}/native_processor.cpp)
  set_source_files_properties(${pliant_native_check} PROPERTIES
                              COMPILE_OPTIONS "${pliant_baseline_options}")
endif()
