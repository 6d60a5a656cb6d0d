// SPDX-License-Identifier: Apache-2.0
#include "schemes/oauth2.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <utility>

#include <qconn/base/url.hpp>
#include <qconn/core/monitoring.hpp>
#include <qconn/http/oauth2.hpp>

#include "auth/token_request.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "http/target.hpp"

namespace qconn::schemes {
namespace {

constexpr std::array k_grants{OAuth2Grant::none,          OAuth2Grant::client_credentials, OAuth2Grant::password, OAuth2Grant::authorization_code,
                              OAuth2Grant::refresh_token, OAuth2Grant::jwt_bearer};

/// How long the tokens of a connection that is gone are kept for one that comes in its place.
constexpr std::chrono::minutes k_kept{5};

/// Options that say nothing of tokens and of the way to their server.
constexpr std::array<std::string_view, 18> k_of_requests{
    "headers",         "data",           "no_charset",      "content_encoding",  "accept_encodings",
    "send_encoding",   "compress_above", "max_head_size",   "max_body_size",     "max_expansion",
    "max_idle",        "max_redirects",  "redirect_mode",   "redirect_passthru", "error_passthru",
    "assume_encoding", "encode_chars",   "pre_encoded_urls"};

bool is_of_requests(std::string_view name) {
    if (name.starts_with("ping_") || name.starts_with("swagger") || name == "disable_automatic_pings") return true;
    if (std::find(k_of_requests.begin(), k_of_requests.end(), name) != k_of_requests.end()) return true;
    const auto& rules = monitoring_options().specs();
    return std::any_of(rules.begin(), rules.end(), [name](const OptionSpec& spec) { return spec.name == name; });
}

/// One word for all that the tokens of a connection depend on; no secret can be read out of it.
std::string key_of(const ResolvedDefinition& definition, const Runtime& runtime) {
    const Url& url = definition.url;
    std::string text = definition.name + '\n' + definition.scheme + '\n' + url.authority() + '\n' + url.username.value_or("") + '\n' +
                       std::string{url.password ? url.password->reveal() : std::string_view{}} + '\n' +
                       std::to_string(reinterpret_cast<std::uintptr_t>(&runtime.impl()));
    for (const auto& [name, value] : definition.options) {
        if (!is_of_requests(name)) text += '\n' + name + '=' + json::encode(value, false, json::Unfit::as_text);
    }
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), hash.data());
    wipe(text);
    return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

/// The options as far as their presence goes, for the question what is missing.
OAuth2Options outline_of(const Definition& definition, OAuth2Grant grant) {
    OAuth2Options outline;
    outline.grant = grant;
    const auto present = [&definition](std::string_view name) { return is_set(definition, name) ? std::string{"x"} : std::string{}; };
    outline.client_id = present("oauth2_client_id") + present("client_id");
    outline.client_secret = Secret{present("oauth2_client_secret") + present("client_secret")};
    outline.token_url = present("oauth2_token_url");
    outline.auth_url = present("oauth2_auth_url");
    outline.refresh_token = Secret{present("oauth2_refresh_token")};
    outline.jwt.key = Secret{present("oauth2_jwt_key")};
    outline.jwt.issuer = present("oauth2_jwt_issuer");
    const Url url = url_of(definition);
    outline.username = url.username ? *url.username : present("username");
    outline.password = Secret{url.password ? std::string{"x"} : present("password")};
    if (const Value* pkce = definition.options.find("oauth2_pkce"); pkce && pkce->is_bool()) outline.pkce = pkce->as_bool();
    return outline;
}

}  // namespace

OAuth2Grant grant_of(std::string_view name) noexcept {
    for (const OAuth2Grant grant : k_grants) {
        if (to_string(grant) == name) return grant;
    }
    return OAuth2Grant::none;
}

OAuth2Grant grant_of(const Definition& definition) {
    const Value* grant = definition.options.find("oauth2_grant_type");
    return grant && grant->is_string() ? grant_of(grant->as_string()) : OAuth2Grant::none;
}

std::string whole_or_path_problem(const Value& url) {
    const std::string_view text = url.as_string();
    if (text.find_first_of(" \t\r\n") != std::string_view::npos) return "it holds a blank or a line break";
    if (!http::is_whole_url(text)) return text.empty() || text.find(':') < text.find('/') ? "it must be a URL or a path" : "";
    return text.starts_with("http://") || text.starts_with("https://") ? "" : "it must begin with https:// or http://";
}

std::string form_fields_problem(const Value& map) {
    for (const auto& [name, value] : map.as_map()) {
        if (value.is_map() || value.is_list()) return "a value of it is no text";
    }
    return {};
}

