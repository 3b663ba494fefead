// Data sets in tar files: their samples, their order, and what is wrong with them.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <pliant/data/image_file.h>
#include <pliant/data/shards.h>
#include <pliant/tests/data_files.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

namespace {

using Entries = std::vector<std::pair<std::string, std::string>>;

// A tar file (POSIX ustar) by hand.
std::string tar_of(const Entries& entries) {
  std::string tar;
  for (const auto& [name, content] : entries) {
    std::string header(512, '\0');
    const auto put = [&](std::size_t at, const std::string& text) {
      std::memcpy(header.data() + at, text.data(), text.size());
    };
    char size[12];
    std::snprintf(size, sizeof size, "%011zo", content.size());
    put(0, name);
    put(100, "0000644");
    put(124, size);
    put(136, "00000000000");
    put(148, "        ");
    put(156, name.ends_with('/') ? "5" : "0");
    put(257, "ustar");
    put(263, "00");
    unsigned sum = 0;
    for (const char c : header) sum += static_cast<unsigned char>(c);
    char text[8];
    std::snprintf(text, sizeof text, "%06o", sum);
    put(148, std::string(text, 7));
    tar += header + content + std::string((512 - content.size() % 512) % 512, '\0');
  }
  return tar + std::string(1024, '\0');
}

std::string write(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string png(std::uint8_t shade) {
  const auto bytes = encode_image(Tensor::full({2, 3, 3}, shade, DType::uint8));
  return {bytes.begin(), bytes.end()};
}

// `count` samples of class `first`, `first` + 1 ..
std::string pictures(const TemporaryFolder& folder, const std::string& name, int first, int count) {
  Entries entries = {{"a/", ""}};
  for (int i = first; i < first + count; ++i) {
    entries.emplace_back("a/" + std::to_string(i) + ".png", png(static_cast<std::uint8_t>(i)));
    entries.emplace_back("a/" + std::to_string(i) + ".cls", std::to_string(i) + "\n");
  }
  return write(folder.path() / name, tar_of(entries));
}

std::vector<std::int64_t> labels_of(const auto& loader, std::int64_t epoch) {
  std::vector<std::int64_t> labels;
  for (const LabelledImages& batch : loader.epoch(epoch))
    for (const std::int64_t label : batch.labels.template span<std::int64_t>())
      labels.push_back(label);
  return labels;
}

auto loader_of(std::vector<std::string> names, const ShardOptions& options) {
  return ShardLoader(Shards(std::move(names)), labelled_image, stack_images, options);
}

bool no_tar() {
  return contains(error_of([] { read_shard("none.tar"); }), "reads no tar files");
}

}  // namespace

TEST_CASE("shards: names by a range") {
  CHECK(shard_names("a.tar") == std::vector<std::string>{"a.tar"});
  CHECK(shard_names("t-{008..011}.tar") ==
        std::vector<std::string>{"t-008.tar", "t-009.tar", "t-010.tar", "t-011.tar"});
  CHECK(shard_names("{9..10}") == std::vector<std::string>{"9", "10"});
  for (const char* bad : {"{1..", "{1}", "{a..b}", "{3..1}", "{1..99999999999}", "}{", "{..}"})
    CHECK(error_of([&] { shard_names(bad); }).starts_with("shards: "));
  CHECK(error_of([] { Shards({}); }) == "shards: none are named");
  CHECK(error_of([] { Shards({"a", "b", "a"}); }) == "shards: a is named twice");
}

TEST_CASE("shards: samples are files of one name" * doctest::skip(no_tar())) {
  const TemporaryFolder folder;
  const std::string file =
      write(folder.path() / "a.tar", tar_of({{"README", "read"},
                                             {"x/1.JPG", "one"},
                                             {"x/1.seg.png", "two"},
                                             {"x/2.jpg", ""},
                                             {"y.d/1.jpg", std::string(1000, 'z')}}));
  const std::vector<ShardSample> samples = read_shard(file);
  REQUIRE(samples.size() == 3);
  CHECK(samples[0].key == "x/1");
  CHECK(samples[0].at("jpg") == "one");
  CHECK(samples[0].at("seg.png") == "two");
  CHECK(samples[1].at("jpg").empty());
  CHECK(samples[2].key == "y.d/1");
  CHECK(samples[2].at("jpg") == std::string(1000, 'z'));
  CHECK(error_of([&] { samples[1].at("cls"); }) == file + ": the sample x/2 has no .cls");
}

TEST_CASE("shards: every sample once an epoch, in an order of its own" * doctest::skip(no_tar())) {
  const TemporaryFolder folder;
  const std::vector<std::string> names = {pictures(folder, "a.tar", 0, 5),
                                          pictures(folder, "b.tar", 5, 7),
                                          pictures(folder, "c.tar", 12, 1)};
  std::vector<std::int64_t> all(13);
  for (std::int64_t i = 0; i < 13; ++i) all[static_cast<std::size_t>(i)] = i;
  CHECK(labels_of(loader_of(names, {.size = 4}), 0) == all);
  for (const std::int64_t threads : {1, 3}) {
    const auto loader =
        loader_of(names, {.size = 4, .shuffle = Rng(1), .ahead = 3, .threads = threads});
    const std::vector<std::int64_t> first = labels_of(loader, 0), second = labels_of(loader, 1);
    CHECK(first != second);
    CHECK(first == labels_of(loader_of(names, {.size = 4, .shuffle = Rng(1)}), 0));
    for (std::vector<std::int64_t> labels : {first, second}) {
      std::sort(labels.begin(), labels.end());
      CHECK(labels == all);
    }
  }
  CHECK(labels_of(loader_of(names, {.size = 4, .drop_last = true}), 0).size() == 12);
  // Ranks share the shards out.
  std::vector<std::int64_t> of_ranks;
  for (const std::int64_t rank : {0, 1}) {
    const auto mine =
        labels_of(loader_of(names, {.size = 4, .shuffle = Rng(1), .rank = rank, .ranks = 2}), 3);
    of_ranks.insert(of_ranks.end(), mine.begin(), mine.end());
  }
  std::sort(of_ranks.begin(), of_ranks.end());
  CHECK(of_ranks == all);
  CHECK(error_of([&] { loader_of(names, {.ranks = 4}); }) ==
        "shards: 3 shards for 4 ranks, expected one each at least");
}

TEST_CASE("shards: a walk goes on within a shard" * doctest::skip(no_tar())) {
  const TemporaryFolder folder;
  const auto loader = loader_of({pictures(folder, "a.tar", 0, 5), pictures(folder, "b.tar", 5, 6)},
                                {.size = 2, .shuffle = Rng(4)});
  const std::vector<std::int64_t> whole = labels_of(loader, 2);
  for (std::int64_t stop = 1; stop <= 5; ++stop) {
    std::vector<std::int64_t> seen;
    const auto take = [&](auto& epoch, std::int64_t most) {
      std::int64_t batches = 0;
      for (const LabelledImages& batch : epoch) {
        for (const std::int64_t label : batch.labels.template span<std::int64_t>())
          seen.push_back(label);
        if (++batches == most) break;
      }
    };
    auto first = loader.epoch(2);
    take(first, stop);
    auto rest = loader.epoch(2, first.position());
    take(rest, 100);
    CHECK(seen == whole);
  }
}

TEST_CASE("shards: bad and missing ones" * doctest::skip(no_tar())) {
  const TemporaryFolder folder;
  const std::string good = pictures(folder, "good.tar", 0, 3);
  const std::string cut =
      write(folder.path() / "cut.tar", tar_of({{"1.png", png(1)}, {"1.cls", "1"}}).substr(0, 600));
  const std::string text = write(folder.path() / "text.tar", "no tar, only text\n");
  const std::string twice =
      write(folder.path() / "twice.tar", tar_of({{"1.png", "a"}, {"1.PNG", "b"}}));
  const std::string no_class =
      write(folder.path() / "class.tar", tar_of({{"1.png", png(1)}, {"1.cls", "cat"}}));
  const std::string no_picture =
      write(folder.path() / "picture.tar", tar_of({{"1.png", "no png"}, {"1.cls", "1"}}));
  const std::string none = folder.path() / "none.tar";
  for (const std::string& bad : {cut, text, twice, no_class, no_picture, none}) {
    CAPTURE(bad);
    const std::string error = error_of([&] { labels_of(loader_of({good, bad}, {.size = 2}), 0); });
    CHECK(error.starts_with(bad + ": "));
    const auto skipping = loader_of({good, bad}, {.size = 2, .bad_files = BadFiles::skip});
    CHECK(labels_of(skipping, 0) == std::vector<std::int64_t>{0, 1, 2});
    CHECK(labels_of(skipping, 1).size() == 3);
    REQUIRE(skipping.bad_files().size() == 1);
    CHECK(skipping.bad_files()[0].name == bad);
    CHECK(skipping.bad_files()[0].reason == error);
  }
  CHECK(error_of([&] { labels_of(loader_of({no_class}, {}), 0); }) ==
        no_class + ": the class of 1 is 'cat', expected a whole number");
  CHECK(error_of([&] { labels_of(loader_of({none}, {}), 0); }) == none + ": is no file");
}
