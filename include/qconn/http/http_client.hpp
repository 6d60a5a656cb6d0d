// SPDX-License-Identifier: Apache-2.0
/// HTTP client: one origin, kept connections, blocking and asynchronous calls.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/http/body.hpp>
#include <qconn/http/retry.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

/// Header fields in the order they are sent or were received. Names compare without case (RFC 9110 section 5.1). A value type.
class QCONN_API Headers {
public:
    using Field = std::pair<std::string, std::string>;

    Headers() = default;
    Headers(std::initializer_list<Field> fields) : fields_(fields) {}

    /// The first value of that name; null pointer where there is none.
    const std::string* find(std::string_view name) const noexcept;
    /// The first value of that name, or empty.
    std::string_view get(std::string_view name) const noexcept;
    /// Replaces every field of that name by one.
    void set(std::string_view name, std::string value);
    void add(std::string_view name, std::string_view value) { fields_.emplace_back(name, value); }
    bool erase(std::string_view name);
    /// Makes room for that many fields.
    void reserve(std::size_t fields) { fields_.reserve(fields); }
    std::size_t size() const noexcept { return fields_.size(); }
    bool empty() const noexcept { return fields_.empty(); }
    auto begin() const noexcept { return fields_.begin(); }
    auto end() const noexcept { return fields_.end(); }

    friend bool operator==(const Headers&, const Headers&) = default;

private:
    std::vector<Field> fields_;
};

class HttpAuthenticator;

/// Which redirects are followed, and how.
enum class RedirectMode : std::uint8_t {
    /// 301, 302 and 303 turn a POST into GET without a body, 307 and 308 repeat it (RFC 9110 section 15.4); credentials and key headers never go to
    /// another origin.
    standard,
    /// As Qorus does: method and body are repeated for every status but 304. Credentials still stay with the origin.
    repeat,
    /// None; the 3xx answer is the result.
    none,
};

