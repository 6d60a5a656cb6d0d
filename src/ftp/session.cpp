// SPDX-License-Identifier: Apache-2.0
#include "ftp/session.hpp"

#include <array>
#include <utility>

#include "net/exchange.hpp"

namespace qconn::ftp {
namespace {

using net::IoResult;

constexpr std::chrono::seconds k_probe_time{5};
/// For a server to end a transfer by itself whose data connection was cut, and then to answer ABOR.
constexpr std::chrono::seconds k_recover_time{4};

/// TLS over a control connection. Its session is its own: were it kept for others, the first that takes it up would, with TLS 1.3, use it up for the
/// data connections of this one.
void begin_tls(const Settings& settings, net::Stream& stream) {
    stream.start_tls(settings.tls, {settings.options.host, settings.endpoint.port, settings.options.label, {}});
    net::offer_session_of(nullptr, stream.ssl(), false);
}

}  // namespace

std::string_view verb_of(std::string_view line) noexcept { return line.substr(0, line.find_first_of(" \r")); }

Task<std::unique_ptr<Session>> Session::open(Call& call, std::shared_ptr<const Settings> settings) {
    const Deadline by = net::deadline_of(settings->options.connect_timeout);
    std::unique_ptr<net::Stream> stream = co_await net::connect(call, settings->endpoint, by);
    std::unique_ptr<Session> session{new Session{std::move(stream), settings}};
    session->log_.connected(*session->stream_);
    LoginDialogue dialogue{settings->login, session->log_};
    if (settings->options.security == FtpTls::implicit) {
        call.expect(Phase::tls, "the TLS handshake", {}, by);
        begin_tls(*settings, *session->stream_);
        co_await net::shake_hands(call, *session->stream_);
    }
    UniqueFunction<void(net::Stream&)> secure = [settings](net::Stream& s) { begin_tls(*settings, s); };
    session->input_ = co_await net::hold(call, *session->stream_, dialogue, std::move(secure), by, ftp_category());
    session->features_ = dialogue.features();
    session->directory_ = dialogue.directory();
    session->last_word_ = Clock::now();
    session->log_.logged_in(settings->login->username, *session->stream_);
    co_return session;
}

bool Session::is_full(const Error& error) noexcept {
    const auto* detail = error.detail<FtpErrorDetail>();
    return error.reason() == Reason::limit && detail != nullptr && detail->reply.code != 0;
}

void Session::attach(net::Loop& loop) { stream_->move_to(loop); }

Task<bool> Session::send(Call& call, std::string lines) {
    log_.sent_lines(lines);
    for (const char c : lines) outstanding_ += c == '\n' ? 1 : 0;
    awaited_.assign("that ").append(verb_of(lines)).append(" is taken");
    std::size_t sent = 0;
    while (sent < lines.size()) {
        auto step = stream_->write_some(std::string_view{lines}.substr(sent));
        if (step.kind == IoResult::Kind::done) {
            sent += step.size;
            continue;
        }
        if (step.kind != IoResult::Kind::want_read && step.kind != IoResult::Kind::want_write) {
            spoilt_ = true;
            // What it said before it closed, "421 Timeout", is the better reason.
            std::optional<FtpReply> last;
            try {
                last = try_reply(call.job());
            } catch (const Error&) { last.reset(); }
            if (last && last->code == 421) throw refusal(call.job(), verb_of(lines), *last).with_spoils_connection(true);
            throw net::lost(call.job(), *stream_, std::move(step.error), awaited_);
        }
        call.expect(Phase::protocol, awaited_, settings_->options.timeout);
        const auto side = step.kind == IoResult::Kind::want_read ? net::Ready::read : net::Ready::write;
        co_await StreamWait{call, *stream_, side};
    }
    last_word_ = Clock::now();
    co_return true;
}

std::optional<FtpReply> Session::try_reply(const Job& job) {
    std::array<char, 8192> buffer;  // NOLINT: filled by read_some
    for (;;) {
        if (!input_.empty()) {
            input_.erase(0, parser_.feed(input_));
            if (!parser_.problem().empty()) {
                spoilt_ = true;
                throw failure(job, FtpErrc::failed, Reason::bad_answer, parser_.problem()).with_spoils_connection(true);
            }
            if (auto reply = parser_.take()) {
                ++replies_;
                preliminary_ = is_preliminary(*reply);
                if (reply->code == 421) spoilt_ = true;
                if (noops_ > 0 && reply->code == 200) {  // those of transfers end otherwise
                    --noops_;
                    --outstanding_;
                    continue;
                }
                if (!preliminary_ && outstanding_ > 0) --outstanding_;
                return reply;
            }
        }
        auto step = stream_->read_some(buffer.data(), buffer.size());
        switch (step.kind) {
            case IoResult::Kind::done: input_.append(buffer.data(), step.size); break;
            case IoResult::Kind::want_read:
            case IoResult::Kind::want_write: return std::nullopt;
            case IoResult::Kind::closed:
            case IoResult::Kind::failed: spoilt_ = true; throw net::lost(job, *stream_, std::move(step.error), awaited_);
        }
    }
}

Task<FtpReply> Session::any_reply(Call& call, std::string_view verb) {
    awaited_.assign("the answer to ").append(verb);
    call.expect(Phase::protocol, awaited_, settings_->options.timeout);
    for (;;) {
        auto got = try_reply(call.job());
        if (got) co_return std::move(*got);
        co_await StreamWait{call, *stream_, net::Ready::read};
    }
}

Task<FtpReply> Session::reply(Call& call, std::string_view verb) {
    for (;;) {
        FtpReply got = co_await any_reply(call, verb);
        if (!is_preliminary(got)) co_return got;
    }
}

Task<FtpReply> Session::command(Call& call, std::string line) {
    const std::string verb{verb_of(line)};
    line += "\r\n";
    co_await send(call, std::move(line));
    FtpReply got = co_await reply(call, verb);
    co_return got;
}

Task<FtpReply> Session::enter(Call& call, const std::string& path) {
    std::string line = "CWD " + path;
    away_ = true;  // from now on: the call may end before the answer is here
    FtpReply got = co_await command(call, std::move(line));
    if (!is_positive(got)) away_ = false;
    co_return got;
}

Task<bool> Session::go_back(Call& call) {
    if (!away_) co_return true;
    if (directory_.empty()) {  // it is not known where that is
        spoilt_ = true;
        co_return false;
    }
    std::string line = "CWD " + directory_;
    FtpReply got = co_await command(call, std::move(line));
    if (!is_positive(got)) spoilt_ = true;
    away_ = false;
    co_return !spoilt_;
}

Task<bool> Session::probe(Call& call) {
    // Its own time: the call goes on with another session.
    bool answers = false;
    try {
        std::string line = "NOOP\r\n";
        co_await send(call, std::move(line));
        const Deadline by{k_probe_time};
        awaited_ = "the answer to NOOP";
        for (;;) {
            call.expect(Phase::protocol, awaited_, settings_->options.timeout, by);
            const auto got = try_reply(call.job());
            if (got) {
                answers = got->code != 421;
                break;
            }
            co_await StreamWait{call, *stream_, net::Ready::read};
        }
    } catch (const Error&) { answers = false; }
    if (!answers) spoilt_ = true;
    call.check();
    co_return answers;
}

Task<bool> Session::recover(Call& call) {
    listener_.reset();
    data_port_ = 0;
    noops_ = 0;  // their answers count as any others from here on
    for (const bool abort : {false, true}) {
        if (spoilt_) co_return false;
        if (outstanding_ == 0) break;
        std::exception_ptr stopped;
        try {
            if (abort) {
                std::string line = "ABOR\r\n";
                co_await send(call, std::move(line));
            }
            const Deadline by{k_recover_time};
            awaited_ = "the end of the transfer";
            while (outstanding_ > 0) {
                call.expect(Phase::protocol, awaited_, settings_->options.timeout, by);
                const auto got = try_reply(call.job());
                if (!got) co_await StreamWait{call, *stream_, net::Ready::read};
            }
        } catch (const Error&) { stopped = std::current_exception(); }
        if (stopped && abort) spoilt_ = true;
        if (stopped) call.check();
    }
    if (spoilt_ || outstanding_ > 0) co_return false;
    // The next call, and the name of what is to go, count on the connection's directory; the next transfer begins at its beginning.
    const bool back = co_await go_back(call);
    if (!back) co_return false;
    if (restarts_) {
        std::string line = "REST 0";
        FtpReply got = co_await command(call, std::move(line));
        restarts_ = false;
        if (got.code / 100 != 3 && !is_positive(got)) spoilt_ = true;
        if (spoilt_) co_return false;
    }
    if (!unfinished.empty()) {
        std::string line = "DELE " + std::exchange(unfinished, {});
        co_await command(call, std::move(line));
    }
    co_return !spoilt_;
}

void Session::leave() noexcept {
    if (!spoilt_) {
        log_.sent("QUIT");
        stream_->write_some("QUIT\r\n");
    }
    stream_->close();
}

}  // namespace qconn::ftp
