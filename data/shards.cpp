#include <pliant/data/shards.h>

#ifdef PLIANT_WITH_ARCHIVE
#include <archive.h>
#include <archive_entry.h>
#endif

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <set>

#include <pliant/core/atomic_file.h>
#include <pliant/core/error.h>
#include <pliant/data/image_file.h>
#include <pliant/data/internal/download.h>
#include <pliant/data/loader.h>

namespace pliant {
namespace {

constexpr std::int64_t kMostShards = 1 << 24;
constexpr std::int64_t kMostBytes = std::int64_t{4} << 30;  // of a shard

bool is_url(const std::string& name) {
  return name.starts_with("http://") || name.starts_with("https://");
}

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 9 &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); });
}

std::int64_t number_of(std::string_view digits) {
  std::int64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

}  // namespace

const std::string& ShardSample::at(const std::string& extension) const& {
  const auto found = files.find(extension);
  require(found != files.end(), shard, ": the sample ", key, " has no .", extension);
  return found->second;
}

std::vector<std::string> shard_names(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  if (open == std::string::npos) return {pattern};
  const std::size_t dots = pattern.find("..", open), close = pattern.find('}', open);
  require(close != std::string::npos && dots != std::string::npos && dots < close,
          "shards: ", pattern, ": expected a range in braces, as in {000..146}");
  const std::string first = pattern.substr(open + 1, dots - open - 1),
                    last = pattern.substr(dots + 2, close - dots - 2);
  require(is_number(first) && is_number(last) && number_of(first) <= number_of(last) &&
              number_of(last) - number_of(first) < kMostShards,
          "shards: ", pattern, ": {", first, "..", last, "} is no range of numbers");
  std::vector<std::string> names;
  for (std::int64_t i = number_of(first); i <= number_of(last); ++i) {
    std::string digits = std::to_string(i);
    if (digits.size() < first.size()) digits.insert(0, first.size() - digits.size(), '0');
    names.push_back(pattern.substr(0, open) + digits + pattern.substr(close + 1));
  }
  return names;
}

Shards::Shards(std::vector<std::string> names_) : names(std::move(names_)) {
  require(!names.empty(), "shards: none are named");
  std::set<std::string> seen;
  for (const std::string& name : names)
    require(seen.insert(name).second, "shards: ", name, " is named twice");
}

// ---- the order ----

ShardPlan::ShardPlan(std::vector<std::string> names, const ShardOptions& options)
    : names_(std::move(names)), options_(options) {
  require(options.size >= 1, "shards: size is ", options.size, ", expected at least 1");
  require(options.ahead >= 1, "shards: ahead is ", options.ahead, ", expected at least 1");
  require(options.threads >= 1 && options.threads <= kMostPrefetchThreads, "shards: threads is ",
          options.threads, ", expected 1 to ", kMostPrefetchThreads);
  require(options.ranks >= 1 && options.rank >= 0 && options.rank < options.ranks, "shards: rank ",
          options.rank, " of ", options.ranks);
  require(static_cast<std::int64_t>(names_.size()) >= options.ranks, "shards: ", names_.size(),
          " shards for ", options.ranks, " ranks, expected one each at least");
}

std::vector<std::string> ShardPlan::shards(std::int64_t epoch) const {
  require(epoch >= 0, "shards: epoch is ", epoch, ", expected at least 0");
  const auto count = static_cast<std::int64_t>(names_.size());
  std::vector<std::int64_t> order;
  if (options_.shuffle)
    order = randperm(count, options_.shuffle->fork(static_cast<std::uint64_t>(epoch)));
  std::vector<std::string> mine;
  for (std::int64_t i = options_.rank; i < count; i += options_.ranks)
    mine.push_back(
        names_[static_cast<std::size_t>(order.empty() ? i : order[static_cast<std::size_t>(i)])]);
  return mine;
}

std::vector<std::int64_t> ShardPlan::order(std::int64_t epoch, const std::string& shard,
                                           std::int64_t samples) const {
  if (options_.shuffle)
    return randperm(samples, options_.shuffle->fork(static_cast<std::uint64_t>(epoch)).fork(shard));
  std::vector<std::int64_t> order(static_cast<std::size_t>(samples));
  for (std::int64_t i = 0; i < samples; ++i) order[static_cast<std::size_t>(i)] = i;
  return order;
}

// ---- reading ----

#ifndef PLIANT_WITH_ARCHIVE

