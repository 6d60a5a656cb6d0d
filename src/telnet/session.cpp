// SPDX-License-Identifier: Apache-2.0
#include "telnet/session.hpp"

#include <libtelnet.h>

#include <algorithm>
#include <array>
#include <exception>
#include <utility>

#include "base/text.hpp"
#include "net/exchange.hpp"
#include "telnet/login.hpp"
#include "telnet/output.hpp"
#include "telnet/telnet_error.hpp"

namespace qconn::telnet {
namespace {

using net::IoResult;

/// What is sent at a time, before what comes is looked at.
constexpr std::size_t k_slice = std::size_t{64} << 10;
/// Without waiting, of a server that does not stop.
constexpr int k_most_reads = 256;

/// `co_await Either{call, stream, writes}`: until the stream can be read, or with `writes` written.
class Either {
public:
    Either(Call& call, net::Stream& stream, bool writes) noexcept : stream_{stream}, writes_{writes}, wait_{call, baton_} {}
    Either(const Either&) = delete;
    Either& operator=(const Either&) = delete;
    ~Either() { release(); }

    bool await_ready() const noexcept { return wait_.await_ready(); }
    void await_suspend(std::coroutine_handle<> handle) {
        waits_ = true;
        stream_.wait(net::Ready::read, [this] { baton_.notify(); });
        if (writes_) stream_.wait(net::Ready::write, [this] { baton_.notify(); });
        wait_.await_suspend(handle);
    }
    void await_resume() {
        release();
        wait_.await_resume();
    }

private:
    void release() noexcept {
        if (std::exchange(waits_, false)) stream_.cancel_waits();
    }

