# SPDX-License-Identifier: Apache-2.0
# libtelnet, which comes with neither a CMake package nor a pkg-config file: Libtelnet::Libtelnet. Installed beside qconn-config.cmake, for consumers of
# the static library.
find_path(Libtelnet_INCLUDE_DIR libtelnet.h)
find_library(Libtelnet_LIBRARY telnet)
mark_as_advanced(Libtelnet_INCLUDE_DIR Libtelnet_LIBRARY)
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libtelnet REQUIRED_VARS Libtelnet_LIBRARY Libtelnet_INCLUDE_DIR)
if(Libtelnet_FOUND AND NOT TARGET Libtelnet::Libtelnet)
  add_library(Libtelnet::Libtelnet UNKNOWN IMPORTED)
  set_target_properties(Libtelnet::Libtelnet PROPERTIES
    IMPORTED_LOCATION "${Libtelnet_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${Libtelnet_INCLUDE_DIR}")
  if(Libtelnet_LIBRARY MATCHES "\\.a$")  # which leaves its own to whoever links it
    find_package(ZLIB REQUIRED)
    set_target_properties(Libtelnet::Libtelnet PROPERTIES INTERFACE_LINK_LIBRARIES ZLIB::ZLIB)
  endif()
endif()
