// SPDX-License-Identifier: Apache-2.0
#include "import/draft.hpp"

#include <algorithm>

#include <qconn/base/url.hpp>

#include "base/text.hpp"
#include "core/secret_ref.hpp"

namespace qconn::importing {
namespace {

bool has_any(std::string_view text, std::string_view characters) noexcept { return text.find_first_of(characters) != npos; }

/// References as single words, as the reader of the URL sees them.
std::string opaque(std::string_view text) { return core::SecretTokens{text}.opaque(); }

/// `driver:user/password@database(charset)%host:port{setting=value,…}`: the braces begin at the last '{', the password ends at the last '@' before
/// them, the user at the first '/'.
std::optional<std::string> datasource_url(const Draft& draft) {
    const std::string user = opaque(draft.user);
    const std::string password = opaque(draft.password.value_or(std::string{}));
    const std::string database = opaque(draft.database);
    const std::string host = opaque(draft.host);
    if (text::has_control(user + password + database + host + draft.charset)) return std::nullopt;
    if (has_any(draft.driver, ":@/%{}") || has_any(user, "/%") || has_any(database, "@%:(){}") || has_any(host, "@%(){}/")) return std::nullopt;
    if (host.find(':') != npos && !(host.starts_with('[') && host.ends_with(']'))) return std::nullopt;
    if (has_any(draft.charset, "@%:(){}")) return std::nullopt;
    if (user.empty() && draft.password) return std::nullopt;

    std::string url = "db://" + draft.driver + ":" + draft.user;
    if (draft.password) url.append("/").append(*draft.password);
    url.append("@").append(draft.database);
    if (!draft.charset.empty()) url.append("(").append(draft.charset).append(")");
    if (!draft.host.empty()) url.append("%").append(draft.host);
    if (draft.port) url.append(":").append(std::to_string(*draft.port));
    if (draft.settings.empty()) return url;
    url += '{';
    for (const auto& [name, value] : draft.settings) {
        if (name.empty() || has_any(name, ",={}") || has_any(opaque(value), ",{}") || text::has_control(name + value)) return std::nullopt;
        if (url.back() != '{') url += ',';
        url.append(name).append("=").append(value);
    }
    return url + "}";
}

}  // namespace

std::string literal(std::string_view text) {
    std::string out;
    std::size_t at = 0;
    for (std::size_t found = text.find("${"); found != npos; found = text.find("${", at)) {
        out.append(text.substr(at, found - at)).append("$${");
        at = found + 2;
    }
    return out.append(text.substr(at));
}

std::optional<std::string> url_of(const Draft& draft) {
    if (draft.scheme == "db") return datasource_url(draft);
    const bool ipv6 = draft.host.find(':') != npos && !draft.host.starts_with("socket=");
    std::string url = draft.scheme + "://";
    const bool user = !draft.user.empty() || draft.password;
    if (user) {
        url += draft.user;
        if (draft.password) url.append(":").append(*draft.password);
        url += '@';
    }
    url += ipv6 ? "[" + draft.host + "]" : draft.host;
    if (draft.port) url.append(":").append(std::to_string(*draft.port));
    url += draft.path;

    const core::SecretTokens tokens{url};
    const auto read = Url::try_parse(tokens.opaque());
    if (!read) return std::nullopt;
    const std::string host = read->is_socket ? "socket=" + percent_encode(read->host) : read->host;
    const bool same =
        read->scheme == draft.scheme && tokens.restore(host) == draft.host && read->port == draft.port && tokens.restore(read->path) == draft.path &&
        read->username.has_value() == user && tokens.restore(read->username.value_or(std::string{})) == draft.user &&
        read->password.has_value() == draft.password.has_value() && (!draft.password || tokens.restore(read->password->reveal()) == *draft.password);
    return same ? std::optional{url} : std::nullopt;
}

}  // namespace qconn::importing
