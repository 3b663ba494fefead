# Writes FOLDER/entries.cpp: an entry for every kernel, which jumps to the one that was chosen of those
# that FOLDER has for each of SETS.

set(names)
foreach(set IN LISTS SETS)
  file(STRINGS ${FOLDER}/${set}.o.names found)
  if(names AND NOT names STREQUAL found)
    message(FATAL_ERROR "pliant: the kernels for ${set} are others than those for ${SETS}")
  endif()
  set(names ${found})
  list(TRANSFORM found REPLACE "(.+)" ".quad \\1.${set}")
  list(JOIN found "\n" found)
  string(APPEND tables "${found}\n")
endforeach()
list(LENGTH names count)
set(place 0)
set(entries)
foreach(name IN LISTS names)
  string(APPEND entries "entry ${name}, ${place}\n")
  math(EXPR place "${place} + 8")
endforeach()
file(CONFIGURE OUTPUT ${FOLDER}/entries.cpp @ONLY CONTENT [=[
// Made by cmake/kernel_entries.cmake. Assembler, because an entry has to leave every argument where it
// is; core/instruction_set.cpp declares the tables.
asm(R"(
.data
.balign 8
.globl pliant_kernels
.hidden pliant_kernels
pliant_kernels:
.rept @count@
.quad pliant_no_kernel
.endr

.section .data.rel.ro, "aw"
.balign 8
.globl pliant_kernel_count
.hidden pliant_kernel_count
pliant_kernel_count:
.quad @count@
.globl pliant_kernels_of
.hidden pliant_kernels_of
pliant_kernels_of:
@tables@
.text
.macro entry name, place
.balign 16
.globl \name
.type \name, @function
\name:
.cfi_startproc
endbr64
jmp *pliant_kernels+\place(%rip)
.cfi_endproc
.size \name, .-\name
.endm
@entries@
)");
]=])
