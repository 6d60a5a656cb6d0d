// SPDX-License-Identifier: Apache-2.0
/// OAuth 2 tokens (RFC 6749): got, shared, renewed, in one place for all that use them. Knows no HTTP: it is given a function that sends a form.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/base/value.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

/// How a token is got.
enum class OAuth2Grant : std::uint8_t {
    none,                ///< not at all: OAuth2Options::token is all there is
    client_credentials,  ///< RFC 6749 section 4.4
    password,            ///< section 4.3
    authorization_code,  ///< section 4.1: a person allows it in a browser
    refresh_token,       ///< section 6: by OAuth2Options::refresh_token only
    jwt_bearer,          ///< RFC 7523: by an assertion that is signed here
};
/// "none", "client_credentials", …; the names of the option.
QCONN_API std::string_view to_string(OAuth2Grant grant) noexcept;

enum class JwtAlgorithm : std::uint8_t { rs256, es256 };

/// What the assertion of jwt_bearer says (RFC 7523 section 3). A value type.
struct JwtBearer {
    /// Private key, PEM: RSA for rs256, of curve P-256 for es256.
    Secret key;
    Secret key_password;
    JwtAlgorithm algorithm{JwtAlgorithm::rs256};
    /// `kid`; empty: none.
    std::string key_id;
    /// `iss`; empty: the client's id.
    std::string issuer;
    /// `sub`; empty: as the issuer.
    std::string subject;
    /// `aud`; empty: the token URL.
    std::string audience;
    /// From `iat` to `exp`. At least a second.
    std::chrono::seconds lifetime{300};
};

/// Everything that a TokenSource can be told. A value type.
struct OAuth2Options {
    /// For messages; the name of the connection.
    std::string label;
    OAuth2Grant grant{OAuth2Grant::none};
    std::string client_id;
    Secret client_secret;
    /// It has no secret (RFC 6749 section 2.1), and its log-in by a person's password needs none.
    bool public_client{false};
    /// Whole URL of the token server.
    std::string token_url;
    /// Whole URL where a person allows the access (authorization_code).
    std::string auth_url;
    /// Asked in the place of token_url, which goes along as the field oauth2_token_url. Empty: none.
    std::string alternative_token_url;
    /// Whole URL where tokens are given back (RFC 7009). Empty: none.
    std::string revoke_url;
    /// Where the browser is sent back to (authorization_code).
    std::string redirect_url;
    std::vector<std::string> scopes;
    /// Further parameters of the authorization URL, and further fields of log-ins.
    Map auth_args;
    Map token_args;
    /// Id and secret of the client stand in an Authorization header (RFC 6749 section 2.3.1), not in the body.
    bool basic_auth{false};
    /// Tokens are renewed ahead of their end, and once after a refusal. False: a token is used until it ends, a refusal is reported.
    bool auto_refresh{true};
    /// Codes are bound to who asked for them (RFC 7636, S256).
    bool pkce{true};
    /// Of the person (password).
    std::string username;
    Secret password;
    JwtBearer jwt;
    /// A token that is there already; nothing is fetched before it is refused. Empty: none.
    Secret token;
    /// The word before it.
    std::string token_type{"Bearer"};
    Secret refresh_token;
    /// Tokens are renewed that long before they end, but not before four fifths of their life are over.
    std::chrono::seconds refresh_ahead{60};
    /// The whole time of one fetch, whoever waits for it. At least a second.
    std::chrono::milliseconds fetch_timeout{60'000};
};

/// What a token server has given. A value type.
struct Token {
    Secret access;
    /// The word before it in an Authorization header.
    std::string type{"Bearer"};
    /// Empty: none.
    Secret refresh;
    /// As the server says it; empty where it says nothing.
    std::string scope;
    /// By this machine's monotonic clock, counted from when the answer came, so that no wall clock matters. None: it says nothing of an end.
    std::optional<Clock::time_point> expires{};
    /// From when the answer came.
    std::optional<Clock::duration> lifetime{};
    /// When the refresh token ends, where the server says so (`refresh_expires_in`, `refresh_token_expires_in`).
    std::optional<Clock::time_point> refresh_expires{};
    /// Whatever else the answer holds. May be secret (`id_token`).
    Map fields;

