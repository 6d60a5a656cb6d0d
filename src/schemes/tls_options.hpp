// SPDX-License-Identifier: Apache-2.0
/// The options of every scheme that can use TLS.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/core/option.hpp>
#include <qconn/net/tls.hpp>

#include "schemes/convert.hpp"

namespace qconn::schemes {

inline constexpr std::array<std::pair<std::string_view, TlsVersion>, 4> k_tls_versions{
    {{"TLSv1.0", TlsVersion::tls1_0}, {"TLSv1.1", TlsVersion::tls1_1}, {"TLSv1.2", TlsVersion::tls1_2}, {"TLSv1.3", TlsVersion::tls1_3}}};

inline constexpr std::array<std::pair<std::string_view, TlsWaiver>, 3> k_tls_waivers{
    {{"expired", TlsWaiver::expired}, {"wrong_host", TlsWaiver::wrong_host}, {"untrusted", TlsWaiver::untrusted}}};

inline constexpr std::array<std::pair<std::string_view, CrlCheck>, 3> k_crl_checks{
    {{"off", CrlCheck::off}, {"soft", CrlCheck::soft}, {"hard", CrlCheck::hard}}};

inline TlsVersion tls_version(const Value& value) {
    for (const auto& [name, version] : k_tls_versions) {
        if (value.is_string() && value.as_string() == name) return version;
    }
    return TlsVersion::unset;
}

inline TlsWaiver tls_waivers(const Value& list) {
    TlsWaiver all = TlsWaiver::none;
    for (const auto& one : list.as_list()) {
        for (const auto& [name, waiver] : k_tls_waivers) {
            if (one.is_string() && one.as_string() == name) all = all | waiver;
        }
    }
    return all;
}

inline std::string waivers_problem(const Value& list) {
    for (const auto& one : list.as_list()) {
        bool known = false;
        for (const auto& [name, waiver] : k_tls_waivers) known = known || (one.is_string() && one.as_string() == name);
        if (!known) return "each element must be one of expired, wrong_host, untrusted";
    }
    return {};
}

inline std::string pin_problem(const Value& value) {
    std::size_t digits = 0;
    for (const char c : value.as_string()) {
        if (c == ':') continue;
        if ((c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F')) return "it must be hexadecimal, with or without colons";
        ++digits;
    }
    return digits == 64 ? std::string{} : "it must have 64 hexadecimal digits";
}

/// Adds the ssl_ options. `Options` has a member `tls` of type TlsOptions.
template <class Options>
void add_tls_options(OptionTable<Options>& table) {
    const auto text = [&table](std::string name, std::string TlsOptions::*member, std::string help) -> OptionSpec& {
        return table.add(std::move(name), OptionType::string, std::move(help),
                         [member](Options& o, const Value& v) { o.tls.*member = v.as_string(); });
    };
    const auto file = [&text](std::string name, std::string TlsOptions::*member, std::string help, const char* example) -> OptionSpec& {
        OptionSpec& spec = text(std::move(name), member, std::move(help));
        spec.environment = true;
        spec.file = true;
        spec.example = example;
        return spec;
    };
    const auto flag = [&table](std::string name, bool TlsOptions::*member, bool fallback, std::string help) -> OptionSpec& {
        OptionSpec& spec =
            table.add(std::move(name), OptionType::boolean, std::move(help), [member](Options& o, const Value& v) { o.tls.*member = v.as_bool(); });
        spec.fallback = fallback;
        spec.example = !fallback;
        return spec;
    };
    const auto version = [&table](std::string name, TlsVersion TlsOptions::*member, std::string help, std::string otherwise) {
        OptionSpec& spec =
            table.add(std::move(name), OptionType::string, std::move(help), [member](Options& o, const Value& v) { o.tls.*member = tls_version(v); });
        spec.fallback_text = std::move(otherwise);
        spec.example = "TLSv1.2";
        for (const auto& [word, value] : k_tls_versions) spec.allowed.push_back({Value{word}, {}});
    };

    flag("ssl_verify_cert", &TlsOptions::verify, true,
         "Verify the server's certificate and its name. Switched off, anybody on the way can read and change what is sent");
    {
        OptionSpec& spec = table.add("ssl_waive", OptionType::list, "Single checks of the certificate that are left out while the others stand",
                                     [](Options& o, const Value& v) { o.tls.waive = tls_waivers(v); });
        spec.example = List{"expired"};
        spec.fallback_text = "none";
        spec.check = waivers_problem;
    }
    file("ssl_ca_file", &TlsOptions::ca_file, "Certificate authorities to trust, a PEM file; added to the system's", "/etc/ssl/partner-ca.pem")
        .content = "ssl_ca_data";
    file("ssl_ca_directory", &TlsOptions::ca_directory, "Likewise a directory with names as made by openssl rehash", "/etc/ssl/partner");
    {
        OptionSpec& spec =
            table.add("ssl_ca_data", OptionType::data, "Likewise PEM text", [](Options& o, const Value& v) { o.tls.ca_pem = v.as_bytes(); });
        spec.example = "-----BEGIN CERTIFICATE-----\n...";
    }
    flag("ssl_ca_only", &TlsOptions::ca_only, false, "Trust the authorities named here only, not the system's");
    {
        OptionSpec& spec =
            table.add("ssl_crl_check", OptionType::string,
                      "Look the server's certificate and those above it up in the lists of revoked ones that they name (CRL). soft: where a "
                      "list cannot be had it passes; hard: it does not. Each handshake is then a whole one",
                      [](Options& o, const Value& v) {
                          for (const auto& [word, check] : k_crl_checks) {
                              if (v.as_string() == word) o.tls.crl_check = check;
                          }
                      });
        spec.fallback = "off";
        spec.example = "soft";
        for (const auto& [word, check] : k_crl_checks) spec.allowed.push_back({Value{word}, {}});
    }
    file("ssl_crl_file", &TlsOptions::crl_file, "Lists that need not be fetched, PEM or DER; for ssl_crl_check", "/etc/ssl/partner.crl");
    {
        OptionSpec& spec =
            table.add("ssl_crl_timeout", OptionType::integer,
                      "For the fetching of the lists of a handshake; what could not be had is asked for again a minute later. 0: nothing is "
                      "fetched",
                      [](Options& o, const Value& v) { o.tls.crl_timeout = std::chrono::milliseconds{v.as_int64()}; });
        spec.unit = Unit::milliseconds;
        spec.minimum = 0;
        spec.fallback = std::int64_t{5'000};
        spec.example = std::int64_t{2'000};
    }
    file("ssl_cert_path", &TlsOptions::certificate_file, "Client certificate with its chain: a PEM or PKCS#12 file", "/etc/qconn/client.pem")
        .content = "ssl_cert_data";
    {
        OptionSpec& spec =
            table.add("ssl_cert_data", OptionType::data, "Client certificate with its chain as PEM text, PKCS#12 or DER; wins over ssl_cert_path",
                      [](Options& o, const Value& v) { o.tls.certificate_data = v.as_bytes(); });
        spec.sensitive = true;  // may hold the key
        spec.example = "${file:/run/secrets/client.pem}";
    }
    text("ssl_cert_subject", &TlsOptions::certificate_subject,
         "Which of several certificates in ssl_cert_path or ssl_cert_data: its subject (as in `openssl x509 -noout -subject -nameopt RFC2253`) or a "
         "part "
         "of it")
        .example = "CN=edi.example.com";
    file("ssl_key_path", &TlsOptions::key_file, "Private key of the client certificate, a PEM file; not needed where the certificate's file holds it",
         "/etc/qconn/client.key")
        .content = "ssl_key_data";
    {
        OptionSpec& spec = table.add("ssl_key_data", OptionType::data, "Private key of the client certificate as PEM text; wins over ssl_key_path",
                                     [](Options& o, const Value& v) { o.tls.key_data = Secret{v.as_bytes()}; });
        spec.sensitive = true;
        spec.example = "${file:/run/secrets/client.key}";
    }
    {
        OptionSpec& spec = table.add("ssl_key_password", OptionType::string, "Pass-phrase of the private key or of the PKCS#12 file",
                                     [](Options& o, const Value& v) { o.tls.key_password = Secret{v.as_string()}; });
        spec.sensitive = true;
        spec.example = "${env:CLIENT_KEY_PASSWORD}";
    }
    {
        OptionSpec& spec =
            text("ssl_pinned_sha256", &TlsOptions::pinned_sha256,
                 "SHA-256 of the server's certificate (DER form) in hexadecimal: that certificate and no other, in addition to the other checks");
        spec.example = "b5bb9d8014a0f9b1d61e21e796d78dccdf1352f23cd32812f4850b878ae4944c";
        spec.check = pin_problem;
    }
    version("ssl_min_version", &TlsOptions::minimum, "Oldest protocol version", "TLSv1.2");
    version("ssl_max_version", &TlsOptions::maximum, "Newest protocol version", "TLSv1.3");
    text("ssl_ciphers", &TlsOptions::ciphers, "Ciphers for TLS 1.2 and below, an OpenSSL cipher list").example = "ECDHE+AESGCM";
    text("ssl_cipher_suites", &TlsOptions::cipher_suites, "Cipher suites of TLS 1.3, parted by colons").example = "TLS_AES_256_GCM_SHA384";
    text("ssl_groups", &TlsOptions::groups, "Key exchange groups, parted by colons").example = "X25519:P-256";
    text("ssl_signature_algorithms", &TlsOptions::signature_algorithms, "Signature algorithms, parted by colons").example =
        "ECDSA+SHA256:RSA-PSS+SHA256";
    {
        OptionSpec& spec = table.add("ssl_server_name", OptionType::string,
                                     "The name that is sent to the server and looked for in its certificate; empty: none is sent",
                                     [](Options& o, const Value& v) { o.tls.server_name = std::string{v.as_string()}; });
        spec.fallback_text = "the host of the URL";
        spec.example = "api.example.com";
    }
    flag("ssl_reuse_sessions", &TlsOptions::reuse_sessions, true, "Offer earlier sessions to the server for a shorter handshake");
    file("ssl_key_log_file", &TlsOptions::key_log_file, "Append the session keys to this file, for Wireshark: whoever has it can read the traffic",
         "/tmp/keys.log");
}

/// What the table cannot say.
inline void check_tls_options(const Definition& definition, Findings& findings) {
    const auto value = [&](std::string_view name) {
        const Value* v = definition.options.find(name);
        return v != nullptr ? tls_version(*v) : TlsVersion::unset;
    };
    const TlsVersion minimum = value("ssl_min_version");
    const TlsVersion maximum = value("ssl_max_version");
    if (minimum != TlsVersion::unset && maximum != TlsVersion::unset && minimum > maximum) {
        findings.error("ssl_min_version", "conflicting-options", "'ssl_min_version' is newer than 'ssl_max_version': no version is left");
    }
    const bool certificate = is_set(definition, "ssl_cert_path") || is_set(definition, "ssl_cert_data");
    for (const char* key : {"ssl_key_path", "ssl_key_data"}) {
        if (is_set(definition, key) && !certificate) {
            findings.error(key, "missing-option", std::string{"'"} + key + "' needs a certificate", "add 'ssl_cert_path' or 'ssl_cert_data'");
        }
    }
    const Value* crls = definition.options.find("ssl_crl_check");
    if ((crls == nullptr || (crls->is_string() && crls->as_string() == "off")) && is_set(definition, "ssl_crl_file")) {
        findings.error("ssl_crl_file", "missing-option", "'ssl_crl_file' counts with 'ssl_crl_check' only", "add 'ssl_crl_check: soft' or 'hard'");
    }
    if (is_set(definition, "ssl_cert_subject") && !certificate) {
        findings.error("ssl_cert_subject", "missing-option", "'ssl_cert_subject' chooses from a file of certificates, and there is none",
                       "add 'ssl_cert_path' or 'ssl_cert_data'");
    }
    const bool own_authority = is_set(definition, "ssl_ca_file") || is_set(definition, "ssl_ca_directory") || is_set(definition, "ssl_ca_data");
    if (const Value* only = definition.options.find("ssl_ca_only"); only != nullptr && only->is_bool() && only->as_bool() && !own_authority) {
        findings.error("ssl_ca_only", "missing-option", "with 'ssl_ca_only' an authority must be named",
                       "add 'ssl_ca_file', 'ssl_ca_directory' or 'ssl_ca_data'");
    }
}

}  // namespace qconn::schemes
