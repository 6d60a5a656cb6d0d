// SPDX-License-Identifier: Apache-2.0
/// One call: a request, its redirects, the answer or the error.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/http/authenticator.hpp>
#include <qconn/http/http_client.hpp>

#include "http/coding.hpp"
#include "http/settings.hpp"
#include "http/trace.hpp"
#include "net/curl_driver.hpp"

namespace qconn::http {

/// What the caller of a transport wants beyond HttpOptions.
struct CallMode {
    /// Statuses from 400 on are errors, unless error_passthru is set.
    bool raise_status{true};
};

/// @note One thread at a time.
class Exchange : public net::CurlTransfer {
public:
    /// `request` must outlive the exchange.
    /// @throws Error where the request cannot be sent: HTTP-CLIENT-OPTION-ERROR, HTTP-CLIENT-URL-ERROR, URL-ENCODING-ERROR
    Exchange(std::shared_ptr<const Settings> settings, const HttpRequest& request, Deadline deadline, CallMode mode);

    void prepare(net::CurlHandle& handle) override;
    bool finished(net::CurlHandle& handle, const End& end) override;
    void complete() override {}
    bool on_head(std::string_view line) override;
    bool on_body(std::string_view bytes) override;
    bool on_tls(SSL_CTX* context) override;
    std::shared_ptr<const net::CrlWanted> wanted_crls() const override;

    /// The client's authenticator has to give it an authorization before it is run.
    bool wants_authorization() const noexcept;
    /// From now on requests to the client's origin are authorized by this one.
    /// @throws Error what the authorization throws, HTTP-CLIENT-OPTION-ERROR for a header that cannot be sent
    void authorize(HttpAuthorizationPtr authorization);
    /// What it was refused with, after a run: the exchange goes on, from the request that was refused, with authorize() and another run, or ends with
    /// end_refused() or fail(). Null: it was not, or for the second time.
    const HttpAuthorizationPtr& refused() const noexcept { return refused_; }
    /// The answer that refuses it is its result.
    void end_refused();
    /// Ends it before, or between runs.
    void fail(Error error);

    /// After the last finished().
    Result<HttpResponse> take_result();
    /// What is being done, for messages: `GET http://host/path for "name"`.
    std::string what() const;

private:
    /// Why a callback of ours ended the transfer.
    enum class Abort { none, head_too_large, body_too_large, expansion, coding, tls, source, sink };

    /// As finished().
    bool settle(net::CurlHandle& handle, const End& end);
    void read_status_line(std::string_view line);
    void end_of_head();
    bool is_redirect() const;
    bool follow(net::CurlHandle& handle);
    void decide();
    /// @throws Error for what cannot be reached through the proxy
    void check_route() const;
    /// The request goes to where its authorization says.
    void go_to(const std::string& base_url);
    /// The headers of the request that comes next.
    void compose();
    static std::size_t read_source(char* to, std::size_t size, std::size_t count, void* self) noexcept;
    /// Calls something of the caller's; what it throws ends the transfer.
    template <class Call>
    bool guarded(Abort abort, Call call) noexcept;
    void gather(net::CurlHandle& handle);
    Phase reached() const;
    bool tunnels() const;
    std::string proxy_words() const;
    Error make(HttpErrc code, const std::string& message, Phase phase, Reason reason) const;
    Error with_response(Error error);
    /// Says where the request may have been carried out although no answer came.
    Error with_doubt(Error error) const;
    Error stopped(net::CurlStop stop);
    Error aborted();
    Error failed(net::CurlHandle& handle, const End& end);
    Error status_error();
    std::optional<Error> proxy_refusal(net::CurlHandle& handle);
    Error proxy_failure(net::ProxyRefusal refusal, const std::string& heard) const;
    Error no_address(std::string_view host, HttpErrc code, const std::string& words) const;

    std::shared_ptr<const Settings> settings_;
    const HttpRequest& request_;
    CallMode mode_;
    Clock::time_point started_;

    CURL* easy_{nullptr};
    Target target_;
    const Proxy* proxy_{nullptr};  // on the way to it
    std::string method_;
    std::string_view body_;
    std::string coded_body_;
    bool has_body_{false};
    /// The target is the client's origin, and no hop has left it so far.
    bool with_credentials_{true};
    /// Of the user info of a whole URL, until a hop leaves its origin; empty: none.
    Secret url_authorization_;
    Headers own_headers_;
    HttpAuthorizationPtr authorization_;
    HttpAuthorizationPtr refused_;
    bool renewed_{false};
    Headers headers_;    // of the next request, where it is not plain
    bool plain_{false};  // no headers or body of its own: the prepared list does
    HeaderList list_;
    bool fresh_{false};

    HttpResponse response_;
    std::optional<Decoder> decoder_;
    std::string decoding_problem_;
    std::shared_ptr<net::TlsReport> tls_report_;
    std::shared_ptr<net::TlsReport> proxy_tls_report_;
    std::optional<Error> tls_problem_;
    std::optional<Error> body_problem_;  // of the source or the sink
    bool source_ready_{false};
    std::uint64_t source_bytes_{0};
    bool to_sink_{false};
    std::string decoded_;
    std::optional<Error> error_;
    Abort abort_{Abort::none};
    std::size_t head_bytes_{0};
    std::size_t body_bytes_{0};
    bool head_done_{false};
    bool discard_{false};
    int redirects_{0};
    std::string redirected_from_;
    std::unique_ptr<TraceCall> trace_;  // null where nobody looks
};

}  // namespace qconn::http
