# SPDX-License-Identifier: Apache-2.0
# qconn_add_module(<name> <source>...): a module that adds schemes at run time, NAME.so; the target has the same name.
# It is linked with the shared library. With a static one it takes the headers alone and finds the library in the program that loads it.
function(qconn_add_module name)
  add_library(${name} MODULE ${ARGN})
  set_target_properties(${name} PROPERTIES PREFIX "" SUFFIX ".so" CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(${name} PRIVATE cxx_std_20)
  get_target_property(type qconn::qconn TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    target_include_directories(${name} PRIVATE $<TARGET_PROPERTY:qconn::qconn,INTERFACE_INCLUDE_DIRECTORIES>)
    target_compile_definitions(${name} PRIVATE $<TARGET_PROPERTY:qconn::qconn,INTERFACE_COMPILE_DEFINITIONS>)
  else()
    target_link_libraries(${name} PRIVATE qconn::qconn)
  endif()
endfunction()
