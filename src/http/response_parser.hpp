// SPDX-License-Identifier: Apache-2.0
/// Reads one HTTP/1.x answer as it arrives, keeping little of it (RFC 9112). For pings; requests go over libcurl.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace qconn {
class Headers;
}

namespace qconn::http {

struct ResponseLimits {
    /// Bytes of the head, those of interim answers and trailers included.
    std::size_t max_head{64 * 1024};
    std::size_t max_interim{16};
};

/// @note One thread at a time. The outcome does not depend on how the bytes are cut into pieces.
class ResponseParser {
public:
    enum class State { head, body, done, failed };

    /// @param no_body  the answer to HEAD
    /// @param keep_body  how many bytes of the body are kept
    explicit ResponseParser(bool no_body, ResponseLimits limits = {}, std::size_t keep_body = 0)
        : limits_{limits}, no_body_{no_body}, keep_body_{keep_body} {}

    /// The header fields of the answer are added there, those of interim answers not. It lives as long as the parser.
    void keep_fields(Headers& fields) noexcept { fields_ = &fields; }

    /// Takes input up to the end of the answer; returns how much of it. The rest of a line is kept inside, so all is used until it is over.
    std::size_t feed(std::string_view input);
    /// The peer will send nothing more: ends a body that is delimited by that, and fails everything else.
    void end_of_input();

    State state() const noexcept { return state_; }
    int status() const noexcept { return status_; }
    /// As received, made printable.
    const std::string& status_line() const noexcept { return status_line_; }
    /// After `failed`: what is wrong.
    const std::string& problem() const noexcept { return problem_; }
    /// After `failed`: the peer closed too early, rather than sent what is no HTTP.
    bool was_cut() const noexcept { return was_cut_; }
    std::uint64_t body_bytes() const noexcept { return body_bytes_; }
    /// As much of it as is kept, with chunks joined.
    const std::string& body() const noexcept { return body_; }
    /// After `done`: another request may follow on the same stream.
    bool keeps_connection() const noexcept { return keep_; }
    bool nothing_received() const noexcept { return nothing_; }
    /// After the head of an answer to a request to a proxy: the proxy made it, rather than passed it on. What it passes on has a Via field (RFC 9110
    /// section 7.6.3); some proxies put one into their own answers too, and say that these are theirs.
    bool made_by_proxy() const noexcept { return !via_ || proxy_error_; }

private:
    enum class Part { status_line, field, content, chunk_size, chunk_data, chunk_end, trailer, until_close };

    void line(std::string_view text);
    void read_status_line(std::string_view text);
    void read_field(std::string_view text);
    void end_of_head();
    void read_chunk_size(std::string_view text);
    void fail(std::string problem);
    void keep(std::string_view bytes);

    ResponseLimits limits_;
    bool no_body_;
    std::size_t keep_body_;
    std::string body_;
    State state_{State::head};
    Part part_{Part::status_line};
    std::string line_;
    std::size_t head_bytes_{0};
    std::size_t interim_{0};
    std::uint64_t left_{0};
    std::uint64_t body_bytes_{0};
    std::optional<std::uint64_t> length_;
    int status_{0};
    bool chunked_{false};
    bool coded_{false};
    bool keep_{false};
    bool was_cut_{false};
    bool nothing_{true};
    bool via_{false};
    bool proxy_error_{false};
    Headers* fields_{nullptr};
    std::string status_line_;
    std::string problem_;
};

}  // namespace qconn::http
