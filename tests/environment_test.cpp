// Environment variables that the library reads, each in a process of its own.
#include <pliant/autograd/ops/arithmetic.h>
#include <pliant/autograd/ops/matmul.h>
#include <pliant/core/instruction_set.h>
#include <pliant/tests/child_process.h>
#include <pliant/tests/op_case.h>

using namespace pliant;
using namespace pliant::test;

TEST_CASE("environment: one small sum" * doctest::skip()) {
  const Tensor one = Tensor::full({2}, 1.0);
  CHECK((one + Var(one)).value().to_vector()[0] == 2);
}

TEST_CASE("environment: one small product" * doctest::skip()) {
  const Tensor one = Tensor::full({2, 2}, 1.0);
  CHECK(matmul(one, one).value().to_vector()[0] == 2);
  MESSAGE("threads: " << thread_count());
}

TEST_CASE("environment: PLIANT_THREADS is a whole number from 1 to 1024, or an Error") {
  const std::string product = "environment: one small product";
  for (const char* const name : {"environment: one small sum", product.c_str()})
    for (const std::string value : {"2x", "abc", "0", "-3", "", " 2", "2 ", "+2", "1.5", "1e2",
                                    "0x2", "1025", "99999999999999999999"}) {
      const Anew run = run_anew("PLIANT_THREADS='" + value + "'", name);
      CAPTURE(value);
      CAPTURE(run.output);
      CHECK(run.status != 0);
      CHECK(contains(run.output, "PLIANT_THREADS: expected a whole number from 1 to 1024, got '" +
                                     value + "'"));
    }
  for (const std::string value : {"1", "3", "007"}) {
    const Anew run = run_anew("PLIANT_THREADS=" + value, product);
    CHECK(run.status == 0);
    CHECK(contains(run.output, "threads: " + std::to_string(std::stoi(value))));
  }
}

TEST_CASE("environment: PLIANT_INSTRUCTIONS names a set that there is, or is an Error") {
  const std::string product = "environment: one small product";
  if (available_instruction_sets().size() == 1) return;  // nothing is chosen
  for (const std::string value : {"sse", "", "AVX2", "avx2 "}) {
    const Anew run = run_anew("PLIANT_INSTRUCTIONS='" + value + "'", product);
    CHECK(run.status != 0);
    CHECK(contains(run.output,
                   "PLIANT_INSTRUCTIONS: expected baseline, avx2 or avx512, got '" + value + "'"));
  }
  for (const InstructionSet set : available_instruction_sets())
    CHECK(run_anew(std::string("PLIANT_INSTRUCTIONS=") + name_of(set), product).status == 0);
}

TEST_CASE("environment: a number of threads that cannot be is an Error") {
  const int before = thread_count();
  for (const int count : {0, -3, 1025, 5000}) {
    CHECK(contains(
        error_of([&] { set_thread_count(count); }),
        "set_thread_count: expected from 1 to 1024 threads, got " + std::to_string(count)));
    CHECK(thread_count() == before);
  }
  set_thread_count(2);  // on one thread nothing is in the way
  parallel_for(2, [](std::int64_t) {
    CHECK(contains(error_of([] { set_thread_count(1); }), "called inside parallel_for"));
  });
  set_thread_count(before);
}
