// PNG by libpng, from memory.
#include <pliant/data/internal/image_decoders.h>

#ifdef PLIANT_WITH_PNG
#include <png.h>

#include <algorithm>
#include <cstring>
#include <vector>
#endif

namespace pliant {

#ifdef PLIANT_WITH_PNG

namespace {

// No data compressed by deflate unpack to more than this many times their size.
constexpr std::int64_t kMostPerByte = 1032;

// libpng's reader and what its callbacks need.
class PngReader {
 public:
  explicit PngReader(ImageBytes bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  // Each: whether it came to its end; otherwise message() says why not.
  bool read_header() {
    return info_ != nullptr && runs_through(back_, [this] {
             png_set_read_fn(png_, this, on_read);
             png_set_user_limits(png_, kMaxImagePixels, kMaxImagePixels);
             png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
             // Profiles, texts and the like are not even unpacked.
             png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
             keep_exif();
             png_read_info(png_, info_);
           });
  }
  // Makes of whatever there is 8 bits a sample, 1 to 4 channels.
  bool choose_format() {
    return runs_through(back_, [this] {
      png_set_expand(png_);  // palettes, fewer bits than 8, transparent colours
      png_set_strip_16(png_);
      passes_ = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    });
  }
  // Leaves palettes and grays as they are, one byte a pixel.
  bool choose_indices() {
    return runs_through(back_, [this] {
      png_set_packing(png_);
      passes_ = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
    });
  }
  bool read_rows(std::uint8_t* pixels) {
    return runs_through(back_, [this, pixels] {
      const std::size_t row = png_get_rowbytes(png_, info_);
      for (int pass = 0; pass < passes_; ++pass)
        for (std::size_t r = 0; r < png_get_image_height(png_, info_); ++r)
          png_read_row(png_, pixels + r * row, nullptr);
      png_read_end(png_, info_);
    });
  }

  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }
  std::int64_t channels() const { return png_get_channels(png_, info_); }
  std::int64_t row_bytes() const {
    return static_cast<std::int64_t>(png_get_rowbytes(png_, info_));
  }
  int colour_type() const { return png_get_color_type(png_, info_); }
  int depth() const { return png_get_bit_depth(png_, info_); }
  const char* message() const { return message_; }

  int orientation() const {
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 size = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &size, &exif) != 0) return exif_orientation({exif, size});
#endif
    return 1;
  }

 private:
  void keep_exif() {
#ifdef PNG_eXIf_SUPPORTED
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT,
                                reinterpret_cast<png_const_bytep>("eXIf"), 1);
#endif
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* const self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message_, message, sizeof self->message_ - 1);
    std::longjmp(self->back_, 1);  // NOLINT(cert-err52-cpp)
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_read(png_structp png, png_bytep to, std::size_t count) {
    auto* const self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (self->bytes_.size() - self->at_ < count) png_error(png, "it is truncated");
    std::copy_n(self->bytes_.data() + self->at_, count, to);
    self->at_ += count;
  }

  ImageBytes bytes_;
  std::size_t at_ = 0;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int passes_ = 1;
  std::jmp_buf back_{};
  char message_[128] = "there is no memory for it";
};

void check(const PngReader& reader, bool done, const std::string& name) {
  require(done, name, ": the PNG file cannot be read: ", printable_reason(reader.message()));
}

void read_header(PngReader& reader, ImageBytes bytes, const std::string& name) {
  check(reader, reader.read_header(), name);
  check_image_size(name, reader.width(), reader.height());
  // Before libpng takes memory for rows.
  require(reader.row_bytes() * reader.height() / kMostPerByte <=
              static_cast<std::int64_t>(bytes.size()),
          name, ": the PNG file is truncated: ", reader.width(), " x ", reader.height(),
          " pixels cannot come from ", bytes.size(), " bytes");
}

// [H W C], once the format is chosen.
Tensor read_pixels(PngReader& reader, const std::string& name) {
  const Shape shape = {reader.height(), reader.width(), reader.channels()};
  require(reader.row_bytes() == shape[1] * shape[2], name, ": the PNG file is of an unknown kind");
  Tensor pixels = Tensor::empty(shape, DType::uint8);
  check(reader, reader.read_rows(pixels.mutable_data<std::uint8_t>()), name);
  return pixels;
}

}  // namespace

DecodedImage decode_png(ImageBytes bytes, const std::string& name) {
  PngReader reader(bytes);
  read_header(reader, bytes, name);
  check(reader, reader.choose_format(), name);
  const Tensor pixels = read_pixels(reader, name);
  return {pixels, reader.orientation()};
}

Tensor decode_png_indices(ImageBytes bytes, const std::string& name) {
  PngReader reader(bytes);
  read_header(reader, bytes, name);
  const int colour = reader.colour_type();
  require(
      (colour == PNG_COLOR_TYPE_PALETTE || colour == PNG_COLOR_TYPE_GRAY) && reader.depth() <= 8,
      name, ": the PNG file has ",
      colour == PNG_COLOR_TYPE_GRAY ? "grays of 16 bits" : "colours without a palette",
      ", expected a mask: a palette or grays of at most 8 bits");
  check(reader, reader.choose_indices(), name);
  const Tensor pixels = read_pixels(reader, name);
  return pixels.reshape({pixels.dim(0), pixels.dim(1)});
}

#else

DecodedImage decode_png(ImageBytes, const std::string& name) {
  fail(name, ": is a PNG file, which this build does not read (libpng was not there)");
}

Tensor decode_png_indices(ImageBytes bytes, const std::string& name) {
  return decode_png(bytes, name).pixels;
}

#endif

}  // namespace pliant
