#include <pliant/layers/train/safetensors.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>

#include <nlohmann/json.hpp>

#include <pliant/core/atomic_file.h>

namespace pliant {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

using Json = nlohmann::json;

constexpr const char* kMetadata = "__metadata__";
constexpr std::uint64_t kMaxHeader = 100'000'000;  // bytes; the reference reader's bound
constexpr std::int64_t kAlign = 8;                 // of the first element in a file we write

constexpr std::array<std::pair<const char*, DType>, 6> kDTypes = {{{"F64", DType::float64},
                                                                   {"F32", DType::float32},
                                                                   {"BF16", DType::bfloat16},
                                                                   {"I64", DType::int64},
                                                                   {"I32", DType::int32},
                                                                   {"U8", DType::uint8}}};

// What a name from a file looks like in a message: one line, not too long.
std::string printable(const std::string& name) {
  std::string text = name.substr(0, 80);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = '?';
  return "'" + text + (name.size() > text.size() ? "...'" : "'");
}

// What a file that is no safetensors file begins with, or nullptr if nothing is known of it.
const char* other_format(std::uint64_t first_bytes) {
  std::array<char, sizeof first_bytes> bytes{};
  std::memcpy(bytes.data(), &first_bytes, bytes.size());
  const std::string_view start(bytes.data(), bytes.size());
  constexpr std::array<std::pair<std::string_view, const char*>, 8> kFormats = {
      {{"\x89PNG", "a PNG picture, not weights"},
       {"\xFF\xD8\xFF", "a JPEG picture, not weights"},
       {"PK\x03\x04",
        "a zip archive, as torch.save() writes .pt files; in Python, write the weights by "
        "safetensors.torch.save_file(model.state_dict(), file)"},
       {"\x80\x02",
        "a pickle, as torch.save() writes .pt files; in Python, write the weights by "
        "safetensors.torch.save_file(model.state_dict(), file)"},
       {"\x1F\x8B", "packed by gzip; unpack it first"},
       {"\x89HDF", "an HDF5 file, as Keras writes; write safetensors instead"},
       {"\x93NUMPY", "a NumPy array, not safetensors"},
       {"GGUF", "a GGUF file, not safetensors"}}};
  for (const auto& [magic, what] : kFormats)
    if (start.starts_with(magic)) return what;
  const bool text = std::all_of(start.begin(), start.end(), [](char c) {
    return (c >= ' ' && c <= '~') || c == '\n' || c == '\r' || c == '\t';
  });
  return text ? "a text, not weights" : nullptr;
}

// ---- reading ----

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// One tensor as the header describes it: bytes [begin, end) of the data.
struct Entry {
  std::string name;
  DType dtype = DType::float32;
  Shape shape;
  std::uint64_t begin = 0, end = 0;
};

class Reader {
 public:
  explicit Reader(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    check(std::filesystem::exists(path, error), "there is no such file");
    check(std::filesystem::is_regular_file(path, error), "it is not a regular file");
    file_.reset(std::fopen(path.c_str(), "rb"));
    check(file_ != nullptr, "it cannot be opened: ", std::strerror(errno));
    size_ = std::filesystem::file_size(path, error);
    check(!error, "its size cannot be read");
  }

  SafetensorsFile read() {
    const Json header = parse(read_header());
    SafetensorsFile result;
    const std::vector<Entry> entries = entries_of(header, result.metadata);
    check_layout(entries);
    for (const Entry& entry : entries) {
      Tensor tensor = Tensor::empty(entry.shape, entry.dtype);
      if (tensor.bytes() > 0) read_bytes(tensor.mutable_raw(), entry.end - entry.begin);
      result.tensors.emplace_back(entry.name, std::move(tensor));
    }
    return result;
  }

 private:
  template <class... Parts>
  void check(bool condition, const Parts&... parts) const {
    require(condition, "safetensors: ", path_.string(), ": ", parts...);
  }

  void read_bytes(void* to, std::uint64_t bytes) {
    check(std::fread(to, 1, bytes, file_.get()) == bytes, "it cannot be read to its end");
  }

  std::string read_header() {
    std::uint64_t length = 0;
    check(size_ >= sizeof length, "it is too short (", size_, " bytes)");
    read_bytes(&length, sizeof length);
    if (length > size_ - sizeof length)
      if (const char* const known = other_format(length)) check(false, "it is ", known);
    check(length <= kMaxHeader, "its header claims ", length, " bytes, the limit is ", kMaxHeader);
    check(length <= size_ - sizeof length, "it is truncated: its header claims ", length,
          " bytes, the file has ", size_);
    std::string header(length, '\0');
    read_bytes(header.data(), length);
    data_size_ = size_ - sizeof length - length;
    return header;
  }

  // The header's object; a name that comes twice is an Error, not a silent replacement.
  Json parse(const std::string& text) const {
    std::set<std::string> names;
    std::string twice;
    const auto watch = [&](int depth, Json::parse_event_t event, Json& key) {
      if (depth == 1 && event == Json::parse_event_t::key &&
          !names.insert(key.get<std::string>()).second)
        twice = key.get<std::string>();
      return depth < 4;  // what is nested deeper means nothing and is dropped
    };
    try {
      Json header = Json::parse(text, watch);
      check(header.is_object(), "its header is not a JSON object");
      check(twice.empty(), "its header names ", printable(twice), " twice");
      return header;
    } catch (const Json::parse_error& error) {
      check(false, "its header is not JSON (at byte ", error.byte, ")");
    } catch (const Json::exception& error) {  // a number beyond any range
      check(false, "its header is not JSON (", error.what(), ")");
    }
    return {};
  }

