// SPDX-License-Identifier: Apache-2.0
#include "mail/pop3_session.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include <qconn/auth/oauth2.hpp>

#include "base/text.hpp"
#include "mail/token_call.hpp"
#include "net/exchange.hpp"
#include "net/loop_impl.hpp"

namespace qconn::mail::pop3 {
namespace {

using net::IoResult;

constexpr std::size_t k_input_room = 64 * 1024;
constexpr std::size_t k_fills_at_a_time = 16;
/// For the answer to a QUIT that deletes nothing: until then some servers keep the mailbox locked.
constexpr std::chrono::seconds k_farewell_time{2};
/// Of LIST and UIDL: a million messages.
constexpr std::uint64_t k_largest_listing = std::uint64_t{128} << 20U;
/// Of DELE that go in one piece.
constexpr std::size_t k_marks_at_a_time = 100;

void begin_tls(const Settings& settings, net::Stream& stream) {
    stream.start_tls(settings.tls, {settings.options.host, settings.endpoint.port, settings.options.label, {}});
}

std::string_view verb_of_line(std::string_view line) noexcept { return line.substr(0, line.find_first_of(" \r")); }

std::shared_ptr<const LoginPlan> plan_with(const LoginPlan& plan, const Token& token) {
    auto made = std::make_shared<LoginPlan>(plan);
    made->token = token.access;
    return made;
}

}  // namespace

// ---- opening ----

Task<std::unique_ptr<Session>> Session::log_in(Call& call, std::shared_ptr<const Settings> settings, std::shared_ptr<const LoginPlan> plan,
                                               Deadline by) {
    std::unique_ptr<net::Stream> stream = co_await net::connect(call, settings->endpoint, by);
    std::unique_ptr<Session> session{new Session{std::move(stream), settings}};
    session->log_.connected(*session->stream_);
    session->log_.add_secret(plan->token);
    LoginDialogue dialogue{plan, session->log_};
    if (settings->options.security == Pop3Tls::implicit) {
        call.expect(Phase::tls, "the TLS handshake", {}, by);
        begin_tls(*settings, *session->stream_);
        co_await net::shake_hands(call, *session->stream_);
    }
    UniqueFunction<void(net::Stream&)> secure = [settings](net::Stream& s) { begin_tls(*settings, s); };
    session->input_ = co_await net::hold(call, *session->stream_, dialogue, std::move(secure), by, pop3_category());
    session->capabilities_ = dialogue.capabilities();
    session->log_.logged_in(plan->username, *session->stream_);
    co_return session;
}

Task<std::unique_ptr<Session>> Session::open(Call& call, std::shared_ptr<const Settings> settings, Deadline by) {
    const auto& tokens = settings->options.tokens;
    if (!tokens) {
        std::unique_ptr<Session> only = co_await log_in(call, settings, settings->login, by);
        co_return only;
    }
    const TokenPtr none;  // was refused so far
    TokenPtr token = co_await token_of(call, *tokens, none, by);
    std::exception_ptr refused;
    try {
        auto plan = plan_with(*settings->login, *token);
        std::unique_ptr<Session> session = co_await log_in(call, settings, std::move(plan), by);
        co_return session;
    } catch (const Error& error) {
        if (error.code() != Pop3Errc::auth || error.reason() != Reason::denied) throw;
        refused = std::current_exception();
    }
    TokenPtr another = co_await token_of(call, *tokens, token, by);
    if (!another) std::rethrow_exception(refused);
    auto plan = plan_with(*settings->login, *another);
    std::unique_ptr<Session> session = co_await log_in(call, settings, std::move(plan), by);
    co_return session;
}

// ---- lines ----

Error Session::refused(const Call& call, std::string_view verb, const Status& status, std::uint32_t message) const {
    const std::string answer = log_.masked(status.text);
    return refusal(call.job(), verb, answer, meaning_of(answer, message != 0), Phase::protocol, message);
}

Task<bool> Session::send(Call& call, std::string lines) {
    log_.sent_lines(lines);
    for (const char c : lines) outstanding_ += c == '\n' ? 1U : 0U;
    awaited_.assign("that ").append(verb_of_line(lines)).append(" is taken");
    co_await net::write_all(call, *stream_, lines, Phase::protocol, awaited_, settings_->options.io_timeout);
    co_return true;
}

Task<bool> Session::fill(Call& call) {
    if (read_ == input_.size()) {
        input_.clear();
        read_ = 0;
    } else if (read_ > k_input_room) {
        input_.erase(0, read_);
        read_ = 0;
    }
    if (++unwaited_ >= k_fills_at_a_time) {
        unwaited_ = 0;
        co_await net::Turn{call};  // others of the loop have to do too
    }
    const std::size_t held = input_.size();
    input_.resize(held + k_input_room);
    for (;;) {
        auto step = stream_->read_some(input_.data() + held, k_input_room);
        if (step.kind == IoResult::Kind::done) {
            input_.resize(held + step.size);
            co_return true;
        }
        if (step.kind == IoResult::Kind::want_read || step.kind == IoResult::Kind::want_write) {
            call.expect(Phase::protocol, awaited_, settings_->options.io_timeout, by_);
            const auto side = step.kind == IoResult::Kind::want_read ? net::Ready::read : net::Ready::write;
            unwaited_ = 0;
            co_await StreamWait{call, *stream_, side};
            continue;
        }
        input_.resize(held);
        spoilt_ = true;
        throw net::lost(call.job(), *stream_, std::move(step.error), awaited_);
    }
}

Task<Status> Session::status(Call& call, std::string_view verb) {
    awaited_.assign("the answer to ").append(verb);
    for (;;) {
        std::size_t used = 0;
        const auto line = first_line(unread(), used);
        if (line) {
            Status got = status_of(*line);
            log_.received(*line);
            if (got.kind == Status::Kind::ok || got.kind == Status::Kind::err) {
                read_ += used;
                strict_ = used == line->size() + 2;
                if (outstanding_ > 0) --outstanding_;
                co_return got;
            }
        }
        if (line || unread().size() > k_longest_line) {
            spoilt_ = true;
            const std::string shown = text::printable(text::shorten(log_.masked(std::string{line.value_or(unread())}), 100));
            throw failure(call.job(), Pop3Errc::server, Reason::bad_answer, "the server sent \"" + shown + "\" in the place of " + awaited_)
                .with_spoils_connection(true);
        }
        co_await fill(call);
    }
}

Task<Status> Session::command(Call& call, std::string line) {
    const std::string verb{verb_of_line(line)};
    line += "\r\n";
    co_await send(call, std::move(line));
    Status got = co_await status(call, verb);
    co_return got;
}

Task<std::uint64_t> Session::lines(Call& call, std::string_view verb, std::string& text, std::uint64_t most) {
    awaited_.assign("the end of the answer to ").append(verb);
    ++outstanding_;  // until its end
    DotReader reader{strict_};
    std::uint64_t size = 0;
    for (;;) {
        const std::string_view input = unread();
        read_ += reader.feed(input, [&](std::string_view piece) {
            size += piece.size();
            if (size <= most) text += piece;
        });
        if (reader.is_done()) break;
        co_await fill(call);
    }
    --outstanding_;
    log_.noted_size(verb, size);
    co_return size;
}

Task<std::uint64_t> Session::lines_to(Call& call, std::string_view verb, ByteSink* sink) {
    awaited_.assign("the end of the answer to ").append(verb);
    ++outstanding_;
    DotReader reader{strict_};
    std::uint64_t size = 0;
    const Job& job = call.job();
    for (;;) {
        const std::string_view input = unread();
        read_ += reader.feed(input, [&](std::string_view piece) {
            size += piece.size();
            if (sink != nullptr) of_caller(job, [&] { sink->write(piece); });
        });
        if (reader.is_done()) break;
        co_await fill(call);
    }
    --outstanding_;
    log_.noted_size(verb, size);
    co_return size;
}

// ---- commands ----

std::size_t Session::window() const noexcept { return capabilities_.pipelining ? std::max<std::size_t>(1, settings_->options.pipeline) : 1; }

Task<Pop3Capabilities> Session::capabilities(Call& call) {
    Status got = co_await command(call, "CAPA");
    if (!got.is_ok()) co_return Pop3Capabilities{};
    std::string text;
    co_await lines(call, "CAPA", text, k_longest_line);
    co_return capabilities_of(text);
}

Task<Pop3Stat> Session::stat(Call& call) {
    Status got = co_await command(call, "STAT");
    if (!got.is_ok()) throw refused(call, "STAT", got);
    const auto stat = stat_of(got.text);
    if (!stat)
        throw failure(call.job(), Pop3Errc::server, Reason::bad_answer,
                      "the answer to STAT has no numbers: " + text::printable(text::shorten(got.text, 100)));
    co_return *stat;
}

Task<std::vector<Pop3Entry>> Session::list(Call& call) {
    const bool together = window() > 1 && capabilities_.uidl;
    std::string line = "LIST\r\n";
    if (together) line += "UIDL\r\n";
    co_await send(call, std::move(line));
    Status got = co_await status(call, "LIST");
    std::exception_ptr failed;
    std::vector<Pop3Entry> all;
    bool too_large = false;
    if (got.is_ok()) {
        std::string text;
        const std::uint64_t size = co_await lines(call, "LIST", text, k_largest_listing);
        too_large = size > k_largest_listing;
        all = sizes_of(text);
    } else {
        failed = std::make_exception_ptr(refused(call, "LIST", got));
    }
    if (!together && !failed && !no_uidl_) {
        line = "UIDL\r\n";
        co_await send(call, std::move(line));
    }
    if (together || (!failed && !no_uidl_)) {
        Status ids = co_await status(call, "UIDL");
        if (ids.is_ok()) {
            std::string text;
            const std::uint64_t size = co_await lines(call, "UIDL", text, k_largest_listing);
            too_large = too_large || size > k_largest_listing;
            const auto uids = uids_of(text);
            join_uids(all, uids);
        } else {
            no_uidl_ = true;
        }
    }
    if (failed) std::rethrow_exception(failed);
    if (too_large) throw failure(call.job(), Pop3Errc::limit, Reason::limit, "the list of messages is too large");
    co_return all;
}

Task<std::vector<Pop3Entry>> Session::uidl(Call& call) {
    Status got = co_await command(call, "UIDL");
    if (!got.is_ok()) {
        no_uidl_ = true;
        throw refusal(call.job(), "UIDL", log_.masked(got.text), {Pop3Errc::server, Reason::unsupported, false}, Phase::protocol, 0,
                      "this server has no unique ids");
    }
    std::string text;
    const std::uint64_t size = co_await lines(call, "UIDL", text, k_largest_listing);
    if (size > k_largest_listing) throw failure(call.job(), Pop3Errc::limit, Reason::limit, "the list of messages is too large");
    co_return uids_of(text);
}

Task<std::string> Session::top(Call& call, std::uint32_t number, std::uint32_t count) {
    std::string line = "TOP " + std::to_string(number) + ' ' + std::to_string(count);
    Status got = co_await command(call, std::move(line));
    if (!got.is_ok()) throw refused(call, "TOP", got, number);
    std::string text;
    const std::uint64_t most = settings_->options.max_mail_size;
    const std::uint64_t size = co_await lines(call, "TOP", text, most);
    if (size > most) throw failure(call.job(), Pop3Errc::limit, Reason::limit, "it is larger than max_mail_size", Phase::protocol, number);
    co_return text;
}

Task<std::string> Session::retrieve(Call& call, std::uint32_t number) {
    std::string line = "RETR " + std::to_string(number);
    Status got = co_await command(call, std::move(line));
    if (!got.is_ok()) throw refused(call, "RETR", got, number);
    std::string text;
    const std::uint64_t most = settings_->options.max_mail_size;
    const std::uint64_t size = co_await lines(call, "RETR", text, most);
    if (size > most)
        throw failure(call.job(), Pop3Errc::limit, Reason::limit,
                      "the message has " + std::to_string(size) + " bytes, more than max_mail_size allows; retrieve it piece by piece into a sink",
                      Phase::protocol, number);
    co_return text;
}

Task<std::uint64_t> Session::retrieve_to(Call& call, std::uint32_t number, ByteSink& sink) {
    std::string line = "RETR " + std::to_string(number);
    Status got = co_await command(call, std::move(line));
    if (!got.is_ok()) throw refused(call, "RETR", got, number);
    const std::uint64_t size = co_await lines_to(call, "RETR", &sink);
    co_return size;
}

Task<Done> Session::mark(Call& call, const std::vector<std::uint32_t>& numbers) {
    std::exception_ptr failed;
    const std::size_t at_a_time = window() > 1 ? k_marks_at_a_time : 1;
    for (std::size_t begin = 0; begin < numbers.size(); begin += at_a_time) {
        const std::size_t end = std::min(begin + at_a_time, numbers.size());
        std::string commands;
        for (std::size_t i = begin; i < end; ++i) commands.append("DELE ").append(std::to_string(numbers[i])).append("\r\n");
        co_await send(call, std::move(commands));
        for (std::size_t i = begin; i < end; ++i) {
            Status got = co_await status(call, "DELE");
            if (got.is_ok())
                marked_.push_back(numbers[i]);
            else if (!failed)
                failed = std::make_exception_ptr(refused(call, "DELE", got, numbers[i]));
        }
    }
    if (failed) std::rethrow_exception(failed);
    co_return Done{};
}

Task<Done> Session::reset(Call& call) {
    Status got = co_await command(call, "RSET");
    if (!got.is_ok()) throw refused(call, "RSET", got);
    marked_.clear();
    co_return Done{};
}

Task<Done> Session::noop(Call& call) {
    Status got = co_await command(call, "NOOP");
    if (!got.is_ok()) throw refused(call, "NOOP", got);
    co_return Done{};
}

Task<Pop3Committed> Session::commit(Call& call) {
    call.check();  // before anything is said that cannot be taken back
    Pop3Committed committed;
    committed.deleted = marked_.size();
    std::optional<Error> lost;
    std::optional<Status> got;
    if (committed.deleted == 0) by_ = Deadline{k_farewell_time};
    try {
        got = co_await command(call, "QUIT");
    } catch (const Error& error) { lost = error; }
    spoilt_ = true;
    stream_->close();
    if (committed.deleted == 0) {  // there is nothing that could be in doubt
        call.check();
        if (got) committed.answer = log_.masked(got->text);
        co_return committed;
    }
    if (lost) {
        Error error = failure(call.job(), Pop3Errc::commit_unknown, lost->reason(),
                              "QUIT was sent, and no answer came (" + std::string{lost->message()} + "): the " + std::to_string(committed.deleted) +
                                  " messages that were marked may be deleted or not; log in again and compare unique ids");
        error.with_retryable(true).with_spoils_connection(true);
        throw error;
    }
    if (!got->is_ok())
        throw refusal(call.job(), "QUIT", log_.masked(got->text), {Pop3Errc::server, Reason::status, true}, Phase::protocol, 0,
                      "some of the messages that were marked may not be deleted");
    marked_.clear();
    committed.answer = log_.masked(got->text);
    co_return committed;
}

// ---- many messages ----

Task<bool> Session::ask_for(Call& call, const std::vector<std::uint32_t>& numbers) {
    std::string commands;
    for (const std::uint32_t number : numbers) commands.append("RETR ").append(std::to_string(number)).append("\r\n");
    co_await send(call, std::move(commands));
    co_return true;
}

Task<bool> Session::next_message(Call& call, std::uint32_t number, std::uint64_t size, std::string& text) {
    Status got = co_await status(call, "RETR");
    if (!got.is_ok()) co_return false;
    const std::uint64_t most = settings_->options.max_mail_size;
    text.clear();
    text.reserve(static_cast<std::size_t>(std::min<std::uint64_t>({size + 64, most, std::uint64_t{64} << 20U})));
    const std::uint64_t came = co_await lines(call, "RETR", text, most);
    if (came > most)
        throw failure(call.job(), Pop3Errc::limit, Reason::limit, "a message is larger than the server had said, and than max_mail_size allows",
                      Phase::protocol, number);
    co_return true;
}

Task<Done> Session::skip_messages(Call& call, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        Status got = co_await status(call, "RETR");
        if (got.is_ok()) co_await lines_to(call, "RETR", nullptr);
    }
    co_return Done{};
}

void Session::leave() noexcept {
    // Without marks QUIT deletes nothing. With them nothing is said: a session that just ends deletes nothing (RFC 1939 section 6).
    if (is_clean() && marked_.empty()) {
        log_.sent("QUIT");
        stream_->write_some("QUIT\r\n");
        stream_->close();
    } else {
        stream_->abort();
    }
}

}  // namespace qconn::mail::pop3
