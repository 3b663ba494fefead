# nlohmann_json::nlohmann_json: safetensors headers and the programs' --json. Headers only.
find_package(nlohmann_json 3.9 QUIET)
if(NOT TARGET nlohmann_json::nlohmann_json)
  pliant_fetch(json https://github.com/nlohmann/json/archive/v3.11.2.tar.gz
               d69f9deb6a75e2580465c6c4c5111b89c4dc2fa94e3a85fcd2ffcd9a143d9273)
  add_library(pliant-json INTERFACE)
  target_include_directories(pliant-json SYSTEM INTERFACE ${json_SOURCE_DIR}/include)
  add_library(nlohmann_json::nlohmann_json ALIAS pliant-json)
endif()
