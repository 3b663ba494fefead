#include <pliant/apps/kit/json_text.h>

#include <nlohmann/json.hpp>

#include <unordered_set>

#include <pliant/core/error.h>

namespace pliant::kit {

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
  bool key(string_t& text) override {
    constexpr std::size_t kMostMembers = 1000;
    require(members_.back().insert(text).second, who_, " has '", printable(text, 40),
            "' twice in one object");
    require(members_.back().size() <= kMostMembers, who_, " has an object of more than ",
            kMostMembers, " members");
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
    return false;
  }

 private:
  bool start() {
    constexpr std::size_t kDeepest = 8;
    require(members_.size() <= kDeepest, who_, " is nested deeper than ", kDeepest, " levels");
    members_.emplace_back();
    return true;
  }
  bool end() {
    members_.pop_back();
    return true;
  }

  const std::string& who_;
  std::vector<std::unordered_set<std::string>> members_;  // of each open object or list
};

}  // namespace

Json parse_json(const std::string& text, const std::string& who) {
  Limits limits(who);
  require(Json::sax_parse(text, &limits), who, " is not JSON");
  return Json::parse(text);
}

const Json& value_at(const Json& json, const char* key) {
  require(json.is_object() && json.contains(key), "'", key, "' is missing");
  return json.at(key);
}

void fail_type(const char* key, const Json& value, const char* expected) {
  fail("'", key, "' is ", printable(dump_json(value), 40), ", expected ", expected);
}

void check_range(const char* key, double number, double least, double most) {
  require(number >= least && number <= most, "'", key, "' is ", number, ", expected ",
          most == kLargestNumber ? text_from("at least ", least) : text_from(least, " to ", most));
}

std::int64_t count_of(const char* key, const Json& value, std::int64_t most, std::int64_t least) {
  if (!value.is_number_integer()) fail_type(key, value, "a whole number");
  const bool fits = value.is_number_unsigned()
                        ? value.get<std::uint64_t>() <= static_cast<std::uint64_t>(most)
                        : value.get<std::int64_t>() <= most;
  require(fits && value.get<std::int64_t>() >= least, "'", key, "' is ", value.dump(),
          ", expected ", least, " to ", most);
  return value.get<std::int64_t>();
}

double number_of(const char* key, const Json& value, double least, double most) {
  if (!value.is_number()) fail_type(key, value, "a number");
  check_range(key, value.get<double>(), least, most);
  return value.get<double>();
}

std::uint64_t take_seed(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_number_unsigned()) fail_type(key, value, "a whole number from 0");
  return value.get<std::uint64_t>();
}

bool take_flag(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_boolean()) fail_type(key, value, "true or false");
  return value.get<bool>();
}

std::string take_text(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_string()) fail_type(key, value, "a text");
  const auto& text = value.get_ref<const std::string&>();
  constexpr std::size_t kLongest = 255;
  require(text.size() <= kLongest && printable(text) == text, "'", key, "' is '",
          printable(text, 40), "', expected at most ", kLongest, " printable characters");
  return text;
}

std::string take_long_text(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_string()) fail_type(key, value, "a text");
  return value.get<std::string>();
}

std::string take_choice(const Json& json, const char* key,
                        const std::vector<std::string>& choices) {
  std::string text = take_text(json, key), all;
  for (const std::string& choice : choices) {
    if (text == choice) return text;
    all += (all.empty() ? "" : " or ") + choice;
  }
  fail("'", key, "' is '", printable(text, 40), "', expected ", all);
}

const Json& take_list(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_array()) fail_type(key, value, "a list");
  return value;
}

std::vector<std::string> take_texts(const Json& json, const char* key, const char* each) {
  std::vector<std::string> texts;
  for (const Json& text : take_list(json, key)) {
    require(text.is_string(), key, " holds what is no ", each);
    texts.push_back(text.get<std::string>());
  }
  return texts;
}

std::array<double, 3> take_triple(const Json& json, const char* key, double least) {
  const Json& list = take_list(json, key);
  require(list.size() == 3, key, " has ", list.size(), " numbers, expected 3");
  return {number_of(key, list[0], least), number_of(key, list[1], least),
          number_of(key, list[2], least)};
}

const Json& take_object(const Json& json, const char* key) {
  const Json& value = value_at(json, key);
  if (!value.is_object()) fail_type(key, value, "an object");
  return value;
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json as_written(const Json& json) { return Json::parse(dump_json(json)); }

}  // namespace pliant::kit
