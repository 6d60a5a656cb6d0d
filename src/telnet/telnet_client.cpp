// SPDX-License-Identifier: Apache-2.0
#include <qconn/telnet/telnet_client.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "base/redaction.hpp"
#include "base/text.hpp"
#include "net/calls.hpp"
#include "telnet/session.hpp"
#include "telnet/settings.hpp"
#include "telnet/telnet_error.hpp"
#include "telnet/transcript.hpp"
#include "telnet/turns.hpp"

namespace qconn {
namespace {

using net::Call;
using net::Job;
using net::Task;
using telnet::Pattern;
using telnet::Session;

/// The value of a task that has none.
struct Nothing {};

/// The byte that a key gives together with Ctrl; nothing: none.
std::optional<char> control_byte(char key) noexcept {
    if (key == '?') return '\x7F';
    const char upper = text::is_alpha(key) ? static_cast<char>(key & ~0x20) : key;
    if (upper < '@' || upper > '_') return std::nullopt;
    return static_cast<char>(upper - '@');
}

}  // namespace

struct TelnetClient::Impl : std::enable_shared_from_this<TelnetClient::Impl> {
    Impl(std::shared_ptr<const telnet::Settings> s, const Runtime& r)
        : settings{std::move(s)},
          redactions{redactions_of(settings->options.label)},
          dialogue{net::DialogueLog::of("telnet", settings->options, r.log())},
          transcript{std::make_shared<telnet::Transcript>(dialogue, settings->options.transcript_size)},
          calls{r},
          columns{settings->options.columns},
          rows{settings->options.rows} {}

    const std::shared_ptr<const telnet::Settings> settings;
    const Redactions redactions;  // in force also for what is said after the client has gone
    const std::shared_ptr<net::DialogueLog> dialogue;
    const std::shared_ptr<telnet::Transcript> transcript;
    net::Calls calls;
    telnet::Turns turns;
    // Of the call whose turn it is:
    std::unique_ptr<Session> session;
    std::uint16_t columns;
    std::uint16_t rows;

    mutable std::mutex mutex;
    TelnetSessionInfo info;  // guarded by mutex

    Job job(std::string verb, std::string_view subject = {}) const { return settings->job(std::move(verb), dialogue->masked(std::string{subject})); }

    void tell() {
        const std::scoped_lock lock{mutex};
        info = session ? session->info() : TelnetSessionInfo{};
    }

    // ---- the steps of calls, with the turn ----

    /// @throws Error TELNET-CLOSED where there is none
    Session& need(const Call& call) const {
        if (!session)
            throw telnet::failure(call.job(), TelnetErrc::closed, Phase::none, Reason::missing,
                                  "there is no session; call connect() or login() before");
        return *session;
    }
    Task<bool> open(Call& call) {
        if (session && session->ended().empty()) co_return false;
        session.reset();
        session = co_await Session::open(call, settings, transcript, columns, rows);
        tell();
        co_return true;
    }
    Task<std::string> login(Call& call) {
        co_await open(call);
        if (session->is_logged_in()) co_return std::string{};
        std::string said;
        std::exception_ptr failed;
        try {
            said = co_await session->login(call);
        } catch (...) { failed = std::current_exception(); }
        if (failed) {
            session->close();
            session.reset();
            std::rethrow_exception(failed);
        }
        co_return said;
    }
    Task<std::uint64_t> run(Call& call, const std::string& command, std::function<void(std::string_view)> out) {
        if (!session) co_await login(call);
        std::uint64_t size = 0;
        std::function<void(std::string_view)> counted = [&size, &out](std::string_view piece) {
            size += piece.size();
            out(piece);
        };
        co_await session->run(call, command, std::move(counted));
        co_return size;
    }
    Task<std::string> run_whole(Call& call, const std::string& command) {
        std::string all;
        const std::size_t most = settings->options.max_output;
        std::function<void(std::string_view)> keep = [&all, most, &call](std::string_view piece) {
            if (piece.size() > most - all.size())
                throw telnet::failure(call.job(), TelnetErrc::limit, Phase::protocol, Reason::limit,
                                      "the output has more than " + std::to_string(most) + " bytes (max_output); take it with a sink");
            all += piece;
        };
        co_await run(call, command, std::move(keep));
        co_return all;
    }
    Task<std::uint64_t> run_into(Call& call, const std::string& command, ByteSink& sink) {
        std::function<void(std::string_view)> write = [&sink](std::string_view piece) { sink.write(piece); };
        const std::uint64_t size = co_await run(call, command, std::move(write));
        co_return size;
    }
    Task<Nothing> connect(Call& call) {
        co_await open(call);
        co_return Nothing{};
    }
    Task<Nothing> send(Call& call, std::string text, bool is_secret) {
        Session& used = need(call);
        used.drive_by_hand();
        co_await used.send(call, std::move(text), is_secret);
        co_return Nothing{};
    }
    Task<TelnetMatch> expect(Call& call, const std::vector<Pattern>& patterns) {
        Session& used = need(call);
        used.drive_by_hand();
        TelnetMatch match = co_await used.expect(call, patterns);
        co_return match;
    }
    Task<std::string> read(Call& call) {
        Session& used = need(call);
        used.drive_by_hand();
        co_return used.read(call);
    }
    Task<Nothing> act(Call& call, std::function<void(Session&)> what) {
        Session& used = need(call);
        if (!used.ended().empty())
            throw telnet::failure(call.job(), TelnetErrc::closed, Phase::none, Reason::closed,
                                  "the session has ended: " + used.ended() + "; log in anew");
        what(used);
        co_return Nothing{};
    }
    Task<Nothing> close(Call&) {
        if (session) session->close();
        session.reset();
        co_return Nothing{};
    }
    Task<Nothing> resize(Call& call, std::uint16_t c, std::uint16_t r) {
        call.check();
        columns = c;
        rows = r;
        if (session && session->ended().empty()) session->resize(c, r);
        co_return Nothing{};
    }

