# SPDX-License-Identifier: Apache-2.0
# What qconn builds on; docs/design/0002-dependencies.md has the reason for each.
find_package(Threads REQUIRED)
find_package(Boost 1.81 REQUIRED)  # Asio: header-only, private
find_package(OpenSSL 3.0 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(LIBYAML REQUIRED IMPORTED_TARGET yaml-0.1)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(pugixml REQUIRED)
if(QCONN_WITH_HTTP)
  find_package(CURL 7.88 REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(BZip2 REQUIRED)
  pkg_check_modules(BROTLI REQUIRED IMPORTED_TARGET libbrotlidec libbrotlienc)
  pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd)
endif()
if(QCONN_BUILD_CLI)
  find_package(CLI11 REQUIRED)
endif()
