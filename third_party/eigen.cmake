# Eigen3::Eigen: matrix products behind core/cpu/gemm.h. Headers only.
find_package(Eigen3 3.4 QUIET NO_MODULE)
if(NOT TARGET Eigen3::Eigen)
  pliant_fetch(eigen https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.bz2
               b4c198460eba6f28d34894e3a5710998818515104d6e74e5cc331ce31e46e626)
  add_library(pliant-eigen INTERFACE)
  target_include_directories(pliant-eigen SYSTEM INTERFACE ${eigen_SOURCE_DIR})
  add_library(Eigen3::Eigen ALIAS pliant-eigen)
endif()
