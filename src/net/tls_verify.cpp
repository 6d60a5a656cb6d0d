// SPDX-License-Identifier: Apache-2.0
// Verification of a server's chain, waivers, pin and decision; the same for our own streams and for libcurl's.
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "base/text.hpp"
#include "net/address.hpp"
#include "net/tls_certificate.hpp"
#include "net/tls_core.hpp"
#include "net/tls_crls.hpp"

namespace qconn::net {

struct TlsVerification {
    static void tell(const std::shared_ptr<TlsReport>& report, const SslState& state) {
        if (!report) return;
        const std::scoped_lock lock{report->mutex_};
        report->refusal_ = state.refusal;
        report->verdict_ = state.verdict;
        report->wanted_.reset();
    }
    static void want(TlsReport& report, CrlWanted wanted) {
        auto shared = std::make_shared<const CrlWanted>(std::move(wanted));
        const std::scoped_lock lock{report.mutex_};
        report.wanted_ = std::move(shared);
    }
};

std::optional<Error> TlsReport::refusal() const {
    const std::scoped_lock lock{mutex_};
    return refusal_;
}

std::string TlsReport::verdict() const {
    const std::scoped_lock lock{mutex_};
    return verdict_;
}

std::shared_ptr<const CrlWanted> TlsReport::wanted() const {
    const std::scoped_lock lock{mutex_};
    return wanted_;
}

void TlsReport::clear() {
    const std::scoped_lock lock{mutex_};
    wanted_.reset();
    refusal_.reset();
    verdict_.clear();
}

namespace {

template <class T>
void free_extra(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
    delete static_cast<T*>(data);
}

int ssl_index() {
    static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, free_extra<SslState>);
    return index;
}

int context_index() {
    static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, free_extra<Attached>);
    return index;
}

Reason reason_of_problem(int code) noexcept {
    switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID: return Reason::certificate_expired;
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
        case X509_V_ERR_EMAIL_MISMATCH: return Reason::certificate_name;
        case X509_V_ERR_CERT_REVOKED: return Reason::certificate_revoked;
        default: return is_missing_crl(code) ? Reason::certificate_revoked : Reason::certificate_untrusted;
    }
}

/// Whether `waive` is about that. Bad signatures, weak keys and wrong purposes cannot be waived.
bool is_waived(int code, TlsWaiver waive) noexcept {
    switch (code) {
        case X509_V_ERR_CERT_HAS_EXPIRED:
        case X509_V_ERR_CERT_NOT_YET_VALID: return has(waive, TlsWaiver::expired);
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH:
        case X509_V_ERR_EMAIL_MISMATCH: return has(waive, TlsWaiver::wrong_host);
        default: return is_untrusted(code) && has(waive, TlsWaiver::untrusted);
    }
}

SSL* ssl_of(X509_STORE_CTX* store) { return static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())); }

/// Notes a problem and goes on, so that all of them are known in the end.
int note_problem(int good, X509_STORE_CTX* store) {
    if (good == 1) return 1;
    SSL* const ssl = ssl_of(store);
    const auto& options = attached_to(SSL_get_SSL_CTX(ssl))->core->options;
    const int code = X509_STORE_CTX_get_error(store);
    auto& problems = state_of(ssl).problems;
    const int depth = X509_STORE_CTX_get_error_depth(store);
    const auto same = [&](const TlsProblem& p) { return p.code == code && (p.depth == depth || !is_missing_crl(code)); };
    if (std::none_of(problems.begin(), problems.end(), same)) problems.push_back({code, depth, is_waived(code, options.waive)});
    return 1;
}

std::string_view advice(Reason reason) noexcept {
    switch (reason) {
        case Reason::certificate_expired: return "renew it on the server, and check this machine's clock";
        case Reason::certificate_name: return "use one of its names in the URL, or set the server name (ssl_server_name)";
        case Reason::certificate_pin: return "if the certificate was replaced on purpose, pin the new one (ssl_pinned_sha256)";
        case Reason::certificate_revoked:
            return "have a revoked one replaced on the server; where a list is missing, see that it can be fetched from here, name it by "
                   "ssl_crl_file, "
                   "or check "
                   "softly (ssl_crl_check)";
        default: return "add the certificate of its authority (ssl_ca_file, ssl_ca_directory, ssl_ca_data), or have the server send its whole chain";
    }
}

Error refusal_error(const TlsCertificate& certificate, const std::string& name, Reason reason, const std::string& words, std::string_view label) {
    std::string message = "the certificate of ";
    message += name.empty() ? "the server" : '"' + name + '"';
    message += " was refused: " + words + "; it is " + certificate.subject + " issued by " + certificate.issuer + ", for " +
               (certificate.names.empty() ? std::string{"no name"} : text::join(certificate.names, ", ")) + ", valid from " +
               day(certificate.not_before) + " to " + day(certificate.not_after);
    if (reason == Reason::certificate_pin) message += ", SHA-256 " + certificate.sha256;
    message.append("; ").append(advice(reason));
    return Error{make_error_code(NetErrc::ssl), error_name(NetErrc::ssl), std::move(message)}
        .with_connection(label)
        .with_phase(Phase::tls)
        .with_reason(reason)
        .with_spoils_connection(true);
}

