#include <pliant/apps/mnist/json_text.h>

#include <pliant/core/error.h>

namespace pliant {

using Json = nlohmann::ordered_json;

Json parse_json(const std::string& text, const std::string& who) {
  constexpr int kDeepest = 8;
  const auto watch = [&](int depth, Json::parse_event_t, const Json&) {
    require(depth <= kDeepest, who, " is nested deeper than a results file");
    return true;
  };
  Json json = Json::parse(text, watch, false);
  require(!json.is_discarded(), who, " is not JSON; expected what pliant-mnist writes");
  return json;
}

std::string dump_json(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

Json as_written(const Json& json) { return Json::parse(dump_json(json)); }

}  // namespace pliant
