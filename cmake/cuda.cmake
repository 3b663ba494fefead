# The CUDA half: cuda/*.cu join the library.

file(GLOB pliant_cuda_sources CONFIGURE_DEPENDS cuda/*.cu)
if(NOT pliant_cuda_sources)
  message(FATAL_ERROR "pliant: PLIANT_CUDA is on, but there is no cuda/*.cu to build")
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
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
message(STATUS "pliant: CUDA ${CUDAToolkit_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")

target_sources(pliant PRIVATE ${pliant_cuda_sources})
target_compile_definitions(pliant PUBLIC PLIANT_WITH_CUDA)
target_compile_options(pliant PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>
  $<$<COMPILE_LANGUAGE:CUDA>:-Xcompiler=-Wall,-Wextra>
  $<$<AND:$<COMPILE_LANGUAGE:CUDA>,$<BOOL:${PLIANT_WERROR}>>:-Werror=all-warnings>)
target_link_libraries(pliant PRIVATE CUDA::cudart CUDA::cublas CUDA::cublasLt)
