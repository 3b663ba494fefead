#include <pliant/apps/train/pictures.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>
#include <system_error>

#include <pliant/apps/kit/files.h>
#include <pliant/apps/train/example.h>
#include <pliant/autograd/ops/permute.h>
#include <pliant/core/text.h>
#include <pliant/data/cifar.h>
#include <pliant/data/idx.h>
#include <pliant/data/jpeg_stream.h>
#include <pliant/data/warp.h>

namespace pliant::train {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kExampleTrain = 2400, kExampleTest = 600, kExampleSide = 32;

bool has(const fs::path& root, const std::string& name) {
  return kit::is_there(root / name) || kit::is_there(root / (name + ".gz"));
}

fs::path plain_or_gz(const fs::path& root, const std::string& name) {
  return kit::is_there(root / name) ? root / name : root / (name + ".gz");
}

// ---- sets in memory ----

PictureSet in_memory(const LabelledImages& set, const std::string& name) {
  set.check(name.c_str());
  const auto labels = set.labels.span<std::int64_t>();
  return {std::vector<std::int64_t>(labels.begin(), labels.end()),
          [images = set.images](std::int64_t i) {
            const Shape& shape = images.shape();
            return images.slice(i, i + 1).reshape({shape[1], shape[2], shape[3]});
          },
          [name](std::int64_t i) { return text_from(name, " picture ", i); }};
}

std::vector<std::string> numbered(std::int64_t classes) {
  std::vector<std::string> names;
  for (std::int64_t i = 0; i < classes; ++i) names.push_back(std::to_string(i));
  return names;
}

LabelledImages read_idx_pair(const fs::path& root, const std::string& part) {
  const Tensor images = read_idx(plain_or_gz(root, part + "-images-idx3-ubyte"));
  const Tensor labels = read_idx(plain_or_gz(root, part + "-labels-idx1-ubyte"));
  require(images.rank() == 3 && labels.rank() == 1 && images.dim(0) == labels.dim(0), root.string(),
          ": the ", part, " images are ", images.shape(), ", the labels ", labels.shape(),
          ", expected [N H W] and [N]");
  const Shape& shape = images.shape();
  return {images.reshape({shape[0], shape[1], shape[2], 1}), labels.to(DType::int64)};
}

PictureSets idx_pictures(const fs::path& root) {
  const LabelledImages train = read_idx_pair(root, "train");
  PictureSets sets{.train = in_memory(train, "train"), .channels = 1, .source = "IDX files"};
  std::int64_t classes = 2;
  const auto count = [&](const LabelledImages& set) {
    for (const std::int64_t label : set.labels.span<std::int64_t>())
      classes = std::max(classes, label + 1);
  };
  count(train);
  if (has(root, "t10k-images-idx3-ubyte")) {
    const LabelledImages test = read_idx_pair(root, "t10k");
    sets.test = in_memory(test, "test");
    count(test);
  }
  sets.classes = numbered(classes);
  return sets;
}

PictureSets cifar_pictures(CifarSets read, std::string source, std::int64_t classes) {
  return {.train = in_memory(read.train, "train"),
          .test = in_memory(read.test, "test"),
          .classes = read.classes.empty() ? numbered(classes) : std::move(read.classes),
          .source = std::move(source)};
}

PictureSets stream_pictures(const fs::path& root) {
  const JpegStream train(root, "train");
  PictureSets sets{.train = in_memory(train.images(), "train"),
                   .classes = train.classes(),
                   .source = "streams of JPEG files"};
  if (has(root, "test-images.jpegs"))
    sets.test = in_memory(JpegStream(root, "test").images(), "test");
  return sets;
}

// ---- folders ----

PictureSet in_folder(const ImageFolder& folder) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < folder.size(); ++i) labels.push_back(folder.label(i));
  return {std::move(labels), [folder](std::int64_t i) { return folder.at(i).image; },
          [folder](std::int64_t i) { return folder.path(i).string(); }};
}

