# CURL::libcurl: downloads MNIST. Optional and never fetched: without it, data come from a folder.
option(PLIANT_CURL "Download with libcurl where it is installed" ON)
if(PLIANT_CURL)
  find_package(CURL QUIET)
endif()
