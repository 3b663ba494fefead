# The CUDA half with the CPU in the place of a GPU: cuda/*.cu as C++, without nvcc; of CUDA, and of
# cuDNN where it is installed, the headers alone.

find_package(CUDAToolkit REQUIRED)
set(gpu_on_cpu ${PROJECT_SOURCE_DIR}/tests/gpu_on_cpu)
# As by nvcc, which knows none of these warnings.
set(kernel_options -xc++ -include ${gpu_on_cpu}/device.h -Wno-conversion -Wno-sign-conversion
                   -Wno-shadow)
if(PLIANT_SANITIZE)  # undefined behaviour too; that of all else is looked for without a GPU
  list(APPEND kernel_options -fsanitize=undefined)
  add_link_options(-fsanitize=undefined)
endif()
set(stand_ins ${gpu_on_cpu}/cudart.cpp ${gpu_on_cpu}/cublas_lt.cpp)
include(third_party/cudnn.cmake)
if(TARGET cudnn::cudnn)
  set(of_cudnn ${gpu_on_cpu}/cudnn.cpp ${gpu_on_cpu}/cudnn_convolution.cpp)
  list(APPEND stand_ins ${of_cudnn})
  set_source_files_properties(cuda/conv2d.cu cuda/conv2d_cudnn.cu cuda/cudnn_graph.cu
                              ${of_cudnn} PROPERTIES
                              COMPILE_DEFINITIONS PLIANT_WITH_CUDNN
                              INCLUDE_DIRECTORIES ${CUDNN_INCLUDE_DIR})
else()
  list(FILTER pliant_cuda_sources EXCLUDE REGEX "cudnn[^/]*$")
endif()
set_source_files_properties(${pliant_cuda_sources} PROPERTIES
                            LANGUAGE CXX COMPILE_OPTIONS "${kernel_options}"
                            SKIP_PRECOMPILE_HEADERS ON)
target_sources(pliant PRIVATE ${pliant_cuda_sources} ${stand_ins})
target_include_directories(pliant BEFORE PRIVATE ${gpu_on_cpu}/include)
target_include_directories(pliant SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
target_compile_definitions(pliant PUBLIC PLIANT_WITH_CUDA)
target_link_libraries(pliant PRIVATE ${CMAKE_DL_LIBS})
