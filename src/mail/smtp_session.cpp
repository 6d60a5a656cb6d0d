// SPDX-License-Identifier: Apache-2.0
#include "mail/smtp_session.hpp"

#include <array>
#include <exception>

#include "base/text.hpp"
#include "mail/smtp_error.hpp"
#include "mail/smtp_reply.hpp"
#include "mail/token_call.hpp"
#include "net/exchange.hpp"
#include "net/loop_impl.hpp"

namespace qconn::mail {
namespace {

using net::Call;
using net::IoResult;
using net::Task;

constexpr std::chrono::seconds k_probe_limit{5};

void begin_smtp_tls(const SmtpSettings& settings, net::Stream& stream) {
    stream.start_tls(settings.tls, {settings.options.host, settings.endpoint.port, settings.options.label, {}});
}

}  // namespace

Task<std::unique_ptr<SmtpSession>> SmtpSession::open(Call& call, std::shared_ptr<const SmtpSettings> settings) {
    const Deadline by = net::deadline_of(settings->options.connect_timeout);
    std::shared_ptr<const SmtpLoginPlan> plan = settings->login;
    TokenPtr token;
    std::exception_ptr refused;
    for (bool renewed = false;; renewed = true) {
        if (settings->options.tokens != nullptr) {
            token = co_await token_of(call, *settings->options.tokens, token, by);
            if (!token) std::rethrow_exception(refused);
            auto own = std::make_shared<SmtpLoginPlan>(*settings->login);
            own->token = token->access;
            plan = std::move(own);
        }
        std::unique_ptr<net::Stream> stream = co_await net::connect(call, settings->endpoint, by);
        std::unique_ptr<SmtpSession> session{new SmtpSession{std::move(stream), settings}};
        const net::SessionLog& log = session->log_;
        log.connected(*session->stream_);
        log.add_secret(plan->token);
        SmtpLogin dialogue{plan, log};
        std::exception_ptr failed;
        try {
            if (settings->options.security == SmtpTls::implicit) {
                call.expect(Phase::tls, "the TLS handshake", {}, by);
                begin_smtp_tls(*settings, *session->stream_);
                co_await net::shake_hands(call, *session->stream_);
            }
            UniqueFunction<void(net::Stream&)> secure = [settings](net::Stream& s) { begin_smtp_tls(*settings, s); };
            session->input_ = co_await net::hold(call, *session->stream_, dialogue, std::move(secure), by, smtp_category());
        } catch (...) { failed = std::current_exception(); }
        if (failed) {
            if (!dialogue.token_refused() || settings->options.tokens == nullptr || renewed) std::rethrow_exception(failed);
            refused = failed;
            continue;
        }
        session->info_ = dialogue.info();
        session->info_.tls = session->stream_->tls_info();
        log.logged_in(plan->auth == SmtpAuth::none ? std::string_view{} : plan->username, *session->stream_);
        if (dialogue.exposed_password() && !settings->warned.exchange(true)) {
            settings->log.write({.level = LogLevel::warning,
                                 .connection = settings->options.label,
                                 .event = "password-in-clear",
                                 .text = "the password was sent without TLS, readable for whoever listens in; use smtptls or smtps",
                                 .fields = {}});
        }
        co_return session;
    }
}

bool SmtpSession::is_full(const Error& error) noexcept {
    const auto* detail = error.detail<SmtpErrorDetail>();
    return detail != nullptr && detail->reply.code == 421;
}

void SmtpSession::queue(std::string_view command) {
    ++outstanding_;
    out_.append(command).append("\r\n");
    log_.sent(command);
}

Task<bool> SmtpSession::flush(Call& call, std::string_view awaited) {
    while (sent_ < out_.size() && !send_error_) {
        auto step = stream_->write_some(std::string_view{out_}.substr(sent_));
        if (step.kind == IoResult::Kind::done) {
            sent_ += step.size;
            continue;
        }
        if (step.kind != IoResult::Kind::want_read && step.kind != IoResult::Kind::want_write) {
            // What it said before it closed, "421 Timeout", is the better reason.
            send_error_ = net::lost(call.job(), *stream_, std::move(step.error), awaited);
            break;
        }
        call.expect(Phase::protocol, awaited, settings_->options.timeout);
        const auto side = step.kind == IoResult::Kind::want_read ? net::Ready::read : net::Ready::write;
        co_await net::StreamWait{call, *stream_, side};
    }
    if (!send_error_) {
        flushed_ += out_.size();
        sent_ = 0;
        out_.clear();
    }
    co_return !send_error_;
}

std::optional<Reply> SmtpSession::try_reply(const net::Job& job, std::string_view awaited) {
    std::array<char, 8192> buffer;  // NOLINT: filled by read_some
    for (;;) {
        if (!input_.empty()) {
            input_.erase(0, parser_.feed(input_));
            if (!parser_.problem().empty()) {
                spoilt_ = true;
                throw failure(job, SmtpErrc::failed, Reason::bad_answer, parser_.problem()).with_spoils_connection(true);
            }
            if (auto reply = parser_.take()) {
                if (outstanding_ > 0) --outstanding_;
                if (reply->code == 421)
                    spoilt_ = true;
                else
                    ++replies_;
                return reply;
            }
        }
        auto step = stream_->read_some(buffer.data(), buffer.size());
        switch (step.kind) {
            case IoResult::Kind::done: input_.append(buffer.data(), step.size); break;
            case IoResult::Kind::want_read:
            case IoResult::Kind::want_write:
                if (!send_error_) return std::nullopt;
                [[fallthrough]];
            case IoResult::Kind::closed:
            case IoResult::Kind::failed:
                spoilt_ = true;
                if (send_error_) throw *send_error_;
                throw net::lost(job, *stream_, std::move(step.error), awaited);
        }
    }
}

Task<Reply> SmtpSession::reply(Call& call, std::string_view awaited, std::chrono::milliseconds silence) {
    for (;;) {
        auto got = try_reply(call.job(), awaited);
        if (got) co_return std::move(*got);
        call.expect(Phase::protocol, awaited, silence);
        co_await net::StreamWait{call, *stream_, net::Ready::read};
    }
}

Task<Reply> SmtpSession::command(Call& call, std::string line, std::string_view awaited) {
    queue(line);
    co_await flush(call, awaited);
    Reply got = co_await reply(call, awaited, settings_->options.timeout);
    co_return got;
}

Task<bool> SmtpSession::probe(Call& call) {
    // Its own time: the call goes on with another session.
    bool answers = false;
    try {
        queue("NOOP");
        const Deadline by{k_probe_limit};
        co_await flush(call, "the answer to NOOP");
        for (;;) {
            const auto got = try_reply(call.job(), "the answer to NOOP");
            if (got) {
                answers = is_good(*got);
                break;
            }
            call.expect(Phase::protocol, "the answer to NOOP", settings_->options.timeout, by);
            co_await net::StreamWait{call, *stream_, net::Ready::read};
        }
    } catch (const Error&) { answers = false; }
    if (!answers) spoilt_ = true;
    call.check();
    co_return answers;
}

Task<bool> SmtpSession::recover(Call&) {
    spoilt_ = true;
    co_return false;
}

Task<bool> SmtpSession::quit(Call& call) {
    if (spoilt_) co_return false;
    std::string line = "QUIT";
    bool answered = false;
    try {
        const Reply got = co_await command(call, std::move(line), "the answer to QUIT");
        answered = is_good(got);
    } catch (const Error&) { answered = false; }
    spoilt_ = true;
    stream_->close();
    call.check();
    co_return answered;
}

void SmtpSession::leave() noexcept {
    if (!spoilt_ && out_.empty()) {
        log_.sent("QUIT");
        stream_->write_some("QUIT\r\n");
    }
    stream_->close();
}

}  // namespace qconn::mail