/// Everything that an HttpClient can be told. A value type; checked when the client is made.
struct HttpOptions {
    /// For messages; the name of the connection.
    std::string label;
    /// `http://` or `https://` with host, optional port and base path; user info in it is used where username is empty.
    /// `http://socket=%2Frun%2Fapp.sock/path` goes to a UNIX socket.
    std::string url;
    std::string username;
    Secret password;
    /// Sent as `Authorization: <token_type> <token>`; not together with a user name.
    Secret token;
    std::string token_type{"Bearer"};
    /// Authorizes the requests (http/authenticator.hpp), and its errors are those of calls; not together with a user name or a token. Null: none.
    std::shared_ptr<HttpAuthenticator> authenticator;
    /// Sent with each request; those of a call win over these.
    Headers headers;
    /// "1.0", "1.1" or "2" (over TLS by ALPN, else with prior knowledge).
    std::string http_version{"1.1"};
    /// Longest time to get a usable connection: name, TCP, proxy, TLS. Zero: no limit of its own.
    std::chrono::milliseconds connect_timeout{45'000};
    /// Longest silence of the peer, not the time of the whole call (that is the call's Deadline). Zero: none.
    std::chrono::milliseconds timeout{45'000};
    RedirectMode redirects{RedirectMode::standard};
    /// Redirects followed in one call. Zero: none are allowed, a redirect is an error.
    int max_redirects{5};
    /// Statuses from 400 on are returned like any other instead of raised.
    bool error_passthru{false};
    /// Codings offered in Accept-Encoding and decoded: any of gzip, deflate, br, zstd, bzip2. Empty: no header is sent and nothing is decoded.
    std::vector<std::string> accept_codings{"gzip", "deflate", "br", "zstd", "bzip2"};
    /// Coding of request bodies above compress_above bytes; empty: none.
    std::string send_coding;
    std::size_t compress_above{1024};
    /// Characters that are percent-encoded in the paths of calls, in addition to blanks and control characters.
    std::string encode_characters;
    /// Paths of calls are taken to be encoded: one of `{}|\^~[]` or a backtick in it is an error (URL-ENCODING-ERROR).
    bool pre_encoded_paths{false};
    /// Charset of answers that name none.
    std::string assume_charset;
    /// Plain requests are sent to an HTTP proxy as they are; those over TLS, and all through SOCKS, go through a tunnel.
    std::optional<Proxy> proxy;
    TlsOptions tls;
    SocketOptions socket;
    /// Largest head and body (after decoding) of an answer. Above: Error HTTP-CLIENT-LIMIT-ERROR, reason limit.
    std::size_t max_head{256 * 1024};
    std::size_t max_body{std::size_t{256} * 1024 * 1024};
    /// How many times larger than what was received a decoded body may get, once it is above 1 MiB.
    std::size_t max_expansion{200};
    /// Connections kept for further requests.
    std::size_t max_idle{8};
    /// Cookies that servers set are kept in memory, for all calls of the client, and sent where they belong (RFC 6265).
    bool cookies{false};
    RetryPolicy retry;
};

/// One request. A value type.
struct HttpRequest {
    std::string method{"GET"};
    /// Joined to the base path of the URL with one '/'; a query may follow. A whole URL (`http…://`) is taken as it is, read as RFC 3986 has it; to
    /// another origin the client's credentials and the key headers do not go, and user info in it goes to its own origin only.
    std::string path{};
    Headers headers{};
    std::string body{};
    /// In the place of `body`, sent as it comes, in no content coding. Null: none. Used by one call at a time.
    std::shared_ptr<ByteSource> body_from{};
    /// Takes the body of an answer of 2xx in the place of HttpResponse::body. Null: none. Used by one call at a time.
    std::shared_ptr<ByteSink> body_to{};
    /// Sends a body (and Content-Length) even when it is empty.
    bool has_body{false};
    /// Longest silence for this call; zero: that of the options.
    std::chrono::milliseconds timeout{0};
    /// Carrying it out twice does no harm, as the server knows it again by a key in it, or for another reason: it is treated like a PUT. Without
    /// effect for methods that are idempotent by themselves.
    bool repeatable{false};
};

/// How a call went. A value type.
struct HttpCallInfo {
    std::string method;
    std::string url;             ///< of the last request, without user info
    std::string version;         ///< "HTTP/1.1", "HTTP/2"
    std::string remote_address;  ///< "127.0.0.1:8080"; empty for a UNIX socket
    bool connection_reused{false};
    int redirects{0};
    int retries{0};                       ///< tries before this one (HttpOptions::retry)
    std::chrono::nanoseconds resolve{0};  ///< durations of the phases of the last request
    std::chrono::nanoseconds connect{0};
    std::chrono::nanoseconds tls{0};
    std::chrono::nanoseconds first_byte{0};
    std::chrono::nanoseconds receive{0};  ///< of the answer, from its first byte to its last
    std::uint64_t bytes_received{0};      ///< of the body of the last answer, before decoding
    std::uint64_t bytes_sent{0};          ///< of the body of the last request, in its content coding
    std::chrono::nanoseconds total{0};    ///< of the whole call, but for tries before and the waits between
    std::optional<TlsInfo> tls_info;      ///< where TLS was used and a new connection was made
};

/// An answer. A value type.
struct HttpResponse {
    int status{0};
    std::string reason;
    Headers headers;
    std::string body;
    HttpCallInfo info;

    Transfer transfer() const noexcept { return {info.first_byte, info.bytes_received, info.receive}; }
};

/// Detail of errors that have an answer.
class QCONN_API HttpErrorDetail : public ErrorDetail {
public:
    explicit HttpErrorDetail(HttpResponse r) : response{std::move(r)} {}
    HttpResponse response;
};

/// Codes of this family; the stable names are in brackets.
enum class HttpErrc {
    receive = 1,         ///< [HTTP-CLIENT-RECEIVE-ERROR] an answer with a failing status, or a broken one
    timeout,             ///< [HTTP-CLIENT-TIMEOUT]
    connect,             ///< [SOCKET-CONNECT-ERROR] resolve, connect
    proxy,               ///< [HTTP-CLIENT-PROXY-ERROR]
    tls,                 ///< [SOCKET-SSL-ERROR]
    url,                 ///< [HTTP-CLIENT-URL-ERROR]
    url_encoding,        ///< [URL-ENCODING-ERROR]
    redirect,            ///< [HTTP-CLIENT-REDIRECT-ERROR] a redirect without a usable Location
    too_many_redirects,  ///< [HTTP-CLIENT-MAXIMUM-REDIRECTS-EXCEEDED]
    option,              ///< [HTTP-CLIENT-OPTION-ERROR]
    coding,              ///< [HTTP-CLIENT-CODING-ERROR] a body that cannot be decoded
    limit,               ///< [HTTP-CLIENT-LIMIT-ERROR]
    body,                ///< [HTTP-CLIENT-BODY-ERROR] the source of a body or the sink of one failed
    cancelled,           ///< [CANCELLED]
};
QCONN_API const std::error_category& http_category() noexcept;
QCONN_API std::error_code make_error_code(HttpErrc code) noexcept;

namespace http {
class Transport;
}

/// Requests to one origin.
/// @note Thread-safe; calls run beside each other, each on a connection of its own, which is kept for the next.
/// A kept connection that the server has closed is replaced without the caller noticing. Where it is cut with a request on it, before any byte of
/// the answer, that request is sent once more if it may be carried out twice: GET, HEAD, PUT, DELETE, OPTIONS, TRACE, and what is marked as
/// repeatable. Any other, POST and PATCH above all, is never sent twice: whether the server has carried it out cannot be told, so an error after it
/// was sent and before the whole answer came is not retryable(). Connections are never shared between clients.
class QCONN_API HttpClient : public Client {
public:
    /// @throws Error HTTP-CLIENT-OPTION-ERROR, HTTP-CLIENT-URL-ERROR, TLS-OPTION-ERROR; nothing is connected yet
    explicit HttpClient(HttpOptions options, Runtime runtime = {});
    ~HttpClient() override;

    std::string_view label() const noexcept override;
    const HttpOptions& options() const noexcept;

    /// Sends a request and waits for the whole answer. I/O is done on the calling thread.
    /// @throws Error the names at HttpErrc; those with an answer carry an HttpErrorDetail. From an I/O thread of the runtime: INVALID-ARGUMENT.
    HttpResponse request(const HttpRequest& request, Deadline deadline = {});
    Operation async_request(HttpRequest request, Deadline deadline, Callback<HttpResponse> callback);

    HttpResponse get(std::string_view path, Deadline deadline = {});
    HttpResponse head(std::string_view path, Deadline deadline = {});
    HttpResponse post(std::string_view path, std::string body, std::string_view content_type, Deadline deadline = {});
    HttpResponse put(std::string_view path, std::string body, std::string_view content_type, Deadline deadline = {});
    HttpResponse del(std::string_view path, Deadline deadline = {});

protected:
    std::unique_ptr<http::Transport> transport_;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::HttpErrc> : std::true_type {};
