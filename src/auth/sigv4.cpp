// SPDX-License-Identifier: Apache-2.0
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <mutex>
#include <utility>

#include <qconn/auth/sigv4.hpp>
#include <qconn/base/url.hpp>

#include "auth/auth_error.hpp"
#include "auth/sigv4_canonical.hpp"
#include "base/redaction.hpp"
#include "base/text.hpp"

namespace qconn {

namespace {

using auth::CanonicalHeaders;
using auth::k_sigv4_algorithm;
using auth::sha256_hex;
using auth::SplitUrl;

constexpr std::string_view k_unsigned_payload = "UNSIGNED-PAYLOAD";
constexpr std::string_view k_date_header = "X-Amz-Date";
constexpr std::string_view k_token_header = "X-Amz-Security-Token";
constexpr std::string_view k_hash_header = "X-Amz-Content-Sha256";
constexpr std::chrono::seconds k_longest_expiry{7 * 24 * 3600};

using Sha256 = std::array<unsigned char, SHA256_DIGEST_LENGTH>;

std::string_view bytes_of(const Sha256& hash) noexcept { return {reinterpret_cast<const char*>(hash.data()), hash.size()}; }

Sha256 hmac(std::string_view key, std::string_view text) {
    Sha256 out{};
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(),
             &size) == nullptr) {
        throw make_error(Errc::system, "OpenSSL cannot compute an HMAC with SHA-256");
    }
    return out;
}

/// "20150830T123600Z"
std::string stamp_of(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto whole = floor<seconds>(time);
    const auto day = floor<days>(whole);
    const year_month_day date{day};
    const hh_mm_ss clock{whole - day};
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%04d%02u%02uT%02d%02d%02dZ", static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                  static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                  static_cast<int>(clock.seconds().count()));
    return text.data();
}

/// What a signature is for; the key is one for each.
struct Scope {
    std::string day;
    std::string region;
    std::string service;

    std::string text() const { return day + '/' + region + '/' + service + "/aws4_request"; }
    friend bool operator==(const Scope&, const Scope&) = default;
};

bool is_plain_word(std::string_view text) noexcept {
    return std::all_of(text.begin(), text.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '-' || c == '_' || c == '.'; });
}

const std::string* find_field(std::span<const SigV4Field> fields, std::string_view name) noexcept {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const SigV4Field& field) { return text::iequals(field.first, name); });
    return found != fields.end() ? &found->second : nullptr;
}

SigV4Rules rules_of(const SigV4Options& options, const Scope& scope) noexcept {
    if (options.rules != SigV4Rules::automatic) return options.rules;
    return scope.service == "s3" ? SigV4Rules::s3 : SigV4Rules::general;
}

}  // namespace

std::optional<AwsPlace> aws_place(std::string_view host) {
    const std::string name = text::to_lower(host.substr(0, host.find(':')));
    const std::vector<std::string_view> labels = text::split(name, '.');
    if (labels.size() != 4 || labels[2] != "amazonaws" || labels[3] != "com" || labels[0].empty() || labels[1].empty()) return std::nullopt;
    return AwsPlace{std::string{labels[0]}, std::string{labels[1]}};
}

class SigV4Signer::Core {
public:
    explicit Core(SigV4Options given) : options{std::move(given)} {
        check();
        secrets_.add(options.secret.reveal(), k_masked);
        secrets_.add(options.session_token.reveal(), k_masked);
    }
    ~Core() { OPENSSL_cleanse(key_.data(), key_.size()); }
    Core(const Core&) = delete;
    Core& operator=(const Core&) = delete;

    [[noreturn]] void refuse(std::string message) const {
        throw auth::make_auth_error(AuthErrc::signature, std::move(message), Reason::bad_value).with_connection(options.label);
    }

    Scope scope_of(const std::string& stamp, std::string_view host) const {
        Scope scope{stamp.substr(0, 8), options.region, options.service};
        if (!scope.region.empty() && !scope.service.empty()) return scope;
        const std::optional<AwsPlace> place = aws_place(host);
        if (!place) {
            refuse("the host \"" + text::printable(text::shorten(host, 100)) + "\" is not of the form <service>.<region>.amazonaws.com, so " +
                   (scope.region.empty() ? scope.service.empty() ? "region and service" : "the region" : "the service") +
                   " of the signature must be given (aws_region, aws_service)");
        }
        if (scope.region.empty()) scope.region = place->region;
        if (scope.service.empty()) scope.service = place->service;
        return scope;
    }

    std::string signature(const std::string& stamp, const Scope& scope, std::string_view canonical) const {
        const std::string to_sign = auth::string_to_sign(stamp, scope.text(), canonical);
        const std::scoped_lock lock{mutex_};
        if (!(keyed_ == scope)) derive(scope);
        return text::to_hex(bytes_of(hmac(bytes_of(key_), to_sign)));
    }

    std::string redact(const std::string& text) const { return secrets_.apply(text); }

    const SigV4Options options;

private:
    void check() const {
        if (options.key_id.empty() || options.secret.empty()) refuse("a signature needs a key id and its secret (aws_keyid, aws_secret)");
        if (text::has_control(options.key_id) || options.key_id.find_first_of(" ,") != std::string::npos)
            refuse("the key id (aws_keyid) holds a character that no key id has; was it copied whole?");
        if (text::has_control(options.secret.reveal()))
            refuse("the secret of the key (aws_secret) holds a line break or control character; was it copied whole?");
        if (text::has_control(options.session_token.reveal())) refuse("the session token (aws_token) holds a line break or control character");
        if (!is_plain_word(options.region)) refuse("\"" + text::printable(text::shorten(options.region, 60)) + "\" is no region (aws_region)");
        if (!is_plain_word(options.service)) refuse("\"" + text::printable(text::shorten(options.service, 60)) + "\" is no service (aws_service)");
    }