/// What `decide` says; `accepted` where there is none.
bool decide(const TlsOptions& options, const TlsInfo& info, bool accepted, std::string& words) {
    if (!options.decide) return accepted;
    try {
        const bool decided = options.decide(info, accepted);
        if (!decided && accepted) words = "the application's decision";
        return decided;
    } catch (const std::exception& e) { words = std::string{"the application's decision threw "} + e.what(); } catch (...) {
        words = "the application's decision threw";
    }
    return false;
}

int verify(X509_STORE_CTX* store, void*) {
    SSL* const ssl = ssl_of(store);
    const auto& attached = *attached_to(SSL_get_SSL_CTX(ssl));
    const auto& options = attached.core->options;
    auto& state = state_of(ssl);
    X509* const leaf = X509_STORE_CTX_get0_cert(store);
    state.problems.clear();
    X509_STORE_CTX_set_verify_cb(store, note_problem);
    const bool checks_crls = options.verify && options.crl_check != CrlCheck::off;
    if (checks_crls) check_crls(store);
    if (X509_verify_cert(store) != 1) {
        // All that it finds is noted and gone on from: this is trouble of its own, as a want of memory.
        int code = X509_STORE_CTX_get_error(store);
        if (code == X509_V_OK) code = X509_V_ERR_UNSPECIFIED;
        const auto known = [code](const TlsProblem& p) { return p.code == code; };
        if (std::none_of(state.problems.begin(), state.problems.end(), known)) state.problems.push_back({code, 0, false});
    }
    ERR_clear_error();
    if (checks_crls) {
        settle_crls(store, *attached.core, state.problems);
        if (auto wanted = wanted_crls(store, *attached.core, state.problems); !wanted.empty()) {
            if (state.can_wait) {
                state.wanted = std::move(wanted);
                return SSL_set_retry_verify(ssl);
            }
            if (attached.report) {  // libcurl's, which cannot wait: it fails, and is run again
                TlsVerification::want(*attached.report, attached.core->wanted(std::move(wanted)));
                X509_STORE_CTX_set_error(store, X509_V_ERR_UNABLE_TO_GET_CRL);
                return 0;
            }
        }
    }

    Reason reason = Reason::none;
    std::string words;
    for (const auto& problem : state.problems) {
        if (!words.empty()) words += ", ";
        words += X509_verify_cert_error_string(problem.code);
        if (problem.depth > 0) words += " (depth " + std::to_string(problem.depth) + ")";
        if (is_missing_crl(problem.code)) words += " (" + missing_crl_words(store, *attached.core, problem.depth) + ")";
        if (reason == Reason::none && options.verify && !problem.waived) reason = reason_of_problem(problem.code);
    }
    const TlsCertificate certificate = describe(leaf);
    if (!attached.core->pin.empty() && certificate.sha256 != text::to_hex(attached.core->pin)) {
        if (reason == Reason::none) reason = Reason::certificate_pin;
        words += words.empty() ? "it is not the pinned one" : ", it is not the pinned one";
    }
    state.verdict = words.empty() ? "ok" : words;

    bool accepted = reason == Reason::none;
    if (options.decide) {
        TlsInfo info = describe(ssl);
        if (const auto* chain = X509_STORE_CTX_get0_untrusted(store); chain != nullptr && info.chain.empty()) {
            for (int i = 0; i < sk_X509_num(chain); ++i) info.chain.push_back(describe(sk_X509_value(chain, i)));
        }
        if (info.chain.empty()) info.chain.push_back(certificate);
        accepted = decide(options, info, accepted, words);
        if (!accepted && reason == Reason::none) reason = Reason::certificate_untrusted;
    }
    state.refusal.reset();
    if (!accepted) {
        const auto& label = state.label.empty() ? attached.label : state.label;
        const auto name = state.name.empty() ? attached.core->name_to_check(attached.host) : state.name;
        state.refusal = refusal_error(certificate, name, reason, words, label);
    }
    TlsVerification::tell(attached.report, state);
    // libcurl looks at this too.
    X509_STORE_CTX_set_error(store, accepted                 ? X509_V_OK
                                    : state.problems.empty() ? X509_V_ERR_APPLICATION_VERIFICATION
                                                             : state.problems.front().code);
    return accepted ? 1 : 0;
}

