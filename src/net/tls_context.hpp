// SPDX-License-Identifier: Apache-2.0
/// TlsOptions brought to OpenSSL: for our own streams and for libcurl's.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/log.hpp>
#include <qconn/net/tls.hpp>

// As in <openssl/types.h>, which needs not be read for this.
struct ssl_st;
struct ssl_ctx_st;
typedef struct ssl_st SSL;
typedef struct ssl_ctx_st SSL_CTX;

namespace qconn::net {

class CrlCache;
struct CrlWanted;

/// What the verification of a server's chain came to, for whoever drives the handshake (libcurl). Filled on the thread of the handshake.
/// @note Thread-safe
class TlsReport {
public:
    /// Why the certificate was refused, as an Error of phase tls; empty where it was accepted or no handshake came so far.
    std::optional<Error> refusal() const;
    /// The verdict of the verification: "ok", or OpenSSL's words, also where a waiver let it pass. Empty before.
    std::string verdict() const;
    /// Lists of revoked certificates that were missing: the handshake failed for now, and is to be made again when they were asked for. Null: none.
    std::shared_ptr<const CrlWanted> wanted() const;
    void clear();

private:
    friend struct TlsVerification;
    mutable std::mutex mutex_;
    std::optional<Error> refusal_;
    std::string verdict_;
    std::shared_ptr<const CrlWanted> wanted_;
};

/// TlsOptions checked and loaded: authorities, client certificate, limits, callbacks.
/// @note Thread-safe. Costs a few hundred kilobytes: share it (RuntimeImpl::tls_context).
class TlsContext {
public:
    /// `label` is the connection in messages. Switched-off verification and a key log are logged as warnings.
    /// @param crls  shared with other contexts; null: its own
    /// @throws Error TLS-OPTION-ERROR: the field, what was found there, what to do
    static std::shared_ptr<const TlsContext> make(const TlsOptions& options, const Log& log, std::string_view label,
                                                  std::shared_ptr<CrlCache> crls = nullptr);

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    /// Puts everything into another SSL_CTX, verification included, for libcurl's CURLOPT_SSL_CTX_FUNCTION; the SSL_CTX keeps what it needs alive.
    /// With it libcurl's own checks are to be off (CURLOPT_SSL_VERIFYPEER 0, CURLOPT_SSL_VERIFYHOST 0): the verification installed here does
    /// both, with waivers, pin and decision, and refuses the handshake by itself. server_name is sent in the place of libcurl's own.
    /// Sessions are libcurl's own affair (it keeps them by host), unless the options forbid them or have a decision that must see every chain.
    /// @param host    of the URL; what the certificate must be for, unless the options name another
    /// @param label   of the connection, for messages
    /// @param report  where the outcome is told; may be null
    /// @throws Error TLS-OPTION-ERROR
    void apply(SSL_CTX* context, std::string_view host, std::string_view label, std::shared_ptr<TlsReport> report) const;
    /// The same without a host: what prepare() sets for each SSL is left open.
    void apply(SSL_CTX* context) const;

    /// For our own streams; prepare() completes each SSL made of it.
    SSL_CTX* native() const noexcept;
    const TlsOptions& options() const noexcept;

    struct Core;

private:
    friend void prepare(SSL* ssl, const TlsContext& context, struct TlsPeer peer);
    explicit TlsContext(std::shared_ptr<Core> core);
    std::shared_ptr<Core> core_;
    SSL_CTX* native_{nullptr};
};

/// Logs what in the options weakens security: verification switched off, a key log.
void warn_about(const TlsOptions& options, const Log& log, std::string_view label) noexcept;

/// Whom a handshake is with.
struct TlsPeer {
    std::string host;
    std::uint16_t port{0};
    /// Of the connection, for messages.
    std::string label;
    std::vector<std::string> alpn;
};

/// Completes an SSL of context.native() before its handshake: server name, what the certificate must be for, ALPN, an earlier session.
void prepare(SSL* ssl, const TlsContext& context, TlsPeer peer);

/// What a handshake that was left by OpenSSL for a while waits for; empty: for nothing but its socket.
std::optional<CrlWanted> wanted_crls(SSL* ssl);

/// For a second connection that must show that it belongs to a first one (FTP's data connections): offers the first one's session, and keeps none of
/// its own. After prepare().
/// @param offer  false: it is only not kept
void offer_session_of(SSL* first, SSL* second, bool offer);

/// What the handshake came to; the verdict only for an SSL that was prepared by this layer, or whose SSL_CTX was.
TlsInfo describe(SSL* ssl);

/// One line for people: "TLSv1.3, TLS_AES_256_GCM_SHA384, X25519, certificate CN=shop.example, valid 61 days".
std::string summary(const TlsInfo& info);

/// Why a handshake failed, after SSL_connect returned `result`: the refused certificate with its subject and dates, or OpenSSL's words. Takes
/// OpenSSL's queue of errors of this thread. `system_error` is errno right after the call.
/// @param target  what is connected to: "shop.example:443"
Error tls_error(SSL* ssl, int result, int system_error, std::string_view label, std::string_view target);
/// The same where another library has driven the handshake and only has words.
Error tls_error(std::string_view words, std::string_view label, std::string_view target);

}  // namespace qconn::net
