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

// What a training makes of a photo of any size, drawn from the key alone; and a test.
LabelledImage augmented(const LabelledImage& photo, const Rng& rng) {
  const LabelledImage small{resize_image(photo.image, 40, 40), photo.label};
  const Warp warp = random_warp(
      40, 40, {.rotate = 10, .scale_low = 0.8, .scale_high = 1.2, .height = 32, .width = 32},
      rng.fork("warp"));
  LabelledImage seen = warped(small, warp);  // boxes and masks of other samples move along
  seen = rand_augment(seen, {.count = 1, .magnitude = 5}, rng.fork("rand_augment"));
  seen.image = colour_jitter(seen.image, {.brightness = 0.2, .hue = 0.05}, rng.fork("colours"));
  seen.image = normalize(seen.image, kImageNetMean, kImageNetDeviation);
  return seen;
}

LabelledImage as_it_is(const LabelledImage& photo, const Rng&) {
  const Tensor small = resize_image(photo.image, 32, 32);
  return {normalize(small, kImageNetMean, kImageNetDeviation), photo.label};
}

// A folder of classes, each a folder of PNG or JPEG files: root/cat/1.png root/dog/7.jpg ...
void folder_of_images(const std::filesystem::path& root) {
  const ImageFolders sets = ImageFolder(root).split(0.25, Rng(1));
  const Loader train(Mapped(sets.train, augmented), stack_images,
                     {.size = 4, .shuffle = Rng(2), .augment = Rng(3), .threads = 2});
  const Loader val(Mapped(sets.val, as_it_is), stack_images, {.size = 4});
  for (const LabelledImages& batch : train.epoch(0))
    std::cout << batch.images.dtype() << ' ' << batch.images.shape() << '\n';
  std::cout << val.samples_per_epoch() << " held out\n";
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

  // Photos, here drawn: four of each class.
  for (const char* file : {"cat/0.png", "cat/1.png", "cat/2.png", "cat/3.png", "dog/0.png",
                           "dog/1.png", "dog/2.png", "dog/3.png"}) {
    const auto path = std::filesystem::path("photos") / file;
    std::filesystem::create_directories(path.parent_path());
    write_image(path, Tensor::randint(0, 256, {40, 50, 3}, Rng(4)).to(DType::uint8));
  }
  folder_of_images("photos");
}
