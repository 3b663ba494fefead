#include <doctest/doctest.h>

#include <string>

#include <pliant/core/internal/processors.h>
#include <pliant/tests/data_files.h>

using namespace pliant;
using namespace pliant::test;

namespace {

// A root folder with what a process sees of its control groups.
class Root {
 public:
  Root(const std::string& groups, const std::string& mounts) {
    put("proc/self/cgroup", groups);
    put("proc/self/mountinfo", "22 28 0:20 / /sys rw,nosuid - sysfs sysfs rw\n" + mounts +
                                   "30 28 0:28 / /dev rw shared:3 master:1 - tmpfs tmpfs rw\n");
  }
  void put(const std::string& file, const std::string& text) const {
    folder_.write(file, Bytes(text.begin(), text.end()));
  }
  std::optional<int> quota() const { return cpu_quota(folder_.path()); }

 private:
  TemporaryFolder folder_;
};

const std::string kUnified =
    "31 24 0:27 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";
const std::string kCpu =
    "35 25 0:30 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n";

}  // namespace

TEST_CASE("processors: a quota of version 2, in whole processors") {
  const Root root("0::/job\n", kUnified);
  CHECK(root.quota() == std::nullopt);
  const std::string file = "sys/fs/cgroup/job/cpu.max";
  for (const auto& row :
       std::vector<std::pair<std::string, std::optional<int>>>{{"max 100000\n", std::nullopt},
                                                               {"50000 100000\n", 1},
                                                               {"1000 100000\n", 1},
                                                               {"100000 100000\n", 1},
                                                               {"100001 100000\n", 2},
                                                               {"150000 100000\n", 2},
                                                               {"250000 50000\n", 5},
                                                               {"", std::nullopt},
                                                               {"nonsense\n", std::nullopt},
                                                               {"0 0\n", std::nullopt},
                                                               {"-1 100000\n", std::nullopt}}) {
    const auto& text = row.first;
    CAPTURE(text);
    root.put(file, text);
    CHECK(root.quota() == row.second);
  }
}

TEST_CASE("processors: a quota of version 1") {
  const Root root("4:memory:/job\n3:cpu,cpuacct:/job\n0::/\n", kCpu);
  CHECK(root.quota() == std::nullopt);
  const std::string folder = "sys/fs/cgroup/cpu,cpuacct/job/";
  root.put(folder + "cpu.cfs_period_us", "100000\n");
  for (const auto& row : std::vector<std::pair<std::string, std::optional<int>>>{
           {"-1\n", std::nullopt}, {"50000\n", 1}, {"300000\n", 3}, {"300001\n", 4}}) {
    const auto& text = row.first;
    CAPTURE(text);
    root.put(folder + "cpu.cfs_quota_us", text);
    CHECK(root.quota() == row.second);
  }
}

TEST_CASE("processors: the tightest quota of all groups above counts") {
  const Root root("0::/a/b/c\n", kUnified);
  root.put("sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
  root.put("sys/fs/cgroup/a/b/cpu.max", "800000 100000\n");
  CHECK(root.quota() == 8);
  root.put("sys/fs/cgroup/a/cpu.max", "200000 100000\n");
  CHECK(root.quota() == 2);
  root.put("sys/fs/cgroup/a/b/d/cpu.max", "50000 100000\n");  // a sibling's
  CHECK(root.quota() == 2);
  root.put("sys/fs/cgroup/cpu.max", "150000 200000\n");  // of a container's own root
  CHECK(root.quota() == 1);
}

TEST_CASE("processors: groups by the host's names, and mounts of any place") {
  // A container sees its own group at the mount, under the name that the host gave it.
  const Root inside("3:cpu:/docker/abc/inner\n",
                    "35 25 0:30 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
  inside.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "300000\n");
  inside.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  CHECK(inside.quota() == 3);
  inside.put("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "200000\n");
  inside.put("sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000\n");
  CHECK(inside.quota() == 2);
  const Root elsewhere("0::/../../outside\n", "31 24 0:27 / /my\\040groups rw - cgroup2 none rw\n");
  elsewhere.put("my groups/cpu.max", "400000 100000\n");
  CHECK(elsewhere.quota() == 4);
}

TEST_CASE("processors: without control groups there is no quota") {
  const TemporaryFolder empty;
  CHECK(cpu_quota(empty.path()) == std::nullopt);
  CHECK(cpu_quota().value_or(1) >= 1);
  CHECK(processors() >= 1);
}
