// Data of one's own: a set of anything, cut into batches in the background.
#include <pliant/pliant.h>

#include <filesystem>
#include <iostream>
#include <vector>
using namespace pliant;

// A sample and a batch are whatever the program wants.
struct Disc {
  Tensor image;       // [16 16 1]
  float row, column;  // where its centre is
};
struct Discs {
  Tensor images;   // [B 16 16 1]
  Tensor centres;  // [B 2]
};

// A set: how many samples, and sample i. What is random comes from the key that it is given, so
// that a batch does not depend on how many threads there are.
struct DiscSet {
  std::int64_t size() const { return 100; }

  Disc at(std::int64_t i, const Rng& rng) const {
    const Rng draw = rng.fork("disc").fork(static_cast<std::uint64_t>(i));
    Disc disc{Tensor::zeros({16, 16, 1}), 4 + 8 * draw.uniform(0), 4 + 8 * draw.uniform(1)};
    const auto pixels = disc.image.mutable_span<float>();
    for (std::size_t at = 0; at < pixels.size(); ++at) {
      const float dr = static_cast<float>(at / 16) - disc.row;
      const float dc = static_cast<float>(at % 16) - disc.column;
      pixels[at] = dr * dr + dc * dc < 9 ? 1.F : 0.F;
    }
    return disc;
  }
};

// From samples to a batch.
Discs collate(const std::vector<Disc>& samples) {
  Vars images;
  std::vector<float> centres;
  for (const Disc& disc : samples) {
    images.push_back(disc.image);
    centres.insert(centres.end(), {disc.row, disc.column});
  }
  const auto count = static_cast<std::int64_t>(samples.size());
  return {stack(images).value(), Tensor::from(centres, {count, 2})};
}

// A folder of classes, each a folder of PNG or JPEG files: root/cat/1.png root/dog/7.jpg ...
void folder_of_images(const std::filesystem::path& root) {
  const ImageFolder set(root);
  const Loader loader(set, stack_images, {.size = 32, .shuffle = Rng(1), .threads = 2});
  for (const LabelledImages& batch : loader.epoch(0))
    std::cout << to_float(batch.images).shape() << '\n';
}

int main() {
  const Loader loader(DiscSet{}, collate, {.size = 32, .shuffle = Rng(1), .threads = 2});
  for (const Discs& batch : loader.epoch(0))
    std::cout << batch.images.shape() << ' ' << batch.centres.shape() << '\n';

  // Sets that lie in memory need neither: images [N H W C] and labels [N].
  const LabelledImages digits = make_digits(100, Rng(2));
  const ImageSets halves = digits.split(20, Rng(3));
  std::cout << halves.train.size() << " to learn from, " << halves.test.size() << " to judge by\n";
  for (const LabelledImages& batch : Batches(halves.train, {.size = 40}).epoch(0))
    std::cout << batch.images.dtype() << ' ' << batch.images.shape() << '\n';

  if (std::filesystem::exists("photos")) folder_of_images("photos");
}