    // ---- both forms of calls ----

    /// @param work  Task<T>(Impl&, Call&)
    template <class T, class Work>
    static Task<T> in_turn(std::shared_ptr<Impl> self, std::shared_ptr<Call> call, Work work) {
        co_await self->turns.take(*call);
        if (self->session) self->session->attach(call->loop());
        std::optional<T> result;
        std::exception_ptr failed;
        try {
            result = co_await work(*self, *call);
        } catch (...) { failed = std::current_exception(); }
        // No loop's thread has it until the next call.
        if (self->session) self->session->attach(self->calls.runtime().impl().loop());
        self->tell();
        self->turns.give();
        if (failed) std::rethrow_exception(failed);
        co_return std::move(*result);
    }

    template <class T, class Work>
    T blocking(Job what, Deadline deadline, Work work) {
        return calls.blocking<T>(std::move(what), deadline,
                                 [&](std::shared_ptr<Call> call) { return in_turn<T>(shared_from_this(), std::move(call), work); });
    }
    template <class T, class Work>
    Operation start(Job what, Deadline deadline, Callback<T> callback, Work work) {
        return calls.start<T>(
            shared_from_this(), std::move(what), deadline,
            [self = shared_from_this(), work = std::move(work)](std::shared_ptr<Call> call) mutable {
                return in_turn<T>(std::move(self), std::move(call), std::move(work));
            },
            [callback = std::move(callback)](Result<T> outcome) mutable { callback(std::move(outcome)); });
    }
    template <class Work>
    Operation start_void(Job what, Deadline deadline, Callback<void> callback, Work work) {
        Callback<Nothing> done = [callback = std::move(callback)](Result<Nothing> outcome) mutable {
            callback(outcome ? Result<void>{} : Result<void>{outcome.error()});
        };
        return start<Nothing>(std::move(what), deadline, std::move(done), std::move(work));
    }

    static Task<Nothing> nothing(std::shared_ptr<Call> call) {
        call->check();
        co_return Nothing{};
    }
    /// For what has been handed over.
    Operation done(Job what, Deadline deadline, Callback<void> callback) {
        return calls.start<Nothing>(shared_from_this(), std::move(what), deadline, nothing,
                                    [callback = std::move(callback)](Result<Nothing> outcome) mutable {
                                        callback(outcome ? Result<void>{} : Result<void>{outcome.error()});
                                    });
    }

    std::vector<Pattern> compiled(const std::vector<TelnetPattern>& patterns) const {
        std::vector<Pattern> all;
        for (std::size_t i = 0; i < patterns.size(); ++i) {
            std::string problem;
            auto one = Pattern::compile(patterns[i], problem);
            if (!one)
                throw telnet::failure(job("waiting"), TelnetErrc::pattern, Phase::none, Reason::bad_value,
                                      "pattern " + std::to_string(i) + ", \"" + text::printable(patterns[i].text) + "\", cannot be used: " + problem);
            all.push_back(std::move(*one));
        }
        if (all.empty())
            throw telnet::failure(job("waiting"), TelnetErrc::pattern, Phase::none, Reason::bad_value, "there is no pattern to wait for");
        return all;
    }
    void check_command(std::string_view command) const {
        if (!text::has_control(command)) return;
        throw net::in_job(job("running", command),
                          make_error(Errc::invalid_argument, "a command is one line without control characters; use send() and expect() for others"));
    }
    std::string command_shown(std::string_view command) const { return text::shorten(command, 200); }

