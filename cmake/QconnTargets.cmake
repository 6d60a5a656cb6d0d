# SPDX-License-Identifier: Apache-2.0
# qconn_layer(): an OBJECT library a layer or family; qconn_link_layers(): all of them as the one library that is delivered.

add_library(qconn_build INTERFACE)  # how our own code is compiled; never exported
target_compile_features(qconn_build INTERFACE cxx_std_20)
target_compile_options(qconn_build INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Wunused -Woverloaded-virtual
  -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wformat=2 -Wimplicit-fallthrough)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13 AND CMAKE_BUILD_TYPE MATCHES "Rel")
  target_compile_options(qconn_build INTERFACE -Wno-restrict)  # false reports where std::string is optimised (GCC PR 105651)
endif()
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(qconn_build INTERFACE -Wno-subobject-linkage)  # a file of several is taken for a header
endif()
if(QCONN_WERROR)
  target_compile_options(qconn_build INTERFACE -Werror)
endif()
set(qconn_left_out "")  # what is told to our own files, and to those of users
foreach(family HTTP WEBSOCKET SSH TELNET)
  if(NOT QCONN_WITH_${family})
    list(APPEND qconn_left_out QCONN_WITHOUT_${family})
  endif()
endforeach()
target_compile_definitions(qconn_build INTERFACE ${qconn_left_out}
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_NO_TS_EXECUTORS BOOST_ERROR_CODE_HEADER_ONLY)
if(QCONN_SANITIZE)
  add_compile_options(-fsanitize=${QCONN_SANITIZE} -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${QCONN_SANITIZE})
  if(QCONN_SANITIZE MATCHES "undefined" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # A trap (ASAN_OPTIONS=handle_sigill=1 shows where) instead of words: the words of every check were two thirds of each program, a quarter of its
    # compile time and most of its start. A build with Clang has the words, and those of vptr, which cannot trap.
    # The checks of pointers before each access are a quarter of the compile time, and AddressSanitizer sees the access itself.
    add_compile_options(-fsanitize-undefined-trap-on-error -fno-sanitize=vptr,null,alignment,object-size)
  elseif(QCONN_SANITIZE MATCHES "undefined")
    add_compile_options(-fno-sanitize-recover=undefined)
  endif()
  if(QCONN_SANITIZE MATCHES "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan)  # Asio's fences
  endif()
endif()

set_property(GLOBAL PROPERTY QCONN_LAYERS "")
set_property(GLOBAL PROPERTY QCONN_LINKS "")

# qconn_objects(<name> SOURCES <file>... [LINK <target>...]): what is compiled as our own code is, as the OBJECT library qconn_<name>
function(qconn_objects name)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  add_library(qconn_${name} OBJECT ${arg_SOURCES})
  target_include_directories(qconn_${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(qconn_${name} PRIVATE qconn_build Threads::Threads ${arg_LINK})
  if(QCONN_SANITIZE MATCHES "address" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_BUILD_TYPE STREQUAL "Debug" AND
      name MATCHES "^(base|core|monitor)$")
    target_compile_options(qconn_${name} PRIVATE -Og)  # what these compute is what tests take longest for; to compile it takes as long as with -O0
  endif()
  set_target_properties(qconn_${name} PROPERTIES
    POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
endfunction()

# qconn_layer(<name> SOURCES <file>... [LINK <target>...])
# LINK names third-party targets; they are private to the library and are linked into it once more where it is put together.
function(qconn_layer name)
  cmake_parse_arguments(arg "" "" "LINK" ${ARGN})
  qconn_objects(${name} ${ARGN})
  set_property(GLOBAL APPEND PROPERTY QCONN_LAYERS qconn_${name})
  set_property(GLOBAL APPEND PROPERTY QCONN_LINKS ${arg_LINK})
endfunction()

# The library, and for the tests the same objects as a static library whose internals can be reached.
function(qconn_link_layers)
  get_property(layers GLOBAL PROPERTY QCONN_LAYERS)
  get_property(links GLOBAL PROPERTY QCONN_LINKS)
  list(REMOVE_DUPLICATES links)
  add_library(qconn)
  add_library(qconn::qconn ALIAS qconn)
  add_library(qconn_internal STATIC EXCLUDE_FROM_ALL)
  foreach(layer IN LISTS layers)
    target_sources(qconn PRIVATE $<TARGET_OBJECTS:${layer}>)
    target_sources(qconn_internal PRIVATE $<TARGET_OBJECTS:${layer}>)
  endforeach()
  foreach(target qconn qconn_internal)
    set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX)
    target_compile_features(${target} PUBLIC cxx_std_20)
  endforeach()
  target_include_directories(qconn PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set(linked ${links})
  list(REMOVE_ITEM linked Boost::headers)  # headers only: whoever links the library needs none of them
  target_link_libraries(qconn PRIVATE Threads::Threads ${linked})
  if(BUILD_SHARED_LIBS)
    target_link_options(qconn PRIVATE -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/qconn.map)
    set_target_properties(qconn PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/qconn.map)
  endif()
  target_compile_definitions(qconn PUBLIC ${qconn_left_out})
  target_include_directories(qconn_internal INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(qconn_internal PUBLIC qconn_build Threads::Threads ${links})
  set_target_properties(qconn PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endfunction()
