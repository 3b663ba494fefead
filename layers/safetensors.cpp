#include <pliant/layers/safetensors.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include <pliant/core/atomic_file.h>
#include <pliant/core/file_kind.h>
#include <pliant/core/file_name.h>
#include <pliant/layers/internal/safetensors_header.h>

namespace pliant {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the reference reader's bound

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// The bytes of a file, front to back. A pipe is read as far as its header promises, and only if it
// begins as a header does: it may have no end.
class Bytes {
 public:
  explicit Bytes(const std::filesystem::path& path) {
    require_file_name("file", path);
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status)) {
      require(!std::filesystem::is_symlink(std::filesystem::symlink_status(path, error)),
              "it is a link that leads to no file");
      fail("there is no such file");
    }
    require(!std::filesystem::is_directory(status), "it is not a regular file");
    file_.reset(std::fopen(path.c_str(), "rb"));
    require(file_ != nullptr, "it cannot be opened: ", reason_of(errno));
    if (std::filesystem::is_regular_file(status)) {
      size_ = std::filesystem::file_size(path, error);
      require(!error, "its size cannot be read");
    } else {
      collect(kHead);
    }
  }

  // Of a pipe: so many bytes, counted from the front, and one more if there is one.
  void promise(std::uint64_t bytes) {
    if (is_pipe()) collect(bytes + 1);
  }

  bool is_pipe() const { return is_pipe_; }
  std::uint64_t size() const { return size_; }
  std::uint64_t left() const { return size_ - at_; }

  // The first bytes, before anything is read.
  std::string head() {
    if (is_pipe()) return collected_.substr(0, kHead);
    std::string text(std::min(size_, kHead), '\0');
    read(text.data(), text.size());
    std::rewind(file_.get());
    at_ = 0;
    return text;
  }

  void read(void* to, std::uint64_t bytes) {
    if (!is_pipe())
      require(std::fread(to, 1, bytes, file_.get()) == bytes, "it cannot be read to its end");
    else
      std::memcpy(to, collected_.data() + at_, bytes);
    at_ += bytes;
  }

 private:
  static constexpr std::uint64_t kHead = 512;

  // Until there are so many bytes, or the pipe ends.
  void collect(std::uint64_t bytes) {
    is_pipe_ = true;
    std::array<char, 1 << 16> piece;
    while (collected_.size() < bytes) {
      const std::uint64_t wanted = std::min<std::uint64_t>(bytes - collected_.size(), piece.size());
      const std::size_t count = std::fread(piece.data(), 1, wanted, file_.get());
      require(std::ferror(file_.get()) == 0, "it cannot be read: ", reason_of(errno));
      if (count == 0) break;
      collected_.append(piece.data(), count);
    }
    size_ = collected_.size();
  }

  File file_;
  bool is_pipe_ = false;   // or a device: no regular file
  std::string collected_;  // of a pipe
  std::uint64_t size_ = 0, at_ = 0;
};

std::string read_header(Bytes& bytes) {
  std::uint64_t length = 0;
  require(bytes.size() >= sizeof length, "it is too short (", bytes.size(), " bytes)");
  const std::string head = bytes.head();
  bytes.read(&length, sizeof length);
  const bool possible = length <= kMaxHeader && (bytes.is_pipe() || length <= bytes.left());
  if (!possible || head[std::min(head.size() - 1, sizeof length)] != '{') {
    const std::string_view kind = file_kind(head);
    const char* const advice = kind.find(".pt") == std::string_view::npos
                                   ? ""
                                   : "; in Python, safetensors.torch.save_file(model.state_dict(), "
                                     "path) writes one";
    require(kind.empty(), "it is ", kind, "; expected a safetensors file", advice);
  }
  require(length <= kMaxHeader, "its header claims ", length, " bytes, the limit is ", kMaxHeader);
  bytes.promise(sizeof length + length);
  require(length <= bytes.left(), "it is truncated: its header claims ", length,
          " bytes, the file has ", bytes.size());
  std::string header(length, '\0');
  bytes.read(header.data(), length);
  return header;
}

void check_size(const SafetensorsEntry& entry, std::uint64_t data_bytes) {
  require(entry.begin <= entry.end && entry.end <= data_bytes, "tensor ", in_quotes(entry.name),
          " lies at bytes ", entry.begin, " to ", entry.end, " of ", data_bytes, " (truncated?)");
  const auto bits = static_cast<std::uint64_t>(entry.type->bits);
  const std::uint64_t given = (entry.end - entry.begin) * 8;
  require(given / bits == static_cast<std::uint64_t>(entry.elements) && given % bits == 0,
          "tensor ", in_quotes(entry.name), ": ", entry.type->name, ' ', entry.shape,
          entry.rank > entry.shape.rank() ? "..." : "", " does not fill ", entry.end - entry.begin,
          " bytes");
}

