// SPDX-License-Identifier: Apache-2.0
// Bodies are not parsed but scanned: they may be cut or broken, and are to be seen as they were sent.
#include "http/trace_mask.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/base/url.hpp>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "base/url_mask.hpp"
#include "http/content_type.hpp"
#include "http/target.hpp"

namespace qconn::http {

namespace {

using std::string_view;

/// A value may begin before the end of what is shown and be known as a secret only by what follows.
constexpr std::size_t k_margin = std::size_t{64} * 1024;
/// Shorter ones, under a name that says little, are words that stand elsewhere as well.
constexpr std::size_t k_telling = 8;

template <std::size_t N>
bool is_one_of(string_view name, const std::array<string_view, N>& known) {
    return std::any_of(known.begin(), known.end(), [name](string_view one) { return text::iequals(one, name); });
}

constexpr std::array<string_view, 2> k_open_names{"token_type", "token_type_hint"};
/// Headers that ask for credentials and hold none.
constexpr std::array<string_view, 3> k_open_headers{"WWW-Authenticate", "Proxy-Authenticate", "Access-Control-Allow-Credentials"};
constexpr std::array<string_view, 4> k_url_headers{"Location", "Content-Location", "Referer", "Refresh"};
/// Words before the credentials of Authorization.
constexpr std::array<string_view, 8> k_auth_words{"Basic", "Bearer", "Digest", "Negotiate", "NTLM", "OAuth", "Token", "AWS4-HMAC-SHA256"};
/// What forms to token servers may show.
constexpr std::array<string_view, 8> k_open_fields{"grant_type",    "scope",           "client_id", "redirect_uri",
                                                   "response_type", "token_type_hint", "audience",  "resource"};

/// Of a member, an element, a field. `code` is that of an error nearly everywhere but in the forms of token servers.
bool names_secret(string_view name) { return names_credential(name) && !is_one_of(name, k_open_names); }
bool names_secret_member(string_view name) {
    if (name.find('\\') != string_view::npos) return true;  // written so that it is not read
    return names_secret(name) && !text::iequals(name, "code");
}

std::size_t past_blanks(string_view text, std::size_t at) {
    while (at < text.size() && text::is_space(text[at])) ++at;
    return at;
}

/// Behind the closing quote; the end where there is none.
std::size_t string_end(string_view text, std::size_t quote) {
    for (std::size_t at = quote + 1; at < text.size(); ++at) {
        if (text[at] == '\\')
            ++at;
        else if (text[at] == text[quote])
            return at + 1;
    }
    return text.size();
}

/// Behind a value of JSON.
std::size_t value_end(string_view text, std::size_t at) {
    if (at >= text.size()) return text.size();
    if (text[at] == '"') return string_end(text, at);
    if (text[at] != '{' && text[at] != '[') return std::min(text.find_first_of(",]} \t\r\n", at), text.size());
    for (int depth = 0; at < text.size();) {
        const char c = text[at];
        if (c == '"') {
            at = string_end(text, at);
            continue;
        }
        ++at;
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        if (depth == 0) return at;
    }
    return text.size();
}

bool holds(string_view text, string_view part) { return text.find(part) != string_view::npos; }

}  // namespace

void TraceMask::mask(std::string& out, string_view value, bool sure) {
    out += k_masked;
    if (sure || value.size() >= k_telling) found_.add(value, k_masked);
}

std::string TraceMask::text(std::string text) const {
    if (known_) text = known_(std::move(text));
    std::string out = found_.apply(text);
    wipe(text);
    return out;
}

std::string TraceMask::url(string_view url) { return text(mask_url(url)); }

std::string TraceMask::header(string_view name, string_view value) {
    if (is_one_of(name, k_url_headers)) return url(value);
    if ((!is_credential_header(name) && !names_credential(name)) || is_one_of(name, k_open_headers)) return text(std::string{value});
    std::string out;
    const bool is_authorization = text::iequals(name, "Authorization") || text::iequals(name, "Proxy-Authorization");
    if (const std::size_t blank = value.find(' ');
        is_authorization && blank != string_view::npos && is_one_of(value.substr(0, blank), k_auth_words)) {
        out = value.substr(0, blank + 1);
        value.remove_prefix(blank + 1);
    }
    if (text::iequals(out, "Basic ")) {
        if (const auto plain = base64::decode(value)) {
            const std::string log_in{plain->begin(), plain->end()};
            if (const std::size_t colon = log_in.find(':'); colon != std::string::npos) found_.add(string_view{log_in}.substr(colon + 1), k_masked);
        }
    }
    mask(out, value, true);
    return out;
}

Headers TraceMask::headers(const Headers& headers) {
    Headers out;
    out.reserve(headers.size());
    for (const auto& [name, value] : headers) out.add(name, header(name, value));
    return out;
}

std::string TraceMask::body(string_view body, string_view content_type, std::size_t most) {
    const string_view text = body.substr(0, most + k_margin);
    const std::string type = text::to_lower(media_type(content_type));
    const std::size_t first = std::min(past_blanks(text, 0), text.size());
    const char begins = first < text.size() ? text[first] : ' ';
    std::string out;
    if (type.starts_with("multipart/")) return out;  // a part may be anything
    if (type == "application/x-www-form-urlencoded")
        out = form(text);
    else if (holds(type, "xml") || holds(type, "html") || begins == '<')
        out = xml(text);
    else if (holds(type, "json") || (begins == '{' && past_blanks(text, first + 1) < text.size() && text[past_blanks(text, first + 1)] == '"'))
        out = json(text);
    else
        out = json(lines(text));
    out = this->text(std::move(out));
    out.resize(std::min(out.size(), most));
    return out;
}

std::string TraceMask::form(string_view text) {
    const std::vector<string_view> fields = text::split(text, '&');
    const auto name_of = [](string_view field) { return percent_decode(field.substr(0, field.find('='))); };
    const bool for_token = std::any_of(fields.begin(), fields.end(), [&](string_view field) { return name_of(field) == "grant_type"; });
    std::string out;
    for (const string_view field : fields) {
        if (field.data() != text.data()) out += '&';
        const std::size_t equals = field.find('=');
        const std::string name = name_of(field);
        if (equals == string_view::npos || equals + 1 == field.size() || (for_token ? is_one_of(name, k_open_fields) : !names_secret(name))) {
            out += field;
            continue;
        }
        out += field.substr(0, equals + 1);
        mask(out, field.substr(equals + 1), true);
    }
    return out;
}

std::string TraceMask::json(string_view text) {
    std::string out;
    std::size_t shown = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '"') {
            ++at;
            continue;
        }
        const std::size_t end = string_end(text, at);
        const std::size_t colon = past_blanks(text, end);
        const string_view name = text.substr(at + 1, std::max<std::size_t>(end - at, 2) - 2);
        at = end;
        if (colon >= text.size() || text[colon] != ':') continue;
        at = past_blanks(text, colon + 1);
        if (!names_secret_member(name)) continue;
        const std::size_t until = value_end(text, at);
        const string_view value = text.substr(at, until - at);
        if (value == "true" || value == "false" || value == "null" || value == "\"\"" || value.empty()) continue;
        const bool quoted = value.front() == '"';
        out.append(text.substr(shown, at - shown)).append(quoted ? "\"" : "");
        const bool closed = quoted && value.size() > 1 && value.back() == '"';
        mask(out, quoted ? value.substr(1, value.size() - (closed ? 2 : 1)) : value, false);
        if (quoted) out += '"';
        at = until;
        shown = until;
    }
    return out.append(text.substr(shown));
}

