// The trained nets that a report shows, and what they say about pictures.
#pragma once

#include <string>
#include <vector>

#include <pliant/apps/mnist/report/report.h>

namespace pliant::mnist {

struct RowNet {
  const RowResult* row;
  std::string name;   // "dcn2, offsets"
  std::size_t style;  // of its lines, see style_of()
  DigitNet net;
};

struct ReportNets {
  std::vector<RowNet> nets;         // one for each key: the first seed's that there is
  std::vector<std::string> absent;  // names of rows without one
};

// "regular, none", "dcn2, offsets".
std::string name_of_row(const std::string& model, const std::string& deform,
                        const std::string& finetune);
inline std::string name_of_row(const RowResult& row) {
  return name_of_row(row.model, row.deform, row.finetune);
}

// Lines of the row with this key look alike in all charts: its place among the keys.
std::size_t style_of(const Results& results, const std::string& key);

ReportNets find_nets(const ReportInput& input);

// The first row of each of the keys chosen; by default the regular net as it was, the best other
// regular one, the best whose heads alone were trained, and the best deformable one.
std::vector<const RowResult*> chosen_rows(const ReportInput& input);

// What a net says: its guess and how sure it is of it.
struct Guess {
  std::int64_t label = 0;
  double probability = 0;
};
// Of float32 images [N H W 1].
std::vector<Guess> guesses_of(const DigitNet& net, const Tensor& images, Device device);

}  // namespace pliant::mnist
