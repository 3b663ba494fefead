// JSON in files, which people may have edited, damaged or made up.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace pliant::kit {

// What a text says. An Error, which begins with `who`, if it is not JSON, has a key twice in one
// object, or is nested deeper or has more members in an object than anything written here: to copy,
// compare or print a value takes stack by its depth, to fill an object time by the square of its
// members.
nlohmann::ordered_json parse_json(const std::string& text, const std::string& who);

// Parts of such JSON. Errors name `key` and say what it is and what was expected: the type, or the
// range, ends included.
const nlohmann::ordered_json& value_at(const nlohmann::ordered_json& json, const char* key);
[[noreturn]] void fail_type(const char* key, const nlohmann::ordered_json& value,
                            const char* expected);

constexpr double kLargestNumber = std::numeric_limits<double>::max();
constexpr std::int64_t kMostCount = std::int64_t{1} << 53;  // what any reader of JSON takes
constexpr double kLeastLoss = -1e-3;  // of cross-entropy, which rounding may take below 0

std::int64_t count_of(const char* key, const nlohmann::ordered_json& value,
                      std::int64_t most = kMostCount, std::int64_t least = 0);
double number_of(const char* key, const nlohmann::ordered_json& value, double least,
                 double most = kLargestNumber);
void check_range(const char* key, double number, double least, double most);

inline std::int64_t take_count(const nlohmann::ordered_json& json, const char* key,
                               std::int64_t most = kMostCount, std::int64_t least = 0) {
  return count_of(key, value_at(json, key), most, least);
}
inline double take_number(const nlohmann::ordered_json& json, const char* key, double least,
                          double most = kLargestNumber) {
  return number_of(key, value_at(json, key), least, most);
}
// Of a share or an accuracy.
inline double take_share(const nlohmann::ordered_json& json, const char* key) {
  return take_number(json, key, 0, 1);
}
std::uint64_t take_seed(const nlohmann::ordered_json& json, const char* key);
bool take_flag(const nlohmann::ordered_json& json, const char* key);
// Printable as it stands.
std::string take_text(const nlohmann::ordered_json& json, const char* key);
std::string take_long_text(const nlohmann::ordered_json& json, const char* key);  // any text
std::string take_choice(const nlohmann::ordered_json& json, const char* key,
                        const std::vector<std::string>& choices);
const nlohmann::ordered_json& take_list(const nlohmann::ordered_json& json, const char* key);
// A list of texts, each called `each` in Errors.
std::vector<std::string> take_texts(const nlohmann::ordered_json& json, const char* key,
                                    const char* each = "text");
// Three numbers of at least `least`, as those of a colour are.
std::array<double, 3> take_triple(const nlohmann::ordered_json& json, const char* key,
                                  double least);
const nlohmann::ordered_json& take_object(const nlohmann::ordered_json& json, const char* key);

// JSON is UTF-8, but a file's name may be any bytes: what is none is replaced.
std::string dump_json(const nlohmann::ordered_json& json, int indent = -1);
// As dump_json and parse_json give it back.
nlohmann::ordered_json as_written(const nlohmann::ordered_json& json);

}  // namespace pliant::kit
