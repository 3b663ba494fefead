// summary: what a net is made of, and what an input costs.
//
//   std::cout << summary(net, {1, 28, 28, 1});
#pragma once

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>
#include <vector>

#include <pliant/layers/module.h>

namespace pliant {

struct Summary {
  struct Row {
    std::string path;
    std::string kind;  // "Conv2d"; "(parameters)": a module's own, which no layer reported
    Shape output;
    std::int64_t parameters = 0;     // its own, without its children's; 0 if it ran before
    std::int64_t multiply_adds = 0;  // for the whole input, batch included
  };
  std::vector<Row> rows;  // in the order in which the layers ran
  std::int64_t parameters = 0, trainable = 0;
  std::int64_t multiply_adds = 0;
};

// Runs `forward`, which puts `net` to work on some input, and gathers what its layers report.
Summary summarise(const Module& net, const std::function<void()>& forward);

// One pass of zeros [N ..] through a net whose parameters are filled, in inference. Plain
// functions (relu, ...) are no layers and have no rows.
template <class Net>
Summary summary(const Net& net, const Shape& input_shape) {
  return summarise(net, [&] {
    const std::vector<Parameter> parameters = net.parameters();
    const Tensor like = parameters.empty() ? Tensor::zeros({}) : parameters.front().value();
    static_cast<void>(net(Tensor::zeros(input_shape, like.dtype(), like.device())));
  });
}

// The table, with totals.
std::ostream& operator<<(std::ostream& out, const Summary& summary);
std::string to_string(const Summary& summary);

}  // namespace pliant
