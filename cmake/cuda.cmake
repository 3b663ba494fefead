# The CUDA half: cuda/*.cu join the library.

file(GLOB pliant_cuda_sources CONFIGURE_DEPENDS cuda/*.cu)
if(NOT pliant_cuda_sources)
  message(FATAL_ERROR "pliant: PLIANT_CUDA is on, but there is no cuda/*.cu to build")
endif()

option(PLIANT_GPU_ON_CPU "For tests without a GPU: the CPU takes its place" OFF)
if(PLIANT_GPU_ON_CPU)
  include(tests/gpu_on_cpu/gpu_on_cpu.cmake)
  return()
endif()

# One GPU here: code for it alone. None: code for A100 and H100, which runs on later ones too.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  if(EXISTS /dev/nvidia0)
    set(CMAKE_CUDA_ARCHITECTURES native)
  else()
    set(CMAKE_CUDA_ARCHITECTURES 80 90)
  endif()
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION)  # CMake 3.25 does not know how nvcc is told of C++20
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit REQUIRED)
message(STATUS "pliant: CUDA ${CUDAToolkit_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")

include(third_party/cudnn.cmake)
if(TARGET cudnn::cudnn)
  set_source_files_properties(cuda/conv2d.cu cuda/conv2d_cudnn.cu cuda/cudnn_graph.cu PROPERTIES
                              COMPILE_DEFINITIONS PLIANT_WITH_CUDNN
                              INCLUDE_DIRECTORIES ${CUDNN_INCLUDE_DIR})
  target_link_libraries(pliant PRIVATE $<BUILD_INTERFACE:$<LINK_ONLY:cudnn::cudnn>>
                                       $<INSTALL_INTERFACE:${CUDNN_LIBRARY}>)
  set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON)  # cuDNN is often not where the loader looks
else()
  list(FILTER pliant_cuda_sources EXCLUDE REGEX "cudnn[^/]*$")
endif()

target_sources(pliant PRIVATE ${pliant_cuda_sources})
set_target_properties(pliant PROPERTIES CUDA_ARCHITECTURES "${CMAKE_CUDA_ARCHITECTURES}"
                                        CUDA_RUNTIME_LIBRARY Shared)
target_compile_definitions(pliant PUBLIC PLIANT_WITH_CUDA)
target_compile_options(pliant PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>
  $<$<COMPILE_LANGUAGE:CUDA>:--extended-lambda>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>
  $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${PLIANT_WERROR}>>:-Werror=all-warnings>)
target_link_libraries(pliant PRIVATE CUDA::cudart CUDA::cublasLt)
