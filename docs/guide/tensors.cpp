// Tensors: how they are made, read, looked at and computed with.
#include <pliant/pliant.h>

#include <iostream>
#include <vector>
using namespace pliant;

void make() {
  const Tensor zeros = Tensor::zeros({2, 3});  // float32 on the CPU
  const Tensor wide = Tensor::zeros({2, 3}, DType::float64);
  const Tensor from_list = Tensor::from({1.F, 2.F, 3.F, 4.F, 5.F, 6.F}, {2, 3});
  const std::vector<std::int64_t> mine = {7, 8, 9};
  const Tensor labels = Tensor::from(mine, {3});  // int64: copied
  std::cout << from_list << '\n' << labels << '\n';
  std::cout << Tensor::arange(5) << '\n' << Tensor::linspace(0, 1, 5) << '\n';
  std::cout << zeros.dtype() << ' ' << wide.dtype() << ' ' << wide.bytes() << " bytes\n";
}

void read() {
  Tensor t = Tensor::from({1.F, 2.F, 3.F, 4.F, 5.F, 6.F}, {2, 3});
  std::cout << t.shape() << ": rank " << t.rank() << ", " << t.size() << " elements, the last axis "
            << t.dim(-1) << '\n';
  for (float& element : t.mutable_span<float>()) element *= 10;  // in place, on the CPU
  float total = 0;
  for (const float element : t.span<float>()) total += element;
  std::cout << "their sum is " << total << '\n';
}

void share() {
  const Tensor a = Tensor::zeros({2, 2});
  Tensor handle = a;        // a Tensor is a handle: both see the same elements
  Tensor copy = a.clone();  // a copy of the elements
  handle.fill(1);
  copy.fill(2);
  std::cout << a.to_vector()[0] << ' ' << copy.to_vector()[0] << '\n';
  std::cout << a.reshape({4}).shape() << ' ' << a.slice(0, 1).shape() << '\n';  // views
}

void compute() {
  const Var x = Tensor::from({-1.F, 0.F, 2.F}, {3});  // a Tensor converts to a Var: a constant
  const Var y = relu(x) * 2 + 1;
  std::cout << y.value() << '\n';
  const Var table = Tensor::from({1.F, 2.F, 3.F, 4.F, 5.F, 6.F}, {2, 3});
  std::cout << (table + y).value() << '\n';  // [2 3] + [3]: as NumPy broadcasts
  std::cout << sum(table, {0}).value() << ' ' << mean(table).item() << '\n';
  std::cout << matmul(table, transpose(table, 0, 1)).value() << '\n';
}

void draw() {
  const Rng rng(1);  // a key, not a stream: the same numbers whenever it is asked
  const Tensor a = Tensor::randn({4}, rng.fork("weights"));
  const Tensor again = Tensor::randn({4}, rng.fork("weights"));
  const Tensor other = Tensor::randn({4}, rng.fork("noise"));
  std::cout << std::boolalpha << (a.to_vector() == again.to_vector()) << ' '
            << (a.to_vector() == other.to_vector()) << '\n';
}

int main() {
  make();
  read();
  share();
  compute();
  draw();
}
