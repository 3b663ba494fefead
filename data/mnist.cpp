#include <pliant/data/mnist.h>

#include <stdlib.h>  // mkdtemp

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <optional>
#include <system_error>

#include <pliant/core/atomic_file.h>
#include <pliant/core/file_name.h>
#include <pliant/data/digits.h>
#include <pliant/data/idx.h>
#include <pliant/data/internal/download.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kSide = 28;
// More than any set in use has (EMNIST: 0.6 GB); what a small .gz unpacks to has no other bound.
constexpr std::int64_t kMostFileBytes = std::int64_t{1} << 30;
constexpr const char* kCache = "cache";  // what the Errors of a file that cannot be kept begin with

bool is_given(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// The file of that name in `directory`, in any of the spellings in use; empty if there is none.
fs::path locate(const fs::path& directory, const std::string& name) {
  std::string dotted = name;  // train-images.idx3-ubyte
  dotted[dotted.rfind("-idx")] = '.';
  for (const std::string& spelling : {name, name + ".gz", dotted, dotted + ".gz"})
    if (is_given(directory / spelling)) return directory / spelling;
  return {};
}

// Where the files lie: in `directory` itself, or below it as torchvision lays them.
fs::path folder_of_files(const fs::path& directory, const MnistFiles& files) {
  const std::string& name = files.front().name;
  if (!locate(directory, name).empty()) return directory;
  fs::path found;
  for (const char* below : {"raw", "MNIST/raw", "FashionMNIST/raw", "KMNIST/raw"}) {
    const fs::path folder = directory / below;
    if (locate(folder, name).empty()) continue;
    require(found.empty(), directory.string(), ": holds more than one set, ", found.string(),
            " and ", folder.string(), "; give one of these folders");
    found = folder;
  }
  return found.empty() ? directory : found;
}

struct Located {
  fs::path path;
  Tensor tensor;  // uint8, as in the file
  ContentId content;
};

Located read_file(const fs::path& directory, const std::string& name) {
  Located file{.path = locate(directory, name), .tensor = {}, .content = {}};
  require(!file.path.empty(), directory.string(), ": has no ", name, " (plain or .gz)");
  file.tensor = read_idx(file.path, &file.content, kMostFileBytes);
  return file;
}

Tensor as_images(const Located& file) {
  const Shape& shape = file.tensor.shape();
  require(shape.rank() == 3 && shape[0] >= 1 && shape[1] == kSide && shape[2] == kSide,
          file.path.string(), ": is ", shape, ", expected images [N 28 28]");
  return file.tensor.reshape({shape[0], kSide, kSide, 1});
}

Tensor as_labels(const Located& file, const Located& images) {
  const Shape& shape = file.tensor.shape();
  require(shape.rank() == 1, file.path.string(), ": is ", shape, ", expected labels [N]");
  require(shape[0] == images.tensor.dim(0), file.path.string(), ": ", shape[0], " labels, but ",
          images.path.filename().string(), " has ", images.tensor.dim(0), " images");
  return file.tensor.to(DType::int64);
}

// What an Error says if `f` throws one.
template <class F>
std::optional<std::string> error_of(F&& f) {
  try {
    f();
    return std::nullopt;
  } catch (const Error& error) {
    return error.what();
  }
}

// Throws unless the file has the content that it should.
void check_content(const fs::path& path, const MnistFile& file) {
  ContentId content;
  read_idx(path, &content, file.content.bytes);
  require(content.matches(file.content), path.string(), ": its content is not that of ", file.name,
          " (", content_check_name(), " of the uncompressed bytes)");
}

// Downloads what the cache lacks, or holds wrongly, from one mirror. Of several processes that do
// so at once each puts whole, checked files there, so all of them find such.
void fill_cache(const fs::path& cache, const std::string& mirror, const MnistFiles& files) {
  for (const MnistFile& file : files) {
    const fs::path present = locate(cache, file.name);
    if (!present.empty() && !error_of([&] { check_content(present, file); })) continue;
    const fs::path target = cache / (file.name + ".gz");
    remove_stale_temporaries(target);
    // A link to something else goes; what it points at is not ours to replace.
    std::error_code none;
    if (fs::is_symlink(fs::symlink_status(target, none))) fs::remove(target, none);
    AtomicFile output(kCache, target);
    const std::string slash = mirror.ends_with('/') ? "" : "/";
    download(mirror + slash + file.name + ".gz", output);
    check_content(output.temporary(), file);
    // A bad file under another spelling would be found first. Under this one it is replaced: to
    // remove it might take away what another process has put there by now.
    std::error_code ignored;
    if (!present.empty() && present != target) fs::remove(present, ignored);
    output.commit();
  }
}

// Why no mirror filled a folder.
struct Refusal {
  std::string reasons;
  bool of_folder = false;  // it could not be written: what was downloaded found no place
};

std::optional<Refusal> try_mirrors(const MnistLookup& lookup, const fs::path& folder) {
  if (lookup.mirrors.empty()) return Refusal{"no download wanted"};
  if (!can_download()) return Refusal{"this build cannot download (no libcurl)"};
  require_file_name("MNIST's cache", folder);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Refusal{folder.string() + " cannot be made: " + reason_of(error.value()), true};
  if (lookup.notice)
    lookup.notice("MNIST is not on this machine: trying to download it (11 MB) to " +
                  folder.string());
  Refusal refusal;
  for (const std::string& mirror : lookup.mirrors) {
    const auto reason = error_of([&] { fill_cache(folder, mirror, lookup.files); });
    if (!reason) return std::nullopt;
    refusal.reasons += (refusal.reasons.empty() ? "" : "; ") + *reason;
    refusal.of_folder = refusal.of_folder || reason->starts_with(std::string(kCache) + ": ");
  }
  return refusal;
}

// What lies in `folder`, if it is the published files.
DigitSet read_published(const fs::path& folder, const MnistFiles& files) {
  require(is_given(folder), "nothing in ", folder.string());
  DigitSet set = read_digit_directory(folder, files);
  require(set.name == "mnist", folder.string(), ": its files are not those of MNIST (",
          content_check_name(), ')');
  set.source = "MNIST from " + folder.string();
  return set;
}

// Goes with what is in it.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::error_code error;
    std::string pattern = fs::temp_directory_path(error) / "pliant-mnist-XXXXXX";
    require(!error && ::mkdtemp(pattern.data()) != nullptr,
            "no temporary folder can be made: ", reason_of(error ? error.value() : errno));
    path_ = pattern;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Who has no cache, but a network, gets the digits all the same, each time anew. Adds to `reasons`
// why there are none.
std::optional<DigitSet> download_once(const MnistLookup& lookup, std::string& reasons) {
  std::optional<DigitSet> set;
  const auto failure = error_of([&] {
    const TemporaryFolder folder;
    const std::optional<Refusal> refusal = try_mirrors(lookup, folder.path());
    require(!refusal, refusal ? refusal->reasons : "");
    set = read_published(folder.path(), lookup.files);
    set->source = "MNIST, just downloaded and not kept: " + reasons;
  });
  if (failure) reasons += "; " + *failure;
  return set;
}

DigitSet stand_in(const MnistLookup& lookup, const std::string& reason) {
  const Rng rng(lookup.synthetic_seed);
  const LabelledImages train = make_digits(lookup.synthetic_train, rng.fork("train"));
  const LabelledImages test = make_digits(lookup.synthetic_test, rng.fork("test"));
  return {.train = train,
          .test = test,
          .name = "synthetic-digits",
          .source = "NOT MNIST but " + std::to_string(train.size()) + " + " +
                    std::to_string(test.size()) + " synthetic digits drawn by program, because " +
                    reason + ". Give MNIST by --data DIR or PLIANT_DATA."};
}

}  // namespace