    /// To the call that is under way, where there is one.
    bool hand_over(std::function<void(Session&)> what) {
        return turns.hand_over(shared_from_this(), [this, what = std::move(what)] {
            if (session && session->ended().empty()) what(*session);
        });
    }
};

TelnetClient::TelnetClient(TelnetOptions options, Runtime runtime)
    : impl_{std::make_shared<Impl>(telnet::settings_of(std::move(options)), runtime)} {}

TelnetClient::~TelnetClient() {
    impl_->calls.close();
    impl_->dialogue->set_listener({});
}

std::string_view TelnetClient::label() const noexcept { return impl_->settings->options.label; }
const TelnetOptions& TelnetClient::options() const noexcept { return impl_->settings->options; }
void TelnetClient::set_dialogue_listener(DialogueListener listener) { impl_->dialogue->set_listener(std::move(listener)); }
TelnetSessionInfo TelnetClient::session() const {
    const std::scoped_lock lock{impl_->mutex};
    return impl_->info;
}
std::string TelnetClient::transcript() const { return impl_->transcript->text(); }

// Blocking calls keep what they use: the client may be destroyed meanwhile, which ends them.

void TelnetClient::connect(Deadline deadline) {
    const auto impl = impl_;
    observed([&] { impl->blocking<Nothing>(impl->job("connecting"), deadline, [](Impl& i, Call& c) { return i.connect(c); }); });
}
std::string TelnetClient::login(Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return impl->blocking<std::string>(impl->job("logging in"), deadline, [](Impl& i, Call& c) { return i.login(c); }); });
}
std::string TelnetClient::run(std::string_view command, Deadline deadline) {
    const auto impl = impl_;
    const std::string line{command};
    impl->check_command(line);
    return observed([&] {
        return impl->blocking<std::string>(impl->job("running", impl->command_shown(line)), deadline,
                                           [&line](Impl& i, Call& c) { return i.run_whole(c, line); });
    });
}
std::uint64_t TelnetClient::run(std::string_view command, ByteSink& sink, Deadline deadline) {
    const auto impl = impl_;
    const std::string line{command};
    impl->check_command(line);
    return observed([&] {
        return impl->blocking<std::uint64_t>(impl->job("running", impl->command_shown(line)), deadline,
                                             [&line, &sink](Impl& i, Call& c) { return i.run_into(c, line, sink); });
    });
}
void TelnetClient::send(std::string_view text, Deadline deadline) {
    const auto impl = impl_;
    const std::string what{text};
    observed([&] { impl->blocking<Nothing>(impl->job("sending"), deadline, [&what](Impl& i, Call& c) { return i.send(c, what, false); }); });
}
void TelnetClient::send_line(std::string_view line, Deadline deadline) { send(std::string{line} + '\n', deadline); }
void TelnetClient::send_line(const Secret& line, Deadline deadline) {
    const auto impl = impl_;
    impl->dialogue->add_secret(line);
    const std::string what = std::string{line.reveal()} + '\n';
    observed([&] { impl->blocking<Nothing>(impl->job("sending"), deadline, [&what](Impl& i, Call& c) { return i.send(c, what, true); }); });
}
TelnetMatch TelnetClient::expect(const std::vector<TelnetPattern>& patterns, Deadline deadline) {
    const auto impl = impl_;
    const std::vector<Pattern> compiled = impl->compiled(patterns);
    return observed([&] {
        return impl->blocking<TelnetMatch>(impl->job("waiting", patterns.front().text), deadline,
                                           [&compiled](Impl& i, Call& c) { return i.expect(c, compiled); });
    });
}
TelnetMatch TelnetClient::expect(const TelnetPattern& pattern, Deadline deadline) { return expect(std::vector<TelnetPattern>{pattern}, deadline); }
std::string TelnetClient::read(Deadline deadline) {
    const auto impl = impl_;
    return observed([&] { return impl->blocking<std::string>(impl->job("reading"), deadline, [](Impl& i, Call& c) { return i.read(c); }); });
}

