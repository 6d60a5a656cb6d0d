// SPDX-License-Identifier: Apache-2.0
#include "net/tls_context.hpp"

#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "base/text.hpp"
#include "net/address.hpp"
#include "net/certificate_bundle.hpp"
#include "net/openssl_ptr.hpp"
#include "net/tls_core.hpp"
#include "net/tls_crls.hpp"
#include "net/unique_fd.hpp"

namespace qconn::net {

namespace {

constexpr std::size_t k_max_file = std::size_t{16} * 1024 * 1024;

/// The members of TlsOptions by the names that they have in definitions.
constexpr std::array<std::pair<std::string_view, std::string_view>, 20> k_option_names{{{"ca_directory", "ssl_ca_directory"},
                                                                                        {"ca_file", "ssl_ca_file"},
                                                                                        {"ca_only", "ssl_ca_only"},
                                                                                        {"ca_pem", "ssl_ca_data"},
                                                                                        {"certificate_data", "ssl_cert_data"},
                                                                                        {"certificate_file", "ssl_cert_path"},
                                                                                        {"certificate_subject", "ssl_cert_subject"},
                                                                                        {"cipher_suites", "ssl_cipher_suites"},
                                                                                        {"ciphers", "ssl_ciphers"},
                                                                                        {"crl_file", "ssl_crl_file"},
                                                                                        {"groups", "ssl_groups"},
                                                                                        {"key_data", "ssl_key_data"},
                                                                                        {"key_file", "ssl_key_path"},
                                                                                        {"key_log_file", "ssl_key_log_file"},
                                                                                        {"key_password", "ssl_key_password"},
                                                                                        {"maximum", "ssl_max_version"},
                                                                                        {"minimum", "ssl_min_version"},
                                                                                        {"pinned_sha256", "ssl_pinned_sha256"},
                                                                                        {"server_name", "ssl_server_name"},
                                                                                        {"signature_algorithms", "ssl_signature_algorithms"}}};

[[noreturn]] void refuse(std::string_view label, std::string_view field, std::string_view words) {
    std::string message = "TLS option ";
    for (const auto& [member, option] : k_option_names)
        if (member == field) message.append(1, '`').append(option).append("` ");
    message.append("(TlsOptions::").append(field).append("): ").append(words);
    throw Error{make_error_code(NetErrc::tls_option), error_name(NetErrc::tls_option), std::move(message)}.with_connection(label).with_reason(
        Reason::bad_value);
}

std::string read_file(std::string_view label, std::string_view field, const std::string& path, std::size_t most = k_max_file) {
    const auto unreadable = [&](const std::string& why) {
        refuse(label, field, "the file \"" + path + "\" cannot be read (" + why + "); check path and permissions");
    };
    // O_NONBLOCK: opening a pipe must not wait for its other end.
    const UniqueFd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    struct stat seen {};
    if (!fd || ::fstat(fd.get(), &seen) != 0) unreadable(std::generic_category().message(errno));
    if (S_ISDIR(seen.st_mode)) unreadable(std::generic_category().message(EISDIR));
    if (!S_ISREG(seen.st_mode)) unreadable("it is no regular file");
    std::string text;
    std::array<char, 16 * 1024> block;
    ::ssize_t got = 0;
    do {
        // Looked at while reading as well: the file may grow.
        if (std::max(text.size(), static_cast<std::size_t>(seen.st_size)) > most) {
            wipe(text);
            refuse(label, field, "the file \"" + path + "\" is larger than " + std::to_string(most >> 20U) + " MiB, which none is");
        }
        got = ::read(fd.get(), block.data(), block.size());
        if (got < 0 && errno != EINTR) unreadable(std::generic_category().message(errno));
        if (got > 0) text.append(block.data(), static_cast<std::size_t>(got));
    } while (got != 0);
    ::OPENSSL_cleanse(block.data(), block.size());
    return text;
}

int give_password(char* buffer, int size, int, void* user) {
    const auto password = static_cast<const Secret*>(user)->reveal();
    const auto used = std::min(password.size(), static_cast<std::size_t>(size));
    std::memcpy(buffer, password.data(), used);
    return static_cast<int>(used);
}

class Loader {
public:
    Loader(TlsCore& core, std::string_view label) : core_{core}, o_{core.options}, label_{label} {}

