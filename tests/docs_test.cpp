// The C++ in docs/ is quoted from files that are compiled, and this compares the two:
//
//   <!-- from: tests/custom_op_test.cpp -->
//   ```cpp
//   ... lines that stand in that file, one after another
//   ```
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

namespace {

namespace fs = std::filesystem;
const fs::path kRoot = PLIANT_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Quotation {
  std::string from;  // empty: not said
  std::string text;
};

std::vector<Quotation> quotations_of(const std::string& page) {
  const std::string mark = "<!-- from: ", end = " -->";
  std::vector<Quotation> all;
  std::istringstream lines(page);
  std::string before;
  for (std::string line; std::getline(lines, line); before = line) {
    if (line != "```cpp" && line != "```cmake") continue;
    Quotation one;
    if (before.starts_with(mark) && before.ends_with(end))
      one.from = before.substr(mark.size(), before.size() - mark.size() - end.size());
    while (std::getline(lines, line) && line != "```") one.text += line + '\n';
    all.push_back(one);
  }
  return all;
}

bool quotes(const std::string& file, const std::string& text) {
  return ('\n' + file).find('\n' + text) != std::string::npos;
}

// Files of an op: those whose name begins with its stem.
std::set<std::string> files_of(const std::string& stem) {
  std::set<std::string> files;
  for (const char* room : {"core", "cuda", "autograd", "layers", "tests"})
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / room))
      if (const std::string name = entry.path().filename().string();
          name.starts_with(stem + ".") || name.starts_with(stem + "_test."))
        files.insert(fs::relative(entry.path(), kRoot).generic_string());
  return files;
}

}  // namespace

TEST_CASE("docs: quotations are found and compared") {
  const std::string page =
      "a\n<!-- from: b.cpp -->\n```cpp\nint x;\n  int y;\n```\n\n```cpp\nz\n```\n";
  const std::vector<Quotation> all = quotations_of(page);
  REQUIRE(all.size() == 2);
  CHECK(all[0].from == "b.cpp");
  CHECK(all[0].text == "int x;\n  int y;\n");
  CHECK(all[1].from.empty());
  CHECK(quotes("int x;\n  int y;\n}\n", all[0].text));
  CHECK_FALSE(quotes("int x;\nint y;\n", all[0].text));
  CHECK_FALSE(quotes("  int x;\n  int y;\n", all[0].text));
}

TEST_CASE("docs: README's program is the one that is compiled and run") {
  const std::vector<Quotation> all = quotations_of(read(kRoot / "README.md"));
  REQUIRE(!all.empty());
  REQUIRE(!all.front().from.empty());
  CHECK(all.front().text == read(kRoot / all.front().from));
  CHECK(std::count(all.front().text.begin(), all.front().text.end(), '\n') <= 40);
}

TEST_CASE("docs: what is quoted stands in a file that is compiled") {
  std::vector<fs::path> pages = {"docs/autograd.md", "docs/adding_an_op.md", "docs/tutorial.md"};
  for (const auto& entry : fs::directory_iterator(kRoot / "docs/guide"))
    if (entry.path().extension() == ".md" && entry.path().stem() != "README" &&
        entry.path().stem() != "from_pytorch")
      pages.push_back(fs::relative(entry.path(), kRoot));
  for (const fs::path& page : pages) {
    const std::vector<Quotation> all = quotations_of(read(kRoot / page));
    CHECK(all.size() >= 1);
    for (const Quotation& one : all) {
      CAPTURE(page);
      CAPTURE(one.text);
      REQUIRE_MESSAGE(!one.from.empty(), "no <!-- from: FILE --> before it");
      CHECK_MESSAGE((one.from.ends_with(".cpp") || one.from.ends_with(".h") ||
                     one.from.ends_with(".cu") || one.from.ends_with("CMakeLists.txt")),
                    one.from);
      CHECK_MESSAGE(quotes(read(kRoot / one.from), one.text), "is not in ", one.from);
    }
  }
}

TEST_CASE("docs: adding_an_op.md names every file of its op, and their number") {
  const std::string page = read(kRoot / "docs" / "adding_an_op.md");
  const std::set<std::string> files = files_of("cumsum");
  CHECK(files.size() == 7);
  for (const std::string& file : files)
    CHECK_MESSAGE(page.find('`' + file + '`') != std::string::npos, file);
  CHECK(page.find("**7 new files, no file edited.**") != std::string::npos);
}
