// SPDX-License-Identifier: Apache-2.0
#include "auth/token_answer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/form.hpp"
#include "base/json.hpp"
#include "base/text.hpp"

namespace qconn::auth {

namespace {

constexpr std::size_t k_most_fields = 200;
constexpr std::size_t k_shown = 300;
constexpr double k_longest_life = 10.0 * 365 * 24 * 3600;  // beyond it an end is none

bool is_form(const TokenAnswer& answer) {
    const std::string type = text::to_lower(answer.content_type);
    if (type.starts_with("application/x-www-form-urlencoded")) return true;
    return type.find("json") == std::string::npos && !text::trim(answer.body.reveal()).starts_with('{');
}

/// A map, or null.
Value read_fields(const TokenAnswer& answer) {
    const std::string_view body = answer.body.reveal();
    if (body.size() > k_most_answer) return {};
    Result<Value> fields = is_form(answer) ? form::decode(body, k_most_fields)
                                           : json::decode(body, {.size = k_most_answer, .depth = 16, .values = 10'000, .last_member_wins = false});
    return fields && fields->is_map() ? std::move(*fields) : Value{};
}

/// What may stand in a header as one word: RFC 6750 says which characters; more are let pass, but neither blanks nor control characters.
bool is_word(std::string_view word) noexcept {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string_view text_of(const Value& fields, std::string_view name) {
    const Value& value = fields[name];
    return value.is_string() ? value.as_string() : std::string_view{};
}

std::string shown(std::string_view words) { return text::printable(text::shorten(text::trim(words), k_shown)); }

/// Seconds; some servers write the number as text.
std::optional<double> seconds_of(const Value& value) {
    double seconds = 0;
    if (value.is_integer() || value.kind() == ValueKind::float64) {
        seconds = value.as_double();
    } else if (value.is_string()) {
        const std::string_view digits = text::trim(value.as_string());
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
        if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    }
    if (!(seconds > 0) || seconds > k_longest_life) return std::nullopt;
    return seconds;
}

/// Type names compare without case (RFC 6749 section 5.1), but not every server that takes the token does so.
std::string type_of(std::string_view type) { return text::iequals(type, "bearer") ? std::string{"Bearer"} : std::string{type}; }

}  // namespace

TokenOutcome read_token_answer(const TokenAnswer& answer, Clock::time_point now) {
    TokenOutcome outcome;
    const Value fields = read_fields(answer);
    outcome.error = shown(text_of(fields, "error"));
    if (answer.status / 100 != 2 || !outcome.error.empty()) {
        outcome.problem = shown(text_of(fields, "error_description"));
        const int status_class = answer.status / 100;
        outcome.refused = status_class == 4 ? answer.status != 408 && answer.status != 429 : status_class == 2;
        return outcome;
    }
    if (!fields.is_map()) {
        outcome.problem = "the answer is neither a JSON object nor a form";
        return outcome;
    }
    const std::string_view access = text_of(fields, "access_token");
    const std::string_view type = text_of(fields, "token_type");
    if (!is_word(access)) {
        outcome.problem = access.empty() ? "the answer has no access_token" : "the access_token holds a character that no token has";
        return outcome;
    }
    if (!is_word(type)) {
        outcome.problem = "the answer has no token_type";
        return outcome;
    }
    Token token;
    token.access = Secret{access};
    token.type = type_of(type);
    token.refresh = Secret{text_of(fields, "refresh_token")};
    token.scope = text_of(fields, "scope");
    if (const auto seconds = seconds_of(fields["expires_in"])) {
        token.lifetime = std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>{*seconds});
        token.expires = now + *token.lifetime;
    }
    for (const std::string_view name : {"refresh_expires_in", "refresh_token_expires_in"}) {  // as Keycloak calls it, and as GitHub and Azure do
        if (const auto seconds = seconds_of(fields[name]))
            token.refresh_expires = now + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>{*seconds});
    }
    constexpr std::array<std::string_view, 5> k_known{"access_token", "token_type", "refresh_token", "scope", "expires_in"};
    for (const auto& [name, value] : fields.as_map()) {
        if (std::find(k_known.begin(), k_known.end(), name) == k_known.end()) token.fields.set(name, value);
    }
    outcome.token = std::move(token);
    return outcome;
}

}  // namespace qconn::auth
