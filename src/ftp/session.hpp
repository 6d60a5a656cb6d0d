// SPDX-License-Identifier: Apache-2.0
/// A control connection that is logged in, and the data connections that it makes.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/ftp/ftp_client.hpp>
#include <qconn/net/endpoint.hpp>

#include "ftp/dialogue.hpp"
#include "ftp/reply.hpp"
#include "ftp/task.hpp"
#include "net/stream.hpp"
#include "net/tls_context.hpp"

namespace qconn::ftp {

/// What all sessions of a client have in common. Immutable.
struct Settings {
    FtpOptions options;
    Endpoint endpoint;                           ///< of the control connection, without TLS
    std::shared_ptr<const net::TlsContext> tls;  ///< null: none
    std::shared_ptr<const LoginPlan> login;
    std::string server;  ///< for messages
    std::shared_ptr<net::DialogueLog> dialogue;

    std::size_t max_sessions() const noexcept { return options.max_sessions; }
    std::chrono::milliseconds idle_time() const noexcept { return options.idle_time; }
    Job job(std::string verb, std::string_view path = {}) const { return {options.label, server, std::move(verb), std::string{path}}; }
};

/// A transfer under way.
struct Transfer {
    std::unique_ptr<net::Stream> data;
    std::string verb;
    std::optional<FtpReply> outcome{};  ///< the last reply, where it came before it was waited for
    std::uint64_t bytes{0};             ///< that went or came so far
};

/// One exchange at a time. What it waits with is the call's; between calls it belongs to no loop's thread.
/// Any function may throw TIMEOUT and CANCELLED, or that the connection broke; is_spoilt() then tells whether it can be used any more.
class Session {
public:
    using Common = Settings;
    static constexpr const char* k_recovering = "breaking off a transfer";

    static Task<std::unique_ptr<Session>> open(Call& call, std::shared_ptr<const Settings> settings);
    /// The server allows fewer.
    static bool is_full(const Error& error) noexcept;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { log_.ended(); }

    /// Sends whole lines; several commands may stand in them.
    Task<bool> send(Call& call, std::string lines);
    /// The next reply that is no preliminary one.
    Task<FtpReply> reply(Call& call, std::string_view verb);
    /// Any reply.
    Task<FtpReply> any_reply(Call& call, std::string_view verb);
    /// `line` without its end.
    Task<FtpReply> command(Call& call, std::string line);
    /// CWD into another directory; where it is refused the session has stayed.
    Task<FtpReply> enter(Call& call, const std::string& path);
    /// Back to the connection's directory, where the session is not there. A session that cannot come back is spoilt.
    Task<bool> go_back(Call& call);

    /// Begins a transfer: a data connection, and the command for it ("RETR x").
    /// @param from  where to begin (REST); 0: at the beginning
    /// @throws Error where the server refuses, or the data connection fails
    Task<Transfer> begin(Call& call, std::string line, std::uint64_t from, Reason otherwise);
    /// Both of a question and the preparation of a data connection for what comes next, in one go. @returns the answer to the question
    Task<FtpReply> ask_and_prepare(Call& call, std::string line);
    /// Waits until the data connection can be read or written, or the server says something; that is taken in then.
    /// @throws Error where what the server says is that the transfer fails
    Task<bool> wait_data(Call& call, Transfer& transfer, net::Ready side, Reason otherwise);
    /// NOOP, where the control connection has been silent for so long as the options say.
    Task<bool> keep_alive(Call& call, const Transfer& transfer);
    /// The last reply of a transfer. @throws Error where it says that it failed
    Task<FtpReply> finish(Call& call, Transfer& transfer, Reason otherwise);
    /// The same for a transfer whose data connection broke: what the server says of it, or else that.
    Task<bool> explain(Call& call, Transfer& transfer, std::optional<Error> broken, Reason otherwise);

    /// Brings it back into order after a failure: reads what is outstanding, breaks off what is under way. @returns whether it can be used
    Task<bool> recover(Call& call);
    /// Whether it answers, within a short time.
    Task<bool> probe(Call& call);
    /// Says good-bye as far as that needs no waiting.
    void leave() noexcept;

    void attach(net::Loop& loop);
    bool is_spoilt() const noexcept { return spoilt_; }
    bool is_clean() const noexcept { return !spoilt_ && outstanding_ == 0; }
    /// It stands where each call expects it to, and has nothing to remove.
    bool is_ready() const noexcept { return is_clean() && unfinished.empty() && !away_ && !restarts_ && noops_ == 0; }
    void spoil() noexcept { spoilt_ = true; }
    /// Nothing has come from the server in this use.
    bool is_unheard() const noexcept { return replies_ == 0; }
    void begin_use() noexcept {
        replies_ = 0;
        if (Clock::now() - idle_since > std::chrono::seconds{2}) data_port_ = 0;  // nobody listens for ever
    }
    bool looks_idle() { return stream_->looks_idle() && input_.empty(); }
    const Features& features() const noexcept { return features_; }
    void forget_mlst() noexcept { features_.mlst = false; }
    const std::string& directory() const noexcept { return directory_; }
    const Settings& settings() const noexcept { return *settings_; }
    net::Stream& stream() noexcept { return *stream_; }

    /// A file that is to go where the transfer fails.
    std::string unfinished;
    Clock::time_point idle_since{};

private:
    struct Dialled;
    struct Listening;

    Session(std::unique_ptr<net::Stream> stream, std::shared_ptr<const Settings> settings)
        : settings_{std::move(settings)}, stream_{std::move(stream)}, log_{settings_->dialogue}, parser_{log_} {}

    std::optional<FtpReply> try_reply(const Job& job);
    Task<bool> prepare(Call& call, bool asked);
    Task<bool> prepare_active(Call& call);
    Task<bool> connect_data(Call& call, Transfer& transfer, Reason otherwise);
    Task<bool> accept_data(Call& call, Transfer& transfer, Reason otherwise);
    Task<bool> secure_data(Call& call, Transfer& transfer, Reason otherwise);
    void take_outcome(Call& call, Transfer& transfer, FtpReply reply, Reason otherwise);
    Endpoint data_endpoint() const;
    std::unique_ptr<net::Stream> adopt(Call& call, UniqueFd fd, std::string peer) const;

    const std::shared_ptr<const Settings> settings_;
    std::unique_ptr<net::Stream> stream_;
    const SessionLog log_;
    ReplyParser parser_;
    std::string input_;
    std::string awaited_;
    Features features_;
    std::string directory_;
    int outstanding_{0};  // final replies that are to come
    std::uint64_t replies_{0};
    bool spoilt_{false};
    bool preliminary_{false};  // a transfer has begun
    bool away_{false};         // it is, or may be, in another directory than the connection's
    bool restarts_{false};     // the next transfer begins, or may begin, where REST said
    bool no_epsv_{false};
    bool no_pasv_{false};
    bool no_eprt_{false};
    std::uint16_t data_port_{0};  // that was asked for and not used so far
    UniqueFd listener_;
    int noops_{0};
    Clock::time_point last_word_{};
};

std::string_view verb_of(std::string_view line) noexcept;

}  // namespace qconn::ftp
