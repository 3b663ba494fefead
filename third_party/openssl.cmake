# OpenSSL::Crypto: SHA-256 of what was downloaded. Optional and never fetched.
option(PLIANT_OPENSSL "Hash with OpenSSL where it is installed" ON)
if(PLIANT_OPENSSL)
  find_package(OpenSSL QUIET COMPONENTS Crypto)
endif()
