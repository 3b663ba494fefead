#include <pliant/apps/kit/files.h>

#include <algorithm>
#include <array>
#include <fstream>

#include <nlohmann/json.hpp>

#include <pliant/apps/kit/json_text.h>
#include <pliant/core/error.h>
#include <pliant/core/file_name.h>

namespace pliant::kit {
namespace {

bool is_same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
  std::error_code error;
  if (std::filesystem::equivalent(a, b, error)) return true;
  const auto name = [&](const std::filesystem::path& path) {
    return std::filesystem::weakly_canonical(std::filesystem::absolute(path, error), error);
  };
  return name(a) == name(b);
}

std::string text_of(const std::filesystem::path& file, const char* expected) {
  require_file_name("files", file);
  std::error_code ignored;
  require(!std::filesystem::is_directory(file, ignored), file.string(), ": is a folder, expected ",
          expected);
  std::ifstream in(file, std::ios::binary);
  require(in.good(), file.string(), ": cannot be opened; expected ", expected);
  constexpr std::size_t kMostBytes = std::size_t{64} << 20;
  std::string text;
  for (std::array<char, 1 << 16> piece; in && text.size() <= kMostBytes;) {
    in.read(piece.data(), piece.size());
    text.append(piece.data(), static_cast<std::size_t>(in.gcount()));
  }
  require(text.size() <= kMostBytes, file.string(), ": is larger than ", kMostBytes >> 20,
          " MiB; expected ", expected);
  return text;
}

}  // namespace

bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

void require_files_of_their_own(const std::vector<NamedFile>& written,
                                const std::vector<NamedFile>& read) {
  for (std::size_t i = 0; i < written.size(); ++i) {
    const auto require_other = [&](const NamedFile& other) {
      require(written[i].path.empty() || other.path.empty() ||
                  !is_same_file(written[i].path, other.path),
              written[i].option, ": ", written[i].path.string(), " is the file of ", other.option,
              " too and would be written over it; name another");
    };
    for (std::size_t j = 0; j < i; ++j) require_other(written[j]);
    for (const NamedFile& each : read) require_other(each);
  }
}

std::vector<std::string> files_of(const std::vector<std::string>& paths) {
  namespace fs = std::filesystem;
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-" || !fs::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    const std::size_t first = files.size();
    for (fs::directory_iterator at(path, error), end; !error && at != end; at.increment(error))
      if (at->is_regular_file(error)) files.push_back(at->path().string());
    require(!error, path, ": the folder cannot be read: ", reason_of(error.value()));
    require(files.size() > first, path, ": has no files");
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
  }
  return files;
}

JsonFile::JsonFile(const std::string& path) {
  if (path.empty()) return;
  remove_stale_temporaries(path);
  file_ = std::make_unique<AtomicFile>("--json", path);
}

void JsonFile::write(const nlohmann::ordered_json& json) {
  if (!file_) return;
  file_->write(dump_json(json, 1) + "\n");
  file_->commit();
}

nlohmann::ordered_json read_json(const std::filesystem::path& file, const char* expected) {
  const std::string text = text_of(file, expected);
  try {
    return parse_json(text, file.string() + ":");
  } catch (const Error& error) {
    fail(error.what(), "; expected ", expected);
  }
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder,
                                            const std::string& extension) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error))
    if (at->path().extension() == extension) files.push_back(at->path());
  require(!error, folder.string(), ": the folder cannot be read: ", reason_of(error.value()));
  std::sort(files.begin(), files.end());
  return files;
}

void write_json(const char* who, const std::filesystem::path& file,
                const nlohmann::ordered_json& json) {
  AtomicFile output(who, file);
  output.write(dump_json(json, 1) + "\n");
  output.commit();
}

}  // namespace pliant::kit
