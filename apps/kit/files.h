// The files that a command line names: kept apart from one another, written whole or not at all.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include <pliant/core/atomic_file.h>

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
// Writes a temporary file, syncs it and renames it; Errors begin with `who`.
void write_json(const char* who, const std::filesystem::path& file,
                const nlohmann::ordered_json& json);

}  // namespace pliant::kit