    bool has_expired(Clock::time_point now) const noexcept { return expires && now >= *expires; }
};
using TokenPtr = std::shared_ptr<const Token>;

/// Codes of this layer; the stable names are in brackets.
enum class AuthErrc {
    option = 1,  ///< [OAUTH2-ERROR] something that the grant needs is missing or wrong
    login,       ///< [REST-LOGIN-ERROR] the token server refused, could not be reached, or gave no token
    token,       ///< [REST-TOKEN-ERROR] there is no token and no way to get one but a person
    signature,   ///< [AWSRESTCLIENT-ERROR] something that a signature needs is missing or wrong
};
QCONN_API const std::error_category& auth_category() noexcept;
QCONN_API std::error_code make_error_code(AuthErrc code) noexcept;

/// A form on its way to a token server. A value type.
struct TokenRequest {
    std::string url;
    /// Value of the Authorization header; empty: none is sent.
    Secret authorization;
    /// application/x-www-form-urlencoded
    Secret body;
    /// Carrying it out twice does no harm: a log-in, but not what uses up a code or a refresh token.
    bool repeatable{false};
};

/// What came back, whatever the status.
struct TokenAnswer {
    int status{0};
    std::string content_type;
    Secret body;
};

/// Sends a form by POST, without following redirects, and delivers the answer as every asynchronous operation does; an Error where none came.
using SendForm = std::function<Operation(TokenRequest request, Deadline deadline, Callback<TokenAnswer> callback)>;

/// What a person is sent to a browser with, and what is needed when they come back. Keep it until then. A value type.
struct AuthorizationRequest {
    /// Where the browser goes. Holds no secret.
    std::string url;
    /// Comes back with the code.
    std::string state;
    /// The PKCE verifier; empty where pkce is off.
    Secret verifier;
    std::string redirect_url;
};

/// The token of one client id, for any number of clients and threads. However many ask, one fetch is under way; the others wait for it, each with its
/// own deadline. By a refresh token where there is one, else by the grant. A failed fetch is not repeated at once: for a second, doubled with each
/// further failure up to 30 s, all who ask are given its error. A token that a server refused is not used again by who was refused: one new one is
/// fetched for all of them; where that is refused as well a moment later (a second, doubled each time up to a minute) no further one is fetched.
/// @note Thread-safe. Callbacks come on an I/O thread of the runtime.
class QCONN_API TokenSource {
public:
    /// Fetches nothing yet.
    /// @throws Error OAUTH2-ERROR where the options cannot work together; one that only misses a part is made all the same, and says so when asked
    TokenSource(OAuth2Options options, SendForm send, Runtime runtime = {});
    /// Those who wait are given CANCELLED.
    ~TokenSource();
    TokenSource(const TokenSource&) = delete;
    TokenSource& operator=(const TokenSource&) = delete;

    const OAuth2Options& options() const noexcept;

    /// The token where it can be used at once, else null. Where it ends soon a new one is being fetched from now on.
    TokenPtr current();
    /// The token, fetched where there is none.
    /// @throws Error OAUTH2-ERROR, REST-LOGIN-ERROR, REST-TOKEN-ERROR, TIMEOUT, CANCELLED; from an I/O thread of the runtime: INVALID-ARGUMENT
    TokenPtr token(Deadline deadline = {});
    Operation async_token(Deadline deadline, Callback<TokenPtr> callback);
    /// A server has refused this one: another one, or null where none is to be had for now and the refusal is to be reported.
    TokenPtr renew(TokenPtr refused, Deadline deadline = {});
    Operation async_renew(TokenPtr refused, Deadline deadline, Callback<TokenPtr> callback);

    /// The newest token, also one that has ended or was refused; null: there has been none. For keeping it, with its refresh token.
    TokenPtr last() const;
    /// Goes on with one that was kept, and its refresh token, in the place of those of the options. Nothing where one is being fetched.
    void resume(Token token);

    /// Whether a person has to allow the access before a token can be had.
    bool needs_authorization() const;
    /// @param redirect_url  empty: that of the options
    /// @throws Error OAUTH2-ERROR where a part is missing
    AuthorizationRequest begin_authorization(std::string_view redirect_url = {}) const;
    /// The browser came back: the code becomes the token of all.
    /// @param state  as it came back; another one than the request's: OAUTH2-ERROR, the code is not used
    TokenPtr finish_authorization(const AuthorizationRequest& request, std::string_view code, std::string_view state, Deadline deadline = {});
    Operation async_finish_authorization(const AuthorizationRequest& request, std::string_view code, std::string_view state, Deadline deadline,
                                         Callback<TokenPtr> callback);

    /// Told of each new token, on an I/O thread, one after the other, before those who wait for it; for keeping it. The last one set counts.
    void on_token(std::function<void(const Token&)> callback);
    /// Takes everything secret that it knows of out of a text.
    std::string redact(std::string text) const;

private:
    class Core;
    std::shared_ptr<Core> core_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::AuthErrc> : std::true_type {};
