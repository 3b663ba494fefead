# CLI11::CLI11: the programs' options. Headers only.
find_package(CLI11 2.1 QUIET)
if(NOT TARGET CLI11::CLI11)
  pliant_fetch(cli11 https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.2.tar.gz
               f2d893a65c3b1324c50d4e682c0cdc021dd0477ae2c048544f39eed6654b699a)
  add_library(pliant-cli11 INTERFACE)
  target_include_directories(pliant-cli11 SYSTEM INTERFACE ${cli11_SOURCE_DIR}/include)
  add_library(CLI11::CLI11 ALIAS pliant-cli11)
endif()
