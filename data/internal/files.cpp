#include <pliant/data/internal/files.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstring>
#include <set>
#include <system_error>

#include <pliant/data/internal/byte_reader.h>

namespace pliant {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kChunkBytes = std::size_t{1} << 20;
constexpr std::size_t kMostTextBytes = std::size_t{64} << 20;

}  // namespace

std::vector<std::uint8_t> read_bytes(const fs::path& path, std::size_t most, const char* what) {
  ByteReader reader(path);
  std::vector<std::uint8_t> bytes;
  for (std::size_t used = 0;;) {
    bytes.resize(used + kChunkBytes);
    const std::size_t got = reader.read(bytes.data() + used, kChunkBytes);
    used += got;
    require(used <= most, path.string(), ": larger than ", most, " bytes, too large for ", what);
    if (got < kChunkBytes) {
      bytes.resize(used);
      return bytes;
    }
  }
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n\v\f";
  const std::size_t first = text.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::vector<std::string> read_lines(const fs::path& path) {
  const std::vector<std::uint8_t> bytes = read_bytes(path, kMostTextBytes, "a list");
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(trimmed(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

std::optional<double> number_in(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (!at->path().filename().string().starts_with('.')) found.push_back(at->path());
  require(!error, folder.string(), ": the folder cannot be read: ", error.message());
  std::sort(found.begin(), found.end());
  return found;
}

bool is_image(const fs::path& path) {
  static constexpr std::array kEndings = {".png", ".jpg", ".jpeg", ".bmp", ".pgm", ".ppm"};
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

std::map<std::string, fs::path> images_by_name(const fs::path& folder) {
  std::map<std::string, fs::path> images;
  for (const fs::path& entry : entries_of(folder))
    if (is_image(entry) && !is_folder(entry)) images.emplace(entry.stem().string(), entry);
  return images;
}

std::vector<std::string> read_classes(const fs::path& path) {
  std::vector<std::string> classes;
  std::set<std::string> seen;
  for (std::string& line : read_lines(path)) {
    if (line.empty()) continue;
    require(seen.insert(line).second, path.string(), ": names the class ", line, " twice");
    classes.push_back(std::move(line));
  }
  require(!classes.empty(), path.string(), ": names no class, expected one a line");
  return classes;
}

Tensor stack_tensors(const char* who, std::span<const Tensor> tensors) {
  require(!tensors.empty(), who, ": no images");
  const Tensor& first = tensors.front();
  require(first.defined() && first.device().is_cpu(), who, ": expected images on the cpu, got ",
          first);
  Shape shape = {static_cast<std::int64_t>(tensors.size())};
  for (const std::int64_t extent : first.shape()) shape.push_back(extent);
  Tensor all = Tensor::empty(shape, first.dtype());
  auto* to = static_cast<std::byte*>(all.mutable_raw());
  for (const Tensor& one : tensors) {
    require(one.defined() && one.device().is_cpu() && one.shape() == first.shape() &&
                one.dtype() == first.dtype(),
            who, ": an image ", one, " among others ", first.dtype(), ' ', first.shape(),
            "; bring them to one size first");
    if (one.bytes() > 0) std::memcpy(to, one.raw(), static_cast<std::size_t>(one.bytes()));
    to += one.bytes();
  }
  return all;
}

}  // namespace pliant
