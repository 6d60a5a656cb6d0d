// SPDX-License-Identifier: Apache-2.0
/// What a POP3 server sends, without I/O (RFC 1939, 2449).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/mail/pop3_client.hpp>

namespace qconn::mail::pop3 {

/// Longest line that is taken; challenges and tokens' refusals are longer than the 512 of RFC 1939.
inline constexpr std::size_t k_longest_line = 64 * 1024;

struct Status {
    enum class Kind : std::uint8_t {
        ok,    ///< +OK
        err,   ///< -ERR
        more,  ///< + : a challenge
        none,  ///< no POP3
    };
    Kind kind{Kind::none};
    /// What follows.
    std::string text;

    bool is_ok() const noexcept { return kind == Kind::ok; }
};
/// @param line  without its end
Status status_of(std::string_view line);

/// The line at the beginning of what has come, without its end. @returns nothing where it has not come whole
/// @param used  with its end
std::optional<std::string_view> first_line(std::string_view input, std::size_t& used) noexcept;

/// An answer of several lines: takes the dots away that were put before dots, and knows the end.
class DotReader {
public:
    /// @param strict  lines end in CRLF and nothing else. A mail may have bare LF in it, behind which servers put no dots: taken for line ends, it
    /// could end the answer where its sender likes, and what follows would be taken for the server's word. False: of a server that has no CR itself
    explicit DotReader(bool strict = false) noexcept : strict_{strict} {}

    /// @param emit  void(std::string_view): the next piece
    /// @returns bytes used; the others are to be offered again with what comes next, unless is_done()
    template <class Emit>
    std::size_t feed(std::string_view in, Emit&& emit) {
        std::size_t from = 0;
        std::size_t at = 0;
        while (at < in.size()) {
            if (at_line_start_) {
                if (in[at] == '.') {
                    const std::string_view rest = in.substr(at + 1);
                    const bool open = rest.empty() || rest == "\r";
                    const bool end = rest.starts_with("\r\n") || (!strict_ && rest.starts_with('\n'));
                    if (at > from) emit(in.substr(from, at - from));
                    if (open) return at;
                    if (end) {
                        done_ = true;
                        return at + (rest.front() == '\n' ? 2U : 3U);
                    }
                    from = ++at;
                }
                at_line_start_ = false;
            }
            const void* const newline = std::memchr(in.data() + at, '\n', in.size() - at);
            if (newline == nullptr) {
                at = in.size();
                break;
            }
            const auto end = static_cast<std::size_t>(static_cast<const char*>(newline) - in.data());
            at_line_start_ = !strict_ || (end > 0 ? in[end - 1] == '\r' : after_return_);
            at = end + 1;
        }
        if (at > from) emit(in.substr(from, at - from));
        if (at > 0) after_return_ = in[at - 1] == '\r';
        return at;
    }
    bool is_done() const noexcept { return done_; }

private:
    bool strict_;
    bool at_line_start_{true};
    bool after_return_{false};  // the last byte that was used is CR
    bool done_{false};
};

/// "2 320". Nothing where it is no such thing.
std::optional<Pop3Stat> stat_of(std::string_view text) noexcept;
/// Lines of LIST: "1 120". Those that are none are left out.
std::vector<Pop3Entry> sizes_of(std::string_view lines);
/// Lines of UIDL: "1 whqtswO00WBw418f9t5JxYwZ".
std::vector<Pop3Entry> uids_of(std::string_view lines);
/// The sizes with their unique ids.
void join_uids(std::vector<Pop3Entry>& entries, const std::vector<Pop3Entry>& uids);
Pop3Capabilities capabilities_of(std::string_view lines);

/// `<1896.697170952@dbc.mtview.ca.us>` of a greeting, brackets included; empty: none.
std::string_view timestamp_of(std::string_view greeting) noexcept;

}  // namespace qconn::mail::pop3
