# benchmark::benchmark: Google Benchmark, for bench/ alone.
find_package(benchmark 1.6 QUIET)
if(NOT TARGET benchmark::benchmark)
  set(BENCHMARK_ENABLE_TESTING OFF CACHE INTERNAL "")
  set(BENCHMARK_ENABLE_INSTALL OFF CACHE INTERNAL "")
  pliant_fetch(benchmark https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
               6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7 ADD)
endif()
