// SPDX-License-Identifier: Apache-2.0
#include "http/settings.hpp"

#include <algorithm>
#include <new>

#include <qconn/base/url.hpp>
#include <qconn/http/authenticator.hpp>

#include "base/text.hpp"
#include "http/coding.hpp"
#include "http/http_error.hpp"
#include "http/retry.hpp"
#include "net/http_auth.hpp"
#include "net/proxy_check.hpp"
#include "net/runtime_impl.hpp"
#include "net/socket.hpp"

namespace qconn::http {

namespace {

constexpr std::string_view k_user_agent = "qconn/0.1";

[[noreturn]] void refuse_option(const std::string& message) { throw make_http_error(HttpErrc::option, message, Phase::none, Reason::bad_value); }

void append(HeaderList& list, curl_slist*& last, const std::string& line) {
    // curl_slist_append walks the list each time: give it only the end.
    curl_slist* one = curl_slist_append(nullptr, line.c_str());
    if (one == nullptr) throw std::bad_alloc{};
    if (last == nullptr)
        list.reset(one);
    else
        last->next = one;
    last = one;
}

/// Framing, and what it is made from, is libcurl's affair.
bool is_framing(std::string_view name) noexcept {
    return text::iequals(name, "content-length") || text::iequals(name, "transfer-encoding") || text::iequals(name, "expect");
}

void replace_all(std::string& text, std::string_view what) {
    constexpr std::size_t k_shortest = 4;  // shorter ones would blot out ordinary words
    if (what.size() < k_shortest) return;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + k_masked.size()))
        text.replace(at, what.size(), k_masked);
}

}  // namespace

HeaderList to_list(const Headers& headers, bool has_body) {
    HeaderList list;
    curl_slist* last = nullptr;
    std::string line;
    bool has_type = false;
    bool has_accept = false;
    for (const auto& [name, value] : headers) {
        if (is_framing(name)) continue;
        has_type = has_type || text::iequals(name, "content-type");
        has_accept = has_accept || text::iequals(name, "accept");
        line = name;
        if (value.empty())
            line += ';';  // libcurl's spelling of a header without a value
        else
            line.append(": ").append(value);
        append(list, last, line);
    }
    if (!has_accept) append(list, last, "Accept:");
    if (has_body) {
        if (!has_type) append(list, last, "Content-Type:");
        append(list, last, "Expect:");
    }
    return list;
}

void check_headers(const Headers& headers) {
    for (const auto& [name, value] : headers) {
        if (!is_token(name)) refuse_option("\"" + text::printable(text::shorten(name, 80)) + "\" is no header name; it was not sent");
        if (!is_field_value(value)) refuse_option("the value of header \"" + name + "\" holds a line break or a zero byte; it was not sent");
    }
}

