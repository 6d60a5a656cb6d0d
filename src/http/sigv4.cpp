// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/sigv4.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
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
        Headers out;
        for (const auto& [name, value] : signer_->sign(request, clock_())) out.add(name, value);
        return out;
    }

private:
    static std::span<const SigV4Field> fields_of(const Headers& headers) { return {headers.begin(), headers.end()}; }

    std::shared_ptr<const SigV4Signer> signer_;
    WallClock clock_;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7).
std::optional<WallTime> read_http_date(std::string_view text) {
    using namespace std::chrono;
    static constexpr std::array<std::string_view, 12> k_months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    if (text.size() != 29 || !text.ends_with(" GMT")) return std::nullopt;
    const auto number = [&](std::size_t at, std::size_t digits) {
        int value = -1;
        const char* first = text.data() + at;
        return std::from_chars(first, first + digits, value).ptr == first + digits ? value : -1;
    };
    const auto* month_name = std::find(k_months.begin(), k_months.end(), text.substr(8, 3));
    const year_month_day date{year{number(12, 4)}, month{static_cast<unsigned>(month_name - k_months.begin() + 1)},
                              day{static_cast<unsigned>(number(5, 2))}};
    const int hour = number(17, 2);
    const int minute = number(20, 2);
    const int second = number(23, 2);
    if (!date.ok() || hour < 0 || minute < 0 || second < 0) return std::nullopt;
    return sys_days{date} + hours{hour} + minutes{minute} + seconds{second};
}

class SigV4Authenticator final : public HttpAuthenticator {
public:
    SigV4Authenticator(std::shared_ptr<const SigV4Signer> signer, const WallClock& clock)
        : signer_{std::move(signer)}, clock_{clock}, authorization_{std::make_shared<const SigV4Authorization>(signer_, clock)} {}

    HttpAuthorizationPtr current() override { return authorization_; }
    std::string redact(std::string text) const override { return signer_->redact(std::move(text)); }
    std::string advice(const HttpResponse& refusal) const override {
        using namespace std::chrono;
        constexpr minutes k_noticed{4};  // the strictest services take five
        const std::optional<WallTime> theirs = read_http_date(refusal.headers.get("Date"));
        if (!theirs) return {};
        const auto ahead = duration_cast<minutes>(clock_() - *theirs);
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