void tell_skipped(const ImageFolder& folder, PictureSets& sets) {
  for (const BadFile& bad : folder.skipped())
    sets.notices.push_back("left out: " + printable(bad.reason));
}

void tell_identical(const ImageFolder& a, const ImageFolder& b, const char* halves,
                    PictureSets& sets) {
  const std::vector<IdenticalFiles> same = identical_files(a, b);
  if (same.empty()) return;
  sets.notices.push_back(text_from(
      same.size(), same.size() == 1 ? " file is" : " files are", " in both ", halves, ", first ",
      printable(same.front().first.string()), " and ", printable(same.front().second.string())));
}

ImageFolder of_classes(const fs::path& folder, const std::vector<std::string>& classes,
                       const DataOptions& options) {
  ImageFolder set(folder, ImageColour::rgb, options.bad_files);
  require(set.classes() == classes, folder.string(),
          ": its classes are not those of the training set; expected folders of the same names");
  return set;
}

PictureSets split_folders(const fs::path& root, const DataOptions& options) {
  const ImageFolder train(root / "train", ImageColour::rgb, options.bad_files);
  PictureSets sets{.train = in_folder(train),
                   .classes = train.classes(),
                   .source = "folders of pictures, split already"};
  tell_skipped(train, sets);
  for (const bool is_val : {true, false}) {
    const fs::path folder = root / (is_val ? "val" : "test");
    if (!kit::is_there(folder)) continue;
    const ImageFolder other = of_classes(folder, train.classes(), options);
    tell_skipped(other, sets);
    tell_identical(train, other, is_val ? "train and val" : "train and test", sets);
    (is_val ? sets.val : sets.test) = in_folder(other);
  }
  return sets;
}

PictureSets class_folders(const fs::path& root, const DataOptions& options) {
  const ImageFolder all(root, ImageColour::rgb, options.bad_files);
  PictureSets sets{
      .train = in_folder(all), .classes = all.classes(), .source = "folders of pictures"};
  tell_skipped(all, sets);
  return sets;
}

// ---- halves ----

// Holds out the share `val` of each class, drawn by key; both halves in the order of the set.
void hold_out(PictureSets& sets, const DataOptions& options) {
  std::vector<std::int64_t> labels;
  for (std::int64_t i = 0; i < sets.train.size(); ++i) labels.push_back(sets.train.label(i));
  const std::vector<bool> is_out =
      held_out_of_classes(labels, options.val, options.rng.fork("val"));
  std::vector<std::int64_t> train, val;
  for (std::int64_t i = 0; i < sets.train.size(); ++i)
    (is_out[static_cast<std::size_t>(i)] ? val : train).push_back(i);
  sets.val = sets.train.take(std::move(val));
  sets.train = sets.train.take(std::move(train));
}

void check(const std::string& data, const PictureSets& sets) {
  require(sets.classes.size() >= 2, data, ": has one class, '",
          sets.classes.empty() ? "" : printable(sets.classes.front()), "', expected at least two");
  for (const PictureSet* set : {&sets.train, &sets.val, &sets.test})
    for (std::int64_t i = 0; i < set->size(); ++i)
      require(set->label(i) >= 0 && set->label(i) < static_cast<std::int64_t>(sets.classes.size()),
              printable(set->name(i)), ": label ", set->label(i), " of ", sets.classes.size(),
              " classes");
  require(sets.train.size() > 0, data, ": no pictures");
}

PictureSets completed(const std::string& data, PictureSets sets, const DataOptions& options) {
  if (options.train_images > 0 && options.train_images < sets.train.size()) {
    std::vector<std::int64_t> order = randperm(sets.train.size(), options.rng.fork("subset"));
    order.resize(static_cast<std::size_t>(options.train_images));
    std::sort(order.begin(), order.end());
    sets.train = sets.train.take(std::move(order));
  }
  if (sets.val.size() == 0 && options.val > 0) hold_out(sets, options);
  check(data, sets);
  require(options.val == 0 || sets.val.size() > 0, data, ": ", sets.train.size(),
          " pictures to learn from and none to choose by, expected some of each");
  return sets;
}

