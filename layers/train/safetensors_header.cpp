#include <pliant/layers/train/safetensors_header.h>

#include <algorithm>
#include <unordered_set>

#include <nlohmann/json.hpp>

namespace pliant {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kMetadata = "__metadata__";
constexpr std::size_t kAlign = 8;  // of the first element in a file that we write

// Takes the header in as it is parsed: a tree of it would take many times its length, and more for
// what is nested without meaning anything.
class HeaderParser : public nlohmann::json_sax<Json> {
 public:
  SafetensorsHeader take() { return std::move(header_); }

  bool null() override { return scalar(Kind::null); }
  bool boolean(bool) override { return scalar(Kind::other); }
  bool number_integer(number_integer_t) override { return scalar(Kind::other); }
  bool number_unsigned(number_unsigned_t value) override { return scalar(Kind::count, value); }
  bool number_float(number_float_t, const string_t&) override { return scalar(Kind::other); }
  bool binary(binary_t&) override { return scalar(Kind::other); }
  bool string(string_t& text) override { return scalar(Kind::text, 0, &text); }

  bool key(string_t& text) override {
    if (depth_ == 1) {
      require(text != kMetadata || !had_metadata_, "its header names ", kMetadata, " twice");
      had_metadata_ = had_metadata_ || text == kMetadata;
      entry_.name = std::move(text);
    }
    if (depth_ == 2) {
      field_ = std::move(text);
      require(fields_.insert(field_).second, in_metadata() ? "its " : who(),
              in_metadata() ? kMetadata : "", " has ", in_quotes(field_), " twice");
    }
    return true;
  }
  bool start_object(std::size_t) override {
    if (depth_ == 1) start_entry();
    if (depth_ >= 2) scalar(Kind::other);
    ++depth_;
    return true;
  }
  bool end_object() override {
    --depth_;
    if (depth_ == 1 && !in_metadata()) end_entry();
    return true;
  }
  bool start_array(std::size_t) override {
    if (depth_ == 2 && !in_metadata() && (field_ == "shape" || field_ == "data_offsets"))
      start_list();
    else
      scalar(Kind::other);
    ++depth_;
    return true;
  }
  bool end_array() override {
    --depth_;
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    fail("its header is not JSON (at byte ", position, ")");
  }

 private:
  enum class Kind { null, count, text, other };

  bool in_metadata() const { return entry_.name == kMetadata; }
  std::string who() const { return "tensor " + in_quotes(entry_.name); }

  // A value; of a list or an object that should be none, its begin.
  bool scalar(Kind kind, std::uint64_t count = 0, std::string* text = nullptr) {
    require(depth_ > 0, "its header is not a JSON object");
    if (in_metadata()) {
      metadata(kind, text);
    } else if (depth_ == 1) {
      fail(who(), " lacks dtype, shape or data_offsets");
    } else if (depth_ == 2) {
      field(kind, text);
    } else if (depth_ == 3 && field_ == "shape") {
      extent(kind, count);
    } else if (depth_ == 3 && field_ == "data_offsets") {
      offset(kind, count);
    }
    return true;
  }

  void metadata(Kind kind, const std::string* text) {
    if (depth_ == 1) {
      require(kind == Kind::null, "its ", kMetadata, " is not an object");
    } else if (depth_ == 2) {
      require(kind == Kind::text, "its metadata ", in_quotes(field_), " is not a string");
      header_.metadata[field_] = *text;
    }
  }

  void field(Kind kind, const std::string* text) {
    if (field_ == "dtype") {
      require(kind == Kind::text, who(), ": its dtype is not a string");
      entry_.type = safetensors_type(*text);
      require(entry_.type != nullptr, who(), " has dtype ", in_quotes(*text),
              ", which the format does not have");
    }
    require(field_ != "shape", who(), ": its shape is not a list");
    require(field_ != "data_offsets", who(), ": data_offsets are not two numbers");
  }

  void start_entry() {
    std::string name = std::move(entry_.name);
    entry_ = {};
    entry_.name = std::move(name);
    fields_.clear();
    has_shape_ = is_empty_ = false;
    offsets_ = 0;
  }

  void start_list() { has_shape_ = has_shape_ || field_ == "shape"; }

