// SPDX-License-Identifier: Apache-2.0
/// What is said over HTTP in the name of a connection, to look at, with its secrets masked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/http/http_client.hpp>

namespace qconn {

/// Why a request was sent.
enum class HttpTraceCause : std::uint8_t {
    call,           ///< it is the first of its call, or of a try of it (RetryPolicy)
    redirect,       ///< the answer before led there
    reconnect,      ///< the server had closed the kept connection
    authorization,  ///< the one before was refused, and another authorization was to be had
};
/// "call", "redirect", …
QCONN_API std::string_view to_string(HttpTraceCause cause) noexcept;

/// A request and what became of it. Lives for the call that it is given to.
///
/// Masked are: headers that are named like credentials, all but the word `Bearer` or the like of Authorization; in URLs, forms, JSON, XML and YAML
/// the values under names like `token` or `password`; in forms of token servers everything but what is known to be harmless; whatever came from
/// secret references, and the tokens of the connection; and, in what follows, whatever was masked in the request. An API that calls a secret by a
/// harmless name, and that is told it literally, gets round that.
struct HttpTraceEvent {
    /// HttpOptions::label
    std::string_view connection;
    HttpTraceCause cause{HttpTraceCause::call};
    /// `path` is the whole URL; the headers are all but Host and Content-Length; the body as it was before its content coding, and not longer than
    /// HttpTraceOptions::max_body; empty where it comes from a source, or has several parts.
    const HttpRequest& request;
    /// Bytes of the whole body, before its coding.
    std::size_t request_bytes{0};
    /// Status 0: no answer came. Its `info` says how it went, its body is decoded and cut likewise; of a redirect it is not kept.
    const HttpResponse& response;
    /// Bytes of the whole body, decoded.
    std::size_t response_bytes{0};
    /// Why the call fails; empty: it does not, or not yet.
    std::string_view error;
};

struct HttpTraceOptions {
    /// Bytes of bodies that are shown.
    std::size_t max_body{4096};
};

/// Tells of all requests over HTTP in the name of a connection for as long as it lives: calls of its clients, also of those that were made before,
/// requests for its tokens and for descriptions of its API; not its pings. Costs nothing where there is none, and a copy of each exchange where
/// there is one.
/// @note Thread-safe. The callback comes on the thread that does the I/O, once a request has ended, at the same time from several; it must not
/// block. What it throws is dropped.
class QCONN_API HttpTracing {
public:
    using Callback = std::function<void(const HttpTraceEvent& event)>;
    /// @param connection  HttpOptions::label; empty: all
    HttpTracing(std::string connection, Callback callback, HttpTraceOptions options = {});
    HttpTracing(const HttpTracing&) = delete;
    HttpTracing& operator=(const HttpTracing&) = delete;
    /// No callback comes any more; waits for one that is under way, so not to be called from inside it.
    ~HttpTracing();

private:
    class Tracer;
    friend class HttpTraces;
    std::shared_ptr<Tracer> tracer_;
};

}  // namespace qconn