/// Puts our server name in the place of the one that libcurl has set, before the first message is built.
void set_name_at_start(const SSL* ssl, int where, int) {
    if ((where & SSL_CB_HANDSHAKE_START) == 0 || SSL_is_init_finished(ssl) == 1) return;
    const auto* attached = attached_to(SSL_get_SSL_CTX(ssl));
    if (attached == nullptr || !attached->core->options.server_name) return;
    const std::string name = attached->core->name_to_send(attached->host);
    // OpenSSL passes a const SSL to this callback, although it is the place to change one.
    set_server_name(const_cast<SSL*>(ssl), name);
}

int new_session(SSL* ssl, SSL_SESSION* session) {
    const auto* attached = attached_to(SSL_get_SSL_CTX(ssl));
    const auto& state = state_of(ssl);
    if (attached == nullptr || state.session_key.empty()) return 0;
    attached->core->sessions.keep(state, session);
    return 1;
}

}  // namespace

SslState& state_of(SSL* ssl) {
    if (auto* state = static_cast<SslState*>(SSL_get_ex_data(ssl, ssl_index()))) return *state;
    auto* state = new SslState;
    SSL_set_ex_data(ssl, ssl_index(), state);
    return *state;
}

const Attached* attached_to(const SSL_CTX* context) noexcept { return static_cast<const Attached*>(SSL_CTX_get_ex_data(context, context_index())); }

void install_verification(SSL_CTX* context, Attached attached) {
    const bool sets_name = attached.sets_name;
    delete attached_to(context);
    SSL_CTX_set_ex_data(context, context_index(), new Attached{std::move(attached)});
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    SSL_CTX_set_cert_verify_callback(context, verify, nullptr);
    if (sets_name) SSL_CTX_set_info_callback(context, set_name_at_start);
}

bool set_name_to_check(X509_VERIFY_PARAM* param, const std::string& name) {
    if (Address::literal(name)) return X509_VERIFY_PARAM_set1_ip_asc(param, name.substr(0, name.find('%')).c_str()) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    const bool dot = !name.empty() && name.back() == '.';
    return X509_VERIFY_PARAM_set1_host(param, name.data(), name.size() - (dot ? 1 : 0)) == 1;
}

void set_server_name(SSL* ssl, const std::string& name) {
    // What SSL_set_tlsext_host_name() stands for, without its cast.
    SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.empty() ? nullptr : const_cast<char*>(name.c_str()));
}

std::string TlsCore::name_to_check(std::string_view host) const {
    return options.server_name && !options.server_name->empty() ? *options.server_name : std::string{host};
}

std::string TlsCore::name_to_send(std::string_view host) const {
    std::string name{options.server_name ? std::string_view{*options.server_name} : host};
    if (Address::literal(name)) return {};  // RFC 6066 section 3: names only
    if (!name.empty() && name.back() == '.') name.pop_back();
    return name;
}

std::optional<Error> check_resumed(SSL* ssl) {
    auto& state = state_of(ssl);
    if (SSL_session_reused(ssl) != 1) return std::nullopt;
    state.verdict = state.offered_verdict.empty() ? "ok" : state.offered_verdict;
    const auto* attached = attached_to(SSL_get_SSL_CTX(ssl));
    if (attached == nullptr || !attached->core->options.decide) return std::nullopt;
    std::string words;
    const TlsInfo info = describe(ssl);
    if (decide(attached->core->options, info, true, words)) return std::nullopt;
    state.refusal =
        refusal_error(info.chain.empty() ? TlsCertificate{} : info.chain.front(), state.name, Reason::certificate_untrusted, words, state.label);
    return state.refusal;
}

void TlsSessions::install(SSL_CTX* context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, new_session);
}

void TlsSessions::offer(SSL* ssl, SslState& state) const {
    const std::scoped_lock lock{mutex_};
    const auto found = kept_.find(state.session_key);
    if (found == kept_.end()) return;
    const auto& options = attached_to(SSL_get_SSL_CTX(ssl))->core->options;
    const X509* const leaf = SSL_SESSION_get0_peer(found->second.session.get());
    const bool expired = leaf != nullptr && X509_cmp_current_time(X509_get0_notAfter(leaf)) < 0;
    if ((expired && options.verify && !has(options.waive, TlsWaiver::expired)) || SSL_SESSION_is_resumable(found->second.session.get()) != 1) {
        kept_.erase(found);
        return;
    }
    found->second.used = ++clock_;
    state.offered_verdict = found->second.verdict;
    SSL_set_session(ssl, found->second.session.get());
}

void TlsSessions::keep(const SslState& state, SSL_SESSION* session) const {
    const std::scoped_lock lock{mutex_};
    kept_.insert_or_assign(state.session_key, Kept{SessionPtr{session}, state.verdict, ++clock_});
    if (kept_.size() > k_size)
        kept_.erase(std::min_element(kept_.begin(), kept_.end(), [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

}  // namespace qconn::net