PictureSets opened(const fs::path& root, const DataOptions& options) {
  std::error_code ignored;
  require(fs::is_directory(root, ignored), root.string(),
          kit::is_there(root) ? ": is a file, expected a folder of pictures"
                              : ": there is no such folder");
  if (has(root, "data_batch_1.bin")) return cifar_pictures(read_cifar10(root), "CIFAR-10", 10);
  if (has(root, "train.bin")) return cifar_pictures(read_cifar100(root), "CIFAR-100", 100);
  if (has(root, "train-images.jpegs")) return stream_pictures(root);
  if (has(root, "train-images-idx3-ubyte")) return idx_pictures(root);
  if (kit::is_there(root / "train")) return split_folders(root, options);
  return class_folders(root, options);
}

// ---- what the net is given ----

constexpr double kShift = 0.125;  // of the side
struct Strong {
  double turn = 15, shear = 0.15, scale = 1.25, light = 0.3;
};

// The middle square of a picture, as large as the net's images.
Warp middle_square(const Tensor& picture, std::int64_t size) {
  const std::int64_t height = picture.dim(0), width = picture.dim(1);
  const std::int64_t side = std::min(height, width);
  Warp warp(height, width);
  warp.crop((height - side) / 2, (width - side) / 2, side, side).resize(size, size);
  return warp;
}

void augment(Warp& warp, Augment kind, const Rng& rng, std::int64_t size) {
  if (kind == Augment::none) return;
  if (kind == Augment::strong) {
    const Strong most;
    const double scale = std::exp(rng.uniform(3, -std::log(most.scale), std::log(most.scale)));
    warp.rotate(rng.uniform(4, -most.turn, most.turn))
        .shear(rng.uniform(5, -most.shear, most.shear), 0)
        .scale(scale, scale);
  }
  if (rng.bits(0) >> 31 == 0) warp.flip_horizontal();
  const double shift = kShift * static_cast<double>(size);
  warp.shift(std::round(rng.uniform(1, -shift, shift)), std::round(rng.uniform(2, -shift, shift)));
}

// Bytes as the net wants them: (x / 255 - mean) / deviation, times `light` before.
Tensor normalised(const Tensor& bytes, const NetRecipe& recipe, double light = 1) {
  const auto channels = static_cast<std::size_t>(recipe.channels);
  Tensor result = Tensor::empty(bytes.shape(), DType::float32);
  const auto from = bytes.span<std::uint8_t>();
  const auto to = result.mutable_span<float>();
  for (std::size_t i = 0; i < from.size(); ++i) {
    const std::size_t c = i % channels;
    to[i] = static_cast<float>((std::min(1.0, light * from[i] / 255) - recipe.mean[c]) /
                               recipe.deviation[c]);
  }
  return result;
}

// What lies outside a picture that was moved: the mean, which the net is given as 0.
std::vector<float> mean_colour(const NetRecipe& recipe) {
  std::vector<float> colour;
  for (std::int64_t c = 0; c < recipe.channels; ++c)
    colour.push_back(static_cast<float>(255 * recipe.mean[static_cast<std::size_t>(c)]));
  return colour;
}

// With as many channels as the net reads: a gray picture three times, the mean of a colour one.
Tensor with_channels(const Tensor& picture, std::int64_t channels) {
  const std::int64_t given = picture.dim(2);
  if (given == channels) return picture;
  Tensor result = Tensor::empty({picture.dim(0), picture.dim(1), channels}, DType::uint8);
  const auto from = picture.span<std::uint8_t>();
  const auto to = result.mutable_span<std::uint8_t>();
  const auto step = static_cast<std::size_t>(given), wide = static_cast<std::size_t>(channels);
  for (std::size_t pixel = 0; pixel * step < from.size(); ++pixel) {
    const auto colours = from.subspan(pixel * step, step);
    const int sum = std::accumulate(colours.begin(), colours.end(), 0);
    for (std::size_t c = 0; c < wide; ++c)
      to[pixel * wide + c] = static_cast<std::uint8_t>(sum / static_cast<int>(given));
  }
  return result;
}

}  // namespace

