# LibArchive::LibArchive: reads the tar files of data/shards. Optional and never fetched, as libpng is.
option(PLIANT_ARCHIVE "Read tar files with libarchive where it is installed" ON)
if(PLIANT_ARCHIVE)
  find_package(LibArchive QUIET)
endif()
