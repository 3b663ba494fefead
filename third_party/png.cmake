# PNG::PNG: libpng, which decodes PNG for data/. Optional and never fetched: what reads the files of
# strangers must be a copy that the system keeps safe. Without it they are refused, with a word.
option(PLIANT_PNG "Read PNG files with libpng where it is installed" ON)
if(PLIANT_PNG)
  find_package(PNG QUIET)
endif()
if(NOT PNG_FOUND)
  message(STATUS "pliant: PNG files will not be read: libpng is not installed")
endif()
