// SPDX-License-Identifier: Apache-2.0
/// What a TlsContext consists of: loaded options, verification, sessions.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/net/tls.hpp>

#include "net/crl.hpp"
#include "net/openssl_ptr.hpp"
#include "net/tls_context.hpp"
#include "net/unique_fd.hpp"

namespace qconn::net {

/// One thing that verification found wrong.
struct TlsProblem {
    int code{0};  // X509_V_ERR_...
    int depth{0};
    bool waived{false};
};

/// What goes with one SSL.
struct SslState {
    std::string label;
    std::string name;  // what the certificate must be for
    std::string session_key;
    std::string offered_verdict;  // of the handshake that the offered session is from
    std::vector<TlsProblem> problems;
    std::string verdict;
    std::optional<Error> refusal;
    bool can_wait{false};         // whoever drives the handshake looks at `wanted` and goes on with it later
    std::vector<CrlWant> wanted;  // lists without which the verification cannot be finished
};
/// Made at first use, freed with the SSL.
SslState& state_of(SSL* ssl);

/// Sessions of earlier handshakes by whom they were with. @note Thread-safe
class TlsSessions {
public:
    static constexpr std::size_t k_size = 1024;

    static void install(SSL_CTX* context);
    /// Gives the SSL the session of `state.session_key`, unless the certificate behind it has expired since.
    void offer(SSL* ssl, SslState& state) const;
    /// Takes ownership of the session.
    void keep(const SslState& state, SSL_SESSION* session) const;

private:
    struct Kept {
        SessionPtr session;
        std::string verdict;
        std::uint64_t used{0};
    };
    mutable std::mutex mutex_;
    mutable std::map<std::string, Kept> kept_;
    mutable std::uint64_t clock_{0};
};

/// Options checked and loaded.
struct TlsCore {
    TlsCore(TlsOptions o, std::shared_ptr<CrlCache> lists) : options{std::move(o)}, crls{std::move(lists)} {}

    /// What the certificate of a server reached as `host` must be for.
    std::string name_to_check(std::string_view host) const;
    /// What is sent to it; empty: nothing.
    std::string name_to_send(std::string_view host) const;
    /// Whether an earlier session may stand for a handshake of its own: not where each one is to be looked up in lists.
    bool resumes() const noexcept { return options.reuse_sessions && options.crl_check == CrlCheck::off; }
    CrlWanted wanted(std::vector<CrlWant> wants) const { return {crls, std::move(wants), options.crl_timeout}; }

    const TlsOptions options;
    const std::shared_ptr<CrlCache> crls;
    StorePtr store;
    X509Ptr certificate;
    std::vector<X509Ptr> chain;
    KeyPtr key;
    std::string pin;  // 32 bytes, or empty
    UniqueFd key_log;
    TlsSessions sessions;
};

/// What goes with an SSL_CTX.
struct Attached {
    std::shared_ptr<const TlsCore> core;
    std::string host;
    std::string label;
    std::shared_ptr<TlsReport> report;
    bool sets_name{false};  // the server name is ours to set when a handshake begins
};
const Attached* attached_to(const SSL_CTX* context) noexcept;
void install_verification(SSL_CTX* context, Attached attached);

/// The name that is sent (SNI); empty: none.
void set_server_name(SSL* ssl, const std::string& name);
bool set_name_to_check(X509_VERIFY_PARAM* param, const std::string& name);
/// After a handshake that used an earlier session, where no certificate was sent: asks `decide` all the same.
std::optional<Error> check_resumed(SSL* ssl);

std::string subject_of(X509* certificate);

}  // namespace qconn::net