std::vector<ShardSample> read_shard(const std::string& shard) {
  fail(shard, ": this build reads no tar files: install libarchive-dev and build anew");
}

#else

namespace {

class Tar {
 public:
  explicit Tar(const std::string& shard, const std::filesystem::path& file)
      : shard_(shard), archive_(archive_read_new(), archive_read_free) {
    require(archive_ != nullptr, shard_, ": no memory");
    archive_read_support_filter_all(archive_.get());
    archive_read_support_format_tar(archive_.get());
    check(archive_read_open_filename(archive_.get(), file.c_str(), 1 << 16));
  }

  // Moves to the next regular file; false at the end.
  bool next() {
    while (true) {
      const int status = archive_read_next_header(archive_.get(), &entry_);
      if (status == ARCHIVE_EOF) return false;
      check(status);
      if (archive_entry_filetype(entry_) == AE_IFREG) return true;
    }
  }
  std::string name() const {
    const char* const name = archive_entry_pathname(entry_);
    return name == nullptr ? "" : name;
  }
  std::string content() {
    const std::int64_t size = archive_entry_size(entry_);
    total_ += size;
    require(size >= 0 && total_ <= kMostBytes, shard_, ": its files take more than ", kMostBytes,
            " bytes, which is the most for a shard");
    std::string content(static_cast<std::size_t>(size), '\0');
    const la_ssize_t got = archive_read_data(archive_.get(), content.data(), content.size());
    if (got < 0) check(ARCHIVE_FATAL);
    require(got == size, shard_, ": ", name(), " ends after ", got, " of ", size, " bytes");
    return content;
  }

 private:
  void check(int status) const {
    if (status == ARCHIVE_OK || status == ARCHIVE_WARN) return;
    const char* const why = archive_error_string(archive_.get());
    fail(shard_, ": is no tar file that can be read: ", why == nullptr ? "unknown" : why);
  }

  const std::string& shard_;
  std::unique_ptr<archive, int (*)(archive*)> archive_;
  archive_entry* entry_ = nullptr;
  std::int64_t total_ = 0;
};

// "a/0001.seg.png" -> "a/0001" and "seg.png".
std::pair<std::string, std::string> split_name(const std::string& name) {
  const std::size_t slash = name.rfind('/'), start = slash == std::string::npos ? 0 : slash + 1;
  const std::size_t dot = name.find('.', start);
  if (dot == std::string::npos || dot == start) return {name, ""};
  std::string extension = name.substr(dot + 1);
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return {name.substr(0, dot), extension};
}

std::vector<ShardSample> samples_of(const std::string& shard, const std::filesystem::path& file) {
  Tar tar(shard, file);
  std::vector<ShardSample> samples;
  while (tar.next()) {
    const auto [key, extension] = split_name(tar.name());
    if (extension.empty()) continue;  // belongs to no sample: a README, say
    if (samples.empty() || samples.back().key != key)
      samples.push_back({.shard = shard, .key = key, .files = {}});
    require(samples.back().files.emplace(extension, tar.content()).second, shard, ": the sample ",
            key, " has two files .", extension);
  }
  return samples;
}

}  // namespace

std::vector<ShardSample> read_shard(const std::string& shard) {
  if (!is_url(shard)) {
    require(std::filesystem::is_regular_file(shard), shard, ": is no file");
    return samples_of(shard, shard);
  }
  AtomicFile fetched("shards", std::filesystem::temp_directory_path() / "pliant-shard.tar");
  download(shard, fetched, {.max_bytes = kMostBytes});
  return samples_of(shard, fetched.temporary());
}

#endif

LabelledImage labelled_image(const ShardSample& sample, const Rng& /*rng*/) {
  const std::string& text = sample.at("cls");
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  const std::string digits = text.substr(0, end == std::string::npos ? 0 : end + 1);
  require(is_number(digits), sample.shard, ": the class of ", sample.key, " is '", digits,
          "', expected a whole number");
  for (const char* extension : {"jpg", "jpeg", "png", "bmp"}) {
    const auto found = sample.files.find(extension);
    if (found == sample.files.end()) continue;
    try {
      const std::string& bytes = found->second;
      return {decode_image({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()},
                           sample.key + '.' + extension, ImageColour::rgb),
              number_of(digits)};
    } catch (const Error& error) {
      fail(sample.shard, ": ", error.what());
    }
  }
  fail(sample.shard, ": the sample ", sample.key, " has no picture (.jpg, .jpeg, .png, .bmp)");
}

}  // namespace pliant
