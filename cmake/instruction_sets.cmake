# The kernels are compiled once for each instruction set, everything else for any processor of its
# kind, and which kernels are called is chosen when the program starts (core/instruction_set.cpp).
#
# Inline functions and templates of kernels, of the standard library and of Eigen have the same names
# in every set, and of two definitions of one name the linker keeps either. So the objects of a set
# are sealed: joined into one in which every name is local but the kernels', which bear the name of
# the set. Entries of the kernels' own names jump to those that were chosen.

check_cxx_source_compiles("#ifndef __x86_64__\n#error\n#endif\nint main() {}" PLIANT_X86_64)

# What compiles for a set.
set(pliant_baseline_options "")  # defined, though it may be empty
if(PLIANT_X86_64)
  set(pliant_baseline_options -march=x86-64)
endif()
set(pliant_avx2_options -march=x86-64-v3)
set(pliant_avx512_options -march=x86-64-v4 -mprefer-vector-width=512)

set(PLIANT_INSTRUCTION_SETS baseline avx2 avx512 CACHE STRING "What the kernels are compiled for")

# pliant_instruction_sets: those of PLIANT_INSTRUCTION_SETS that this build can have.
set(pliant_instruction_sets ${PLIANT_INSTRUCTION_SETS})
if(NOT "baseline" IN_LIST pliant_instruction_sets)
  message(FATAL_ERROR "pliant: PLIANT_INSTRUCTION_SETS is '${PLIANT_INSTRUCTION_SETS}', without baseline: only PLIANT_NATIVE may refuse a processor")
endif()
foreach(set IN LISTS pliant_instruction_sets)
  if(NOT DEFINED pliant_${set}_options)
    message(FATAL_ERROR "pliant: PLIANT_INSTRUCTION_SETS names '${set}'; there are baseline, avx2 and avx512")
  endif()
endforeach()
if(PLIANT_NATIVE)
  set(pliant_instruction_sets native)
elseif(NOT pliant_instruction_sets STREQUAL "baseline")
  find_program(PLIANT_GNU_LD NAMES ld.bfd ld)
  if(PLIANT_GNU_LD)
    execute_process(COMMAND ${PLIANT_GNU_LD} --help OUTPUT_VARIABLE help ERROR_QUIET)
  endif()
  get_property(multi_config GLOBAL PROPERTY GENERATOR_IS_MULTI_CONFIG)
  set(why)
  if(NOT PLIANT_X86_64)
    set(why "this is no x86-64")
  elseif(PLIANT_SANITIZE)
    set(why "sanitizers look at every name")
  elseif(NOT CMAKE_OBJCOPY OR NOT CMAKE_NM OR NOT help MATCHES "--force-group-allocation")
    set(why "it takes GNU ld, objcopy and nm")
  elseif(multi_config)
    set(why "a generator of several configurations")
  endif()
  if(why)
    message(STATUS "pliant: kernels for the baseline alone: ${why}")
    set(pliant_instruction_sets baseline)
  endif()
endif()

list(LENGTH pliant_instruction_sets pliant_set_count)

# pliant_sealed_object(TARGET NAME OUTPUT SOURCE...): OUTPUT, an object file of the sources, compiled with
# the target's options and those of pliant_NAME_options, with no global names but its functions'.
function(pliant_sealed_object target name output)
  set(objects ${target}-${name})
  add_library(${objects} OBJECT ${ARGN})
  target_compile_features(${objects} PRIVATE cxx_std_20)
  # The set's options last: its processor wins.
  target_compile_options(${objects} PRIVATE $<TARGET_PROPERTY:${target},COMPILE_OPTIONS>
                                            ${pliant_${name}_options})
  target_compile_definitions(${objects} PRIVATE
                             $<TARGET_PROPERTY:${target},COMPILE_DEFINITIONS>)
  target_include_directories(${objects} PRIVATE $<TARGET_PROPERTY:${target},INCLUDE_DIRECTORIES>)
  target_link_libraries(${objects} PRIVATE Eigen3::Eigen)
  pliant_precompiled(${objects} <pliant/core/kernel.h> <pliant/core/parallel.h>)
  set_target_properties(${objects} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
  if(BUILD_SHARED_LIBS)
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  endif()
  set(suffix)
  if(name IN_LIST pliant_instruction_sets)
    set(suffix .${name})
  endif()
  set(script ${PROJECT_SOURCE_DIR}/cmake/sealed_object.cmake)
  set(compiled "$<FILTER:$<TARGET_OBJECTS:${objects}>,EXCLUDE,[.]gch$>")  # without precompiled headers
  add_custom_command(
    OUTPUT ${output} BYPRODUCTS ${output}.names COMMENT "Sealing ${objects}"
    COMMAND ${CMAKE_COMMAND} -DSUFFIX=${suffix} -DOUTPUT=${output} -DLD=${PLIANT_GNU_LD}
            -DNM=${CMAKE_NM} -DOBJCOPY=${CMAKE_OBJCOPY} "-DOBJECTS=${compiled}"
            -P ${script}
    DEPENDS ${compiled} ${script} VERBATIM)
  set_source_files_properties(${output} PROPERTIES EXTERNAL_OBJECT ON)
  target_sources(${target} PRIVATE ${output})
endfunction()

# pliant_kernels(TARGET SOURCE...): the sources become part of the target, once for each set.
function(pliant_kernels target)
  if(pliant_set_count EQUAL 1)
    target_sources(${target} PRIVATE ${ARGN})
    return()
  endif()
  set(folder ${PROJECT_BINARY_DIR}/kernels)
  set(objects)
  foreach(set IN LISTS pliant_instruction_sets)
    pliant_sealed_object(${target} ${set} ${folder}/${set}.o ${ARGN})
    list(APPEND objects ${folder}/${set}.o)
  endforeach()
  set(script ${PROJECT_SOURCE_DIR}/cmake/kernel_entries.cmake)
  add_custom_command(
    OUTPUT ${folder}/entries.cpp COMMENT "Making the kernels' entries"
    COMMAND ${CMAKE_COMMAND} "-DSETS=${pliant_instruction_sets}" -DFOLDER=${folder} -P ${script}
    DEPENDS ${objects} ${script} VERBATIM)
  set_source_files_properties(${folder}/entries.cpp PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_sources(${target} PRIVATE ${folder}/entries.cpp)
  list(JOIN pliant_instruction_sets "," sets)
  set_property(SOURCE ${PROJECT_SOURCE_DIR}/core/instruction_set.cpp APPEND PROPERTY
               COMPILE_DEFINITIONS "PLIANT_KERNEL_SETS=${sets}")
endfunction()

# pliant_sealed(TARGET SOURCE): the source becomes part of the target, and none of the inline
# functions that it uses. For those that use Eigen, whose functions depend on the processor that they
# are compiled for: who links the library may compile his own for another.
function(pliant_sealed target source)
  if(pliant_set_count EQUAL 1)
    target_sources(${target} PRIVATE ${source})
    return()
  endif()
  cmake_path(GET source STEM name)
  pliant_sealed_object(${target} ${name} ${PROJECT_BINARY_DIR}/kernels/${name}.o ${source})
endfunction()
