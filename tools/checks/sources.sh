# shellcheck shell=bash
# Sourced by tools/check-all: the text of the sources.

sources=('*.h' '*.cpp' '*.cu' '*.cuh')

row format "${sources[@]}" .clang-format tools/format
format() {
  tools/format --check && echo "$(git ls-files "${sources[@]}" | wc -l) files"
}

row size "${sources[@]}"
size() {  # more than 400 lines a file say that a concept is missing
  local long
  long=$(git ls-files "${sources[@]}" | xargs wc -l |
    awk '$2 != "total" && $1 > 400 {printf "%s%s (%d)", sep, $2, $1; sep = ", "}')
  echo "${long:-no file over 400 lines}"
  [[ -z $long ]]
}

row api include pliant.h core autograd layers data docs/Doxyfile tools/api-comments
api() {  # the reference of the public headers; a warning is an error
  setup_packages doxygen || return 1
  doxygen docs/Doxyfile && echo "$(find build/api/html -name '*_8h.html' | wc -l) headers"
}
