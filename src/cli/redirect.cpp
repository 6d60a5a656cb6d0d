// SPDX-License-Identifier: Apache-2.0
#include "cli/redirect.hpp"

#include <algorithm>
#include <array>

#include <qconn/base/secret.hpp>
#include <qconn/base/url.hpp>

namespace qconn::cli {
namespace {

std::string decoded(std::string_view text) {
    std::string plain{text};
    std::replace(plain.begin(), plain.end(), '+', ' ');
    return percent_decode(plain);
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view k_blanks = " \t\r\n\"'<>";
    const auto first = text.find_first_not_of(k_blanks);
    return first == std::string_view::npos ? std::string_view{} : text.substr(first, text.find_last_not_of(k_blanks) + 1 - first);
}

std::string_view up_to(std::string_view text, char mark) { return text.substr(0, text.find(mark)); }

}  // namespace

std::optional<Redirected> read_redirect(std::string_view query) {
    Redirected out;
    const std::array<std::pair<std::string_view, std::string*>, 4> known{
        {{"code", &out.code}, {"state", &out.state}, {"error", &out.error}, {"error_description", &out.description}}};
    while (!query.empty()) {
        const std::string_view field = up_to(query, '&');
        query.remove_prefix(std::min(field.size() + 1, query.size()));
        const std::string_view name = up_to(field, '=');
        const auto one = std::find_if(known.begin(), known.end(), [name](const auto& entry) { return entry.first == name; });
        if (one == known.end()) continue;
        if (!one->second->empty()) return std::nullopt;
        *one->second = decoded(field.substr(std::min(name.size() + 1, field.size())));
    }
    if (out.code.empty() == out.error.empty()) return std::nullopt;
    return out;
}

std::optional<Redirected> read_pasted(std::string_view text) {
    text = trimmed(text);
    if (text.empty()) return std::nullopt;
    const auto question = text.find('?');
    if (text.find("://") != std::string_view::npos || question != std::string_view::npos)
        return question == std::string_view::npos ? std::nullopt : read_redirect(up_to(text.substr(question + 1), '#'));
    if (text.find("code=") != std::string_view::npos || text.find("error=") != std::string_view::npos) return read_redirect(text);
    if (text.find_first_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
    return Redirected{decoded(text), {}, {}, {}};
}

std::string RedirectPlace::url(std::uint16_t actual_port) const {
    return "http://" + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(actual_port) + path;
}

std::optional<RedirectPlace> redirect_place(std::string_view redirect_url) {
    if (redirect_url.empty() || redirect_url == "auto") return RedirectPlace{};
    const auto url = Url::try_parse(redirect_url);
    constexpr std::array<std::string_view, 3> k_hosts{"127.0.0.1", "localhost", "::1"};
    if (!url || url->scheme != "http" || std::find(k_hosts.begin(), k_hosts.end(), url->host) == k_hosts.end()) return std::nullopt;
    return RedirectPlace{url->host, url->port.value_or(0), url->path.empty() ? "/" : url->path};
}

std::string RedirectAnswer::message() const {
    const std::string page =
        "<!doctype html><html><head><meta charset=\"utf-8\"><title>qconn</title></head><body><p>" + std::string{text} + "</p></body></html>\n";
    // The address of this page holds the code: nobody is to keep it, or to be told it.
    return "HTTP/1.1 " + std::to_string(status) + (status == 200 ? " OK" : " No") +
           "\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: " + std::to_string(page.size()) +
           "\r\nCache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nContent-Security-Policy: default-src 'none'\r\n"
           "X-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n" +
           page;
}

RedirectAnswer answer_redirect(std::string_view head, std::string_view path, std::string_view state) {
    const std::string_view line = up_to(head, '\r');
    if (!line.starts_with("GET ")) return {405, "Only a browser that comes back from a log-in is awaited here.", {}};
    std::string_view target = up_to(line.substr(4), ' ');
    target = up_to(target, '#');
    const std::string_view asked = up_to(target, '?');
    if (asked != up_to(path, '?')) return {404, "There is nothing here.", {}};
    auto result = read_redirect(target.substr(std::min(asked.size() + 1, target.size())));
    if (!result) return {400, "This is not what a log-in ends with; qconn goes on waiting.", {}};
    if (state.empty() || !(Secret{result->state} == Secret{state}))
        return {400, "This belongs to another log-in and was not used; qconn goes on waiting. Begin with the URL that it has shown.", {}, true};
    if (!result->error.empty()) return {200, "The access was not allowed. The terminal says more; you can close this page.", std::move(result)};
    return {200, "The code has come. The terminal says whether it was taken; you can close this page.", std::move(result)};
}

}  // namespace qconn::cli
