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

# qconn_loads_modules(<program>): links it with qconn so that modules find the whole library, also a static one: the program exports it then.
function(qconn_loads_modules program)
  get_target_property(type qconn::qconn TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    target_link_libraries(${program} PRIVATE $<LINK_LIBRARY:WHOLE_ARCHIVE,qconn::qconn>)
    set_target_properties(${program} PROPERTIES ENABLE_EXPORTS ON)
  else()
    target_link_libraries(${program} PRIVATE qconn::qconn)
  endif()
endfunction()
