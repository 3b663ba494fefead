#include <pliant/data/internal/byte_reader.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <pliant/core/error.h>
#include <pliant/core/file_name.h>

namespace pliant {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 16;
constexpr int kGzipOnly = 15 + 16;  // zlib's way to say: largest window, gzip wrapper

// Waits for the bytes of a pipe, but not for somebody to write into it: one left in a folder has
// no bytes, and must not stop a training.
std::FILE* opened(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return nullptr;
  const int flags = ::fcntl(file, F_GETFL);
  std::FILE* stream = nullptr;
  if (flags >= 0 && ::fcntl(file, F_SETFL, flags & ~O_NONBLOCK) == 0) stream = ::fdopen(file, "rb");
  if (stream == nullptr) ::close(file);
  return stream;
}

}  // namespace

void ByteReader::EndInflate::operator()(z_stream_s* stream) const {
  inflateEnd(stream);
  std::default_delete<z_stream_s>()(stream);
}

ByteReader::ByteReader(const std::filesystem::path& path, ContentDigest* digest)
    : name_(path.string()), digest_(digest), buffer_(kBufferBytes) {
  require_file_name("read", path);
  std::error_code ignored;
  require(!std::filesystem::is_directory(path, ignored), name_,
          ": is a directory, expected a file");
  file_.reset(opened(path));
  require(file_ != nullptr, name_, ": cannot be opened: ", reason_of(errno));
  struct stat there {};
  require(::fstat(::fileno(file_.get()), &there) == 0 && !S_ISCHR(there.st_mode) &&
              !S_ISBLK(there.st_mode),
          name_, ": is a device, expected a file");
  refill();
  if (filled_ >= 2 && buffer_[0] == 0x1F && buffer_[1] == 0x8B) {
    auto stream = std::make_unique<z_stream_s>();  // value-initialised: zlib's own allocator
    require(inflateInit2(stream.get(), kGzipOnly) == Z_OK, name_, ": zlib cannot start");
    inflate_.reset(stream.release());
  }
}

ByteReader::~ByteReader() = default;

std::size_t ByteReader::read(std::uint8_t* to, std::size_t size) {
  const std::size_t count = inflate_ ? read_gzip(to, size) : read_plain(to, size);
  if (digest_ != nullptr) digest_->update(to, count);
  return count;
}

// Fills the buffer again once all of it is used; leaves it empty at the end of the file.
void ByteReader::refill() {
  if (used_ < filled_) return;
  used_ = 0;
  errno = 0;
  filled_ = std::fread(buffer_.data(), 1, buffer_.size(), file_.get());
  require(std::ferror(file_.get()) == 0, name_, ": cannot be read: ", reason_of(errno));
}

std::size_t ByteReader::read_plain(std::uint8_t* to, std::size_t size) {
  std::size_t count = 0;
  while (count < size) {
    refill();
    const std::size_t piece = std::min(size - count, filled_ - used_);
    if (piece == 0) break;
    std::memcpy(to + count, buffer_.data() + used_, piece);
    used_ += piece;
    count += piece;
  }
  return count;
}

// A gzip file may hold several members in a row, and zeros after the last: tapes and discs are
// written in blocks. Anything else, which gzip(1) warns of and ignores, is an Error: it was a file
// that somebody meant otherwise, and what is missing then nobody knows.
bool ByteReader::start_next_member() {
  refill();
  if (used_ == filled_) return false;
  bool padded = false;
  for (; used_ < filled_ && buffer_[used_] == 0; refill()) {
    padded = true;
    const auto rest = buffer_.begin() + static_cast<std::ptrdiff_t>(filled_);
    used_ =
        static_cast<std::size_t>(std::find_if(buffer_.begin() + static_cast<std::ptrdiff_t>(used_),
                                              rest, [](std::uint8_t byte) { return byte != 0; }) -
                                 buffer_.begin());
  }
  if (padded && used_ == filled_) return false;
  require(!padded && buffer_[used_] == 0x1F, name_,
          ": trailing bytes after the end of the gzip stream");
  require(inflateReset(inflate_.get()) == Z_OK, name_, ": zlib cannot start again");
  return true;
}

std::size_t ByteReader::read_gzip(std::uint8_t* to, std::size_t size) {
  std::size_t count = 0;
  while (count < size && !finished_) {
    refill();
    require(used_ < filled_, name_, ": the gzip stream is truncated");
    // zlib counts in unsigned int: never more than a buffer's worth per call.
    const std::size_t room = std::min(size - count, kBufferBytes);
    inflate_->next_in = buffer_.data() + used_;
    inflate_->avail_in = static_cast<unsigned>(filled_ - used_);
    inflate_->next_out = to + count;
    inflate_->avail_out = static_cast<unsigned>(room);
    const int status = inflate(inflate_.get(), Z_NO_FLUSH);
    used_ = filled_ - inflate_->avail_in;
    count += room - inflate_->avail_out;
    if (status == Z_STREAM_END) {
      finished_ = !start_next_member();
    } else {
      require(status == Z_OK || status == Z_BUF_ERROR, name_, ": the gzip stream is corrupt (",
              inflate_->msg != nullptr ? inflate_->msg : "no reason given", ")");
    }
  }
  return count;
}

}  // namespace pliant
