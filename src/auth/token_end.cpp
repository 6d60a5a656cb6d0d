// SPDX-License-Identifier: Apache-2.0
#include "auth/token_end.hpp"

#include <chrono>
#include <string>

#include <qconn/base/url.hpp>

#include "auth/jwt.hpp"
#include "auth/token_request.hpp"
#include "base/text.hpp"

namespace qconn::auth {

namespace {

/// NumericDate of RFC 7519 section 2: seconds since 1970, fractions allowed. Nothing for what is no time of this age.
std::optional<Credential::Time> date_of(const Value& claim) {
    constexpr double k_latest = 32'503'680'000.0;  // the year 3000
    if (!claim.is_integer() && claim.kind() != ValueKind::float64) return {};
    const double seconds = claim.as_double();
    if (!(seconds > 0) || seconds > k_latest) return {};
    return Credential::Time{std::chrono::duration_cast<Credential::Time::duration>(std::chrono::duration<double>{seconds})};
}

/// By what the token says of itself.
Credential described(const Secret& token, std::string_view what) {
    constexpr std::size_t k_longest_name = 200;
    Credential one;
    one.kind = Credential::Kind::token;
    one.subject = what;
    const Value claims = claims_of(token);
    if (!claims.is_map()) return one;
    one.expires = date_of(claims["exp"]);
    one.valid_from = date_of(claims["iat"]);
    if (const Value& issuer = claims["iss"]; issuer.is_string()) one.issuer = text::printable(text::shorten(issuer.as_string(), k_longest_name));
    return one;
}

std::string host_of(const std::string& url) {
    try {
        return Url::parse(url).host;
    } catch (const Error&) { return {}; }  // fetching tells what is wrong with it
}

}  // namespace

std::optional<Credential> ending_token(const Secret& token) {
    if (token.empty()) return {};
    Credential one = described(token, "access token");
    return one.expires ? std::optional{std::move(one)} : std::nullopt;
}

std::optional<Credential> ending_token(const OAuth2Options& options, const Token* last, Clock::time_point now, Credential::Time wall) {
    if (can_log_in(options.grant)) return {};
    const auto at = [now, wall](Clock::time_point when) {
        return std::chrono::time_point_cast<std::chrono::seconds>(wall + std::chrono::duration_cast<Credential::Time::duration>(when - now));
    };
    const Secret& refresh = last ? last->refresh : options.refresh_token;
    const bool by_refresh = !refresh.empty();
    Credential one = by_refresh ? described(refresh, "refresh token") : described(last ? last->access : options.token, "access token");
    // What the token server has said counts more than what it wrote into the token.
    const std::optional<Clock::time_point> end = last == nullptr ? std::nullopt : by_refresh ? last->refresh_expires : last->expires;
    if (end) one.expires = at(*end);
    if (!by_refresh && last && last->expires && last->lifetime) one.valid_from = at(*last->expires - *last->lifetime);
    if (one.issuer.empty()) one.issuer = host_of(options.token_url);
    return one.expires ? std::optional{std::move(one)} : std::nullopt;
}

}  // namespace qconn::auth
