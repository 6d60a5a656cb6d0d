// SPDX-License-Identifier: Apache-2.0
/// The requests of one exchange, told to those who look.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/http/trace.hpp>

#include "http/settings.hpp"
#include "http/trace_mask.hpp"

namespace qconn {

/// Those who look at the requests of a connection.
class HttpTraces {
public:
    using List = std::vector<std::shared_ptr<HttpTracing::Tracer>>;
    /// Without any one load of an atomic. Thread-safe.
    static List of(std::string_view connection);
    static void add(std::shared_ptr<HttpTracing::Tracer> tracer);
    static void remove(const std::shared_ptr<HttpTracing::Tracer>& tracer);
    static std::size_t most_body(const List& list);
    static void tell(const List& list, const HttpTraceEvent& event);
};

namespace http {

/// @note One thread at a time.
class TraceCall {
public:
    /// Null where nobody looks.
    static std::unique_ptr<TraceCall> begin(const std::shared_ptr<const Settings>& settings);

    /// What goes out. @param reconnected  the one before found its connection closed
    void sent(bool reconnected, int redirects, std::string_view method, std::string_view url, const Headers& headers, std::string_view body);
    /// What came back, before anybody works on it.
    void came(const HttpResponse& response);
    /// The request has ended. @param error  of the call, or null
    void tell(const Error* error);

private:
    TraceCall(std::shared_ptr<const Settings> settings, HttpTraces::List list);

    std::shared_ptr<const Settings> settings_;
    HttpTraces::List list_;
    std::size_t most_body_;
    TraceMask mask_;
    std::optional<HttpTraceCause> cause_;
    int redirects_{0};
    HttpRequest request_;
    std::size_t request_bytes_{0};
    HttpResponse response_;
    std::size_t response_bytes_{0};
};

}  // namespace http

}  // namespace qconn