  void extent(Kind kind, std::uint64_t count) {
    require(kind == Kind::count, who(), ": its shape is not of extents >= 0");
    is_empty_ = is_empty_ || count == 0;
    const std::uint64_t factor = std::max<std::uint64_t>(count, 1);
    const auto most = static_cast<std::uint64_t>(Shape::kMostElements / entry_.elements);
    entry_.too_large = entry_.too_large || factor > most;
    if (!entry_.too_large) entry_.elements *= static_cast<std::int64_t>(factor);
    if (entry_.rank++ < Shape::kMaxRank && !entry_.too_large)
      entry_.shape.push_back(static_cast<std::int64_t>(count));
  }

  void offset(Kind kind, std::uint64_t count) {
    require(kind == Kind::count && offsets_ < 2, who(), ": data_offsets are not two numbers");
    (offsets_ == 0 ? entry_.begin : entry_.end) = count;
    ++offsets_;
  }

  void end_entry() {
    require(offsets_ == 2 || offsets_ == 0, who(), ": data_offsets are not two numbers");
    require(entry_.type != nullptr && has_shape_ && offsets_ == 2, who(),
            " lacks dtype, shape or data_offsets");
    require(!entry_.too_large || is_empty_, who(),
            ": the number of its elements does not fit in 64 bits");
    if (is_empty_) entry_.elements = 0;
    header_.entries.push_back(std::move(entry_));
    entry_ = {};
  }

  SafetensorsHeader header_;
  int depth_ = 0;           // of open objects and lists
  SafetensorsEntry entry_;  // that is being read; of the metadata, only the name
  std::string field_;
  std::unordered_set<std::string> fields_;  // of the object that is being read
  bool has_shape_ = false, is_empty_ = false, had_metadata_ = false;
  int offsets_ = 0;  // read so far
};

// A name that comes twice is an Error, not a silent replacement.
void check_names(const std::vector<SafetensorsEntry>& entries) {
  std::unordered_set<std::string_view> names;
  for (const SafetensorsEntry& entry : entries)
    require(names.insert(entry.name).second, "its header names ", in_quotes(entry.name), " twice");
}

}  // namespace

std::string in_quotes(std::string_view name) { return '\'' + printable(name, 80) + '\''; }

SafetensorsHeader parse_safetensors_header(const std::string& text) {
  require(!text.starts_with("\xEF\xBB\xBF"),
          "its header begins with a byte order mark, expected '{'");
  HeaderParser parser;
  Json::sax_parse(text, &parser);
  SafetensorsHeader header = parser.take();
  check_names(header.entries);
  std::stable_sort(header.entries.begin(), header.entries.end(),
                   [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
                     return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
                   });
  return header;
}

// Written piece by piece: the destructor of a Json with parts allocates, and may not fail.
std::string safetensors_header(const std::vector<std::pair<std::string, Tensor>>& tensors,
                               const std::map<std::string, std::string>& metadata) {
  std::unordered_set<std::string_view> names = {kMetadata};
  std::string text = "{";
  try {
    if (!metadata.empty()) {
      text += Json(kMetadata).dump() + ":{";
      for (const auto& [key, value] : metadata)
        text += Json(key).dump() + ':' + Json(value).dump() + ',';
      text.back() = '}';
      text += ',';
    }
    std::int64_t end = 0;
    for (const auto& [name, tensor] : tensors) {
      require(tensor.defined(), "tensor ", in_quotes(name), " is undefined");
      require(names.insert(name).second, "two tensors are called ", in_quotes(name));
      const std::int64_t begin = end;
      end += tensor.bytes();
      text += Json(name).dump() + ":{\"dtype\":\"" +
              std::string(safetensors_type(tensor.dtype()).name) + "\",\"shape\":[";
      for (const std::int64_t extent : tensor.shape()) text += std::to_string(extent) + ',';
      if (text.back() == ',') text.pop_back();
      text += "],\"data_offsets\":[" + std::to_string(begin) + ',' + std::to_string(end) + "]},";
    }
  } catch (const Json::type_error&) {
    fail("a name or metadata is not UTF-8");
  }
  if (text.ends_with(',')) text.pop_back();
  text += '}';
  text.resize((text.size() + kAlign - 1) / kAlign * kAlign, ' ');
  return text;
}

}  // namespace pliant
