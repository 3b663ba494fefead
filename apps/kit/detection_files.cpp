#include <pliant/apps/kit/detection_files.h>

#include <system_error>

#include <pliant/apps/kit/files.h>
#include <pliant/core/error.h>

namespace pliant::kit {
namespace {

namespace fs = std::filesystem;

fs::path annotations_of(const fs::path& root, const std::string& split) {
  const fs::path folder = root / "annotations";
  if (is_there(folder / (split + ".json"))) return folder / (split + ".json");
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->path().filename().string().starts_with("instances_" + split) &&
        at->path().extension() == ".json")
      found.push_back(at->path());
  require(found.size() <= 1, folder.string(), ": has ", found.size(), " files instances_", split,
          "*.json, expected one");
  return found.empty() ? fs::path() : found.front();
}

fs::path images_of(const fs::path& root, const fs::path& annotations, const std::string& split) {
  std::string name = annotations.stem().string();
  if (const std::size_t at = name.find(split); at != std::string::npos) name = name.substr(at);
  for (const fs::path& folder :
       {root / name, root / split, root / "images" / name, root / "images"})
    if (is_there(folder)) return folder;
  fail(root.string(), ": has no folder ", name, " or images for the pictures of ",
       annotations.string());
}

}  // namespace

std::optional<CocoFiles> coco_files(const fs::path& root, const std::string& split) {
  const fs::path annotations = annotations_of(root, split);
  if (annotations.empty()) return std::nullopt;
  return CocoFiles{images_of(root, annotations, split), annotations};
}

}  // namespace pliant::kit
