// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/authenticator.hpp>

#include <utility>

#include "base/redaction.hpp"
#include "http/settings.hpp"

namespace qconn {

HttpAuthorization::~HttpAuthorization() = default;
std::string HttpAuthorization::base_url(std::string_view) const { return {}; }
bool HttpAuthorization::is_refused_by(const HttpResponse& answer) const { return answer.status == 401; }
HttpAuthenticator::~HttpAuthenticator() = default;

Operation HttpAuthenticator::async_authorize(HttpAuthorizationPtr, Deadline, Callback<HttpAuthorizationPtr>) {
    throw make_error(Errc::invalid_argument, "this authenticator has one authorization only (renews() is false)");
}

namespace {

class FixedHeaders final : public HttpAuthorization {
public:
    explicit FixedHeaders(Headers headers) : headers_{std::move(headers)} {}
    Headers headers_for(const HttpAttempt&) const override { return headers_; }
    const Headers& headers() const noexcept { return headers_; }

private:
    Headers headers_;
};

class HeaderAuthenticator final : public HttpAuthenticator {
public:
    explicit HeaderAuthenticator(Headers headers) : headers_{std::make_shared<const FixedHeaders>(std::move(headers))} {
        for (const auto& [name, value] : headers_->headers()) secrets_.add(value, k_masked);
    }

    HttpAuthorizationPtr current() override { return headers_; }
    std::string redact(std::string text) const override { return secrets_.apply(text); }

private:
    std::shared_ptr<const FixedHeaders> headers_;
    Redaction secrets_;
};

}  // namespace

std::shared_ptr<HttpAuthenticator> header_authenticator(Headers headers) {
    http::check_headers(headers);
    return std::make_shared<HeaderAuthenticator>(std::move(headers));
}

}  // namespace qconn
