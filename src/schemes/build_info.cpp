// SPDX-License-Identifier: Apache-2.0
// Declared in core, defined here: the layer that knows which families there are.
#include <qconn/core/build_info.hpp>

#include <openssl/crypto.h>
#include <openssl/opensslv.h>
#include <yaml.h>

#include <array>
#include <boost/version.hpp>
#include <pugixml.hpp>
#include <string>
#include <string_view>

#ifndef QCONN_WITHOUT_SSH
#include <libssh/libssh.h>
#endif

#ifndef QCONN_WITHOUT_HTTP
#include <brotli/decode.h>
#include <bzlib.h>
#include <curl/curl.h>
#include <zlib.h>
#include <zstd.h>
#endif

extern "C" QCONN_API const char* qconn_library_version() noexcept;

namespace qconn {
namespace {

std::string dotted(unsigned long major, unsigned long minor, unsigned long patch) {
    return std::to_string(major) + '.' + std::to_string(minor) + '.' + std::to_string(patch);
}

LibraryInfo headers_only(std::string name, std::string version) { return {std::move(name), version, version, {}, {}}; }

std::string compiler() {
#ifdef __clang__
    return "clang++ " __clang_version__;
#else
    return "g++ " __VERSION__;
#endif
}

#ifndef QCONN_WITHOUT_HTTP

struct CurlFeature {
    int bit;
    const char* name;
    bool used;
};
constexpr std::array<CurlFeature, 9> k_curl_features{{{CURL_VERSION_SSL, "SSL", true},
                                                      {CURL_VERSION_HTTP2, "HTTP2", true},
                                                      {CURL_VERSION_IPV6, "IPv6", true},
                                                      {CURL_VERSION_UNIX_SOCKETS, "UnixSockets", true},
                                                      {CURL_VERSION_HTTPS_PROXY, "HTTPS-proxy", true},
                                                      {CURL_VERSION_ASYNCHDNS, "AsynchDNS", false},
                                                      {CURL_VERSION_LIBZ, "zlib", false},
                                                      {CURL_VERSION_BROTLI, "brotli", false},
                                                      {CURL_VERSION_ZSTD, "zstd", false}}};

void add_http(std::vector<LibraryInfo>& libraries) {
    const curl_version_info_data* curl = curl_version_info(CURLVERSION_NOW);
    LibraryInfo one{"libcurl", curl->version, LIBCURL_VERSION, {}, {}};
    for (const CurlFeature& feature : k_curl_features) {
        const bool has = (curl->features & feature.bit) != 0;
        if (has)
            one.features.emplace_back(feature.name);
        else if (feature.used)
            one.lacks.emplace_back(feature.name);
    }
    // libcurl may bring a TLS library of its own; qconn hands it contexts of OpenSSL, which another one could not use.
    const std::string_view tls = curl->ssl_version != nullptr ? curl->ssl_version : "";
    if (tls.find("OpenSSL") == std::string_view::npos) one.lacks.emplace_back("OpenSSL");
    libraries.push_back(std::move(one));
    if (curl->nghttp2_version != nullptr) libraries.push_back({"nghttp2", curl->nghttp2_version, {}, {}, {}});
    libraries.push_back({"zlib", zlibVersion(), ZLIB_VERSION, {}, {}});
    const auto brotli = BrotliDecoderVersion();
    libraries.push_back({"brotli", dotted(brotli >> 24U, brotli >> 12U & 0xFFFU, brotli & 0xFFFU), {}, {}, {}});
    libraries.push_back({"zstd", ZSTD_versionString(), ZSTD_VERSION_STRING, {}, {}});
    const std::string bzip2 = BZ2_bzlibVersion();
    libraries.push_back({"bzip2", bzip2.substr(0, bzip2.find(',')), {}, {}, {}});
}

#endif

}  // namespace

BuildInfo build_info() {
    BuildInfo info{qconn_library_version(), compiler(), {}};
    info.libraries.push_back({"OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING), OPENSSL_VERSION_STR, {}, {}});
    info.libraries.push_back({"libyaml", yaml_get_version_string(), {}, {}, {}});
    info.libraries.push_back(headers_only("pugixml", dotted(PUGIXML_VERSION / 1000, PUGIXML_VERSION / 10 % 100, PUGIXML_VERSION % 10)));
    info.libraries.push_back(headers_only("Boost", dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100)));
#ifndef QCONN_WITHOUT_HTTP
    add_http(info.libraries);
#endif
#ifndef QCONN_WITHOUT_SSH
    const std::string_view ssh = ssh_version(0);  // "0.10.6/openssl/zlib"
    info.libraries.push_back(
        {"libssh", std::string{ssh.substr(0, ssh.find('/'))}, dotted(LIBSSH_VERSION_MAJOR, LIBSSH_VERSION_MINOR, LIBSSH_VERSION_MICRO), {}, {}});
#endif
    return info;
}

}  // namespace qconn