// The tensors cover the data from the first byte to the last, each byte once.
void check_layout(const std::vector<SafetensorsEntry>& entries, std::uint64_t data_bytes) {
  std::uint64_t end = 0;
  for (const SafetensorsEntry& entry : entries) {
    check_size(entry, data_bytes);
    require(entry.begin >= end, "tensor ", in_quotes(entry.name), " overlaps the one before it");
    require(entry.begin == end, "there is a hole before tensor ", in_quotes(entry.name));
    end = entry.end;
  }
  require(end == data_bytes, "its tensors end at byte ", end, ", its data at ", data_bytes);
}

// Reads what is to be converted piece by piece: the whole would stand in memory twice. Gives why it
// cannot be converted, or "".
std::string read_converted(Bytes& bytes, const SafetensorsEntry& entry, Tensor& to) {
  std::array<std::uint8_t, 1 << 16> piece;
  const auto item = static_cast<std::uint64_t>(entry.type->bits / 8);
  std::string reason;
  for (std::uint64_t at = entry.begin; at < entry.end;) {
    const std::uint64_t count = std::min<std::uint64_t>(piece.size(), entry.end - at);
    bytes.read(piece.data(), count);
    const auto first = static_cast<std::int64_t>((at - entry.begin) / item);
    const char* const failure =
        convert_elements(*entry.type, std::span(piece).first(count), to, first);
    if (failure != nullptr) reason = failure;
    at += count;
  }
  return reason;
}

void skip(Bytes& bytes, std::uint64_t count) {
  std::array<char, 1 << 16> piece;
  for (std::uint64_t part = 0; count > 0; count -= part) {
    part = std::min<std::uint64_t>(count, piece.size());
    bytes.read(piece.data(), part);
  }
}

// Fills `to`, or reads over the tensor and says why it cannot be had.
std::string read_tensor(Bytes& bytes, const SafetensorsEntry& entry, Tensor& to) {
  if (entry.too_large) return "it has no elements, and other extents that are too large";
  const bool readable = entry.type->readable && entry.rank <= Shape::kMaxRank;
  if (!readable) {
    skip(bytes, entry.end - entry.begin);
    return entry.type->readable
               ? text_from("it has ", entry.rank, " axes, at most ", Shape::kMaxRank,
                           " can be read")
               : text_from("it is of ", entry.type->name, ", which cannot be read");
  }
  to = Tensor::empty(entry.shape, entry.type->dtype);
  if (to.bytes() == 0) return {};
  if (entry.type->converted) return read_converted(bytes, entry, to);
  bytes.read(to.mutable_raw(), entry.end - entry.begin);
  return {};
}

SafetensorsFile read(Bytes bytes) {
  const std::string text = read_header(bytes);
  SafetensorsHeader header = parse_safetensors_header(text);
  for (const SafetensorsEntry& entry : header.entries)
    bytes.promise(sizeof(std::uint64_t) + text.size() + entry.end);
  check_layout(header.entries, bytes.left());
  SafetensorsFile file;
  file.metadata = std::move(header.metadata);
  for (SafetensorsEntry& entry : header.entries) {
    Tensor tensor;
    std::string reason = read_tensor(bytes, entry, tensor);
    if (reason.empty())
      file.tensors.emplace_back(std::move(entry.name), std::move(tensor));
    else
      file.skipped.emplace_back(std::move(entry.name), std::move(reason));
  }
  return file;
}

template <class F>
auto naming(const std::filesystem::path& path, const F& f) {
  try {
    return f();
  } catch (const Error& error) {
    fail("safetensors: ", path.string(), ": ", error.what());
  }
}

}  // namespace

const Tensor* SafetensorsFile::find(std::string_view name) const& {
  for (const auto& [known, tensor] : tensors)
    if (known == name) return &tensor;
  return nullptr;
}

std::string SafetensorsFile::skipped_text() const {
  constexpr std::size_t kMost = 4;
  std::string text;
  for (std::size_t i = 0; i < std::min(kMost, skipped.size()); ++i)
    text += text_from(i == 0 ? "skipped " : ", ", in_quotes(skipped[i].first), " (",
                      skipped[i].second, ')');
  if (skipped.size() > kMost) text += text_from(" and ", skipped.size() - kMost, " more");
  return text;
}

SafetensorsFile read_safetensors(const std::filesystem::path& path) {
  return naming(path, [&] { return read(Bytes(path)); });
}

void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file) {
  const std::string header =
      naming(path, [&] { return safetensors_header(file.tensors, file.metadata); });
  const std::uint64_t length = header.size();
  AtomicFile output("safetensors", path);
  output.write(&length, sizeof length);
  output.write(header);
  for (const auto& [name, tensor] : file.tensors) {
    const Tensor host = tensor.to(Device::cpu());
    if (host.bytes() > 0) output.write(host.raw(), host.bytes());
  }
  output.commit();
}

}  // namespace pliant
