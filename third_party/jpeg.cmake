# JPEG::JPEG: libjpeg-turbo (or another libjpeg), which decodes JPEG for data/. Optional and never
# fetched, as libpng is.
option(PLIANT_JPEG "Read JPEG files with libjpeg-turbo where it is installed" ON)
if(PLIANT_JPEG)
  find_package(JPEG QUIET)
endif()
if(NOT JPEG_FOUND)
  message(STATUS "pliant: JPEG files will not be read: libjpeg-turbo is not installed")
endif()
