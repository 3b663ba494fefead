// The programs of docs/guide, run as a reader runs them.
#include <filesystem>
#include <fstream>
#include <string>

#include <pliant/tests/mnist_program.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("guide: the first net trains, is saved, loaded and judged") {
  const TemporaryFolder data, work;
  write_digits(data, few_digits(192, 40));
  const std::string folder = work.path();
  const Ended ended = run_program(
      {"/bin/sh", "-c",
       "cd '" + folder + "' && PLIANT_DATA='" + data.path().string() + "' '" PLIANT_FIRST_NET "'"});
  CHECK(ended.status == 0);
  CHECK(contains(ended.out, " of 40 are right\n"));
  CHECK(std::filesystem::exists(folder + "/net.safetensors"));
}
