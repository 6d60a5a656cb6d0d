// SPDX-License-Identifier: Apache-2.0
/// A session that is logged in, and the commands in it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/mail/pop3_client.hpp>

#include "mail/pop3_reply.hpp"
#include "mail/pop3_settings.hpp"
#include "mail/pop3_task.hpp"
#include "net/stream.hpp"

namespace qconn::mail::pop3 {

/// One exchange at a time. What it waits with is the call's; between calls it belongs to no loop's thread.
/// Any function may throw TIMEOUT and CANCELLED, or that the connection broke; is_spoilt() tells then that it cannot be used any more.
class Session {
public:
    /// Connects and logs in; where a token is refused, once more with another.
    static Task<std::unique_ptr<Session>> open(Call& call, std::shared_ptr<const Settings> settings, Deadline by);
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { log_.ended(); }

    Task<Pop3Capabilities> capabilities(Call& call);
    Task<Pop3Stat> stat(Call& call);
    Task<std::vector<Pop3Entry>> list(Call& call);
    Task<std::vector<Pop3Entry>> uidl(Call& call);
    Task<std::string> top(Call& call, std::uint32_t number, std::uint32_t lines);
    /// At most Pop3Options::max_mail_size of it.
    Task<std::string> retrieve(Call& call, std::uint32_t number);
    Task<std::uint64_t> retrieve_to(Call& call, std::uint32_t number, ByteSink& sink);
    /// Those that are no message are told by the first; the others are marked.
    Task<Done> mark(Call& call, const std::vector<std::uint32_t>& numbers);
    Task<Done> reset(Call& call);
    Task<Done> noop(Call& call);
    /// QUIT. @throws Error POP3-COMMIT-UNKNOWN, POP3-SERVER-ERROR; where nothing is marked there is nothing that could be unknown
    Task<Pop3Committed> commit(Call& call);

    // Several messages, one behind the other, asked for ahead of their turn:

    /// RETR for each.
    Task<bool> ask_for(Call& call, const std::vector<std::uint32_t>& numbers);
    /// The next answer to that. @returns whether there is such a message
    Task<bool> next_message(Call& call, std::uint32_t number, std::uint64_t size, std::string& text);
    /// Reads answers that nobody wants any more.
    Task<Done> skip_messages(Call& call, std::size_t count);

    /// How many commands may be on their way.
    std::size_t window() const noexcept;
    void attach(net::Loop& loop) { stream_->move_to(loop); }
    /// Nothing is outstanding and nothing broke.
    bool is_clean() const noexcept { return !spoilt_ && outstanding_ == 0; }
    bool is_spoilt() const noexcept { return spoilt_; }
    void spoil() noexcept { spoilt_ = true; }
    const std::vector<std::uint32_t>& marked() const noexcept { return marked_; }
    bool has_uids() const noexcept { return !no_uidl_; }
    /// Ends it without deleting anything, and without waiting.
    void leave() noexcept;

private:
    Session(std::unique_ptr<net::Stream> stream, std::shared_ptr<const Settings> settings)
        : settings_{std::move(settings)}, stream_{std::move(stream)}, log_{settings_->dialogue} {}
    static Task<std::unique_ptr<Session>> log_in(Call& call, std::shared_ptr<const Settings> settings, std::shared_ptr<const LoginPlan> plan,
                                                 Deadline by);

    Task<bool> send(Call& call, std::string lines);
    Task<Status> status(Call& call, std::string_view verb);
    Task<Status> command(Call& call, std::string line);
    /// The lines behind +OK. @param most  what is kept; all is read. @returns bytes
    Task<std::uint64_t> lines(Call& call, std::string_view verb, std::string& text, std::uint64_t most);
    /// Likewise, given on piece by piece; null: dropped.
    Task<std::uint64_t> lines_to(Call& call, std::string_view verb, ByteSink* sink);
    /// @returns false: the peer has closed
    Task<bool> fill(Call& call);
    Error refused(const Call& call, std::string_view verb, const Status& status, std::uint32_t message = 0) const;
    std::string_view unread() const noexcept { return std::string_view{input_}.substr(read_); }

    const std::shared_ptr<const Settings> settings_;
    std::unique_ptr<net::Stream> stream_;
    const net::SessionLog log_;
    Pop3Capabilities capabilities_;
    std::string input_;  // from read_ on not looked at
    std::size_t read_{0};
    std::string awaited_;
    std::vector<std::uint32_t> marked_;
    Deadline by_{};
    bool strict_{true};           // the server's lines end in CRLF
    std::size_t unwaited_{0};     // reads since it last waited
    std::size_t outstanding_{0};  // answers that are to come
    bool spoilt_{false};
    bool no_uidl_{false};
};

}  // namespace qconn::mail::pop3
