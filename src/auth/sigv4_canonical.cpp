// SPDX-License-Identifier: Apache-2.0
#include "auth/sigv4_canonical.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include <qconn/base/url.hpp>

#include "base/text.hpp"

namespace qconn::auth {

namespace {

using namespace std::string_view_literals;

/// Hop-by-hop fields (RFC 9110 section 7.6.1, and RFC 2616 section 13.5.1).
constexpr std::array k_hop_by_hop{"connection"sv,       "keep-alive"sv, "http2-settings"sv, "proxy-authenticate"sv, "proxy-authorization"sv,
                                  "proxy-connection"sv, "te"sv,         "trailer"sv,        "transfer-encoding"sv,  "upgrade"sv};
/// What proxies on the way set or rewrite; the signature itself.
constexpr std::array k_rewritten{"accept-encoding"sv, "age"sv,    "authorization"sv, "cache-control"sv,   "expect"sv,    "forwarded"sv,
                                 "max-forwards"sv,    "pragma"sv, "via"sv,           "x-amzn-trace-id"sv, "x-real-ip"sv, "x-request-id"sv};
/// What only says who asks.
constexpr std::array k_who_asks{"from"sv, "referer"sv, "user-agent"sv};

template <std::size_t N>
bool is_among(const std::array<std::string_view, N>& names, std::string_view name) noexcept {
    return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return text::iequals(one, name); });
}

/// Dots are resolved and empty segments go; a slash at the end stays where something is left before it.
std::string normal_path(std::string_view path) {
    std::vector<std::string_view> kept;
    for (const std::string_view part : text::split(path, '/')) {
        if (part.empty() || part == ".") continue;
        if (part != "..")
            kept.push_back(part);
        else if (!kept.empty())
            kept.pop_back();
    }
    std::string out;
    out.reserve(path.size() + 1);
    for (const std::string_view part : kept) out.append("/").append(part);
    if (kept.empty() || path.ends_with('/')) out += '/';
    return out;
}

/// Of a name or value in a query.
std::string encoded_anew(std::string_view part) {
    std::string plain{part};
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_encode(percent_decode(plain));
}

std::string squeezed(std::string_view value) {
    std::string out;
    for (const char c : text::trim(value)) {
        if (!text::is_space(c))
            out += c;
        else if (out.back() != ' ')
            out += ' ';
    }
    return out;
}

}  // namespace

SplitUrl split_url(std::string_view url) noexcept {
    SplitUrl out;
    url = url.substr(0, url.find('#'));
    const std::size_t query = std::min(url.find('?'), url.size());
    if (query != url.size()) out.query = url.substr(query + 1);
    url = url.substr(0, query);
    out.path = url;
    const std::size_t scheme = url.find("://");
    if (scheme == npos || url.find('/') < scheme) return out;
    const std::size_t path = std::min(url.find('/', scheme + 3), url.size());
    out.scheme = url.substr(0, scheme + 3);
    out.path = url.substr(path);
    out.host = url.substr(scheme + 3, path - scheme - 3);
    if (const std::size_t at = out.host.rfind('@'); at != npos) out.host.remove_prefix(at + 1);
    return out;
}

std::string canonical_path(std::string_view path, SigV4Rules rules) {
    if (rules != SigV4Rules::s3) return percent_encode(normal_path(path), "/");
    if (path.empty()) return "/";
    return percent_encode(percent_decode(path), "/");
}

std::string canonical_query(std::string_view query) {
    std::vector<SigV4Field> pairs;
    for (const std::string_view pair : text::split(query, '&')) {
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        pairs.emplace_back(encoded_anew(pair.substr(0, equals)), encoded_anew(pair.substr(std::min(equals + 1, pair.size()))));
    }
    std::sort(pairs.begin(), pairs.end());
    std::string out;
    for (const auto& [name, value] : pairs) {
        if (!out.empty()) out += '&';
        out.append(name).append("=").append(value);
    }
    return out;
}

bool is_signable_header(std::string_view name) noexcept {
    constexpr std::string_view k_forwarded = "x-forwarded-";
    return !is_among(k_hop_by_hop, name) && !is_among(k_rewritten, name) && !is_among(k_who_asks, name) &&
           !text::iequals(name.substr(0, k_forwarded.size()), k_forwarded);
}

CanonicalHeaders canonical_headers(std::span<const SigV4Field> fields) {
    std::vector<SigV4Field> sorted;
    sorted.reserve(fields.size());
    for (const auto& [name, value] : fields) sorted.emplace_back(text::to_lower(name), squeezed(value));
    std::stable_sort(sorted.begin(), sorted.end(), [](const SigV4Field& a, const SigV4Field& b) { return a.first < b.first; });
    CanonicalHeaders out;
    const std::string* before = nullptr;
    for (const auto& [name, value] : sorted) {
        if (before != nullptr && *before == name) {
            out.lines.back() = ',';
        } else {
            out.names.append(out.names.empty() ? "" : ";").append(name);
            out.lines.append(name).append(":");
        }
        out.lines.append(value).append("\n");
        before = &name;
    }
    return out;
}

std::string canonical_request(std::string_view method, std::string_view path, std::string_view query, const CanonicalHeaders& headers,
                              std::string_view payload) {
    std::string out{method};
    for (const std::string_view part : {path, query, std::string_view{headers.lines}, std::string_view{headers.names}, payload})
        out.append("\n").append(part);
    return out;
}

std::string sha256_hex(std::string_view bytes) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), hash.data());
    return text::to_hex({reinterpret_cast<const char*>(hash.data()), hash.size()});
}

std::string string_to_sign(std::string_view stamp, std::string_view scope, std::string_view canonical) {
    std::string out{k_sigv4_algorithm};
    for (const std::string_view part : {stamp, scope}) out.append("\n").append(part);
    return out.append("\n").append(sha256_hex(canonical));
}

}  // namespace qconn::auth