Settings::Settings(HttpOptions given, const Runtime& runtime) : options{std::move(given)}, redactions{redactions_of(options.label)} {
    const std::string about = options.label.empty() ? std::string{} : "connection \"" + options.label + "\": ";
    Url url;
    {
        Result<Url> parsed = Url::try_parse(options.url);
        if (!parsed)
            throw make_http_error(HttpErrc::url, about + std::string{parsed.error().message()}, Phase::none, Reason::bad_value, options.label);
        url = std::move(*parsed);
    }
    const auto refuse_here = [this, &about](const std::string& message, HttpErrc code = HttpErrc::option) {
        throw make_http_error(code, about + message, Phase::none, Reason::bad_value, options.label);
    };
    if (url.scheme == "https")
        base.tls = true;
    else if (url.scheme != "http")
        refuse_here("the URL " + url.masked() + " cannot be used: this client takes http:// and https://", HttpErrc::url);
    if (url.host.empty()) refuse_here("the URL " + url.masked() + " names no host", HttpErrc::url);
    base.port = url.port.value_or(base.tls ? 443 : 80);
    if (url.is_socket) {
        base.socket = url.host;
        base.host = "localhost";
        if (base.socket.size() > 107) refuse_here("the path of the UNIX socket is longer than 107 bytes", HttpErrc::url);
    } else {
        base.host = text::to_lower(url.host);
    }
    if (base.host.find_first_of(std::string_view{" \t\r\n/?#\\\"<>^`{|}\0", 17}) != std::string::npos) {
        refuse_here("the host of the URL " + url.masked() + " holds a character that no host name has", HttpErrc::url);
    }
    base_path = encode_path(url.path, {});
    base.path = join_paths(base_path, {});

    // Name and password come from one place; a password that is kept apart may complete the URL's user name.
    const bool own_name = !options.username.empty();
    const std::string username = own_name ? options.username : url.username.value_or("");
    Secret password = options.password;
    if (!own_name && url.password) password = *url.password;
    if (options.authenticator && (!username.empty() || !options.token.empty()))
        refuse_here("an authenticator and a user name or a token exclude each other: remove one of them");
    if (username.empty() && !password.empty() && options.token.empty())
        refuse_here("option password is set, but there is no user name: set option username, or remove the password");
    if (!options.token.empty()) {
        if (!username.empty()) refuse_here("a token and a user name exclude each other: remove one of them");
        if (!is_token(options.token_type)) refuse_here("option token_type is a word such as Bearer");
        if (!is_field_value(options.token.reveal())) refuse_here("the token holds a line break: was it read from a file with one at its end?");
        std::string line = options.token_type + " " + std::string{options.token.reveal()};
        authorization = Secret{line};
        wipe(line);
    } else if (!username.empty()) {
        std::string line = net::basic_credentials(username, password.reveal());
        authorization = Secret{line};
        wipe(line);
    }

    if (options.http_version == "1.0")
        http_version = CURL_HTTP_VERSION_1_0;
    else if (options.http_version == "2")
        http_version = CURL_HTTP_VERSION_2TLS;
    else if (options.http_version != "1.1")
        refuse_here("http_version is one of 1.0, 1.1 and 2, not \"" + text::printable(options.http_version) + "\"");
    if (options.max_redirects < 0) refuse_here("max_redirects is not negative");
    if (options.connect_timeout.count() < 0 || options.timeout.count() < 0) refuse_here("a timeout is not negative; 0 means none");
    try {
        check_retry(options.retry);
    } catch (Error& error) { throw error.with_connection(options.label); }
    if (options.max_expansion == 0) refuse_here("max_expansion is at least 1");
    for (std::string& coding : options.accept_codings) {
        coding = text::to_lower(coding);
        if (!is_known_coding(coding))
            refuse_here("the content coding \"" + text::printable(coding) + "\" is not known: there are gzip, deflate, br, zstd, bzip2");
        accept_encoding.append(accept_encoding.empty() ? "" : ", ").append(coding);
    }
    decode = !options.accept_codings.empty();
    if (options.send_coding == "identity") options.send_coding.clear();
    if (!options.send_coding.empty() && !is_known_coding(options.send_coding)) {
        refuse_here("bodies cannot be sent in the content coding \"" + text::printable(options.send_coding) +
                    "\": there are gzip, deflate, br, zstd, bzip2");
    }
    check_headers(options.headers);
    if (const std::string problem = net::socket_problem(options.socket); !problem.empty()) refuse_here(problem);
    if (options.proxy) {
        if (const std::string problem = net::proxy_problem(*options.proxy); !problem.empty()) refuse_here(problem);
        proxy_headers = net::proxy_headers(*options.proxy);
        if (options.proxy->kind == Proxy::Kind::https)
            proxy_tls = runtime.impl().tls_context(options.proxy->tls ? *options.proxy->tls : TlsOptions{}, options.label);
    }

    if (options.cookies) cookies = std::make_shared<CookieJar>();
    // Redirects may lead from http to https, so the settings are checked for every client; equal ones are loaded once for all.
    tls = runtime.impl().tls_context(options.tls, options.label);
    plain_headers = to_list(headers_for({}, true, false), false);
}