std::string TraceMask::xml(string_view text) {
    std::string out;
    std::size_t shown = 0;
    const auto hide = [&](std::size_t from, std::size_t until) {
        if (from >= until || text::trim(text.substr(from, until - from)).empty()) return;
        out.append(text.substr(shown, from - shown));
        mask(out, text.substr(from, until - from), false);
        shown = until;
    };
    bool member = false;  // of XML-RPC, whose name was such a one: the next text is its value
    for (std::size_t at = text.find('<'); at < text.size(); at = text.find('<', at)) {
        const std::size_t close = std::min(text.find('>', at), text.size());
        const string_view tag = text.substr(at + 1, close - at - 1);
        const std::size_t after = std::min(close + 1, text.size());
        const std::size_t next = std::min(text.find("</", after), text.size());
        string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
        if (const std::size_t prefix = name.find(':'); prefix != string_view::npos) name.remove_prefix(prefix + 1);
        for (std::size_t equals = tag.find('='); equals != string_view::npos && equals + 1 < tag.size(); equals = tag.find('=', equals + 1)) {
            const std::size_t begin = tag.find_last_of(" \t\r\n", equals) + 1;
            const char quote = tag[equals + 1];
            if (begin == 0 || (quote != '"' && quote != '\'') || !names_secret_member(tag.substr(begin, equals - begin))) continue;
            const std::size_t end = std::min(tag.find(quote, equals + 2), tag.size());
            hide(at + 1 + equals + 2, at + 1 + end);
            equals = end - 1;
        }
        at = after;
        if (tag.starts_with('/')) {
            member = member && tag != "/value" && tag != "/member";
            continue;
        }
        if (tag.ends_with('/') || tag.starts_with('?') || tag.starts_with('!')) continue;
        const string_view content = text.substr(after, next - after);
        if (name == "name") {
            member = names_secret_member(text::trim(content));
        } else if (names_secret_member(name)) {
            hide(after, next);
            at = std::max(at, next);
        } else if (member && (content.find('<') == string_view::npos || content.starts_with("<![CDATA["))) {
            hide(after, next);
            at = std::max(at, next);
        }
    }
    return out.append(text.substr(shown));
}

std::string TraceMask::lines(string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const string_view line = text.substr(at, end - at);
        std::size_t cut = string_view::npos;
        for (std::size_t mark = line.find_first_of(":="); mark != string_view::npos && cut == string_view::npos;
             mark = line.find_first_of(":=", mark + 1)) {
            std::size_t last = mark;
            while (last > 0 && (line[last - 1] == ' ' || line[last - 1] == '"' || line[last - 1] == '\'')) --last;
            std::size_t first = last;
            while (first > 0 && (text::is_alpha(line[first - 1]) || text::is_digit(line[first - 1]) ||
                                 string_view{"_-."}.find(line[first - 1]) != string_view::npos))
                --first;
            if (first < last && names_secret_member(line.substr(first, last - first))) cut = past_blanks(line, mark + 1);
        }
        if (cut < line.size()) {
            out += line.substr(0, cut);
            mask(out, line.substr(cut), false);
        } else {
            out += line;
        }
        if (end < text.size()) out += '\n';
        at = end + 1;
    }
    return out;
}

}  // namespace qconn::http
