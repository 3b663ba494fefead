# cudnn::cudnn: convolutions on the GPU, from cuDNN 9. Optional and never fetched: looked for in
# CUDNN_ROOT, in the system, and in the Python environment's nvidia/cudnn. Without it convolutions
# are products of cuBLASLt.
option(PLIANT_CUDNN "Convolve with cuDNN where it is installed" ON)
set(CUDNN_ROOT "" CACHE PATH "Folder with cuDNN's include and lib")

# Where `python3` keeps cuDNN, if it does.
function(pliant_python_cudnn result)
  execute_process(
    COMMAND python3 -c "from importlib.util import find_spec
print(find_spec('nvidia.cudnn').submodule_search_locations[0])"
    OUTPUT_VARIABLE folder OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  set(${result} "${folder}" PARENT_SCOPE)
endfunction()

if(PLIANT_CUDNN)
  set(cudnn_roots ${CUDNN_ROOT} $ENV{CUDNN_ROOT})
  find_path(CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ${cudnn_roots} PATH_SUFFIXES include)
  find_library(CUDNN_LIBRARY NAMES libcudnn.so.9 cudnn HINTS ${cudnn_roots}
               PATH_SUFFIXES lib lib64)
  if(NOT CUDNN_INCLUDE_DIR AND NOT CUDNN_LIBRARY)
    pliant_python_cudnn(cudnn_roots)
    find_path(CUDNN_INCLUDE_DIR cudnn_graph.h HINTS ${cudnn_roots} PATH_SUFFIXES include)
    find_library(CUDNN_LIBRARY NAMES libcudnn.so.9 HINTS ${cudnn_roots} PATH_SUFFIXES lib)
  endif()
  mark_as_advanced(CUDNN_INCLUDE_DIR CUDNN_LIBRARY)
endif()
if(PLIANT_CUDNN AND CUDNN_INCLUDE_DIR AND CUDNN_LIBRARY)
  file(STRINGS ${CUDNN_INCLUDE_DIR}/cudnn_version.h cudnn_version REGEX "define CUDNN_M(AJOR|INOR) ")
  list(TRANSFORM cudnn_version REPLACE ".* ([0-9]+)$" "\\1")
  list(JOIN cudnn_version "." cudnn_version)
  if(cudnn_version VERSION_GREATER_EQUAL 9)
    message(STATUS "pliant: cuDNN ${cudnn_version}, ${CUDNN_LIBRARY}")
    add_library(cudnn::cudnn SHARED IMPORTED)
    set_target_properties(cudnn::cudnn PROPERTIES
                          IMPORTED_LOCATION ${CUDNN_LIBRARY}
                          INTERFACE_INCLUDE_DIRECTORIES ${CUDNN_INCLUDE_DIR})
  else()
    message(STATUS "pliant: cuDNN ${cudnn_version} is too old (it needs 9): convolving without it")
  endif()
endif()
