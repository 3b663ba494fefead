# benchmark::benchmark: Google Benchmark, for bench/ alone.
find_package(benchmark 1.6 QUIET)
if(NOT TARGET benchmark::benchmark)
  set(BENCHMARK_ENABLE_TESTING OFF CACHE INTERNAL "")
  set(BENCHMARK_ENABLE_INSTALL OFF CACHE INTERNAL "")
  pliant_fetch(benchmark https://github.com/google/benchmark/archive/refs/tags/v1.8.3.tar.gz
               6bc180a57d23d4d9515519f92b0c83d61b05b5bab188961f36ac7b06b0d9e9ce ADD)
endif()
