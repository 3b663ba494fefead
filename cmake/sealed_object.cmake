# Joins OBJECTS into OUTPUT, where all names are local but those of functions, called NAME${SUFFIX};
# OUTPUT.names lists the NAMEs.

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "pliant: ${ARGN}: ${err}")
  endif()
  set(out "${out}" PARENT_SCOPE)
endfunction()

set(joined ${OUTPUT}.joined)
run(${LD} -r --force-group-allocation -o ${joined} ${OBJECTS})
run(${NM} --defined-only --format=posix ${joined})
string(REPLACE "\n" ";" symbols "${out}")
# Functions; of those that several files may define, the templates that core/gemm.h declares.
set(templates "4gemm|15gemm_transposed|4pack|11packed_size")
set(names)
set(unique)
foreach(symbol IN LISTS symbols)
  if(symbol MATCHES "^([^ ]+ T|_ZN6pliant3cpu(${templates})I[^ ]* W) ")
    string(REGEX REPLACE " .*" "" name "${symbol}")
    list(APPEND names ${name})
  elseif(symbol MATCHES "^([^ ]+) u ")
    list(APPEND unique --weaken-symbol=${CMAKE_MATCH_1})  # objcopy makes no others local
  endif()
endforeach()
if(unique)
  run(${OBJCOPY} ${unique} ${joined})
endif()
list(SORT names)
list(JOIN names "\n" lines)
file(WRITE ${OUTPUT}.names "${lines}\n")
list(TRANSFORM names REPLACE "(.+)" "\\1 \\1${SUFFIX}" OUTPUT_VARIABLE renamed)
list(JOIN renamed "\n" lines)
file(WRITE ${OUTPUT}.renamed "${lines}\n")
# What clang notes of symbols by their place in the table would be of others now.
run(${OBJCOPY} --keep-global-symbols=${OUTPUT}.names --remove-section=.llvm_addrsig ${joined})
run(${OBJCOPY} --redefine-syms=${OUTPUT}.renamed ${joined} ${OUTPUT})
file(REMOVE ${joined} ${OUTPUT}.renamed)

run(${NM} --defined-only ${OUTPUT})
if(out MATCHES " [bB] ([^\n]*6pliant[^\n]*)")
  # What a kernel remembers would be remembered once for each set.
  message(FATAL_ERROR "pliant: a variable in a kernel: ${CMAKE_MATCH_1}")
elseif(out MATCHES " [BDRVWuC] ([^\n]+)" AND NOT CMAKE_MATCH_1 MATCHES "^_ZN6pliant3cpu(${templates})I")
  message(FATAL_ERROR "pliant: a global name that is no kernel's: ${CMAKE_MATCH_1}")
endif()
