// SPDX-License-Identifier: Apache-2.0
#include <qconn/net/trust.hpp>

#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string_view>
#include <system_error>

#include "net/openssl_ptr.hpp"
#include "net/tls_certificate.hpp"

namespace qconn {

namespace {

std::string place_of(const char* variable, const char* built_in) {
    const char* set = ::secure_getenv(variable);
    return set != nullptr ? set : built_in;
}

/// "5ed36f99.0", as `openssl rehash` names them.
bool is_hash_name(std::string_view name) {
    const auto hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return name.size() >= 10 && name[8] == '.' && std::all_of(name.begin(), name.begin() + 8, hex) &&
           std::all_of(name.begin() + 9, name.end(), digit);
}

class Reader {
public:
    void file(const std::string& path) {
        SystemTrust::Place place{path, false, 0, {}};
        std::error_code ec;
        if (std::filesystem::exists(path, ec)) read(path, place);
        found.places.push_back(std::move(place));
    }

    void directory(const std::string& path) {
        SystemTrust::Place place{path, true, 0, {}};
        std::error_code ec;
        std::filesystem::directory_iterator entries{path, ec};
        for (; !ec && entries != std::filesystem::directory_iterator{}; entries.increment(ec)) {
            if (is_hash_name(entries->path().filename().native())) read(entries->path().native(), place);
        }
        if (ec && ec != std::errc::no_such_file_or_directory) place.problem = ec.message();
        found.places.push_back(std::move(place));
    }

    SystemTrust found;

private:
    void read(const std::string& path, SystemTrust::Place& place) {
        const net::BioPtr in{BIO_new_file(path.c_str(), "r")};
        if (!in) {
            place.problem = path + ": " + std::generic_category().message(errno);
            ERR_clear_error();
            return;
        }
        while (const net::X509Ptr certificate{PEM_read_bio_X509_AUX(in.get(), nullptr, nullptr, nullptr)}) {
            ++place.certificates;
            TlsCertificate one = net::describe(certificate.get());
            if (!seen_.insert(one.sha256).second) continue;
            ++found.certificates;
            if (one.not_after < std::chrono::system_clock::now()) found.expired.push_back(std::move(one));
        }
        const unsigned long last = ERR_peek_last_error();
        if (ERR_GET_REASON(last) != PEM_R_NO_START_LINE) place.problem = path + ": " + net::openssl_words(last);
        ERR_clear_error();
    }

    std::set<std::string> seen_;
};

}  // namespace

SystemTrust system_trust() {
    Reader reader;
    reader.file(place_of(X509_get_default_cert_file_env(), X509_get_default_cert_file()));
    const std::string directories = place_of(X509_get_default_cert_dir_env(), X509_get_default_cert_dir());
    for (std::size_t at = 0; at <= directories.size();) {
        const std::size_t end = std::min(directories.find(':', at), directories.size());
        if (end > at) reader.directory(directories.substr(at, end - at));
        at = end + 1;
    }
    return std::move(reader.found);
}

}  // namespace qconn
