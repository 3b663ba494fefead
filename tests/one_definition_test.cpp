// No type has two definitions: the linker would take the member functions of either, unsaid.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <istream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;

// The types that a file defines in named namespaces, with their namespace. Our own format is
// taken for granted: a definition starts its line.
std::set<std::string> types_of(std::istream& file) {
  static const std::regex name_space(R"(^namespace( [\w:]+)? \{.*)");
  static const std::regex type(R"(^(struct|class) (\w+)( final)?( :[^:].*)? \{.*)");
  static const std::regex text(R"("(\\.|[^"\\])*"|'(\\.|[^'\\])'|//.*)");
  std::vector<std::pair<long, std::string>> open;  // namespaces, and how deep each began
  std::set<std::string> types;
  long depth = 0;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_match(line, match, name_space)) open.emplace_back(depth, match[1]);
    const bool named = std::none_of(open.begin(), open.end(),
                                    [](const auto& entry) { return entry.second.empty(); });
    if (named && std::regex_match(line, match, type)) {
      std::string path;
      for (const auto& entry : open) path += entry.second + "::";
      types.insert(path + match.str(2));
    }
    const std::string code = std::regex_replace(line, text, "");
    depth += std::count(code.begin(), code.end(), '{') - std::count(code.begin(), code.end(), '}');
    while (!open.empty() && depth <= open.back().first) open.pop_back();
  }
  return types;
}

}  // namespace

TEST_CASE("one definition: types are found, those of unnamed namespaces are not") {
  std::istringstream file(
      "namespace pliant {\nstruct A {\n  int b = '{';  // }\n};\nnamespace {\nstruct B {};\n}\n"
      "namespace cpu {\nclass C final : public A {\n};\n}\nstruct Later;\n}\nstruct D {};\n");
  CHECK(types_of(file) == std::set<std::string>{" pliant::A", " pliant:: cpu::C", "D"});
}

TEST_CASE("one definition: no type of the project has two") {
  const fs::path root = PLIANT_SOURCE_DIR;
  std::map<std::string, std::string> seen;  // type to file
  for (const char* const room : {"core", "autograd", "layers", "data", "apps", "tests", "bench"})
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root / room)) {
      const std::string path = fs::relative(entry.path(), root).generic_string();
      if (!path.ends_with(".h") && !path.ends_with(".cpp")) continue;
      if (path.starts_with("tests/consumer")) continue;
      std::ifstream file(entry.path());
      for (const std::string& type : types_of(file)) {
        const auto place = seen.emplace(type, path);
        CHECK_MESSAGE(place.second, "two definitions of ", type, " in ", place.first->second,
                      " and ", path);
      }
    }
  CHECK(seen.size() > 100);
}
