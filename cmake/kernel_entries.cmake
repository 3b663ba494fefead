# Writes FOLDER/entries.cpp: for every name that FOLDER has for each of SETS, a function's entry, which
# jumps to the one that was chosen, or a kernel's table, into which the chosen one's is copied.

set(names)
foreach(set IN LISTS SETS)
  file(STRINGS ${FOLDER}/${set}.o.names found)
  if(names AND NOT names STREQUAL found)
    message(FATAL_ERROR "pliant: the kernels for ${set} are others than those for ${SETS}")
  endif()
  set(names ${found})
  foreach(line IN LISTS found)
    if(line MATCHES "^([^ ]+) ([0-9]+)$")
      string(APPEND tables_of "words_of ${CMAKE_MATCH_1}.${set}, ${CMAKE_MATCH_2}\n")
    else()
      string(APPEND functions_of ".quad ${line}.${set}\n")
    endif()
  endforeach()
endforeach()
set(function_count 0)
set(word_count 0)
foreach(line IN LISTS names)
  if(line MATCHES "^([^ ]+) ([0-9]+)$")
    string(APPEND tables "table ${CMAKE_MATCH_1}, ${CMAKE_MATCH_2}\n")
    string(APPEND words "words_of ${CMAKE_MATCH_1}, ${CMAKE_MATCH_2}\n")
    math(EXPR word_count "${word_count} + ${CMAKE_MATCH_2} / 8")
  else()
    math(EXPR place "8 * ${function_count}")
    string(APPEND entries "entry ${line}, ${place}\n")
    math(EXPR function_count "${function_count} + 1")
  endif()
endforeach()
file(CONFIGURE OUTPUT ${FOLDER}/entries.cpp @ONLY CONTENT [=[
// Made by cmake/kernel_entries.cmake. Assembler, because an entry has to leave every argument where it
// is; core/instruction_set.cpp declares what is called pliant_*.
asm(R"(
.macro hidden name
.globl \name
.hidden \name
.balign 8
\name:
.endm

.data
hidden pliant_functions
.rept @function_count@
.quad pliant_no_kernel
.endr
.macro table name, size
.globl \name
.type \name, @object
.size \name, \size
\name:
.rept \size / 8
.quad pliant_no_kernel
.endr
.endm
@tables@
.section .data.rel.ro, "aw"
hidden pliant_function_count
.quad @function_count@
hidden pliant_word_count
.quad @word_count@
hidden pliant_functions_of
@functions_of@
.macro words_of name, size
.set word, 0
.rept \size / 8
.quad \name + word
.set word, word + 8
.endr
.endm
# By name, for a program's own copy of a shared library's table is the one that counts.
hidden pliant_words
@words@
hidden pliant_words_of
@tables_of@
.text
.macro entry name, place
.balign 16
.globl \name
.type \name, @function
\name:
.cfi_startproc
endbr64
jmp *pliant_functions+\place(%rip)
.cfi_endproc
.size \name, .-\name
.endm
@entries@
)");
]=])
