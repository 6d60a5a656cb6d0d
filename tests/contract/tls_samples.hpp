// SPDX-License-Identifier: Apache-2.0
/// The options of TLS with the files of tls_dir(), for the `samples` of a contract.
#pragma once

#include <map>
#include <sstream>
#include <string>

#include "contract/connection_contract.hpp"
#include "support/server.hpp"

namespace qconn::test {

/// An option that has the text of a file of tls_dir().
inline std::string option_with_file(const std::string& name, const std::string& file) {
    std::istringstream text{read_file(tls_file(file))};
    std::string lines = name + ": |";
    for (std::string line; std::getline(text, line);) lines += "\n  " + line;
    return lines;
}

/// Each goes along with the other options of `up`.
inline std::map<std::string, Sample> tls_samples() {
    const std::string authority = "ssl_ca_file: " + tls_file("ca.crt");
    const std::string certificate = "ssl_cert_path: " + tls_file("client.crt");
    const std::string key = "ssl_key_path: " + tls_file("client.key");
    return {{"ssl_ca_file", {"", authority}},
            {"ssl_ca_directory", {"", "ssl_ca_directory: " + tls_dir() + "/hashed"}},
            {"ssl_ca_data", {"", option_with_file("ssl_ca_data", "ca.crt")}},
            {"ssl_ca_only", {"", authority + "\nssl_ca_only: true"}},
            {"ssl_crl_check", {"", authority + "\nssl_crl_check: soft"}},
            {"ssl_crl_file", {"", authority + "\nssl_crl_check: hard\nssl_crl_file: " + tls_file("ca.crl")}},
            {"ssl_cert_subject", {"", certificate + "\n" + key + "\nssl_cert_subject: CN=qconntest"}},
            {"ssl_cert_path", {"", certificate + "\n" + key}},
            {"ssl_cert_data", {"", option_with_file("ssl_cert_data", "client.crt") + "\n" + key}},
            {"ssl_key_path", {"", certificate + "\n" + key}},
            {"ssl_key_data", {"", certificate + "\n" + option_with_file("ssl_key_data", "client.key")}},
            {"ssl_key_password", {"", certificate + "\n" + key + "\nssl_key_password: x"}}};
}

}  // namespace qconn::test