const Proxy* Settings::proxy_for(const Target& target) const {
    const bool has = options.proxy && target.socket.empty() && options.proxy->is_for(target.host, target.port);
    return has ? &*options.proxy : nullptr;
}

Headers Settings::headers_for(const Headers& own, bool with_credentials, bool has_body) const {
    Headers out;
    out.add("User-Agent", std::string{k_user_agent});
    out.add("Accept", "*/*");
    if (!accept_encoding.empty()) out.add("Accept-Encoding", accept_encoding);
    if (http_version == CURL_HTTP_VERSION_1_0) out.add("Connection", "Keep-Alive");
    if (with_credentials && !authorization.empty()) out.add("Authorization", std::string{authorization.reveal()});
    const auto merge = [&](const Headers& more) {
        // Several fields of one name are kept; together they replace what was there before.
        for (const auto& [name, value] : more) {
            if (!has_body && is_body_header(name)) continue;
            if (!with_credentials && (is_credential_header(name) || text::iequals(name, "host"))) continue;
            out.erase(name);
        }
        for (const auto& [name, value] : more) {
            if (!has_body && is_body_header(name)) continue;
            if (!with_credentials && (is_credential_header(name) || text::iequals(name, "host"))) continue;
            out.add(name, value);
        }
    };
    merge(options.headers);
    merge(own);
    return out;
}

std::string Settings::redact(std::string text) const {
    replace_all(text, options.password.reveal());
    replace_all(text, options.token.reveal());
    if (const Result<Url> url = Url::try_parse(options.url); url && url->password) replace_all(text, url->password->reveal());
    const std::string_view line = authorization.reveal();
    replace_all(text, line.substr(std::min(line.find(' ') + 1, line.size())));
    if (options.authenticator) text = options.authenticator->redact(std::move(text));
    return text;
}

std::string shown_url(std::string_view url) {
    const std::size_t query = url.find('?');
    return query == std::string_view::npos ? std::string{url} : std::string{url.substr(0, query)} + "?…";
}

std::string advice_on(const Settings& settings, const HttpResponse& response) {
    const bool refused = response.status == 400 || response.status == 401 || response.status == 403;
    return refused && settings.options.authenticator ? settings.options.authenticator->advice(response) : std::string{};
}

Error status_error(const Settings& settings, const HttpResponse& response, std::string_view what) {
    const int status = response.status;
    std::string message = (what.empty() ? response.info.method + " " + shown_url(response.info.url) : std::string{what}) + " was answered with " +
                          std::to_string(status);
    if (!response.reason.empty()) message += " " + text::printable(text::shorten(settings.redact(response.reason), 80));
    Phase phase = Phase::protocol;
    Reason reason = Reason::status;
    HttpErrc code = HttpErrc::receive;
    std::string_view usual;
    switch (status) {
        case 401:
            phase = Phase::auth;
            reason = Reason::denied;
            usual = settings.authorization.empty() && !settings.options.authenticator ? "it wants credentials: set username and password, or token"
                                                                                      : "check the credentials of this connection";
            break;
        case 403:
            phase = Phase::auth;
            reason = Reason::permission;
            usual = "these credentials may not do this";
            break;
        case 404:
            reason = Reason::not_found;
            usual = "check the path";
            break;
        case 407:
            code = HttpErrc::proxy;
            phase = Phase::proxy;
            reason = Reason::denied;
            usual = "check the user name and password in the proxy's URL";
            break;
        case 408:
        case 429: usual = "try again later"; break;
        default: usual = status / 100 == 5 ? "the server has the reason in its log" : "see the answer in the error's detail";
    }
    const std::string advice = advice_on(settings, response);
    message.append("; ").append(advice.empty() ? usual : advice);
    const bool retryable = status == 408 || status == 425 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
    return make_http_error(code, message, phase, reason, settings.options.label).with_retryable(retryable);
}

}  // namespace qconn::http
