#include <pliant/core/file_kind.h>

#include <algorithm>
#include <array>
#include <string>

#include <pliant/core/text.h>

namespace pliant {
namespace {

using namespace std::literals;

struct Mark {
  std::string_view begin, kind;
};

constexpr std::array kMarks = {
    Mark{"\x89PNG\r\n\x1A\n"sv, "a PNG image"},
    Mark{"\xFF\xD8\xFF"sv, "a JPEG image"},
    Mark{"GIF8"sv, "a GIF image"},
    Mark{"BM"sv, "a BMP image"},
    Mark{"RIFF"sv, "a RIFF file (WebP, WAV)"},
    Mark{"PK\3\4"sv, "a zip archive, as PyTorch's .pt and NumPy's .npz files are"},
    Mark{"\x80\2"sv, "a Python pickle, as older .pt files are"},
    Mark{"\x80\3"sv, "a Python pickle"},
    Mark{"\x80\4"sv, "a Python pickle"},
    Mark{"\x80\5"sv, "a Python pickle"},
    Mark{"\x89HDF\r\n\x1A\n"sv, "an HDF5 file, as Keras' .h5 files are"},
    Mark{"\x93NUMPY"sv, "a NumPy array (.npy)"},
    Mark{"GGUF"sv, "a GGUF file"},
    Mark{"\x1F\x8B"sv, "a gzip file"},
    Mark{"\x28\xB5\x2F\xFD"sv, "a zstd file"},
    Mark{"\xFD\x37zXZ"sv, "an xz file"},
    Mark{"BZh"sv, "a bzip2 file"},
    Mark{"\x7F"
         "ELF"sv,
         "a program (ELF)"},
    Mark{"%PDF"sv, "a PDF document"},
    Mark{"\0\0\x08\3"sv, "an IDX file of images"},
    Mark{"\0\0\x08\1"sv, "an IDX file of labels"},
    Mark{"version https://git-lfs"sv, "a Git LFS pointer: git lfs pull fetches the file itself"},
    Mark{"<!DOCTYPE"sv, "an HTML page"},
    Mark{"<html"sv, "an HTML page"},
};

// `head` may end amid a character.
bool is_text(std::string_view head) {
  std::string text(cut_to(head, std::max<std::size_t>(head.size(), 1) - 1));
  std::replace_if(
      text.begin(), text.end(),
      [](char c) { return c == '\n' || c == '\r' || c == '\t' || c == '\f'; }, ' ');
  return !text.empty() && printable(text) == text;
}

}  // namespace

std::string_view file_kind(std::string_view head) {
  const auto found = std::find_if(kMarks.begin(), kMarks.end(),
                                  [&](const Mark& mark) { return head.starts_with(mark.begin); });
  if (found != kMarks.end()) return found->kind;
  if (head.size() > 262 && head.substr(257, 5) == "ustar") return "a tar archive";
  return is_text(head) ? "text" : "";
}

}  // namespace pliant