  // In the order of their data.
  std::vector<Entry> entries_of(const Json& header,
                                std::map<std::string, std::string>& metadata) const {
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == kMetadata) {
        metadata = metadata_of(value);
      } else {
        entries.push_back(entry_of(name, value));
      }
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    return entries;
  }

  std::map<std::string, std::string> metadata_of(const Json& value) const {
    check(value.is_object(), "its ", kMetadata, " is not an object");
    std::map<std::string, std::string> metadata;
    for (const auto& [key, text] : value.items()) {
      check(text.is_string(), "its metadata ", printable(key), " is not a string");
      metadata[key] = text.get<std::string>();
    }
    return metadata;
  }

  Entry entry_of(const std::string& name, const Json& value) const {
    Entry entry;
    entry.name = name;
    const std::string who = "tensor " + printable(name);
    check(value.is_object() && value.contains("dtype") && value.contains("shape") &&
              value.contains("data_offsets"),
          who, " lacks dtype, shape or data_offsets");
    entry.dtype = dtype_of_entry(who, value["dtype"]);
    const Json& offsets = value["data_offsets"];
    check(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
              offsets[1].is_number_unsigned(),
          who, ": data_offsets are not two numbers");
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
    entry.shape = shape_of_entry(who, value["shape"]);
    check(entry.begin <= entry.end && entry.end <= data_size_, who, " lies at bytes ", entry.begin,
          " to ", entry.end, " of ", data_size_, " (truncated?)");
    const auto item = static_cast<std::uint64_t>(size_of(entry.dtype));
    check((entry.end - entry.begin) / item == static_cast<std::uint64_t>(entry.shape.size()) &&
              (entry.end - entry.begin) % item == 0,
          who, ": ", entry.dtype, ' ', entry.shape, " does not fill ", entry.end - entry.begin,
          " bytes");
    return entry;
  }

  DType dtype_of_entry(const std::string& who, const Json& value) const {
    check(value.is_string(), who, ": its dtype is not a string");
    for (const auto& [name, dtype] : kDTypes)
      if (value == name) return dtype;
    check(false, who, " has dtype ", printable(value.get<std::string>()),
          ", known are F64 F32 BF16 I64 I32 U8");
    return DType::float32;
  }

  Shape shape_of_entry(const std::string& who, const Json& value) const {
    check(value.is_array(), who, ": its shape is not a list");
    Shape shape;
    for (const Json& extent : value) {
      check(extent.is_number_unsigned() && extent.get<std::uint64_t>() <= (1ULL << 62), who,
            ": its shape is not of extents >= 0");
      try {
        shape.push_back(extent.get<std::int64_t>());
      } catch (const Error& error) {
        check(false, who, ": ", error.what());
      }
    }
    return shape;
  }

  // The tensors cover the data from the first byte to the last, each byte once.
  void check_layout(const std::vector<Entry>& entries) const {
    std::uint64_t end = 0;
    for (const Entry& entry : entries) {
      check(entry.begin >= end, "tensor ", printable(entry.name), " overlaps the one before it");
      check(entry.begin == end, "there is a hole before tensor ", printable(entry.name));
      end = entry.end;
    }
    check(end == data_size_, "its tensors end at byte ", end, ", its data at ", data_size_);
  }

  std::filesystem::path path_;
  File file_;
  std::uint64_t size_ = 0;       // of the file
  std::uint64_t data_size_ = 0;  // of what follows the header
};

// ---- writing ----

const char* name_in_file(DType dtype) {
  for (const auto& [name, known] : kDTypes)
    if (known == dtype) return name;
  fail("safetensors: no name for ", dtype);
}

std::string header_of(const std::filesystem::path& path, const SafetensorsFile& file) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!file.metadata.empty()) header[kMetadata] = file.metadata;
  std::int64_t end = 0;
  for (const auto& [name, tensor] : file.tensors) {
    require(tensor.defined(), "safetensors: ", path.string(), ": tensor ", printable(name),
            " is undefined");
    require(name != kMetadata && !header.contains(name), "safetensors: ", path.string(),
            ": two tensors are called ", printable(name));
    const std::int64_t begin = end;
    end += tensor.bytes();
    header[name] = {{"dtype", name_in_file(tensor.dtype())},
                    {"shape", std::vector(tensor.shape().begin(), tensor.shape().end())},
                    {"data_offsets", {begin, end}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const Json::type_error&) {
    fail("safetensors: ", path.string(), ": a name or metadata is not UTF-8");
  }
  text.resize((text.size() + kAlign - 1) / kAlign * kAlign, ' ');
  return text;
}

}  // namespace

const Tensor* SafetensorsFile::find(std::string_view name) const {
  for (const auto& [known, tensor] : tensors)
    if (known == name) return &tensor;
  return nullptr;
}

SafetensorsFile read_safetensors(const std::filesystem::path& path) { return Reader(path).read(); }

void write_safetensors(const std::filesystem::path& path, const SafetensorsFile& file) {
  const std::string header = header_of(path, file);
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
