// JPEG, baseline and progressive, by libjpeg-turbo (or another libjpeg), from memory.
#include <pliant/data/internal/image_decoders.h>

#ifdef PLIANT_WITH_JPEG
#include <cstdio>  // jpeglib.h wants size_t and FILE declared before it

#include <jerror.h>
#include <jpeglib.h>

#include <algorithm>
#endif

namespace pliant {

#ifdef PLIANT_WITH_JPEG

namespace {

// Of a progressive file; each pass goes over the whole image, however few bytes it has. Files have
// about ten.
constexpr int kMostScans = 100;
constexpr int kExifMarker = JPEG_APP0 + 1;
constexpr std::string_view kExifMark("Exif\0\0", 6);

// libjpeg's decoder and what its callbacks need.
class JpegReader {
 public:
  explicit JpegReader(ImageBytes bytes) {
    decoder_.err = jpeg_std_error(&errors_);
    decoder_.client_data = this;
    errors_.error_exit = [](j_common_ptr any) { fail_with(any); };
    errors_.emit_message = on_message;
    created_ = runs_through(back_, [this, bytes] {
      jpeg_create_decompress(&decoder_);
      jpeg_mem_src(&decoder_, bytes.data(), static_cast<unsigned long>(bytes.size()));
    });
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&decoder_); }

  // Each: whether it came to its end; otherwise message() says why not.
  bool read_header() {
    return created_ && runs_through(back_, [this] {
             jpeg_save_markers(&decoder_, kExifMarker, 0xFFFF);
             jpeg_read_header(&decoder_, TRUE);
           });
  }
  bool read_rows(std::uint8_t* pixels) {
    return runs_through(back_, [this, pixels] {
      decoder_.out_color_space = components() == 1   ? JCS_GRAYSCALE
                                 : components() == 3 ? JCS_RGB
                                                     : JCS_CMYK;
      decoder_.progress = &progress_;
      progress_.progress_monitor = on_progress;
      leave_no_table_undefined();
      jpeg_start_decompress(&decoder_);
      const std::size_t row =
          std::size_t{decoder_.output_width} * static_cast<std::size_t>(decoder_.output_components);
      while (decoder_.output_scanline < decoder_.output_height) {
        JSAMPROW to = pixels + decoder_.output_scanline * row;
        jpeg_read_scanlines(&decoder_, &to, 1);
      }
      jpeg_finish_decompress(&decoder_);
    });
  }

  std::int64_t width() const { return decoder_.image_width; }
  std::int64_t height() const { return decoder_.image_height; }
  int components() const { return decoder_.num_components; }
  const char* message() const { return message_; }

  int orientation() const {
    for (const jpeg_marker_struct* at = decoder_.marker_list; at != nullptr; at = at->next) {
      const ImageBytes data(at->data, at->data_length);
      if (at->marker == kExifMarker && begins_with(data, kExifMark))
        return exif_orientation(data.subspan(kExifMark.size()));
    }
    return 1;
  }

 private:
  // libjpeg-turbo takes the tables of the standard's example for those that a file does not define;
  // tables without a code make every use of them an error.
  void leave_no_table_undefined() {
    const auto common = reinterpret_cast<j_common_ptr>(&decoder_);
    for (int i = 0; i < NUM_HUFF_TBLS; ++i)
      for (JHUFF_TBL** const table :
           {&decoder_.dc_huff_tbl_ptrs[i], &decoder_.ac_huff_tbl_ptrs[i]}) {
        if (*table != nullptr) continue;
        *table = jpeg_alloc_huff_table(common);
        std::fill(std::begin((*table)->bits), std::end((*table)->bits), UINT8{0});
        std::fill(std::begin((*table)->huffval), std::end((*table)->huffval), UINT8{0});
      }
  }

  static JpegReader& self_of(j_common_ptr any) {
    return *static_cast<JpegReader*>(any->client_data);
  }
  [[noreturn]] static void fail_with(j_common_ptr any) {
    any->err->format_message(any, self_of(any).message_);
    std::longjmp(self_of(any).back_, 1);  // NOLINT(cert-err52-cpp)
  }
  // Warnings: where pixels are missing or wrong libjpeg would go on with gray, which nobody wants.
  static void on_message(j_common_ptr any, int level) {
    if (level >= 0) return;
    switch (any->err->msg_code) {
      case JWRN_ADOBE_XFORM:
      case JWRN_EXTRANEOUS_DATA:
      case JWRN_JFIF_MAJOR:
      case JWRN_TOO_MUCH_DATA:
        return;
      default:
        fail_with(any);
    }
  }
  static void on_progress(j_common_ptr any) {
    JpegReader& self = self_of(any);
    if (self.decoder_.input_scan_number <= kMostScans) return;
    std::snprintf(self.message_, sizeof self.message_, "it has more than %d scans", kMostScans);
    std::longjmp(self.back_, 1);  // NOLINT(cert-err52-cpp)
  }

  jpeg_decompress_struct decoder_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf back_{};
  char message_[JMSG_LENGTH_MAX] = "there is no memory for it";
  bool created_ = false;
};

// Programs write CMYK inverted, as Adobe's do, and readers expect nothing else: 255 is no ink.
Tensor rgb_from_cmyk(const Tensor& cmyk) {
  Tensor rgb = Tensor::empty({cmyk.dim(0), cmyk.dim(1), 3}, DType::uint8);
  std::uint8_t* to = rgb.mutable_data<std::uint8_t>();
  const std::uint8_t* from = cmyk.data<std::uint8_t>();
  for (std::int64_t i = 0; i < rgb.size() / 3; ++i, from += 4, to += 3)
    for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((from[c] * from[3] + 127) / 255);
  return rgb;
}

}  // namespace

DecodedImage decode_jpeg(ImageBytes bytes, const std::string& name) {
  JpegReader reader(bytes);
  const auto check = [&](bool done) {
    require(done, name, ": the JPEG file cannot be read: ", printable_reason(reader.message()));
  };
  check(reader.read_header());
  check_image_size(name, reader.width(), reader.height());
  const int components = reader.components();
  require(components == 1 || components == 3 || components == 4, name, ": the JPEG file has ",
          components, " components, expected 1 (gray), 3 (colour) or 4 (CMYK)");
  const int orientation = reader.orientation();  // libjpeg forgets it at the end
  Tensor pixels = Tensor::empty({reader.height(), reader.width(), components}, DType::uint8);
  check(reader.read_rows(pixels.mutable_data<std::uint8_t>()));
  return {components == 4 ? rgb_from_cmyk(pixels) : pixels, orientation};
}

#else

DecodedImage decode_jpeg(ImageBytes, const std::string& name) {
  fail(name, ": is a JPEG file, which this build does not read (libjpeg was not there)");
}

#endif

}  // namespace pliant
