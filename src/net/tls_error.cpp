// SPDX-License-Identifier: Apache-2.0
// Failed handshakes in words that help.
#include <openssl/sslerr.h>

#include <system_error>

#include <qconn/net/net_error.hpp>

#include "net/local_fault.hpp"
#include "net/tls_core.hpp"

namespace qconn::net {

namespace {

struct Judged {
    Reason reason;
    std::string_view advice;
};

/// By OpenSSL's reason code, also for the alerts that the peer has sent.
Judged judge(int reason) noexcept {
    switch (reason) {
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
        case SSL_R_BAD_LENGTH:
        case SSL_R_RECORD_LENGTH_MISMATCH:
            return {Reason::handshake,
                    "what answers there does not speak TLS from the first byte; check the port, and whether TLS begins there later (smtptls, ftps "
                    "without implicit_tls); only where nothing secret is sent use the scheme without TLS"};
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        case SSL_R_NO_PROTOCOLS_AVAILABLE:
            return {Reason::handshake, "the two sides have no TLS version in common; see ssl_min_version and ssl_max_version"};
        case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        case SSL_R_TLSV1_ALERT_INSUFFICIENT_SECURITY:
            return {Reason::handshake,
                    "the server found nothing acceptable among what was offered: ciphers, groups and signature algorithms, or it wants a client "
                    "certificate"};
        case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
            return {Reason::denied, "the server wants a client certificate; set ssl_cert_path or ssl_cert_data"};
        case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
        case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
        case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
        case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
            return {Reason::denied, "the server refused the client certificate; check that it is the right one and still valid"};
        case SSL_R_TLSV1_UNRECOGNIZED_NAME: return {Reason::handshake, "the server does not know the name that was sent; see ssl_server_name"};
        default: return {Reason::handshake, {}};
    }
}

Error make(Reason reason, std::string_view words, std::string_view advice, std::string_view label, std::string_view target) {
    std::string message = "the TLS handshake with ";
    message.append(target.empty() ? "the server" : target).append(" failed: ").append(words);
    if (!advice.empty()) message.append("; ").append(advice);
    return Error{make_error_code(NetErrc::ssl), error_name(NetErrc::ssl), std::move(message)}
        .with_connection(label)
        .with_phase(Phase::tls)
        .with_reason(reason)
        .with_retryable(reason == Reason::reset || reason == Reason::closed || reason == Reason::local)
        .with_spoils_connection(true);
}

constexpr std::string_view k_cut_advice =
    "a port that does not speak TLS, a server that is stopping, or one that accepts nothing of what was offered can look like this";

}  // namespace

Error tls_error(SSL* ssl, int result, int system_error, std::string_view label, std::string_view target) {
    const int kind = SSL_get_error(ssl, result);
    const unsigned long code = ERR_peek_error();
    if (auto& state = state_of(ssl); state.refusal) {
        ERR_clear_error();
        return *state.refusal;
    }
    const auto words = code == 0 ? std::string{} : openssl_words(code);
    const int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    ERR_clear_error();
    if (reason == SSL_R_UNEXPECTED_EOF_WHILE_READING || (kind == SSL_ERROR_SYSCALL && system_error == 0) || kind == SSL_ERROR_ZERO_RETURN)
        return make(Reason::closed, "the peer closed the connection", k_cut_advice, label, target);
    if (kind == SSL_ERROR_SYSCALL) {
        Reason why = reason_of(system_error);
        if (why == Reason::none) why = Reason::handshake;
        return make(why, std::generic_category().message(system_error), why == Reason::reset ? k_cut_advice : std::string_view{}, label, target);
    }
    const auto judged = judge(reason);
    return make(judged.reason, words.empty() ? "no details from OpenSSL" : words, judged.advice, label, target);
}

Error tls_error(std::string_view words, std::string_view label, std::string_view target) {
    struct Known {
        std::string_view words;
        int reason;
    };
    // As ERR_reason_error_string() spells them.
    static constexpr Known k_known[]{
        {"wrong version number", SSL_R_WRONG_VERSION_NUMBER},
        {"unsupported protocol", SSL_R_UNSUPPORTED_PROTOCOL},
        {"alert protocol version", SSL_R_TLSV1_ALERT_PROTOCOL_VERSION},
        {"no protocols available", SSL_R_NO_PROTOCOLS_AVAILABLE},
        {"certificate required", SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED},
        {"alert unknown ca", SSL_R_TLSV1_ALERT_UNKNOWN_CA},
        {"alert bad certificate", SSL_R_SSLV3_ALERT_BAD_CERTIFICATE},
        {"alert certificate", SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN},
        {"unrecognized name", SSL_R_TLSV1_UNRECOGNIZED_NAME},
        {"alert handshake failure", SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE},
    };
    for (const auto& known : k_known) {
        if (words.find(known.words) == words.npos) continue;
        const auto judged = judge(known.reason);
        return make(judged.reason, words, judged.advice, label, target);
    }
    if (words.find("eof while reading") != words.npos) return make(Reason::closed, words, k_cut_advice, label, target);
    if (words.find("reset by peer") != words.npos || words.find("ECONNRESET") != words.npos)
        return make(Reason::reset, words, k_cut_advice, label, target);
    return make(Reason::handshake, words, {}, label, target);
}

}  // namespace qconn::net