    void derive(const Scope& scope) const {
        std::string start = "AWS4" + std::string{options.secret.reveal()};
        key_ = hmac(start, scope.day);
        wipe(start);
        for (const std::string_view part : {std::string_view{scope.region}, std::string_view{scope.service}, std::string_view{"aws4_request"}})
            key_ = hmac(bytes_of(key_), part);
        keyed_ = scope;
    }

    Redaction secrets_;
    mutable std::mutex mutex_;
    // Guarded by mutex_:
    mutable Scope keyed_;
    mutable Sha256 key_{};
};

SigV4Signer::SigV4Signer(SigV4Options options) : core_{std::make_unique<Core>(std::move(options))} {}
SigV4Signer::~SigV4Signer() = default;

const SigV4Options& SigV4Signer::options() const noexcept { return core_->options; }

std::string SigV4Signer::redact(std::string text) const { return core_->redact(text); }

namespace {

/// A request taken apart, with what is signed of it.
struct Signable {
    explicit Signable(const SigV4Request& request) : url{auth::split_url(request.url)} {
        const std::string* own_host = find_field(request.headers, "host");
        host = own_host != nullptr ? std::string_view{*own_host} : !request.host.empty() ? request.host : url.host;
        fields.reserve(request.headers.size() + 4);
        fields.emplace_back("host", host);
        for (const SigV4Field& field : request.headers) {
            const bool replaced = text::iequals(field.first, "host") || text::iequals(field.first, k_date_header);
            if (!replaced && auth::is_signable_header(field.first)) fields.push_back(field);
        }
    }

    void set(std::string_view name, std::string_view value) {
        std::erase_if(fields, [&](const SigV4Field& field) { return text::iequals(field.first, name); });
        fields.emplace_back(name, value);
    }

    SplitUrl url;
    std::string_view host;
    std::vector<SigV4Field> fields;
};

}  // namespace

std::vector<SigV4Field> SigV4Signer::sign(const SigV4Request& request, Time now) const {
    const std::string stamp = stamp_of(now);
    Signable what{request};
    const Scope scope = core_->scope_of(stamp, what.host);
    const SigV4Rules rules = rules_of(options(), scope);
    const std::string* given_hash = find_field(request.headers, k_hash_header);
    const std::string payload = given_hash != nullptr ? *given_hash : sha256_hex(request.body);

    std::vector<SigV4Field> out{{std::string{k_date_header}, stamp}};
    if (!options().session_token.empty()) out.emplace_back(k_token_header, options().session_token.reveal());
    if (rules == SigV4Rules::s3 || given_hash != nullptr) out.emplace_back(k_hash_header, payload);
    for (const auto& [name, value] : out) what.set(name, value);

    const CanonicalHeaders headers = auth::canonical_headers(what.fields);
    const std::string canonical =
        auth::canonical_request(request.method, auth::canonical_path(what.url.path, rules), auth::canonical_query(what.url.query), headers, payload);
    std::string authorization{k_sigv4_algorithm};
    authorization.append(" Credential=").append(options().key_id).append("/").append(scope.text());
    authorization.append(", SignedHeaders=").append(headers.names);
    authorization.append(", Signature=").append(core_->signature(stamp, scope, canonical));
    out.emplace_back("Authorization", std::move(authorization));
    return out;
}

std::string SigV4Signer::presign(const SigV4Request& request, std::chrono::seconds expires, Time now) const {
    if (expires < std::chrono::seconds{1} || expires > k_longest_expiry)
        core_->refuse("a signed URL can expire after a second to seven days, not after " + std::to_string(expires.count()) + " s");
    const std::string stamp = stamp_of(now);
    const Signable what{request};
    if (what.url.query.find("X-Amz-Signature=") != npos) core_->refuse("the URL is signed already");
    const Scope scope = core_->scope_of(stamp, what.host);
    const SigV4Rules rules = rules_of(options(), scope);
    const std::string* given_hash = find_field(request.headers, k_hash_header);
    const std::string payload = given_hash != nullptr     ? *given_hash
                                : rules == SigV4Rules::s3 ? std::string{k_unsigned_payload}
                                                          : sha256_hex(request.body);
    const CanonicalHeaders headers = auth::canonical_headers(what.fields);

    std::string query{what.url.query};
    const auto add = [&query](std::string_view name, std::string_view value) {
        if (!query.empty()) query += '&';
        query.append(name).append("=").append(percent_encode(value));
    };
    add("X-Amz-Algorithm", k_sigv4_algorithm);
    add("X-Amz-Credential", options().key_id + '/' + scope.text());
    add("X-Amz-Date", stamp);
    add("X-Amz-Expires", std::to_string(expires.count()));
    add("X-Amz-SignedHeaders", headers.names);
    if (!options().session_token.empty()) add(k_token_header, options().session_token.reveal());
    const std::string canonical =
        auth::canonical_request(request.method, auth::canonical_path(what.url.path, rules), auth::canonical_query(query), headers, payload);
    add("X-Amz-Signature", core_->signature(stamp, scope, canonical));
    std::string url{what.url.scheme};
    url.append(what.url.host).append(what.url.path.empty() ? "/" : what.url.path).append("?").append(query);
    return url;
}

}  // namespace qconn