const MnistFiles& mnist_files() {
  static const MnistFiles files = {{
      {"train-images-idx3-ubyte",
       {47040016, 0xE9F4D8B3, "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"}},
      {"train-labels-idx1-ubyte",
       {60008, 0xE0CB4AD2, "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"}},
      {"t10k-images-idx3-ubyte",
       {7840016, 0x91373BDF, "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"}},
      {"t10k-labels-idx1-ubyte",
       {10008, 0x4AB9EFF9, "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"}},
  }};
  return files;
}

std::int64_t DigitSet::classes() const {
  std::int64_t largest = 0;
  for (const Tensor* const labels : {&train.labels, &test.labels})
    for (const std::int64_t label : labels->span<std::int64_t>())
      largest = std::max(largest, label);
  return largest + 1;
}

std::vector<fs::path> digit_files(const fs::path& directory) {
  std::vector<fs::path> found;
  const fs::path folder = folder_of_files(directory, mnist_files());
  for (const MnistFile& file : mnist_files())
    if (fs::path path = locate(folder, file.name); !path.empty()) found.push_back(std::move(path));
  return found;
}

DigitSet read_digit_directory(const fs::path& given, const MnistFiles& files) {
  require_file_name("MNIST", given);
  std::error_code ignored;
  require(fs::is_directory(given, ignored), given.string(),
          ": is not a directory, expected one with the four MNIST files");
  const fs::path directory = folder_of_files(given, files);
  std::array<Located, 4> read;
  bool published = true;
  for (std::size_t i = 0; i < read.size(); ++i) {
    read[i] = read_file(directory, files[i].name);
    published = published && read[i].content.matches(files[i].content);
  }
  return {
      .train = {as_images(read[0]), as_labels(read[1], read[0])},
      .test = {as_images(read[2]), as_labels(read[3], read[2])},
      .name = published ? "mnist" : "custom",
      .source = (published ? "MNIST from " : "NOT MNIST but the images in ") + directory.string()};
}

