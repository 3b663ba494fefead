// JSON in files, which people may have edited, damaged or made up.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

namespace pliant {

// What a text says. An Error, which begins with `who`, if it is not JSON or is nested deeper than
// anything written here: to copy, compare or print a value takes stack by its depth.
nlohmann::ordered_json parse_json(const std::string& text, const std::string& who);

// JSON is UTF-8, but a file's name may be any bytes: what is none is replaced.
std::string dump_json(const nlohmann::ordered_json& json, int indent = -1);
// As dump_json and parse_json give it back.
nlohmann::ordered_json as_written(const nlohmann::ordered_json& json);

}  // namespace pliant