void TelnetClient::command(TelnetCommand what, Deadline deadline) {
    const auto impl = impl_;
    const std::function<void(Session&)> act = [what](Session& s) { s.command(what); };
    if (impl->hand_over(act)) return;
    observed([&] { impl->blocking<Nothing>(impl->job("sending a command"), deadline, [&act](Impl& i, Call& c) { return i.act(c, act); }); });
}
void TelnetClient::send_control(char key, Deadline deadline) {
    const auto impl = impl_;
    const auto byte = control_byte(key);
    if (!byte)
        throw net::in_job(impl->job("sending a control character"),
                          make_error(Errc::invalid_argument, "there is none of this key; there are those of @, letters, [ \\ ] ^ _ and ?"));
    const std::function<void(Session&)> act = [byte](Session& s) { s.control(*byte); };
    if (impl->hand_over(act)) return;
    observed(
        [&] { impl->blocking<Nothing>(impl->job("sending a control character"), deadline, [&act](Impl& i, Call& c) { return i.act(c, act); }); });
}
void TelnetClient::resize(std::uint16_t columns, std::uint16_t rows, Deadline deadline) {
    const auto impl = impl_;
    observed(
        [&] { impl->blocking<Nothing>(impl->job("resizing"), deadline, [columns, rows](Impl& i, Call& c) { return i.resize(c, columns, rows); }); });
}
void TelnetClient::close(Deadline deadline) {
    const auto impl = impl_;
    observed([&] { impl->blocking<Nothing>(impl->job("closing"), deadline, [](Impl& i, Call& c) { return i.close(c); }); });
}

Operation TelnetClient::async_connect(Deadline deadline, Callback<void> callback) {
    return impl_->start_void(impl_->job("connecting"), deadline, under_way(std::move(callback)), [](Impl& i, Call& c) { return i.connect(c); });
}
Operation TelnetClient::async_login(Deadline deadline, Callback<std::string> callback) {
    return impl_->start<std::string>(impl_->job("logging in"), deadline, under_way(std::move(callback)), [](Impl& i, Call& c) { return i.login(c); });
}
Operation TelnetClient::async_run(std::string command, Deadline deadline, Callback<std::string> callback) {
    impl_->check_command(command);
    Job job = impl_->job("running", impl_->command_shown(command));
    return impl_->start<std::string>(std::move(job), deadline, under_way(std::move(callback)),
                                     [command = std::move(command)](Impl& i, Call& c) { return i.run_whole(c, command); });
}
Operation TelnetClient::async_run(std::string command, std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<std::uint64_t> callback) {
    impl_->check_command(command);
    Job job = impl_->job("running", impl_->command_shown(command));
    return impl_->start<std::uint64_t>(
        std::move(job), deadline, under_way(std::move(callback)),
        [command = std::move(command), sink = std::move(sink)](Impl& i, Call& c) { return i.run_into(c, command, *sink); });
}
Operation TelnetClient::async_send(std::string text, Deadline deadline, Callback<void> callback) {
    return impl_->start_void(impl_->job("sending"), deadline, under_way(std::move(callback)),
                             [text = std::move(text)](Impl& i, Call& c) { return i.send(c, text, false); });
}
Operation TelnetClient::async_send_line(std::string line, Deadline deadline, Callback<void> callback) {
    line += '\n';
    return async_send(std::move(line), deadline, std::move(callback));
}
Operation TelnetClient::async_expect(std::vector<TelnetPattern> patterns, Deadline deadline, Callback<TelnetMatch> callback) {
    std::vector<Pattern> compiled = impl_->compiled(patterns);
    return impl_->start<TelnetMatch>(impl_->job("waiting", patterns.front().text), deadline, under_way(std::move(callback)),
                                     [compiled = std::move(compiled)](Impl& i, Call& c) { return i.expect(c, compiled); });
}
Operation TelnetClient::async_read(Deadline deadline, Callback<std::string> callback) {
    return impl_->start<std::string>(impl_->job("reading"), deadline, under_way(std::move(callback)), [](Impl& i, Call& c) { return i.read(c); });
}
Operation TelnetClient::async_command(TelnetCommand what, Deadline deadline, Callback<void> callback) {
    const std::function<void(Session&)> act = [what](Session& s) { s.command(what); };
    Job job = impl_->job("sending a command");
    if (impl_->hand_over(act)) return impl_->done(std::move(job), deadline, under_way(std::move(callback)));
    return impl_->start_void(std::move(job), deadline, under_way(std::move(callback)), [act](Impl& i, Call& c) { return i.act(c, act); });
}
Operation TelnetClient::async_close(Deadline deadline, Callback<void> callback) {
    return impl_->start_void(impl_->job("closing"), deadline, under_way(std::move(callback)), [](Impl& i, Call& c) { return i.close(c); });
}

}  // namespace qconn
