// SPDX-License-Identifier: Apache-2.0
/// A dialogue with whatever answers on a TELNET port: a shell, a switch, a terminal server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/telnet/telnet_error.hpp>
#include <qconn/telnet/telnet_options.hpp>

namespace qconn {

/// What expect() has found. A value type.
struct TelnetMatch {
    /// Which of the patterns, counted from 0.
    std::size_t pattern{0};
    /// What came before it, and is gone from the session with it.
    std::string before{};
    /// What was found.
    std::string text{};
    /// The groups of the regular expression, the first at 0; those that took no part have no text.
    std::vector<std::optional<std::string>> groups{};
    /// Named groups that took part.
    std::map<std::string, std::string> names{};
    /// Bytes that were dropped before `before` (TelnetOptions::max_buffer).
    std::uint64_t dropped{0};
};

/// Commands of TELNET (RFC 854, 1184), sent as such and not as text.
enum class TelnetCommand : std::uint8_t {
    interrupt,        ///< IP: the running program; most Unix servers make Ctrl-C of it
    line_break,       ///< BRK: the Break key
    are_you_there,    ///< AYT: a server says something that shows that it is there
    abort_output,     ///< AO: the rest of the output is not wanted
    erase_character,  ///< EC
    erase_line,       ///< EL
    end_of_file,      ///< EOF
    suspend,          ///< SUSP
    abort,            ///< ABORT
    no_operation,     ///< NOP
};

/// How a session stands. A value type.
struct TelnetSessionInfo {
    bool is_open{false};
    bool is_logged_in{false};
    /// Why a session has broken; empty: it has not.
    std::string broken{};
    /// The address of the other end.
    std::string peer{};
    /// The last shell prompt that was seen.
    std::string prompt{};
    /// The server echoes what is sent (RFC 857).
    bool echo{false};
    bool binary_in{false};
    bool binary_out{false};
    bool suppress_go_ahead{false};
    /// What the server wanted to know and was told: "TERMINAL-TYPE", "NAWS", "TERMINAL-SPEED", "NEW-ENVIRON".
    std::vector<std::string> told{};
    std::uint64_t bytes_in{0};
    std::uint64_t bytes_out{0};
};

/// One session of TELNET (RFC 854, 855), logged in or driven by hand.
///
/// Text that comes is UTF-8 with "\n" at the end of lines, without escape sequences and commands of the protocol; see TelnetOptions for each of
/// these. What is sent is text likewise: "\n" becomes the line end of the session.
///
/// A session that broke stays broken: each call says so (TELNET-CLOSED), until connect() or login() makes the next. A call that ran out of time, or
/// was cancelled, leaves the session as it is: what it waited for may still come, and is there for the next.
///
/// TELNET has no encryption: user, password and all else can be read and changed on the way.
///
/// @note Thread-safe; calls are carried out one after the other, in their order; each whole, so that the dialogue of several calls belongs to one
/// user (a connection of a registry is therefore had by open()). command() and send_control() alone do not wait for a call that is under way, so that
/// they can interrupt it. Blocking calls do their I/O on the calling thread, asynchronous ones on a thread of the runtime; there the former are
/// refused. Between calls nothing is read. Destroying the client ends all calls as cancelled.
class QCONN_API TelnetClient final : public Client, public DialogueSource {
public:
    /// Nothing is connected yet. @throws Error INVALID-TARGET, TELNET-PATTERN-ERROR
    explicit TelnetClient(TelnetOptions options, Runtime runtime = {});
    ~TelnetClient() override;

    std::string_view label() const noexcept override;
    const TelnetOptions& options() const noexcept;
    /// Lines are told where they end, or something is sent behind them.
    void set_dialogue_listener(DialogueListener listener) override;

    /// Connects, without a log-in, unless a session is open.
    void connect(Deadline deadline = {});
    /// Connects, answers the prompts for user and password, and waits for the shell's prompt; nothing where that has been done in this session.
    /// The password is sent once, and only to what asks for one. @returns what the server said until and with the prompt; empty where nothing was
    /// done
    /// @throws Error TELNET-CONNECT-ERROR, TELNET-LOGIN-ERROR, TELNET-TIMEOUT
    std::string login(Deadline deadline = {});
    /// Sends `command` as a line, and waits for the shell's prompt; logs in before where there has been no session yet. What had come before is
    /// thrown away. Pagers are answered. @returns the output without the echo and the prompt, each line with "\n", as it stood on a screen at last:
    /// what was overwritten after carriage returns and backspaces is gone
    /// @throws Error TELNET-TIMEOUT, TELNET-CLOSED, TELNET-LIMIT-ERROR (max_output, max_pages); INVALID-ARGUMENT for control characters in `command`
    std::string run(std::string_view command, Deadline deadline = {});
    /// The same line by line into `sink`, so that an output of any size needs no memory. @returns bytes
    std::uint64_t run(std::string_view command, ByteSink& sink, Deadline deadline = {});

    void send(std::string_view text, Deadline deadline = {});
    /// With the line end of the session.
    void send_line(std::string_view line, Deadline deadline = {});
    /// The same for what neither transcript nor log may show.
    void send_line(const Secret& line, Deadline deadline = {});
    /// Waits until one of them is found: the one that begins first, and of those that begin at the same place the first of the list. What comes later
    /// stays for the next call.
    /// @throws Error TELNET-TIMEOUT, TELNET-CLOSED (what came last is in the detail), TELNET-PATTERN-ERROR
    TelnetMatch expect(const std::vector<TelnetPattern>& patterns, Deadline deadline = {});
    TelnetMatch expect(const TelnetPattern& pattern, Deadline deadline = {});
    /// What has come, without waiting, and is gone from the session with that. Empty: nothing.
    std::string read(Deadline deadline = {});

    /// Also while another call is under way: then it is handed over to that, and this returns at once.
    void command(TelnetCommand what, Deadline deadline = {});
    /// The control character of a key: 'c' for Ctrl-C, '[' for Escape, '?' for Delete. Also while another call is under way.
    /// @throws Error INVALID-ARGUMENT where there is none
    void send_control(char key, Deadline deadline = {});
    /// A new window size, for this session and those to come; the server is told where it has asked.
    void resize(std::uint16_t columns, std::uint16_t rows, Deadline deadline = {});
    /// Ends the session, or forgets a broken one. run() then logs in anew.
    void close(Deadline deadline = {});

    TelnetSessionInfo session() const;
    /// The last of what was said in this session and those before: what came, and what was sent but not echoed, with secrets masked.
    std::string transcript() const;

    Operation async_connect(Deadline deadline, Callback<void> callback);
    Operation async_login(Deadline deadline, Callback<std::string> callback);
    Operation async_run(std::string command, Deadline deadline, Callback<std::string> callback);
    Operation async_run(std::string command, std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<std::uint64_t> callback);
    Operation async_send(std::string text, Deadline deadline, Callback<void> callback);
    Operation async_send_line(std::string line, Deadline deadline, Callback<void> callback);
    Operation async_expect(std::vector<TelnetPattern> patterns, Deadline deadline, Callback<TelnetMatch> callback);
    Operation async_read(Deadline deadline, Callback<std::string> callback);
    Operation async_command(TelnetCommand what, Deadline deadline, Callback<void> callback);
    Operation async_close(Deadline deadline, Callback<void> callback);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn
