#include <pliant/apps/kit/ranks.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <streambuf>

#include <pliant/apps/kit/command_line.h>
#include <pliant/apps/kit/interrupt.h>

namespace pliant::kit {
namespace {

constexpr std::int64_t kUsualParts = 12;

// Takes whatever is written, and keeps nothing.
class Nowhere : public std::streambuf {
 protected:
  int_type overflow(int_type c) override { return traits_type::not_eof(c); }
  std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
};

}  // namespace

int on_ranks(const std::function<int(const Group&)>& body) {
  const Group group = Group::from_environment();
  if (!group.leads()) {
    static Nowhere nowhere;
    std::cout.rdbuf(&nowhere);
    std::cerr.rdbuf(&nowhere);
  }
  try {
    return body(group);
  } catch (const Interrupted&) {  // of all
    throw;
  } catch (const GroupError&) {
    if (group.leads()) throw;
    return 1;
  } catch (const std::exception& error) {
    if (group.size() > 1) group.abort(error.what());
    throw;
  }
}

void RankOptions::add_to(CLI::App& app) {
  app.add_option(
         "--parts", parts,
         "parts that a batch is computed in, shared among the ranks of mpirun: as many give "
         "the same bits on any number of ranks (default: 1 on one, else up to 12)")
      ->check(whole_number(1, 1 << 20));
  app.add_option("--sums", sums,
                 "strict: the same bits on any number of ranks; fast: gradients travel while the "
                 "backward pass goes on")
      ->check(CLI::IsMember({"strict", "fast"}))
      ->capture_default_str();
}

RankPlan RankOptions::plan(std::int64_t batch, const Group& group) const {
  RankPlan plan{
      .group = group,
      .data_parallel = {.sums = sums == "fast" ? GradientSums::fast : GradientSums::strict}};
  if (parts > 0) {
    require(batch % parts == 0, "--parts: ", parts, " parts do not share out a batch of ", batch);
    plan.parts = parts;
  } else if (group.size() > 1) {
    plan.parts = std::min(kUsualParts, batch);
    while (batch % plan.parts != 0) --plan.parts;
  }
  return plan;
}

}  // namespace pliant::kit
