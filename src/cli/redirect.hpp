// SPDX-License-Identifier: Apache-2.0
/// What a browser brings back from a log-in (RFC 6749 section 4.1.2), and what it is told. No I/O.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::cli {

/// A code, or why there is none.
struct Redirected {
    std::string code;
    std::string state;
    std::string error;
    std::string description;
};

/// Nothing where it is neither, or says something twice. @param query  "code=…&state=…"
std::optional<Redirected> read_redirect(std::string_view query);
/// Of what a person copies: the whole URL, its query, or the code alone, which then has no state. Nothing where it is none of these.
std::optional<Redirected> read_pasted(std::string_view text);

/// Where on this machine a browser comes back to.
struct RedirectPlace {
    /// As it stands in the URL: "127.0.0.1", "localhost", "::1".
    std::string host{"127.0.0.1"};
    /// 0: any that is free.
    std::uint16_t port{0};
    std::string path{"/"};
    /// The URL with that port.
    std::string url(std::uint16_t actual_port) const;
};
/// Nothing where the URL leads elsewhere, or wants TLS. @param redirect_url  "auto": the usual place
std::optional<RedirectPlace> redirect_place(std::string_view redirect_url);

/// What a browser's request is answered with.
struct RedirectAnswer {
    int status{404};
    std::string_view text;
    /// What was waited for.
    std::optional<Redirected> result;
    /// It looked like that, but belongs to another log-in.
    bool is_foreign{false};
    /// The answer as it is sent.
    std::string message() const;
};
/// @param head   of the request, up to the empty line
/// @param state  what a log-in of ours has
RedirectAnswer answer_redirect(std::string_view head, std::string_view path, std::string_view state);

}  // namespace qconn::cli