std::string scopes_problem(const Value& list) {
    for (const auto& one : list.as_list()) {
        if (!one.is_string() || one.as_string().empty() || one.as_string().find_first_of(" \t\r\n\"\\") != std::string_view::npos)
            return "each element must be one word";
    }
    return {};
}

bool OAuth2Defaults::knows(std::string_view option) const { return std::find(known.begin(), known.end(), option) != known.end(); }

void check_oauth2(const Definition& definition, const OAuth2Defaults& defaults, Findings& findings) {
    const OAuth2Grant grant = is_set(definition, "oauth2_grant_type") ? grant_of(definition) : defaults.grant;
    const char* const place = is_set(definition, "oauth2_grant_type") ? "oauth2_grant_type" : "url";
    for (const auto& [name, value] : definition.options) {
        if (!name.starts_with("oauth2_") || name == "oauth2_grant_type" || value.is_null()) continue;
        if (grant == OAuth2Grant::none)
            findings.warning(name, "unused-option", "'" + name + "' has no effect without 'oauth2_grant_type'");
        else if (grant != OAuth2Grant::jwt_bearer && name.starts_with("oauth2_jwt_"))
            findings.warning(name, "unused-option", "'" + name + "' has no effect with grant " + std::string{to_string(grant)});
    }
    if (grant == OAuth2Grant::none) return;
    const OAuth2Options outline = outline_of(definition, grant);
    for (const std::string& missing : auth::missing_parts(outline)) {
        if (defaults.knows(missing)) continue;
        const bool of_log_in = missing == "username" || missing == "password";
        findings.error(place, "missing-option", "grant " + std::string{to_string(grant)} + " needs '" + missing + "'",
                       of_log_in ? "or the same in the URL" : std::string{});
    }
    if (grant != OAuth2Grant::password && !defaults.user_beside && (!outline.username.empty() || !outline.password.empty())) {
        findings.error(is_set(definition, "username") ? "username" : "url", "conflicting-options",
                       "a user name and tokens of grant " + std::string{to_string(grant)} + " exclude each other",
                       "both would have to stand in the same header");
    }
}

void set_oauth2(OAuth2Options& oauth2, HttpOptions& http) {
    if (oauth2.grant == OAuth2Grant::none) return;
    oauth2.label = http.label;
    const Url base = Url::parse(http.url);
    const auto whole = [&base](std::string& url) {
        if (url.empty() || http::is_whole_url(url)) return;
        url = base.scheme + "://" + base.authority() + (url.starts_with('/') ? "" : "/") + url;
    };
    whole(oauth2.token_url);
    whole(oauth2.auth_url);
    whole(oauth2.alternative_token_url);
    whole(oauth2.revoke_url);
    oauth2.username = std::exchange(http.username, {});
    oauth2.password = std::exchange(http.password, {});
    oauth2.token = std::exchange(http.token, {});
    oauth2.token_type = http.token_type;
}

/// A source and what becomes of its token afterwards.
struct TokenSources::Shared {
    Shared(std::weak_ptr<TokenSources> all_sources, std::string its_key, const OAuth2Options& oauth2, SendForm send, const Runtime& runtime)
        : all{std::move(all_sources)}, key{std::move(its_key)}, source{oauth2, std::move(send), runtime} {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() {
        if (const auto sources = all.lock()) sources->keep(key, source);
    }

    const std::weak_ptr<TokenSources> all;
    const std::string key;
    TokenSource source;
};

std::shared_ptr<TokenSource> TokenSources::get(const ResolvedDefinition& definition, const OAuth2Options& oauth2,
                                               const std::function<SendForm()>& send, const Runtime& runtime) {
    std::string key = key_of(definition, runtime);
    const std::scoped_lock lock{mutex_};
    forget_old(Clock::now());
    Known& known = known_[key];
    std::shared_ptr<Shared> shared = known.live.lock();
    if (!shared) {
        shared = std::make_shared<Shared>(weak_from_this(), std::move(key), oauth2, send(), runtime);
        known.live = shared;
        if (known.token) shared->source.resume(*std::exchange(known.token, nullptr));
    }
    return {shared, &shared->source};
}

void TokenSources::keep(const std::string& key, const TokenSource& source) {
    TokenPtr last = source.last();
    const auto now = Clock::now();
    const std::scoped_lock lock{mutex_};
    forget_old(now);
    Known& known = known_[key];
    if (!known.live.expired()) return;  // there is another one already
    known.token = std::move(last);
    known.until = now + k_kept;
}

void TokenSources::forget_old(Clock::time_point now) {
    std::erase_if(known_, [now](const auto& one) { return one.second.live.expired() && now >= one.second.until; });
}

}  // namespace qconn::schemes