std::string MnistLookup::from_environment(const char* variable) {
  const char* const value = std::getenv(variable);
  return value == nullptr ? "" : value;
}

fs::path default_mnist_cache() {
  // The XDG specification: a relative path there is to be ignored.
  const fs::path xdg = MnistLookup::from_environment("XDG_CACHE_HOME");
  if (xdg.is_absolute()) return xdg / "pliant" / "mnist";
  const fs::path home = MnistLookup::from_environment("HOME");
  return home.empty() ? fs::path() : home / ".cache" / "pliant" / "mnist";
}

DigitSet find_digits(const MnistLookup& lookup) {
  for (const auto& [directory, option] :
       {std::pair{lookup.directory, "--data"}, {lookup.environment_directory, "PLIANT_DATA"}}) {
    if (directory.empty()) continue;
    DigitSet set = read_digit_directory(directory, lookup.files);
    set.source += std::string(" (") + option + ")";
    return set;
  }
  std::string reasons = "no directory is given and there is no cache folder (HOME is not set)";
  bool placeless = lookup.cache.empty();
  if (!lookup.cache.empty()) {
    DigitSet set;
    const auto read = [&] { set = read_published(lookup.cache, lookup.files); };
    const auto before = error_of(read);
    if (!before) return set;
    const std::optional<Refusal> refusal = try_mirrors(lookup, lookup.cache);
    const auto after = refusal ? before : error_of(read);
    if (!after) {
      set.source += " (just downloaded)";
      return set;
    }
    reasons = *after + (refusal ? "; " + refusal->reasons : "");
    placeless = !refusal || refusal->of_folder;
  }
  if (placeless)
    if (std::optional<DigitSet> set = download_once(lookup, reasons)) return *std::move(set);
  return stand_in(lookup, reasons);
}

}  // namespace pliant
