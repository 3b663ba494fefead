# nlohmann_json::nlohmann_json: safetensors headers and the programs' --json. Headers only.
find_package(nlohmann_json 3.9 QUIET)
if(NOT TARGET nlohmann_json::nlohmann_json)
  pliant_fetch(json https://github.com/nlohmann/json/archive/v3.11.3.tar.gz
               0d8ef5af7f9794e3263480193c491549b2ba6cc74bb018906202ada498a79406)
  add_library(pliant-json INTERFACE)
  target_include_directories(pliant-json SYSTEM INTERFACE ${json_SOURCE_DIR}/include)
  add_library(nlohmann_json::nlohmann_json ALIAS pliant-json)
endif()
