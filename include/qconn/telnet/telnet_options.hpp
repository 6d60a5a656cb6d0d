// SPDX-License-Identifier: Apache-2.0
/// How a TELNET session is made, logged in and read.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/socket_options.hpp>

namespace qconn {

/// What to look for in the text of a session. A value type; a text converts to a regular expression.
struct TelnetPattern {
    TelnetPattern() = default;
    TelnetPattern(std::string regular_expression) : text{std::move(regular_expression)} {}
    TelnetPattern(const char* regular_expression) : text{regular_expression} {}
    /// The text as it stands.
    static TelnetPattern literal(std::string words) {
        TelnetPattern one{std::move(words)};
        one.is_literal = true;
        return one;
    }
    friend bool operator==(const TelnetPattern&, const TelnetPattern&) = default;

    /// A regular expression as Perl has them (PCRE2, UTF-8), or with is_literal that text. `^` and `$` are the ends of lines, `\z` is the end of what
    /// has come so far.
    std::string text;
    bool is_literal{false};
};

enum class TelnetEncoding : std::uint8_t {
    utf8,    ///< as it comes; see TelnetOptions::replace_invalid
    latin1,  ///< ISO-8859-1 at the other end, UTF-8 here
};

/// What ends a line that is sent (RFC 854).
enum class TelnetLineEnd : std::uint8_t {
    automatic,  ///< CR LF, and CR alone where binary transmission was agreed on
    crlf,
    cr_nul,  ///< CR NUL, what the Enter key of a terminal sends
    cr,
    lf,
};

struct TelnetOptions {
    /// For messages; the name of the connection.
    std::string label{};
    std::string host{};
    std::uint16_t port{23};
    /// Of the log-in. Empty: the server is expected to ask for none.
    std::string username{};
    /// Unset: the server is expected to ask for none.
    std::optional<Secret> password{};

    // Looked for in the last, unfinished line of what has come, each found at its end. Empty: the usual ones (docs/families/telnet.md).
    std::vector<TelnetPattern> login_prompt{};
    std::vector<TelnetPattern> password_prompt{};
    /// Once the log-in has ended, prompts of an unset one must begin as the first did: `router>`, `router(config)#`.
    std::vector<TelnetPattern> shell_prompt{};
    /// In the text that comes after the user name was sent: the log-in is refused.
    std::vector<TelnetPattern> failure{};
    /// What a pager asks at the end of a page, in the last, unfinished line of the output of a command.
    std::vector<TelnetPattern> pager{};
    /// Is sent as it stands to have the next page. Empty: pagers are not looked for.
    std::string pager_answer{" "};
    /// Pages that one command may have.
    std::size_t max_pages{10'000};
    /// Lines that are sent after each log-in, their output thrown away: "terminal length 0".
    std::vector<std::string> on_login{};

    /// TERMINAL-TYPE (RFC 1091).
    std::string terminal_type{"xterm"};
    /// TERMINAL-SPEED (RFC 1079), bits a second. 0: not told.
    std::uint32_t terminal_speed{38'400};
    /// Window size (RFC 1073). Wide and high, so that lines are not folded and pagers seldom ask. 0: the server is not told the size.
    std::uint16_t columns{511};
    std::uint16_t rows{1'000};
    /// Ask for binary transmission both ways (RFC 856). The server may refuse.
    bool binary{false};
    /// What the server may know of an environment (NEW-ENVIRON, RFC 1572): these, and nothing else. At most 4,096 bytes in all.
    std::vector<std::pair<std::string, std::string>> environment{};

    TelnetEncoding encoding{TelnetEncoding::utf8};
    /// Bytes that are no UTF-8 become U+FFFD each. False: they are kept.
    bool replace_invalid{false};
    TelnetLineEnd line_end{TelnetLineEnd::automatic};
    /// Escape sequences that steer a terminal (ECMA-48: colours, cursor, titles) are taken out of the text.
    bool strip_escapes{true};

    std::optional<Proxy> proxy{};
    SocketOptions socket{};
    /// Longest time to get a connection: name, proxy, TCP. Zero: no limit.
    std::chrono::milliseconds connect_timeout{15'000};
    /// Longest time of the whole log-in, from the connection on. Zero: no limit.
    std::chrono::milliseconds login_timeout{30'000};
    /// Longest silence of the server where something is waited for; negotiation counts as silence. Zero: no limit.
    std::chrono::milliseconds timeout{45'000};
    /// So long nothing more may come behind what looks like a prompt of an unset shell_prompt, until a log-in counts as ended.
    std::chrono::milliseconds settle_time{50};

    /// Text that is kept for expect(); of more, what came first is dropped. At least 1,024 bytes.
    std::size_t max_buffer{std::size_t{1} << 20};
    /// Largest output of a command that run() takes into memory.
    std::size_t max_output{std::size_t{64} << 20};
    /// The last of what was said, both ways, for transcript(). 0: none.
    std::size_t transcript_size{std::size_t{64} << 10};

    /// What is sent is logged (level info), and what becomes of sessions.
    bool log{false};
    /// All else that is said, what is received above all, is logged too (level debug).
    bool dbglog{false};
    /// Told each line of the dialogue.
    DialogueListener on_dialogue{};
};

/// The patterns in the place of those that options leave empty.
struct TelnetDefaults {
    std::vector<TelnetPattern> login_prompt;
    std::vector<TelnetPattern> password_prompt;
    std::vector<TelnetPattern> shell_prompt;
    std::vector<TelnetPattern> failure;
    std::vector<TelnetPattern> pager;
};
QCONN_API const TelnetDefaults& telnet_defaults();

}  // namespace qconn
