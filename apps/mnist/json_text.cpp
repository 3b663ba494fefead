#include <pliant/apps/mnist/json_text.h>

#include <vector>

#include <pliant/core/error.h>

namespace pliant {

using Json = nlohmann::ordered_json;

namespace {

// Throws at what parse_json refuses. (A callback of Json::parse would look at all of an object's
// members whenever one of them ends.)
class Limits : public nlohmann::json_sax<Json> {
 public:
  explicit Limits(const std::string& who) : who_(who) {}

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t&) override { return true; }
  bool string(string_t&) override { return true; }
  bool binary(binary_t&) override { return true; }
  bool start_object(std::size_t) override { return start(); }
  bool end_object() override { return end(); }
  bool start_array(std::size_t) override { return start(); }
  bool end_array() override { return end(); }
  bool key(string_t&) override {
    constexpr std::size_t kMostMembers = 1000;
    require(++members_.back() <= kMostMembers, who_, " has an object of more than ", kMostMembers,
            " members");
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool start() {
    constexpr std::size_t kDeepest = 8;
    require(members_.size() <= kDeepest, who_, " is nested deeper than a results file");
    members_.push_back(0);
    return true;
  }
  bool end() {
    members_.pop_back();
    return true;
  }

  const std::string& who_;
  std::vector<std::size_t> members_;  // of each open object or list
};

}  // namespace

Json parse_json(const std::string& text, const std::string& who) {
  Limits limits(who);
  require(Json::sax_parse(text, &limits), who, " is not JSON; expected what pliant-mnist writes");
  return Json::parse(text);
}

const Json& value_at(const Json& json, const char* key) {
  require(json.is_object() && json.contains(key), "results: '", key, "' is missing");
  return json.at(key);
}

void fail_type(const char* key, const Json& value) {
  fail("results: '", key, "' is ", printable(dump_json(value), 40), ", which is another type");
}

void check_range(const char* key, double number, double least, double most) {
  require(number >= least && number <= most, "results: '", key, "' is ", number, ", expected ",
          most == std::numeric_limits<double>::max() ? text_from("at least ", least)
                                                     : text_from(least, " to ", most));
}

void check_range(const char* key, std::int64_t count, std::int64_t most) {
  require(count >= 0 && count <= most, "results: '", key, "' is ", count, ", expected 0 to ", most);
}

std::int64_t take_count(const Json& json, const char* key, std::int64_t most) {
  const Json& value = value_at(json, key);
  if (!value.is_number_integer()) fail_type(key, value);
  constexpr std::uint64_t kLargest = std::numeric_limits<std::int64_t>::max();
  const bool large = value.is_number_unsigned() && value.get<std::uint64_t>() > kLargest;
  check_range(key, large ? std::numeric_limits<std::int64_t>::max() : value.get<std::int64_t>(),
              most);
  return value.get<std::int64_t>();
}

double take_number(const Json& json, const char* key, double least, double most) {
  const Json& value = value_at(json, key);
  if (!value.is_number()) fail_type(key, value);
  check_range(key, value.get<double>(), least, most);
  return value.get<double>();
}

std::uint64_t take_seed(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  require(value.is_number_unsigned(), "results: '", key, "' is ", printable(dump_json(value), 40),
          ", expected a whole number from 0");
  return value.get<std::uint64_t>();
}

std::string take_text(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_string()) fail_type(key, value);
  const auto& text = value.get_ref<const std::string&>();
  constexpr std::size_t kLongest = 255;
  require(text.size() <= kLongest && printable(text) == text, "results: '", key, "' is '",
          printable(text, 40), "', expected at most ", kLongest, " printable characters");
  return text;
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json as_written(const Json& json) { return Json::parse(dump_json(json)); }

}  // namespace pliant