    net::Stream& stream_;
    const bool writes_;
    bool waits_{false};
    net::Baton baton_;
    net::Wait wait_;
};

constexpr std::array<std::pair<TelnetCommand, unsigned char>, 10> k_commands{{{TelnetCommand::interrupt, TELNET_IP},
                                                                              {TelnetCommand::line_break, TELNET_BREAK},
                                                                              {TelnetCommand::are_you_there, TELNET_AYT},
                                                                              {TelnetCommand::abort_output, TELNET_AO},
                                                                              {TelnetCommand::erase_character, TELNET_EC},
                                                                              {TelnetCommand::erase_line, TELNET_EL},
                                                                              {TelnetCommand::end_of_file, TELNET_EOF},
                                                                              {TelnetCommand::suspend, TELNET_SUSP},
                                                                              {TelnetCommand::abort, TELNET_ABORT},
                                                                              {TelnetCommand::no_operation, TELNET_NOP}}};
constexpr std::array<const char*, 10> k_command_names{{"IP", "BRK", "AYT", "AO", "EC", "EL", "EOF", "SUSP", "ABORT", "NOP"}};

}  // namespace

Task<std::unique_ptr<Session>> Session::open(Call& call, std::shared_ptr<const Settings> settings, std::shared_ptr<Transcript> transcript,
                                             std::uint16_t columns, std::uint16_t rows) {
    const Deadline by = net::deadline_of(settings->options.connect_timeout);
    std::unique_ptr<net::Stream> stream = co_await net::connect(call, settings->endpoint, by);
    EngineSettings engine = settings->engine;
    engine.columns = columns;
    engine.rows = rows;
    std::unique_ptr<Session> session{new Session{std::move(stream), settings, std::move(transcript), std::move(engine)}};
    session->log_.connected(*session->stream_);
    session->engine_.start();
    session->push();
    co_return session;
}

Deadline Session::silence_limit() const { return net::deadline_of(settings_->options.timeout); }

std::string Session::last() const { return log_.masked(last_of(text_)); }

Error Session::closed(const Call& call, Phase phase) const {
    return failure(call.job(), TelnetErrc::closed, phase, ended_reason_, "the session has ended: " + ended_ + "; log in anew", last())
        .with_retryable(true)
        .with_spoils_connection(true);
}

Error Session::late(const Call& call, Phase phase, std::string_view awaited) const {
    std::string what{awaited};
    what += " did not come in time";
    if (text_.empty()) what += ", nor anything else";
    return failure(call.job(), TelnetErrc::timeout, phase, Reason::timeout, what, last()).with_retryable(true);
}

void Session::require_open(const Call& call) const {
    if (!ended_.empty()) throw closed(call);
}

void Session::end(std::string why, Reason reason) {
    if (!ended_.empty()) return;
    ended_ = std::move(why);
    ended_reason_ = reason;
    log_.told("ended", "the session has ended: " + ended_);
    stream_->close();
}

void Session::note_negotiation() {
    for (const std::string& one : engine_.take_notes()) log_.noted(one, "negotiated");
}

void Session::push() {
    std::string& out = engine_.output();
    std::size_t sent = 0;
    while (sent < out.size() && ended_.empty()) {
        auto step = stream_->write_some(std::string_view{out}.substr(sent));
        if (step.kind == IoResult::Kind::done) {
            sent += step.size;
            continue;
        }
        if (step.kind == IoResult::Kind::failed || step.kind == IoResult::Kind::closed) {
            // What came before may say why: it is read first.
            write_error_ = step.error ? std::string{step.error->message()} : std::string{"the connection broke"};
            sent = out.size();
        }
        break;
    }
    bytes_out_ += sent;
    out.erase(0, sent);
}

bool Session::take_in(Call& call, bool& would_block) {
    std::array<char, 16 * 1024> buffer;  // NOLINT: filled by read_some
    would_block = false;
    auto step = stream_->read_some(buffer.data(), buffer.size());
    switch (step.kind) {
        case IoResult::Kind::done: break;
        case IoResult::Kind::want_read:
        case IoResult::Kind::want_write: would_block = true; return false;
        case IoResult::Kind::closed: end("the server closed the connection", Reason::closed); return false;
        case IoResult::Kind::failed: {
            const std::string why = step.error ? std::string{step.error->message()} : std::string{"the connection broke"};
            end(why, step.error ? step.error->reason() : Reason::reset);
            return false;
        }
    }
    bytes_in_ += step.size;
    const std::size_t before = text_.size();
    const bool good = engine_.feed({buffer.data(), step.size}, text_);
    note_negotiation();
    if (text_.size() > before) transcript_->received(std::string_view{text_}.substr(before));
    if (!good) {
        end(engine_.problem(), Reason::bad_answer);
        throw failure(call.job(), TelnetErrc::failed, Phase::protocol, Reason::bad_answer, engine_.problem() + "; is it a TELNET server?", last())
            .with_spoils_connection(true);
    }
    push();
    return text_.size() > before;
}

Task<Session::More> Session::more(Call& call, Phase phase, std::string_view awaited, Deadline limit, Deadline silence) {
    constexpr int k_reads_a_turn = 32;
    std::exception_ptr stopped;
    bool is_late = false;
    try {
        for (;;) {
            if (!ended_.empty()) co_return More::closed;
            bool would_block = false;
            const bool any = take_in(call, would_block);
            if (any && ++reads_ < k_reads_a_turn) co_return More::text;
            if (!ended_.empty()) continue;
            call.expect(phase, awaited, {}, earlier(limit, silence));
            reads_ = 0;
            if (would_block) {
                const bool writes = !engine_.output().empty();
                co_await Either{call, *stream_, writes};
                push();
            } else {
                co_await net::Turn{call};  // a server that does not stop has others of this thread wait
                if (any) co_return More::text;
                if (limit.has_passed()) throw make_error(Errc::timeout, {});
            }
        }
    } catch (const Error& error) {
        is_late = error.code() == make_error_code(Errc::timeout);
        stopped = std::current_exception();
    }
    if (!is_late) std::rethrow_exception(stopped);
    if (silence.has_passed() && !limit.has_passed()) {
        call.check();  // or it is the call's own deadline
        co_return More::silence;
    }
    throw late(call, phase, awaited);
}

Task<bool> Session::flush(Call& call) {
    constexpr int k_reads = 32;
    push();
    while (!engine_.output().empty() || !write_error_.empty()) {
        if (!ended_.empty()) throw closed(call);
        if (write_error_.empty()) {
            const Deadline by = silence_limit();
            call.expect(Phase::protocol, "the server to take what is sent", {}, by);
            co_await Either{call, *stream_, true};
            push();
        }
        // A server that echoes takes nothing more where nobody reads.
        bool would_block = false;
        for (int reads = 0; reads < k_reads && !would_block && ended_.empty(); ++reads) take_in(call, would_block);
        if (!write_error_.empty() && would_block) end(write_error_, Reason::reset);
        limit_text(settings_->options.max_buffer);
    }
    co_return true;
}

void Session::limit_text(std::size_t most) {
    if (text_.size() <= most) return;
    std::size_t cut = text_.size() - most;
    while (cut < text_.size() && (static_cast<unsigned char>(text_[cut]) & 0xC0U) == 0x80U) ++cut;
    text_.erase(0, cut);
    dropped_ += cut;
}

void Session::say(Call& call, std::string_view text, bool is_secret) {
    if (!engine_.send(text))
        throw net::in_job(call.job(), make_error(Errc::invalid_argument, "what is to be sent has characters that ISO-8859-1 does not have"));
    const bool shown = !engine_.echo();
    if (is_secret)
        transcript_->sent_secret(shown);
    else
        transcript_->sent(text, shown);
}

Task<bool> Session::send(Call& call, std::string text, bool is_secret) {
    require_open(call);
    std::string_view rest = text;
    do {
        std::size_t size = std::min(rest.size(), k_slice);
        while (size > 0 && size < rest.size() && ((static_cast<unsigned char>(rest[size]) & 0xC0U) == 0x80U || rest[size - 1] == '\r')) --size;
        if (size == 0) size = std::min(rest.size(), k_slice);
        say(call, rest.substr(0, size), is_secret);
        rest.remove_prefix(size);
        co_await flush(call);
    } while (!rest.empty());
    co_return true;
}

Task<std::string> Session::login(Call& call) {
    const TelnetOptions& options = settings_->options;
    const Deadline limit = net::deadline_of(options.login_timeout);
    Login login{settings_->prompts, !options.username.empty(), options.password.has_value()};
    std::string said;
    const auto answered = [&] {
        said += text_;
        text_.clear();
    };
    Deadline silence{};
    for (;;) {
        const Login::Want want = login.look(text_);
        silence = {};
        if (want == Login::Want::failed) throw failure(call.job(), TelnetErrc::login, Phase::auth, login.reason(), login.problem(), last());
        if (want == Login::Want::user) {
            answered();
            co_await send(call, options.username + "\n", false);
        } else if (want == Login::Want::password) {
            answered();
            std::string line{options.password->reveal()};
            line += '\n';
            co_await send(call, std::move(line), true);
        } else if (want == Login::Want::wake) {
            answered();
            co_await send(call, "\n", false);
        } else if (want == Login::Want::prompt) {
            if (!settings_->prompts.shell_is_default) break;
            silence = net::deadline_of(options.settle_time);
            if (silence.is_never()) break;
        }
        const std::string_view awaited = login.awaited();
        const More came = co_await more(call, Phase::auth, awaited, limit, silence);
        if (came == More::silence) break;
        if (came == More::closed) {
            // What it said last decides, where that is clear.
            const Login::Want end = login.look(text_);
            const bool refused = end == Login::Want::failed;
            const bool answered_before = login.has_answered();
            const TelnetErrc code = refused || answered_before ? TelnetErrc::login : TelnetErrc::connect;
            const std::string what = refused ? login.problem() : ended_ + " before " + std::string{awaited} + " came";
            throw failure(call.job(), code, Phase::auth, refused ? login.reason() : ended_reason_, what, last())
                .with_retryable(!refused)
                .with_spoils_connection(true);
        }
        limit_text(options.max_buffer);
    }
    const std::size_t begin = text_.size() - last_line(text_).size();
    prompt_.learn(std::string_view{text_}.substr(begin));
    answered();
    logged_in_ = true;
    log_.logged_in(options.username, *stream_);
    for (const std::string& line : options.on_login) {
        std::function<void(std::string_view)> nowhere = [](std::string_view) {};
        co_await run(call, line, std::move(nowhere));
    }
    co_return log_.masked(std::move(said));
}

bool Session::answer_pager(Call& call, std::size_t& pages) {
    const PatternSet& pager = settings_->prompts.pager;
    if (pager.empty()) return false;
    const std::string_view line = last_line(text_);
    const auto found = pager.ends(line);
    if (!found) return false;
    if (++pages > settings_->options.max_pages)
        throw failure(call.job(), TelnetErrc::limit, Phase::protocol, Reason::limit,
                      "the output has more than " + std::to_string(settings_->options.max_pages) + " pages (max_pages)", last());
    text_.erase(static_cast<std::size_t>(line.data() - text_.data()) + *found);
    say(call, settings_->options.pager_answer, false);
    return true;
}

Task<bool> Session::skip_to_prompt(Call& call) {
    std::size_t pages = 0;
    for (;;) {
        const bool turned = answer_pager(call, pages);
        if (turned) {
            co_await flush(call);
        } else if (prompt_.find(text_) != npos) {
            break;
        }
        text_.erase(0, text_.size() - last_line(text_).size());
        const Deadline limit = silence_limit();
        const More came = co_await more(call, Phase::protocol, "the prompt after the command before this one", limit);
        if (came == More::closed) throw closed(call);
    }
    owes_prompt_ = false;
    co_return true;
}

Task<bool> Session::run(Call& call, const std::string& command, std::function<void(std::string_view)> out) {
    require_open(call);
    if (owes_prompt_) co_await skip_to_prompt(call);
    // What had come by itself is no output of this command.
    bool would_block = false;
    for (int reads = 0; reads < k_most_reads && !would_block && ended_.empty(); ++reads) {
        take_in(call, would_block);
        text_.clear();
    }
    require_open(call);
    dropped_ = 0;
    owes_prompt_ = true;
    co_await send(call, command + "\n", false);

    // A server that echoes repeats the command before anything else; until then nothing is a prompt, though it may look like one.
    bool in_echo = engine_.echo();
    std::optional<std::string> echoed;
    if (!engine_.refuses_echo()) echoed = command;
    Output output{std::move(echoed), prompt_.last(), std::move(out)};
    std::size_t pages = 0;
    for (;;) {
        if (in_echo) {
            const auto end = text_.find('\n');
            in_echo = end == npos && text_.size() < command.size() + k_longest_prompt;
        }
        if (!in_echo) {
            const bool turned = answer_pager(call, pages);
            if (turned) {
                co_await flush(call);
            } else {
                const std::size_t at = prompt_.find(text_);
                if (at != npos) {
                    output.add(std::string_view{text_}.substr(0, at));
                    output.finish();
                    prompt_.set_last(text_.substr(at));
                    text_.clear();
                    owes_prompt_ = false;
                    co_return true;
                }
            }
            // Whole lines go on; of an unfinished one that much stays in which a prompt may stand.
            const auto end = text_.rfind('\n');
            std::size_t done = end == npos ? 0 : end + 1;
            if (text_.size() - done > 2 * k_longest_prompt) done = text_.size() - k_longest_prompt;
            while (done > 0 && done < text_.size() && (static_cast<unsigned char>(text_[done]) & 0xC0U) == 0x80U) --done;
            if (done > 0) {
                output.add(std::string_view{text_}.substr(0, done));
                text_.erase(0, done);
            }
        }
        const Deadline limit = silence_limit();
        const More came = co_await more(call, Phase::protocol, "the shell's prompt", limit);
        if (came == More::closed) throw closed(call);
    }
}

Task<TelnetMatch> Session::expect(Call& call, const std::vector<Pattern>& patterns) {
    constexpr std::chrono::seconds k_most_time{2};
    std::vector<std::size_t> from(patterns.size(), 0);
    for (;;) {
        const Deadline give_up{k_most_time};
        std::size_t best = patterns.size();
        Pattern::Search found;
        for (std::size_t i = 0; i < patterns.size(); ++i) {
            Pattern::Search search = patterns[i].search(text_, from[i], give_up, true);
            if (search.outcome == Pattern::Outcome::limit)
                throw failure(
                    call.job(), TelnetErrc::pattern, Phase::none, Reason::limit,
                    "pattern " + std::to_string(i) + " takes too many steps on what has come; write it so that it cannot match in so many ways",
                    last());
            from[i] = search.from;
            if (search.outcome == Pattern::Outcome::found && (best == patterns.size() || search.found.begin < found.found.begin)) {
                found = std::move(search);
                best = i;
            }
        }
        if (best < patterns.size()) {
            TelnetMatch match = std::move(*found.match);
            match.pattern = best;
            match.before = text_.substr(0, found.found.begin);
            match.dropped = std::exchange(dropped_, 0);
            text_.erase(0, std::max<std::size_t>(found.found.end, 0));
            co_return match;
        }
        const std::uint64_t dropped = dropped_;
        limit_text(settings_->options.max_buffer);
        const std::size_t gone = static_cast<std::size_t>(dropped_ - dropped);
        for (std::size_t& one : from) one -= std::min(one, gone);
        const Deadline limit = silence_limit();
        const More came = co_await more(call, Phase::protocol, "what is expected", limit);
        if (came == More::closed) throw closed(call);
    }
}

std::string Session::read(Call& call) {
    bool would_block = false;
    const std::size_t most = settings_->options.max_buffer;
    for (int reads = 0; reads < k_most_reads && !would_block && ended_.empty() && text_.size() < most; ++reads) take_in(call, would_block);
    if (text_.empty()) require_open(call);
    dropped_ = 0;
    return std::exchange(text_, {});
}

void Session::command(TelnetCommand what) {
    for (std::size_t i = 0; i < k_commands.size(); ++i) {
        if (k_commands[i].first != what) continue;
        engine_.command(k_commands[i].second);
        log_.told("command", std::string{"> "} + k_command_names[i]);
    }
    push();
}

void Session::control(char byte) {
    engine_.send_bytes(byte == '\r' && !engine_.binary_out() ? std::string_view{"\r\0", 2} : std::string_view{&byte, 1});
    log_.told("command", "> Ctrl-" + std::string(1, byte == 0x7F ? '?' : static_cast<char>(byte + '@')));
    push();
}

void Session::resize(std::uint16_t columns, std::uint16_t rows) {
    engine_.resize(columns, rows);
    note_negotiation();
    push();
}

void Session::close() noexcept { stream_->close(); }

TelnetSessionInfo Session::info() const {
    TelnetSessionInfo info;
    info.is_open = ended_.empty();
    info.is_logged_in = logged_in_ && ended_.empty();
    info.broken = ended_;
    info.peer = stream_->peer();
    info.prompt = prompt_.last();
    info.echo = engine_.echo();
    info.binary_in = engine_.binary_in();
    info.binary_out = engine_.binary_out();
    info.suppress_go_ahead = engine_.suppress_go_ahead();
    info.told = engine_.told();
    info.bytes_in = bytes_in_;
    info.bytes_out = bytes_out_;
    return info;
}

}  // namespace qconn::telnet
