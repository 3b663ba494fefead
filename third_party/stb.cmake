# stb::stb: stb_image, which decodes PNG, JPEG and BMP for data/. Headers only, and ours alone: who
# links the library needs none of it.
find_path(PLIANT_STB_FOLDER stb_image.h PATH_SUFFIXES stb)
mark_as_advanced(PLIANT_STB_FOLDER)
if(NOT TARGET stb::stb)
  set(folder ${PLIANT_STB_FOLDER})
  if(NOT folder)
    pliant_fetch(stb https://github.com/nothings/stb/archive/31c1ad37456438565541f4919958214b6e762fb4.tar.gz
                 e4e3bba9c572a4a4148373a914d88ea0f0d11de8cc2c66739926e7eca0223319)
    set(folder ${stb_SOURCE_DIR})
  endif()
  add_library(pliant-stb INTERFACE)
  target_include_directories(pliant-stb SYSTEM INTERFACE ${folder})
  add_library(stb::stb ALIAS pliant-stb)
endif()
