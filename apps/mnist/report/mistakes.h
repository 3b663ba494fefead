// The pictures that nets are most sure about and wrong.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/mnist/report/row_nets.h>

namespace pliant::mnist {

struct Mistake {
  std::int64_t index = 0, label = 0;
  Guess guess;
};
// The surest ones, at most `count`, surest first.
std::vector<Mistake> surest_mistakes(const std::vector<Guess>& guesses, const Tensor& labels,
                                     std::size_t count);

// Of each of the nets, on plain and on scaled pictures.
std::string mistakes(const std::vector<const RowNet*>& nets, const TestSets& test, Device device);

}  // namespace pliant::mnist
