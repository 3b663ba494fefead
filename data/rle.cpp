#include <pliant/data/rle.h>

namespace pliant {
namespace {

constexpr int kBits = 5, kMostBits = 60;  // of a character, and of a number
constexpr int kMore = 1 << kBits;
constexpr char kFirst = '0';

}  // namespace

Tensor rle_mask(std::span<const std::int64_t> runs, std::int64_t height, std::int64_t width) {
  Tensor mask = Tensor::zeros({height, width}, DType::uint8);
  std::uint8_t* const to = mask.mutable_data<std::uint8_t>();
  std::int64_t at = 0;
  bool set = false;
  for (const std::int64_t run : runs) {
    require(run >= 0 && run <= mask.size() - at, "the runs of a mask: a run of ", run, " after ",
            at, " of ", width, " x ", height, " pixels");
    if (set)
      for (std::int64_t i = at; i < at + run; ++i) to[i % height * width + i / height] = 1;
    at += run;
    set = !set;
  }
  require(at == mask.size(), "the runs of a mask: they end after ", at, " of ", width, " x ",
          height, " pixels");
  return mask;
}

constexpr std::int64_t kMostRun = std::int64_t{1} << 32;

std::vector<std::int64_t> rle_runs(const Tensor& mask) {
  require(mask.defined() && mask.dtype() == DType::uint8 && mask.rank() == 2,
          "rle_runs: needs uint8 [H W], got ", mask);
  const std::int64_t height = mask.dim(0), width = mask.dim(1);
  const auto pixels = mask.span<std::uint8_t>();
  std::vector<std::int64_t> runs = {0};
  for (std::int64_t i = 0; i < mask.size(); ++i) {
    const bool set = pixels[static_cast<std::size_t>(i % height * width + i / height)] != 0;
    if (set != (runs.size() % 2 == 0)) runs.push_back(0);
    ++runs.back();
  }
  return runs;
}

std::vector<std::int64_t> rle_runs(std::string_view text) {
  std::vector<std::int64_t> runs;
  std::int64_t number = 0;
  int bits = 0;
  for (const char c : text) {
    const int digit = c - kFirst;
    require(digit >= 0 && digit < 2 * kMore && bits < kMostBits,
            "the runs of a mask: a text that is not COCO's compressed encoding");
    number |= static_cast<std::int64_t>(digit & (kMore - 1)) << bits;
    bits += kBits;
    if ((digit & kMore) != 0) continue;
    if ((digit & (kMore >> 1)) != 0) number -= std::int64_t{1} << bits;  // the sign
    if (runs.size() > 2) number += runs[runs.size() - 2];
    // A mask has fewer pixels; and so no sum of two overflows.
    require(number >= 0 && number < kMostRun, "the runs of a mask: a run of ", number);
    runs.push_back(number);
    number = bits = 0;
  }
  require(bits == 0, "the runs of a mask: the text of them is cut off");
  return runs;
}

std::string rle_text(std::span<const std::int64_t> runs) {
  std::string text;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    require(runs[i] >= 0 && runs[i] < kMostRun, "rle_text: a run of ", runs[i], ", expected 0 to ",
            kMostRun - 1);
    std::int64_t rest = i > 2 ? runs[i] - runs[i - 2] : runs[i];
    for (bool more = true; more;) {
      const auto digit = static_cast<int>(rest & (kMore - 1));
      rest >>= kBits;
      // Until what is left is the sign alone, which the highest bit repeats.
      more = (digit & (kMore >> 1)) != 0 ? rest != -1 : rest != 0;
      text.push_back(static_cast<char>(kFirst + digit + (more ? kMore : 0)));
    }
  }
  return text;
}

}  // namespace pliant
