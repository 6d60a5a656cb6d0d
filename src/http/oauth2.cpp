// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/oauth2.hpp>

#include <mutex>
#include <utility>

#include "auth/token_answer.hpp"
#include "http/side_options.hpp"

namespace qconn {

namespace {

class Bearer final : public HttpAuthorization {
public:
    Bearer(TokenPtr token, std::shared_ptr<const TokenUse> use) : token_{std::move(token)}, use_{std::move(use)} {}
    Headers headers_for(const HttpAttempt& attempt) const override {
        if (use_->headers) return use_->headers(*token_, attempt.url);
        return {{"Authorization", token_->type + ' ' + std::string{token_->access.reveal()}}};
    }
    std::string base_url(std::string_view path) const override { return use_->base_url ? use_->base_url(*token_, path) : std::string{}; }
    bool is_refused_by(const HttpResponse& answer) const override { return answer.status == 401 || (use_->is_refusal && use_->is_refusal(answer)); }
    const TokenPtr& token() const noexcept { return token_; }

private:
    TokenPtr token_;
    std::shared_ptr<const TokenUse> use_;
};

class OAuth2Authenticator final : public HttpAuthenticator {
public:
    OAuth2Authenticator(std::shared_ptr<TokenSource> source, TokenUse use)
        : source_{std::move(source)}, use_{std::make_shared<const TokenUse>(std::move(use))} {}

    HttpAuthorizationPtr current() override { return bearer(source_->current(), use_); }
    bool renews() const noexcept override { return true; }
    bool names_origin() const noexcept override { return static_cast<bool>(use_->base_url); }
    Operation async_authorize(HttpAuthorizationPtr refused, Deadline deadline, Callback<HttpAuthorizationPtr> callback) override {
        Callback<TokenPtr> told = [callback = std::move(callback), use = use_](Result<TokenPtr> token) mutable {
            token ? callback(bearer(std::move(*token), use)) : callback(token.error());
        };
        const auto* before = dynamic_cast<const Bearer*>(refused.get());
        if (before == nullptr) return source_->async_token(deadline, std::move(told));
        return source_->async_renew(before->token(), deadline, std::move(told));
    }
    std::string redact(std::string text) const override { return source_->redact(std::move(text)); }

    const std::shared_ptr<TokenSource>& source() const noexcept { return source_; }

private:
    static HttpAuthorizationPtr bearer(TokenPtr token, const std::shared_ptr<const TokenUse>& use) {
        return token ? std::make_shared<const Bearer>(std::move(token), use) : nullptr;
    }

    std::shared_ptr<TokenSource> source_;
    std::shared_ptr<const TokenUse> use_;
};

/// Clients of token servers, which are one for most sources: the URL of the form is the client's own, so that what is a log-in there may be sent.
/// @note Thread-safe.
class FormClients {
public:
    FormClients(const HttpOptions& given, Runtime runtime) : runtime_{std::move(runtime)}, options_{http::side_options(given)} {}

    /// @throws Error as HttpClient's constructor
    std::shared_ptr<HttpClient> at(const std::string& url) {
        const std::scoped_lock lock{mutex_};
        if (client_ && options_.url == url) return client_;
        options_.url = url;
        client_ = nullptr;
        client_ = std::make_shared<HttpClient>(options_, runtime_);
        return client_;
    }

private:
    const Runtime runtime_;
    std::mutex mutex_;
    // Guarded by mutex_:
    HttpOptions options_;
    std::shared_ptr<HttpClient> client_;
};

}  // namespace

HttpOptions http::side_options(const HttpOptions& given, std::string url) {
    HttpOptions options;
    options.label = given.label;
    options.url = std::move(url);
    options.http_version = given.http_version;
    options.connect_timeout = given.connect_timeout;
    options.timeout = given.timeout;
    options.redirects = RedirectMode::none;  // what a log-in holds goes nowhere else
    options.error_passthru = true;
    options.proxy = given.proxy;
    options.tls = given.tls;
    options.socket = given.socket;
    options.max_body = auth::k_most_answer;
    options.max_idle = 1;
    return options;
}

SendForm form_sender(const HttpOptions& options, Runtime runtime) {
    return [clients = std::make_shared<FormClients>(options, std::move(runtime))](TokenRequest form, Deadline deadline,
                                                                                  Callback<TokenAnswer> callback) {
        HttpRequest request;
        request.method = "POST";
        request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json, application/x-www-form-urlencoded"}};
        if (!form.authorization.empty()) request.headers.set("Authorization", std::string{form.authorization.reveal()});
        request.body = form.body.reveal();
        request.repeatable = form.repeatable;
        const auto client = clients->at(form.url);
        return client->async_request(std::move(request), deadline, [client, callback = std::move(callback)](Result<HttpResponse> response) mutable {
            if (!response) return callback(response.error());
            TokenAnswer answer;
            answer.status = response->status;
            answer.content_type = response->headers.get("Content-Type");
            answer.body = Secret{response->body};
            wipe(response->body);
            callback(std::move(answer));
        });
    };
}

std::shared_ptr<HttpAuthenticator> oauth2_authenticator(std::shared_ptr<TokenSource> source, TokenUse use) {
    return std::make_shared<OAuth2Authenticator>(std::move(source), std::move(use));
}

std::shared_ptr<TokenSource> token_source(const HttpClient& client) {
    const auto* authenticator = dynamic_cast<const OAuth2Authenticator*>(client.options().authenticator.get());
    return authenticator != nullptr ? authenticator->source() : nullptr;
}

}  // namespace qconn
