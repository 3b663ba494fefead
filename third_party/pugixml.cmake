# pugixml::pugixml: reads the XML of annotations for data/. Optional and never fetched, as libpng is.
option(PLIANT_PUGIXML "Read XML files with pugixml where it is installed" ON)
if(PLIANT_PUGIXML)
  find_package(pugixml QUIET)
endif()
if(NOT TARGET pugixml::pugixml)
  message(STATUS "pliant: XML files will not be read: pugixml is not installed")
endif()
