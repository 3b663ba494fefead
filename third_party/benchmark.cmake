# benchmark::benchmark_main: Google Benchmark, for bench/ alone. Fetched, its sources are compiled
# here, without its own project.
find_package(benchmark 1.6 QUIET)
if(NOT TARGET benchmark::benchmark_main)
  pliant_fetch(benchmark https://github.com/google/benchmark/archive/refs/tags/v1.7.1.tar.gz
               6430e4092653380d9dc4ccb45a1e2dc9259d581f4866dc0759713126056bc1d7)
  find_package(Threads REQUIRED)
  file(GLOB benchmark_sources ${benchmark_SOURCE_DIR}/src/*.cc)
  add_library(pliant-benchmark STATIC ${benchmark_sources})
  target_compile_definitions(pliant-benchmark PRIVATE HAVE_STD_REGEX HAVE_STEADY_CLOCK
                             PUBLIC BENCHMARK_STATIC_DEFINE)
  target_include_directories(pliant-benchmark SYSTEM PUBLIC ${benchmark_SOURCE_DIR}/include)
  target_link_libraries(pliant-benchmark PUBLIC Threads::Threads)
  add_library(benchmark::benchmark_main ALIAS pliant-benchmark)
endif()
