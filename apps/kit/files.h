// The files that a command line names: kept apart from one another, written whole or not at all.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/core/atomic_file.h>
#include <pliant/core/error.h>

namespace pliant::kit {

// A file that a command line names, by the option that names it.
struct NamedFile {
  std::string option;
  std::filesystem::path path;  // empty: none
};

// What is written must be files of their own: not one another, nor what is read, by other names or
// through links either. Called before anything is written.
void require_files_of_their_own(const std::vector<NamedFile>& written,
                                const std::vector<NamedFile>& read);

// Whether there is such a file or folder; not where that cannot be told.
bool is_there(const std::filesystem::path& path);

// Files as they are, "-" too, and what lies in folders, by name. A folder without a file is an Error.
std::vector<std::string> files_of(const std::vector<std::string>& paths);

// The file of --json, if any: opened at the start, so that a path that cannot be written costs no
// training; written at the end, whole or not at all.
class JsonFile {
 public:
  explicit JsonFile(const std::string& path);
  void write(const nlohmann::ordered_json& json);

 private:
  std::unique_ptr<AtomicFile> file_;
};

// The JSON of a file of at most 64 MiB, which is `expected` ("a results file"). Errors name the
// file.
nlohmann::ordered_json read_json(const std::filesystem::path& file, const char* expected);
// What f() makes of a file's content. Errors name the file.
template <class F>
auto naming(const std::filesystem::path& file, F&& f) {
  try {
    return f();
  } catch (const Error& error) {
    const std::string text = error.what();
    fail(text.starts_with(file.string()) ? "" : file.string() + ": ", text);
  }
}
// The files of a folder whose names end so (".json"), by name.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                            const std::string& extension);
// Writes a temporary file, syncs it and renames it; Errors begin with `who`.
void write_json(const char* who, const std::filesystem::path& file,
                const nlohmann::ordered_json& json);

}  // namespace pliant::kit
