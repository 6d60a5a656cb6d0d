// SPDX-License-Identifier: Apache-2.0
/// A session with an SMTP server that is logged in.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/mail/smtp_client.hpp>

#include "mail/smtp_settings.hpp"
#include "net/call.hpp"
#include "net/reply.hpp"
#include "net/stream.hpp"
#include "net/task.hpp"

namespace qconn::mail {

/// One exchange at a time. What it waits with is the call's; between calls it belongs to no loop's thread.
/// Any function may throw TIMEOUT and CANCELLED, or that the connection broke; it cannot be used any more then.
class SmtpSession {
public:
    using Common = SmtpSettings;
    static constexpr const char* k_recovering = "ending a transaction";

    static net::Task<std::unique_ptr<SmtpSession>> open(net::Call& call, std::shared_ptr<const SmtpSettings> settings);
    /// The server allows fewer.
    static bool is_full(const Error& error) noexcept;
    SmtpSession(const SmtpSession&) = delete;
    SmtpSession& operator=(const SmtpSession&) = delete;
    ~SmtpSession() { log_.ended(); }

    /// Puts a command where the next flush() sends it; without its end.
    void queue(std::string_view command);
    /// Where contents go to.
    std::string& out() noexcept { return out_; }
    /// For pieces of contents; kept, as they are large.
    std::string& block() noexcept { return block_; }
    /// Sends what is there. What the server still says when it cannot be sent is left for reply().
    /// @param awaited  lives as long as the session
    net::Task<bool> flush(net::Call& call, std::string_view awaited);
    /// Bytes that were put into out() in all, and of them those that were sent.
    std::uint64_t queued_bytes() const noexcept { return flushed_ + out_.size(); }
    std::uint64_t sent_bytes() const noexcept { return flushed_ + sent_; }
    /// Nothing more can be sent.
    bool is_broken() const noexcept { return send_error_.has_value(); }
    /// The next reply. @param awaited  likewise
    net::Task<Reply> reply(net::Call& call, std::string_view awaited, std::chrono::milliseconds silence);
    net::Task<Reply> command(net::Call& call, std::string line, std::string_view awaited);

    /// MAIL was accepted, and what it began has not ended; the next message begins with RSET.
    bool in_transaction{false};

    /// There is no way back from the middle of a message but to close.
    net::Task<bool> recover(net::Call& call);
    net::Task<bool> probe(net::Call& call);
    /// Says QUIT and waits for the answer.
    net::Task<bool> quit(net::Call& call);
    /// Says good-bye as far as that needs no waiting.
    void leave() noexcept;

    void attach(net::Loop& loop) { stream_->move_to(loop); }
    bool looks_idle() { return stream_->looks_idle() && input_.empty(); }
    bool is_spoilt() const noexcept { return spoilt_; }
    void spoil() noexcept { spoilt_ = true; }
    bool is_ready() const noexcept { return !spoilt_ && outstanding_ == 0; }
    /// Nothing has come from the server in this use but that it goes.
    bool is_unheard() const noexcept { return replies_ == 0; }
    void begin_use() noexcept { replies_ = 0; }
    const SmtpServerInfo& info() const noexcept { return info_; }
    const SmtpSettings& settings() const noexcept { return *settings_; }
    const net::SessionLog& log() const noexcept { return log_; }

    Clock::time_point idle_since{};

private:
    SmtpSession(std::unique_ptr<net::Stream> stream, std::shared_ptr<const SmtpSettings> settings)
        : settings_{std::move(settings)}, stream_{std::move(stream)}, log_{settings_->dialogue}, parser_{log_} {}

    std::optional<Reply> try_reply(const net::Job& job, std::string_view awaited);

    const std::shared_ptr<const SmtpSettings> settings_;
    std::unique_ptr<net::Stream> stream_;
    const net::SessionLog log_;
    SmtpServerInfo info_;
    net::ReplyParser parser_;
    std::string input_;
    std::string out_;
    std::string block_;
    std::size_t sent_{0};       // of out_
    std::uint64_t flushed_{0};  // before out_
    std::optional<Error> send_error_;
    int outstanding_{0};  // replies that are to come
    std::uint64_t replies_{0};
    bool spoilt_{false};
};

}  // namespace qconn::mail
