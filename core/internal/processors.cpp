#include <pliant/core/internal/processors.h>

#if defined(__linux__)
#include <sched.h>
#endif

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace pliant {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) parts.push_back(part);
  return parts;
}

bool holds(const std::vector<std::string>& words, const char* word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The first words of a file of one line; fewer where it has fewer or is not there.
std::vector<std::string> words_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> words;
  for (std::string word; words.size() < 2 && in >> word;) words.push_back(word);
  return words;
}

// A quota of `time` in each `period`, as processors; "max" and -1 stand for none.
std::optional<double> share(const std::string& time, const std::string& period) {
  char *end = nullptr, *period_end = nullptr;
  const double quota = std::strtod(time.c_str(), &end);
  const double each = std::strtod(period.c_str(), &period_end);
  if (end == time.c_str() || period_end == period.c_str() || !(quota > 0) || !(each > 0)) return {};
  return quota / each;
}

std::optional<double> share_of(const fs::path& group) {
  if (const auto words = words_of(group / "cpu.max"); words.size() == 2)
    return share(words[0], words[1]);
  const auto quota = words_of(group / "cpu.cfs_quota_us"),
             period = words_of(group / "cpu.cfs_period_us");
  if (quota.empty() || period.empty()) return {};
  return share(quota[0], period[0]);
}

// Where control groups that know of processor time are mounted.
struct Mount {
  std::string group;  // the group that is its root
  fs::path point;
  bool unified = false;  // version 2
};

// Octal escapes, as of spaces, in the words of /proc/self/mountinfo.
std::string unescaped(const std::string& word) {
  std::string text;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\' && i + 3 < word.size()) {
      text += static_cast<char>(std::strtol(word.substr(i + 1, 3).c_str(), nullptr, 8));
      i += 3;
    } else {
      text += word[i];
    }
  }
  return text;
}

std::vector<Mount> mounts(const fs::path& root) {
  std::vector<Mount> found;
  std::ifstream in(root / "proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> words = split(line, ' ');
    const auto dash = std::find(words.begin(), words.end(), "-");
    if (words.size() < 6 || words.end() - dash < 4) continue;
    const bool unified = dash[1] == "cgroup2";
    if (!unified && !(dash[1] == "cgroup" && holds(split(dash[3], ','), "cpu"))) continue;
    found.push_back(
        {unescaped(words[3]), root / fs::path(unescaped(words[4])).relative_path(), unified});
  }
  return found;
}

// This process's group below `mount`, as a path from there; the mount itself if it lies elsewhere,
// as it does in a container that sees the host's names.
fs::path below(const Mount& mount, const std::string& group) {
  const fs::path path = fs::path(group).lexically_relative(mount.group).lexically_normal();
  return path.empty() || *path.begin() == ".." ? fs::path(".") : path;
}

int allowed() {
#if defined(__linux__)
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

std::optional<int> cpu_quota(const fs::path& root) {
  std::optional<double> least;
  const std::vector<Mount> known = mounts(root);
  std::ifstream in(root / "proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {  // number:controllers:group
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    for (const Mount& mount : known) {
      if (mount.unified ? !controllers.empty() : !holds(split(controllers, ','), "cpu")) continue;
      fs::path group = mount.point;
      const auto tighten = [&] {
        if (const auto here = share_of(group)) least = std::min(least.value_or(*here), *here);
      };
      tighten();
      for (const fs::path& name : below(mount, line.substr(second + 1))) {
        group /= name;
        tighten();
      }
    }
  }
  if (!least) return {};
  return static_cast<int>(std::clamp(std::ceil(*least), 1.0, 1e6));
}

int processors() { return std::max(1, std::min(allowed(), cpu_quota().value_or(allowed()))); }

}  // namespace pliant
