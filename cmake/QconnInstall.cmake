# SPDX-License-Identifier: Apache-2.0
# Installed: headers, the library, the tool, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

set(qconn_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/qconn)
install(TARGETS qconn EXPORT qconn-targets)
install(DIRECTORY include/qconn TYPE INCLUDE FILES_MATCHING PATTERN "*.hpp")
install(EXPORT qconn-targets NAMESPACE qconn:: DESTINATION ${qconn_package_dir})
configure_package_config_file(cmake/qconn-config.cmake.in qconn-config.cmake INSTALL_DESTINATION ${qconn_package_dir})
write_basic_package_version_file(qconn-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/qconn-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/qconn-config-version.cmake
  cmake/QconnModule.cmake DESTINATION ${qconn_package_dir})

# What a consumer of the static library links as well; a shared one carries it. Not "Requires.private", as `pkg-config --static` would go on to what those
# libraries need for a static link, which Debian does not install with them.
set(qconn_requires "")
set(qconn_libs "")
set(qconn_cflags "")
if(NOT BUILD_SHARED_LIBS)
  set(qconn_requires "openssl >= 3.0 yaml-0.1 pugixml")
  set(qconn_libs " -pthread")
  if(QCONN_WITH_HTTP)
    string(APPEND qconn_requires " libcurl >= 7.88 zlib libbrotlidec libbrotlienc libzstd")
    string(APPEND qconn_libs " -lbz2")
  endif()
endif()
if(NOT QCONN_WITH_HTTP)
  set(qconn_cflags " -DQCONN_WITHOUT_HTTP")
endif()
# Relative, so that `cmake --install --prefix` and moved trees work.
file(RELATIVE_PATH qconn_pc_to_prefix ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(cmake/qconn.pc.in qconn.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/qconn.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
if(TARGET qconn_cli)
  install(TARGETS qconn_cli)
  if(TARGET qconn_cli_pages)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/share/qconn.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/share/qconn.bash RENAME qconn DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/share/qconn.zsh RENAME _qconn DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/zsh/site-functions)
    install(FILES ${CMAKE_CURRENT_BINARY_DIR}/share/qconn.fish DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d)
  endif()
endif()