    void load() {
        authorities();
        crls();
        client_certificate();
        pin();
        if (o_.minimum != TlsVersion::unset && o_.maximum != TlsVersion::unset && o_.minimum > o_.maximum)
            refuse(label_, "minimum", "it is above `ssl_max_version`; no version is left");
        key_log();
    }

private:
    void authorities() {
        core_.store.reset(X509_STORE_new());
        X509_STORE_set_flags(core_.store.get(), X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
        if (!o_.ca_only) {
            X509_STORE_set_default_paths(core_.store.get());
        } else if (o_.verify && o_.ca_file.empty() && o_.ca_directory.empty() && o_.ca_pem.empty()) {
            refuse(label_, "ca_only",
                   "it leaves out the system's authorities, but no others are named; set ssl_ca_file, ssl_ca_directory or ssl_ca_data");
        }
        ERR_clear_error();
        if (!o_.ca_file.empty()) add_authorities("ca_file", read_file(label_, "ca_file", o_.ca_file), "the file \"" + o_.ca_file + "\"");
        if (!o_.ca_pem.empty()) add_authorities("ca_pem", o_.ca_pem, "the text");
        if (!o_.ca_directory.empty()) {
            struct stat seen {};
            if (::stat(o_.ca_directory.c_str(), &seen) != 0 || !S_ISDIR(seen.st_mode))
                refuse(label_, "ca_directory", "\"" + o_.ca_directory + "\" is no directory that can be read; it takes one made by `openssl rehash`");
            if (X509_STORE_load_path(core_.store.get(), o_.ca_directory.c_str()) != 1) refuse(label_, "ca_directory", take_openssl_words());
        }
    }

    void add_authorities(std::string_view field, const std::string& pem, const std::string& what) {
        const auto in = memory_bio(pem);
        std::size_t count = 0;
        while (const X509Ptr certificate{PEM_read_bio_X509_AUX(in.get(), nullptr, nullptr, nullptr)}) {
            X509_STORE_add_cert(core_.store.get(), certificate.get());
            ++count;
        }
        const unsigned long last = ERR_peek_last_error();
        const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        if (!at_end) refuse(label_, field, what + " has a damaged certificate (number " + std::to_string(count + 1) + "): " + openssl_words(last));
        if (count == 0) refuse(label_, field, what + " holds no certificate in PEM form (\"-----BEGIN CERTIFICATE-----\")");
    }

    void crls() {
        if (o_.crl_check == CrlCheck::off) return;
        find_crls_in_cache(core_.store.get());
        if (o_.crl_file.empty()) return;
        const auto read = read_crls(read_file(label_, "crl_file", o_.crl_file, k_max_crl));
        if (!read.trouble.empty()) refuse(label_, "crl_file", "the file \"" + o_.crl_file + "\": " + read.trouble);
        for (const auto& list : read.lists) {
            if (is_delta(list.get()))
                refuse(label_, "crl_file", "the file \"" + o_.crl_file + "\" has a list that tells of changes only; it takes whole ones");
            X509_STORE_add_crl(core_.store.get(), list.get());
        }
        ERR_clear_error();
    }

    void client_certificate() {
        const bool by_data = !o_.certificate_data.empty();
        if (!by_data && o_.certificate_file.empty()) {
            if (!o_.key_file.empty() || !o_.key_data.empty())
                refuse(label_, o_.key_data.empty() ? "key_file" : "key_data",
                       "there is a key but no certificate; set ssl_cert_path or ssl_cert_data");
            return;
        }
        const std::string_view field = by_data ? "certificate_data" : "certificate_file";
        std::string read;
        if (!by_data) read = read_file(label_, field, o_.certificate_file);
        const std::string& data = by_data ? o_.certificate_data : read;
        auto own = choose(data.find("-----BEGIN ") != data.npos ? pem_bundle(field, data) : pkcs12_bundle(field, data), o_.certificate_subject);
        wipe(read);
        if (!own.trouble.empty()) refuse(label_, o_.certificate_subject.empty() ? field : "certificate_subject", own.trouble);
        core_.certificate = std::move(own.certificate);
        core_.key = std::move(own.key);
        core_.chain = std::move(own.chain);
        if (X509_check_private_key(core_.certificate.get(), core_.key.get()) != 1) {
            ERR_clear_error();
            refuse(
                label_, field,
                "the private key does not belong to the certificate " + subject_of(core_.certificate.get()) + "; name the key that was made for it");
        }
    }

    CertificateBundle pem_bundle(std::string_view field, const std::string& data) {
        CertificateBundle bundle;
        const auto in = memory_bio(data);
        bundle.certificates.emplace_back(PEM_read_bio_X509_AUX(in.get(), nullptr, nullptr, nullptr));
        if (!bundle.certificates.front()) refuse(label_, field, "no certificate could be read there: " + take_openssl_words());
        while (X509* more = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) bundle.certificates.emplace_back(more);
        ERR_clear_error();
        if (!o_.key_data.empty())
            bundle.keys = private_keys("key_data", o_.key_data.reveal());
        else if (!o_.key_file.empty()) {
            auto text = read_file(label_, "key_file", o_.key_file);
            bundle.keys = private_keys("key_file", text);
            wipe(text);
        } else
            bundle.keys = private_keys(field, data);
        return bundle;
    }

    std::vector<KeyPtr> private_keys(std::string_view field, std::string_view pem) {
        std::vector<KeyPtr> keys;
        const auto in = memory_bio(pem);
        while (KeyPtr key{PEM_read_bio_PrivateKey(in.get(), nullptr, give_password, const_cast<Secret*>(&o_.key_password))})
            keys.push_back(std::move(key));
        const auto words = take_openssl_words();
        if (!keys.empty()) return keys;
        const bool has_key = pem.find("PRIVATE KEY-----") != pem.npos;
        const bool encrypted = pem.find("ENCRYPTED") != pem.npos;
        if (!has_key) refuse(label_, field, "no private key in PEM form is there; set ssl_key_path or ssl_key_data");
        if (!encrypted) refuse(label_, field, "the private key cannot be read: " + words);
        if (o_.key_password.empty()) refuse(label_, "key_password", "the private key is encrypted, and there is no pass-phrase for it");
        refuse(label_, "key_password", "the pass-phrase does not open the private key (" + words + ")");
    }

    CertificateBundle pkcs12_bundle(std::string_view field, const std::string& data) {
        const auto in = memory_bio(data);
        const Pkcs12Ptr container{d2i_PKCS12_bio(in.get(), nullptr)};
        if (!container) {
            ERR_clear_error();
            refuse(label_, field, "that is neither PEM text nor a PKCS#12 container");
        }
        X509* certificate = nullptr;
        EVP_PKEY* key = nullptr;
        STACK_OF(X509)* others = nullptr;
        std::string password{o_.key_password.reveal()};
        const int read = PKCS12_parse(container.get(), password.c_str(), &key, &certificate, &others);
        CertificateBundle bundle;
        if (certificate != nullptr) bundle.certificates.emplace_back(certificate);
        if (key != nullptr) bundle.keys.emplace_back(key);
        while (others != nullptr && sk_X509_num(others) > 0) bundle.certificates.emplace_back(sk_X509_shift(others));
        sk_X509_free(others);
        const unsigned long code = ERR_peek_error();
        const auto words = take_openssl_words();
        if (read == 1 && !o_.certificate_subject.empty()) bundle = everything_in(container.get(), password);
        wipe(password);
        if (read != 1) {
            if (ERR_GET_LIB(code) == ERR_LIB_PKCS12 && ERR_GET_REASON(code) == PKCS12_R_MAC_VERIFY_FAILURE)
                refuse(label_, "key_password", "the pass-phrase does not open the PKCS#12 container");
            refuse(label_, field,
                   "the PKCS#12 container cannot be opened (" + words +
                       "); one made with an outdated algorithm can be converted with `openssl pkcs12 -legacy`");
        }
        if (certificate == nullptr || key == nullptr) refuse(label_, field, "the PKCS#12 container has no certificate with its private key");
        return bundle;
    }

    void pin() {
        if (o_.pinned_sha256.empty()) return;
        int high = -1;
        for (const char c : o_.pinned_sha256) {
            if (c == ':' && high < 0) continue;
            const int digit = text::hex_digit(c);
            if (digit < 0) refuse(label_, "pinned_sha256", "it holds a character that is no hexadecimal digit");
            if (high < 0)
                high = digit;
            else {
                core_.pin += static_cast<char>(high * 16 + digit);
                high = -1;
            }
        }
        if (high >= 0 || core_.pin.size() != 32)
            refuse(label_, "pinned_sha256", "a SHA-256 digest has 64 hexadecimal digits; `openssl x509 -noout -fingerprint -sha256` prints it");
    }

    void key_log() {
        if (o_.key_log_file.empty()) return;
        core_.key_log.reset(::open(o_.key_log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
        if (!core_.key_log)
            refuse(label_, "key_log_file", "the file \"" + o_.key_log_file + "\" cannot be written: " + std::generic_category().message(errno));
    }

    TlsCore& core_;
    const TlsOptions& o_;
    std::string_view label_;
};

int openssl_version(TlsVersion version) noexcept {
    switch (version) {
        case TlsVersion::tls1_0: return TLS1_VERSION;
        case TlsVersion::tls1_1: return TLS1_1_VERSION;
        case TlsVersion::tls1_3: return TLS1_3_VERSION;
        default: return TLS1_2_VERSION;
    }
}

void append_key_log(const SSL* ssl, const char* line) {
    const auto* attached = attached_to(SSL_get_SSL_CTX(ssl));
    if (attached == nullptr || !attached->core->key_log) return;
    std::string text{line};
    text += '\n';
    // One write to a file opened for appending: lines of many threads do not mix.
    if (::write(attached->core->key_log.get(), text.data(), text.size()) < 0) errno = 0;
    wipe(text);
}

/// Everything but verification.
void configure(SSL_CTX* context, const TlsCore& core, std::string_view label, bool reuse_sessions) {
    const auto& o = core.options;
    const auto minimum =
        o.minimum == TlsVersion::unset ? std::min(TlsVersion::tls1_2, o.maximum == TlsVersion::unset ? TlsVersion::tls1_2 : o.maximum) : o.minimum;
    const auto maximum = o.maximum == TlsVersion::unset ? TlsVersion::tls1_3 : o.maximum;
    const auto check = [&](bool good, std::string_view field, const std::string& value) {
        if (!good) refuse(label, field, "OpenSSL does not take \"" + value + "\": " + take_openssl_words());
    };
    ERR_clear_error();
    check(SSL_CTX_set_min_proto_version(context, openssl_version(minimum)) == 1, "minimum", "that version");
    check(SSL_CTX_set_max_proto_version(context, openssl_version(maximum)) == 1, "maximum", "that version");
    if (!o.ciphers.empty()) check(SSL_CTX_set_cipher_list(context, o.ciphers.c_str()) == 1, "ciphers", o.ciphers);
    // TLS 1.0 and 1.1 need SHA-1, which OpenSSL 3 has at level 0 only.
    if (minimum < TlsVersion::tls1_2 && o.ciphers.find("@SECLEVEL") == o.ciphers.npos) SSL_CTX_set_security_level(context, 0);
    if (!o.cipher_suites.empty()) check(SSL_CTX_set_ciphersuites(context, o.cipher_suites.c_str()) == 1, "cipher_suites", o.cipher_suites);
    if (!o.groups.empty()) check(SSL_CTX_set1_groups_list(context, o.groups.c_str()) == 1, "groups", o.groups);
    if (!o.signature_algorithms.empty())
        check(SSL_CTX_set1_sigalgs_list(context, o.signature_algorithms.c_str()) == 1, "signature_algorithms", o.signature_algorithms);
    if (core.certificate) {
        bool good = SSL_CTX_use_certificate(context, core.certificate.get()) == 1 && SSL_CTX_use_PrivateKey(context, core.key.get()) == 1;
        SSL_CTX_clear_chain_certs(context);
        for (const auto& more : core.chain) good = good && SSL_CTX_add1_chain_cert(context, more.get()) == 1;
        check(good, o.certificate_data.empty() ? "certificate_file" : "certificate_data", subject_of(core.certificate.get()));
    }
    SSL_CTX_set1_cert_store(context, core.store.get());
    if (core.key_log) SSL_CTX_set_keylog_callback(context, append_key_log);
    if (!reuse_sessions) {
        SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    }
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    ERR_clear_error();
}

}  // namespace

void warn_about(const TlsOptions& options, const Log& log, std::string_view label) noexcept {
    const auto warn = [&](std::string_view event, std::string_view text) {
        log.write({.level = LogLevel::warning, .connection = label, .event = event, .text = text, .fields = {}});
    };
    if (!options.verify && options.pinned_sha256.empty())
        warn("tls-verify-off", "the server's certificate is not verified: whoever is on the way can read and change everything");
    else if (!options.verify)
        warn("tls-verify-off", "the server's certificate is only compared with the pinned one");
    if (options.waive != TlsWaiver::none) warn("tls-check-waived", "single checks of the server's certificate are waived");
    if (options.minimum != TlsVersion::unset && options.minimum < TlsVersion::tls1_2)
        warn("tls-old-version", "TLS below 1.2 is allowed; it can be broken");
    if (!options.key_log_file.empty()) warn("tls-key-log", "the session keys are written to a file: whoever reads it can read the traffic");
}

struct TlsContext::Core : TlsCore {
    using TlsCore::TlsCore;
};

TlsContext::TlsContext(std::shared_ptr<Core> core) : core_{std::move(core)} {}

TlsContext::~TlsContext() { SSL_CTX_free(native_); }

std::shared_ptr<const TlsContext> TlsContext::make(const TlsOptions& options, const Log& log, std::string_view label,
                                                   std::shared_ptr<CrlCache> crls) {
    const auto core = std::make_shared<Core>(options, crls ? std::move(crls) : std::make_shared<CrlCache>());
    Loader{*core, label}.load();
    warn_about(options, log, label);
    const std::shared_ptr<TlsContext> made{new TlsContext{core}};
    made->native_ = SSL_CTX_new(TLS_client_method());
    if (made->native_ == nullptr) refuse(label, "minimum", take_openssl_words());
    configure(made->native_, *core, label, options.reuse_sessions);
    install_verification(made->native_, Attached{core, {}, {}, nullptr, false});
    SSL_CTX_set_mode(made->native_, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
    if (core->resumes()) TlsSessions::install(made->native_);
    return made;
}

void TlsContext::apply(SSL_CTX* context, std::string_view host, std::string_view label, std::shared_ptr<TlsReport> report) const {
    // In a handshake with an earlier session no certificate comes, and `decide` would not be asked.
    configure(context, *core_, label, core_->resumes() && !core_->options.decide);
    const std::string& wanted = core_->name_to_check(host);
    if (!set_name_to_check(SSL_CTX_get0_param(context), wanted))
        refuse(label, "server_name", "\"" + wanted + "\" is no name that a certificate can be for");
    install_verification(context, Attached{core_, std::string{host}, std::string{label}, std::move(report), true});
}

void TlsContext::apply(SSL_CTX* context) const {
    configure(context, *core_, {}, core_->resumes() && !core_->options.decide);
    install_verification(context, Attached{core_, {}, {}, nullptr, false});
}

SSL_CTX* TlsContext::native() const noexcept { return native_; }

const TlsOptions& TlsContext::options() const noexcept { return core_->options; }

void prepare(SSL* ssl, const TlsContext& context, TlsPeer peer) {
    const auto& core = *context.core_;
    auto& state = state_of(ssl);
    const std::string wanted = core.name_to_check(peer.host);
    if (!wanted.empty() && !set_name_to_check(SSL_get0_param(ssl), wanted))
        refuse(peer.label, "server_name", "\"" + wanted + "\" is no name that a certificate can be for");
    const std::string name = core.name_to_send(peer.host);
    if (!name.empty()) set_server_name(ssl, name);
    std::string protocols;
    for (const auto& protocol : peer.alpn) {
        protocols += static_cast<char>(protocol.size());
        protocols += protocol;
    }
    if (!protocols.empty())
        SSL_set_alpn_protos(ssl, reinterpret_cast<const unsigned char*>(protocols.data()), static_cast<unsigned>(protocols.size()));
    state.label = std::move(peer.label);
    state.name = wanted;
    // Names that the certificate was checked for belong to the key: a session stands for that check.
    state.session_key = authority(peer.host, peer.port) + ' ' + wanted + ' ' + protocols;
    state.can_wait = true;
    if (core.resumes()) core.sessions.offer(ssl, state);
}

std::optional<CrlWanted> wanted_crls(SSL* ssl) {
    auto& state = state_of(ssl);
    if (state.wanted.empty()) return std::nullopt;
    return attached_to(SSL_get_SSL_CTX(ssl))->core->wanted(std::exchange(state.wanted, {}));
}

void offer_session_of(SSL* first, SSL* second, bool offer) {
    auto& state = state_of(second);
    state.session_key.clear();
    if (!offer || first == nullptr) return;
    SSL_SESSION* const current = SSL_get_session(first);
    if (current == nullptr || SSL_SESSION_is_resumable(current) != 1) return;
    // A copy: with TLS 1.3 OpenSSL marks a session as used up by its first use, and this one is used for each further connection.
    const SessionPtr session{SSL_SESSION_dup(current)};
    if (!session) return;
    state.offered_verdict = state_of(first).verdict;
    SSL_set_session(second, session.get());
}

}  // namespace qconn::net
