// Writing PNG by libpng, into memory.
#include <pliant/data/internal/image_decoders.h>

#ifdef PLIANT_WITH_PNG
#include <png.h>

#include <cstring>
#endif

namespace pliant {

#ifdef PLIANT_WITH_PNG

namespace {

// libpng's writer and what its callbacks need.
class PngWriter {
 public:
  PngWriter() {
    png_ = png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning);
    if (png_ != nullptr) info_ = png_create_info_struct(png_);
  }
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }

  // Whether it came to its end; otherwise message() says why not.
  bool write(const std::uint8_t* pixels, const Shape& shape, ImageBytes palette) {
    return info_ != nullptr && runs_through(back_, [&] {
             png_set_write_fn(png_, this, on_write, on_flush);
             png_set_IHDR(png_, info_, static_cast<png_uint_32>(shape[1]),
                          static_cast<png_uint_32>(shape[0]), 8,
                          palette.empty() ? colour_type(shape[2]) : PNG_COLOR_TYPE_PALETTE,
                          PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                          PNG_FILTER_TYPE_DEFAULT);
             if (!palette.empty()) set_palette(palette);
             png_write_info(png_, info_);
             for (std::int64_t r = 0; r < shape[0]; ++r)
               png_write_row(png_, pixels + r * shape[1] * shape[2]);
             png_write_end(png_, info_);
           });
  }

  std::vector<std::uint8_t> take() { return std::move(bytes_); }
  const char* message() const { return message_; }

 private:
  static int colour_type(std::int64_t channels) {
    return channels == 1   ? PNG_COLOR_TYPE_GRAY
           : channels == 3 ? PNG_COLOR_TYPE_RGB
                           : PNG_COLOR_TYPE_RGB_ALPHA;
  }
  void set_palette(ImageBytes palette) {
    for (std::size_t i = 0; i < palette.size() / 3; ++i)
      colours_[i] = {palette[3 * i], palette[3 * i + 1], palette[3 * i + 2]};
    png_set_PLTE(png_, info_, colours_, static_cast<int>(palette.size() / 3));
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* const self = static_cast<PngWriter*>(png_get_error_ptr(png));
    std::strncpy(self->message_, message, sizeof self->message_ - 1);
    std::longjmp(self->back_, 1);  // NOLINT(cert-err52-cpp)
  }
  static void on_warning(png_structp, png_const_charp) {}
  static void on_flush(png_structp) {}
  static void on_write(png_structp png, png_bytep from, std::size_t count) {
    auto* const self = static_cast<PngWriter*>(png_get_io_ptr(png));
    // No exception may pass through libpng.
    if (!self->append(from, count)) png_error(png, "there is no memory for it");
  }
  bool append(const std::uint8_t* from, std::size_t count) {
    try {
      bytes_.insert(bytes_.end(), from, from + count);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  std::vector<std::uint8_t> bytes_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  png_color colours_[PNG_MAX_PALETTE_LENGTH] = {};
  std::jmp_buf back_{};
  char message_[128] = "there is no memory for it";
};

}  // namespace

std::vector<std::uint8_t> encode_png(const char* who, const Tensor& pixels, ImageBytes palette) {
  check_image_size(who, pixels.dim(1), pixels.dim(0));
  const std::uint8_t* const from = pixels.span<std::uint8_t>().data();
  PngWriter writer;
  const bool written = writer.write(from, pixels.shape(), palette);
  require(written, who, ": the PNG file cannot be made: ", writer.message());
  return writer.take();
}

#else

std::vector<std::uint8_t> encode_png(const char* who, const Tensor&, ImageBytes) {
  fail(who, ": this build does not write PNG files (libpng was not there)");
}

#endif

}  // namespace pliant
