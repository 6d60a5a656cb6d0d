// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/sigv4.hpp>

#include <curl/curl.h>

#include <ctime>
#include <span>
#include <utility>

namespace qconn {

namespace {

using WallTime = std::chrono::system_clock::time_point;
using WallClock = std::function<WallTime()>;

class SigV4Authorization final : public HttpAuthorization {
public:
    SigV4Authorization(std::shared_ptr<const SigV4Signer> signer, WallClock clock) : signer_{std::move(signer)}, clock_{std::move(clock)} {}

    Headers headers_for(const HttpAttempt& attempt) const override {
        SigV4Request request{attempt.method, attempt.url, attempt.host, fields_of(attempt.headers), attempt.body};
        Headers unframed;
        if (attempt.headers.find("Content-Length") != nullptr) {  // libcurl has its own
            unframed = attempt.headers;
            unframed.erase("Content-Length");
            request.headers = fields_of(unframed);
        }
        if (attempt.streamed) {
            unframed = unsigned_body(attempt);
            request.headers = fields_of(unframed);
        }
        Headers out;
        for (const auto& [name, value] : signer_->sign(request, clock_())) out.add(name, value);
        return out;
    }

private:
    /// The headers of a request whose body is not known yet, which S3 takes over TLS.
    Headers unsigned_body(const HttpAttempt& attempt) const {
        const SigV4Options& options = signer_->options();
        const std::string service = options.service.empty() ? aws_place(attempt.host).value_or(AwsPlace{}).service : options.service;
        const bool s3 = options.rules == SigV4Rules::s3 || (options.rules == SigV4Rules::automatic && service == "s3");
        if (!s3 || !attempt.url.starts_with("https:")) {
            throw make_error(Errc::invalid_argument,
                             "the signature covers the body, so a body that is streamed can be sent to S3 over TLS only; give "
                             "it as a whole");
        }
        Headers headers = attempt.headers;
        headers.erase("Content-Length");
        headers.set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD");
        return headers;
    }
    static std::span<const SigV4Field> fields_of(const Headers& headers) { return {headers.begin(), headers.end()}; }

    std::shared_ptr<const SigV4Signer> signer_;
    WallClock clock_;
};

class SigV4Authenticator final : public HttpAuthenticator {
public:
    SigV4Authenticator(std::shared_ptr<const SigV4Signer> signer, const WallClock& clock)
        : signer_{std::move(signer)}, clock_{clock}, authorization_{std::make_shared<const SigV4Authorization>(signer_, clock)} {}

    HttpAuthorizationPtr current() override { return authorization_; }
    std::string redact(std::string text) const override { return signer_->redact(std::move(text)); }
    std::string advice(const HttpResponse& refusal) const override {
        using namespace std::chrono;
        constexpr minutes k_noticed{4};  // the strictest services take five
        const std::string* date = refusal.headers.find("Date");
        const std::time_t theirs = date != nullptr ? curl_getdate(date->c_str(), nullptr) : -1;
        if (theirs < 0) return {};
        const auto ahead = duration_cast<minutes>(clock_() - system_clock::from_time_t(theirs));
        if (abs(ahead) < k_noticed) return {};
        return "the clock of this machine is " + std::to_string(abs(ahead).count()) + " minutes " + (ahead.count() > 0 ? "ahead of" : "behind") +
               " the server's, and signatures are taken for some minutes only: set the clock";
    }

private:
    std::shared_ptr<const SigV4Signer> signer_;
    WallClock clock_;
    std::shared_ptr<const SigV4Authorization> authorization_;
};

}  // namespace

std::shared_ptr<HttpAuthenticator> sigv4_authenticator(SigV4Options options, WallClock clock) {
    if (!clock) clock = [] { return std::chrono::system_clock::now(); };
    return std::make_shared<SigV4Authenticator>(std::make_shared<const SigV4Signer>(std::move(options)), clock);
}

}  // namespace qconn