PictureSet PictureSet::take(std::vector<std::int64_t> indices) const {
  std::vector<std::int64_t> labels;
  labels.reserve(indices.size());
  for (const std::int64_t i : indices) labels.push_back(label(i));
  const auto of = std::make_shared<const std::vector<std::int64_t>>(std::move(indices));
  const auto at = [of](std::int64_t i) { return (*of)[static_cast<std::size_t>(i)]; };
  return {std::move(labels), [all = *this, at](std::int64_t i) { return all.read(at(i)); },
          [all = *this, at](std::int64_t i) { return all.name(at(i)); }};
}

std::vector<std::int64_t> PictureSet::counts(std::size_t classes) const {
  std::vector<std::int64_t> counts(classes);
  for (std::int64_t i = 0; i < size(); ++i) ++counts[static_cast<std::size_t>(label(i))];
  return counts;
}

PictureSets open_pictures(const std::string& data, const DataOptions& options) {
  PictureSets sets = completed(data, opened(data, options), options);
  sets.source = printable(data) + ": " + sets.source;
  return sets;
}

PictureSets example_pictures(const DataOptions& options) {
  const LabelledImages train =
      make_shapes(kExampleTrain, kExampleSide, options.rng.fork("example train"));
  const LabelledImages test =
      make_shapes(kExampleTest, kExampleSide, options.rng.fork("example test"));
  PictureSets sets{.train = in_memory(train, "train"),
                   .test = in_memory(test, "test"),
                   .classes = shape_names(),
                   .source = "EXAMPLE: shapes drawn by program, no pictures of anything"};
  return completed("the example", std::move(sets), options);
}

Tensor net_input(const Tensor& picture, const NetRecipe& recipe) {
  const Tensor colours = with_channels(picture, recipe.channels);
  return normalised(warp_image(colours, middle_square(colours, recipe.size), mean_colour(recipe)),
                    recipe);
}

LabelledImage NetInput::at(std::int64_t i, const Rng& rng) const {
  const Tensor picture = with_channels(set_.read(i), recipe_.channels);
  Warp warp = middle_square(picture, recipe_.size);
  augment(warp, augment_, rng, recipe_.size);
  const double light =
      augment_ == Augment::strong ? rng.uniform(6, 1 - Strong().light, 1 + Strong().light) : 1;
  return {normalised(warp_image(picture, warp, mean_colour(recipe_)), recipe_, light),
          set_.label(i)};
}

Tensor NetInput::sheet(const Rng& rng) const {
  constexpr std::int64_t kSide = 4;
  const std::int64_t pixels = recipe_.size, channels = recipe_.channels;
  Tensor all = Tensor::empty({kSide, kSide, pixels, pixels, channels}, DType::uint8);
  std::uint8_t* to = all.mutable_data<std::uint8_t>();
  for (std::uint64_t number = 0; number < kSide * kSide; ++number) {
    const auto i = static_cast<std::int64_t>(rng.below(number, static_cast<std::uint64_t>(size())));
    const Tensor image = at(i, rng.fork(number)).image;
    for (std::int64_t k = 0; k < image.size(); ++k) {
      const auto c = static_cast<std::size_t>(k % channels);
      const double level = image.data<float>()[k] * recipe_.deviation[c] + recipe_.mean[c];
      *to++ = static_cast<std::uint8_t>(std::lround(255 * std::clamp(level, 0.0, 1.0)));
    }
  }
  return permute(all, {0, 2, 1, 3, 4}).value().reshape({kSide * pixels, kSide * pixels, channels});
}

}  // namespace pliant::train
