#include <iostream>

#include <pliant/core/eigen.h>
#include <pliant/core/tensor.h>

int unused_conversion(long number) { return number; }  // warns only under the library's own flags

int main() {
  const pliant::Tensor tensor = pliant::from_eigen(Eigen::Matrix2f::Identity() * 3.0F);
  std::cout << tensor.shape() << ' ' << tensor.span<float>()[3] << '\n';
  return tensor.span<float>()[3] == 3.0F ? 0 : 1;
}
