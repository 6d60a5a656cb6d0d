// SPDX-License-Identifier: Apache-2.0
#include "ssh/session.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include "base/text.hpp"
#include "net/runtime_impl.hpp"
#include "ssh/relay.hpp"
#include "ssh/sessions.hpp"
#include "ssh/ssh_error.hpp"

namespace qconn::ssh {

namespace {

/// How long a refused channel waits until it is asked for once more.
constexpr std::chrono::milliseconds k_place_wait{40};

/// What a broken connection says of itself, as a reason.
Reason reason_in(std::string_view words) {
    if (words.find("reset") != npos || words.find("roken pipe") != npos) return Reason::reset;
    return Reason::closed;
}

}  // namespace

std::string Purpose::words() const {
    switch (kind) {
        case Kind::subsystem: return "the subsystem " + text::printable(what);
        case Kind::command: return "a command";
        case Kind::forward: return "the way to " + text::printable(what) + ':' + std::to_string(port);
        case Kind::nothing: break;
    }
    return "a channel";
}

// ---- SessionChannel ----

SessionChannel::SessionChannel(std::shared_ptr<Session> session, std::unique_ptr<TransportChannel> channel,
                               std::vector<std::string> refused_environment)
    : session_{std::move(session)}, channel_{std::move(channel)}, refused_environment_{std::move(refused_environment)} {
    session_->channels_.insert(this);
}

SessionChannel::~SessionChannel() {
    session_->channels_.erase(this);
    channel_.reset();
    session_->on_channel_gone();
}

net::Loop& SessionChannel::loop() const noexcept { return *session_->loop_; }
bool SessionChannel::is_closed() const noexcept { return channel_->is_closed() || session_->is_over(); }
const ExitInfo& SessionChannel::exit_info() const noexcept { return channel_->exit_info(); }

net::IoResult SessionChannel::outcome(net::IoResult::Kind kind, std::size_t size) const {
    net::IoResult result{kind, size, {}};
    if (kind == net::IoResult::Kind::failed) result.error = session_->error_ ? *session_->error_ : session_->broken(session_->transport_->problem());
    return result;
}

net::IoResult SessionChannel::read(bool errors, char* data, std::size_t size) {
    std::size_t used = 0;
    const net::IoResult::Kind kind = channel_->read(errors, data, size, used);
    if (kind == net::IoResult::Kind::want_read && session_->is_over()) return outcome(net::IoResult::Kind::failed, 0);
    if (kind != net::IoResult::Kind::want_read) session_->schedule();  // the window that it makes goes out
    return outcome(kind, used);
}

net::IoResult SessionChannel::write_some(std::string_view data) {
    if (data.empty()) return {};
    std::size_t used = 0;
    const net::IoResult::Kind kind = session_->is_over() ? net::IoResult::Kind::failed : channel_->write(data, used);
    session_->schedule();
    return outcome(kind, used);
}

void SessionChannel::finish_writing() {
    if (!session_->is_over()) channel_->finish_writing();
    session_->schedule();
}

void SessionChannel::wait(net::Ready side, UniqueFunction<void()> callback) {
    (side == net::Ready::read ? on_readable_ : on_writable_) = std::move(callback);
    session_->schedule();
}

void SessionChannel::cancel_waits() noexcept {
    on_readable_ = nullptr;
    on_writable_ = nullptr;
}

/// What nobody reads would make the channel readable for ever, and use up the server's window.
void SessionChannel::drop_errors() {
    if (keeps_errors_) return;
    constexpr int k_rounds = 16;  // the rest in the next turn
    constexpr std::size_t k_most_said = 200;
    std::array<char, 4096> block;
    for (int round = 0; round < k_rounds; ++round) {
        std::size_t used = 0;
        if (channel_->read(true, block.data(), block.size(), used) != net::IoResult::Kind::done) return;
        said_.append(block.data(), used);
        if (said_.size() > k_most_said) said_.erase(0, said_.size() - k_most_said);
        session_->schedule();  // the window that it makes goes out
    }
}

std::string SessionChannel::said() {
    drop_errors();
    return said_;
}

UniqueFunction<void()> SessionChannel::take_ready(net::Ready side) {
    drop_errors();
    const bool over = session_->is_over();
    if (side == net::Ready::write) return over || channel_->is_writable() ? std::exchange(on_writable_, nullptr) : nullptr;
    const bool readable = over || channel_->is_readable(false) || (keeps_errors_ && channel_->is_readable(true));
    return readable ? std::exchange(on_readable_, nullptr) : nullptr;
}

// ---- Session ----

Session::Session(std::shared_ptr<const Settings> settings, std::shared_ptr<Sessions> jump, net::Loop& loop, Runtime runtime)
    : settings_{std::move(settings)},
      jump_{std::move(jump)},
      loop_{loop.shared_from_this()},
      runtime_{std::move(runtime)},
      limit_{loop},
      tick_{loop},
      idle_{loop},
      place_{loop} {}

Session::~Session() {
    openings_.clear();
    transport_.reset();
}

Phase Session::phase() const noexcept {
    switch (state_) {
        case State::files: return Phase::none;
        case State::dialling: return dial_ ? dial_->phase() : Phase::connect;
        case State::handshake: return transport_ && !transport_->banner().empty() ? Phase::tls : Phase::protocol;
        case State::remembering: return Phase::tls;
        case State::login: return Phase::auth;
        default: return Phase::protocol;
    }
}

std::string Session::doing() const {
    switch (state_) {
        case State::files: return "reading the files of known servers";
        case State::dialling: return jump_ ? "connecting through the jump host" : "connecting";
        case State::handshake: return transport_ && !transport_->banner().empty() ? "exchanging keys" : "waiting for the server's greeting";
        case State::remembering: return "writing down the server's key";
        case State::login: return "logging in";
        default: return "opening a channel";
    }
}

Error Session::broken(const std::string& words) const {
    Error error = ssh_error(SshErrc::session, "the session with \"" + settings_->peer + "\" broke: " + words, Phase::protocol, reason_in(words),
                            settings_->options.label);
    return std::move(error).with_retryable(true).with_spoils_connection(true);
}

/// On the pool; then `then` on the loop, unless the session has ended meanwhile.
void Session::blocking(UniqueFunction<void()> work, void (Session::*then)()) {
    busy_ = true;
    runtime_.impl().post_blocking([self = shared_from_this(), loop = loop_, work = std::move(work), then]() mutable {
        std::optional<Error> error;
        try {
            work();
        } catch (const Error& thrown) { error = thrown; } catch (const std::exception& thrown) {
            error = ssh_error(SshErrc::session, thrown.what(), Phase::none, Reason::local);
        }
        work = nullptr;
        loop->post([self = std::move(self), then, error = std::move(error)]() mutable {
            self->busy_ = false;
            if (self->is_over()) return;
            if (error) return self->end(*error);
            ((*self).*then)();
        });
    });
}

void Session::start(Ready ready) {
    ready_ = std::move(ready);
    state_ = State::files;
    if (settings_->options.connect_timeout.count() > 0) {
        limit_.arm(settings_->options.connect_timeout, [this] {
            const auto keep = shared_from_this();
            if (dial_) return dial_->expire();
            end(stopped(false, "connecting to \"" + settings_->peer + '"', doing(), phase(), settings_->options.label));
        });
    }
    blocking([this] { known_ = load_known_hosts(*settings_); }, &Session::on_files);
}

void Session::on_files() {
    state_ = State::dialling;
    jump_ ? through_jump() : dial();
}

void Session::dial() {
    dial_ = net::start_dial(*loop_, settings_->endpoint, settings_->options.label, nullptr,
                            [weak = weak_from_this()](Result<std::unique_ptr<net::Stream>> result) {
                                const auto self = weak.lock();
                                if (!self || self->is_over()) return;
                                self->on_stream(std::move(result));
                            });
}

void Session::through_jump() {
    Purpose purpose;
    purpose.kind = Purpose::Kind::forward;
    purpose.what = settings_->options.host;
    purpose.port = settings_->options.port;
    jump_operation_ = jump_->open(std::move(purpose), {}, [weak = weak_from_this()](Result<std::unique_ptr<SessionChannel>> result) {
        const auto self = weak.lock();
        if (!self || self->is_over()) return;
        if (!result) {
            Error error = result.error();
            error.with_prefix("the jump host of \"" + self->settings_->peer + "\": ");
            if (!self->settings_->options.label.empty()) error.with_connection(self->settings_->options.label);
            return self->end(error);
        }
        self->through_relay(std::move(*result));
    });
}

/// The transport wants a socket: it gets one end of a pair, and the way goes to the other.
void Session::through_relay(std::unique_ptr<Channel> way) {
    int ends[2] = {-1, -1};
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0) {
        return end(make_error(Errc::system, "there is no socket for the way to the server: " + std::system_category().message(errno))
                       .with_reason(Reason::local));
    }
    auto near = std::make_unique<net::Stream>(*loop_, net::UniqueFd{ends[1]}, settings_->peer, settings_->options.label);
    relay_ = Relay::start(std::make_unique<net::Stream>(*loop_, net::UniqueFd{ends[0]}, settings_->peer, ""), std::move(way));
    begin_handshake(std::move(near));
}

void Session::on_stream(Result<std::unique_ptr<net::Stream>> stream) {
    // Not from inside its own callback.
    if (dial_) loop_->post([dial = std::shared_ptr<net::Dial>{std::move(dial_)}] {});
    if (!stream) return end(stream.error());
    // A proxy's tunnel may have TLS of its own, and the server greets first: that may have come with the proxy's answer.
    const Proxy* proxy = settings_->options.proxy.get();
    const bool is_socket = !(*stream)->may_hold_input() && (proxy == nullptr || proxy->kind != Proxy::Kind::https);
    if (is_socket) return begin_handshake(std::move(*stream));
    through_relay(std::make_unique<StreamChannel>(std::move(*stream)));
}

void Session::begin_handshake(std::unique_ptr<net::Stream> stream) {
    stream_ = std::move(stream);
    net::UniqueFd own{::fcntl(stream_->fd(), F_DUPFD_CLOEXEC, 0)};
    if (!own) {
        return end(make_error(Errc::system, "there is no descriptor for the connection: " + std::system_category().message(errno))
                       .with_reason(Reason::local)
                       .with_phase(Phase::connect));
    }
    const SshAlgorithms& given = settings_->options.algorithms;
    const std::vector<std::string>& wanted = given.host_keys.empty() ? ssh_default_algorithms().host_keys : given.host_keys;
    std::vector<std::string> types = wanted;
    if (given.host_keys.empty()) types = prefer_known_types(wanted, known_key_types(known_, settings_->known_name));
    try {
        transport_ = settings_->kind->make(std::move(own), settings_->options, settings_->user, types);
    } catch (const Error& error) { return end(error); }
    state_ = State::handshake;
    run();
}

void Session::run() {
    if (running_ || busy_ || is_over()) return;
    const auto keep = shared_from_this();
    running_ = true;
    switch (state_) {
        case State::handshake: run_handshake(); break;
        case State::login: run_login(); break;
        case State::ready: run_ready(); break;
        default: break;
    }
    running_ = false;
    if (std::exchange(again_, false)) schedule();
    rearm();
}

void Session::on_channel_gone() {
    last_closed_ = Clock::now();
    if (is_over() && !busy_ && !running_ && channels_.empty()) transport_.reset();
    schedule();  // what its end says goes out
}

/// Soon, once.
void Session::schedule() {
    if (running_) {
        again_ = true;
        return;
    }
    if (scheduled_) return;
    scheduled_ = true;
    loop_->post([weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self) return;
        self->scheduled_ = false;
        if (self->is_over())
            self->wake();
        else
            self->run();
    });
}

void Session::rearm() {
    if (is_over() || busy_ || !stream_ || !transport_) return;
    stream_->wait(net::Ready::read, [this] { run(); });
    if (transport_->wants_write()) stream_->wait(net::Ready::write, [this] { run(); });
}

void Session::run_handshake() {
    switch (transport_->handshake()) {
        case Step::again: return;
        case Step::done: return check_host_key();
        case Step::failed: break;
    }
    const std::string words = transport_->problem();
    const std::string banner = transport_->banner();
    const bool agreed = words.find("no match") != npos;
    std::string text = "connecting to \"" + settings_->peer + "\" failed: ";
    text += banner.empty() ? "it did not greet as an SSH server does: " + words : words + " (" + text::printable(banner) + ')';
    if (agreed) text += "; name an algorithm that the server has in the options ciphers, macs, key_exchanges or host_key_algorithms";
    Reason reason = banner.empty() ? Reason::bad_answer : Reason::handshake;
    if (words.find("disconnected") != npos || words.find("reset") != npos) reason = reason_in(words);
    Error error = ssh_error(SshErrc::handshake, std::move(text), banner.empty() ? Phase::protocol : Phase::tls, reason, settings_->options.label);
    end(std::move(error).with_retryable(reason == Reason::closed || reason == Reason::reset));
}

void Session::check_host_key() {
    host_key_ = transport_->host_key();
    HostKeyJudgement judgement = judge_host_key(*settings_, known_, host_key_);
    if (judgement.error) return end(*judgement.error);
    if (!judgement.accept) return begin_login();
    state_ = State::remembering;
    blocking([this] { remember_host_key(*settings_, host_key_); }, &Session::begin_login);
}

void Session::begin_login() {
    limit_.cancel();
    state_ = State::login;
    if (settings_->options.login_timeout.count() > 0) {
        limit_.arm(settings_->options.login_timeout, [this] {
            const auto keep = shared_from_this();
            end(stopped(false, "logging in to \"" + settings_->peer + '"', "waiting for the server", Phase::auth, settings_->options.label));
        });
    }
    login_ = std::make_shared<Login>(settings_);
    on_worked();
}

void Session::on_worked() {
    if (running_)
        run_login();
    else
        run();
}

void Session::run_login() {
    switch (login_->advance(*transport_)) {
        case Login::Next::wait: return;
        case Login::Next::block:
            stream_->cancel_waits();
            return blocking([login = login_, transport = transport_] { login->work(*transport); }, &Session::on_worked);
        case Login::Next::done: return become_ready();
        case Login::Next::failed: return end(login_->error());
    }
}

void Session::become_ready() {
    limit_.cancel();
    state_ = State::ready;
    info_ = transport_->info();
    info_.host_key_type = host_key_.type;
    info_.fingerprint = fingerprint_of(host_key_.blob);
    info_.user = settings_->user;
    info_.login = login_->method();
    info_.transport = settings_->kind->name();
    login_.reset();
    known_.clear();
    if (settings_->options.keep_alive.count() > 0) tick_.arm(settings_->options.keep_alive, [this] { tick(); });
    watch_idleness();
    Ready ready = std::exchange(ready_, nullptr);
    if (ready) ready(std::nullopt);
    schedule();
}

void Session::run_ready() {
    // So much in one go; other work of the loop comes between.
    constexpr int k_rounds = 64;
    const Step step = transport_->pump(k_rounds);
    // What came before the end is still theirs.
    serve_openings();
    wake();
    if (is_over()) return;
    if (step == Step::failed || !transport_->is_open()) return end(broken(transport_->problem()));
    if (step == Step::done) schedule();
    watch_idleness();
}

void Session::watch_idleness() {
    if (settings_->options.max_idle.count() == 0) return;
    if (!channels_.empty() || !openings_.empty()) return idle_.cancel();
    idle_.arm(settings_->options.max_idle, [this] {
        const auto keep = shared_from_this();
        if (channels_.empty() && openings_.empty()) end(broken("it was idle for the time that max_idle allows"));
    });
}

/// The server has that long to say something.
void Session::tick() {
    const auto keep = shared_from_this();
    const std::uint64_t heard = transport_->bytes_received();
    if (heard != heard_) {
        probed_ = false;
        heard_ = heard;
    } else if (probed_) {
        Error error = broken("the server has not answered for " + std::to_string(2 * settings_->options.keep_alive.count()) + " ms (keep_alive)");
        return end(std::move(error).with_reason(Reason::timeout));
    }
    probed_ = true;
    transport_->send_keepalive();
    schedule();
    tick_.arm(settings_->options.keep_alive, [this] { tick(); });
}

std::uint64_t Session::open(Purpose purpose, Opened opened) {
    const std::uint64_t number = ++last_opening_;
    openings_.emplace(number, Opening{std::move(purpose), std::move(opened), transport_->make_channel()});
    watch_idleness();
    schedule();
    return number;
}

void Session::forget(std::uint64_t opening) noexcept {
    if (const auto found = openings_.find(opening); found != openings_.end()) found->second.opened = nullptr;
}

/// A command that was asked for may run: it must not be asked for again.
Error Session::interrupted(Error error, const Opening& opening) {
    if (opening.purpose.kind == Purpose::Kind::command && opening.step > static_cast<int>(opening.purpose.environment.size()))
        error.with_retryable(false);
    return error;
}

/// A server with a limit counts a channel of ours that has just been closed for a moment longer.
bool Session::may_have_place_soon(const Opening& opening) const {
    constexpr int k_most_refusals = 4;
    const bool session = opening.step == 0 && opening.purpose.kind != Purpose::Kind::forward;
    return session && opening.refusals < k_most_refusals && Clock::now() - last_closed_ < std::chrono::seconds{1};
}

bool Session::serve(Opening& opening, Result<std::unique_ptr<SessionChannel>>& result) {
    const Purpose& purpose = opening.purpose;
    const auto ask = [&]() -> Step {
        TransportChannel& channel = *opening.channel;
        if (opening.step == 0) {
            return purpose.kind == Purpose::Kind::forward ? channel.open_forward(purpose.what, purpose.port) : channel.open_session();
        }
        const auto index = static_cast<std::size_t>(opening.step) - 1;
        if (index < purpose.environment.size())
            return channel.request_environment(purpose.environment[index].first, purpose.environment[index].second);
        return purpose.kind == Purpose::Kind::command ? channel.request_command(purpose.what) : channel.request_subsystem(purpose.what);
    };
    if (opening.refusals > 0 && opening.step == 0 && Clock::now() < opening.not_before) {
        place_.arm(opening.not_before, [this] { run(); });
        return false;
    }
    const bool asks = purpose.kind == Purpose::Kind::command || purpose.kind == Purpose::Kind::subsystem;
    const int last = asks ? static_cast<int>(purpose.environment.size()) + 1 : 0;
    for (;;) {
        const Step step = ask();
        if (step == Step::again) return false;
        if (step == Step::failed) {
            if (!transport_->is_open()) {
                result = interrupted(broken(transport_->problem()), opening);
                return true;
            }
            const auto index = static_cast<std::size_t>(opening.step) - 1;
            if (opening.step > 0 && index < purpose.environment.size()) {
                opening.refused_environment.push_back(purpose.environment[index].first);
            } else if (may_have_place_soon(opening)) {
                ++opening.refusals;
                opening.channel = transport_->make_channel();
                opening.not_before = Clock::now() + k_place_wait;
                place_.arm(opening.not_before, [this] { run(); });
                return false;
            } else {
                std::string text = '"' + settings_->peer + "\" refused " + purpose.words() + ": " + transport_->problem();
                if (opening.step == 0 && purpose.kind != Purpose::Kind::forward)
                    text += "; it may allow no more channels in one session (MaxSessions)";
                Error error = ssh_error(SshErrc::channel, std::move(text), Phase::protocol, Reason::status, settings_->options.label);
                result = std::move(error).with_retryable(opening.step == 0);
                return true;
            }
        }
        // Its caller has gone: nothing is begun for nobody.
        if (!opening.opened) {
            result = broken("nobody waits");
            return true;
        }
        if (opening.step++ == last) {
            result = std::make_unique<SessionChannel>(shared_from_this(), std::move(opening.channel), std::move(opening.refused_environment));
            return true;
        }
    }
}

void Session::serve_openings() {
    std::vector<std::uint64_t> numbers;
    for (const auto& [number, opening] : openings_) numbers.push_back(number);
    for (const std::uint64_t number : numbers) {
        const auto found = openings_.find(number);
        if (found == openings_.end()) continue;
        Result<std::unique_ptr<SessionChannel>> result{std::unique_ptr<SessionChannel>{}};
        if (!serve(found->second, result)) continue;
        Opened opened = std::move(found->second.opened);
        openings_.erase(found);
        if (opened) opened(std::move(result));
        if (is_over()) return;
    }
}

void Session::wake() {
    const auto keep = shared_from_this();
    const std::vector<SessionChannel*> all{channels_.begin(), channels_.end()};
    for (SessionChannel* channel : all) {
        // One side and then the other; what is called may end channels, this one too.
        for (const net::Ready side : {net::Ready::read, net::Ready::write}) {
            if (channels_.count(channel) == 0) break;
            if (UniqueFunction<void()> callback = channel->take_ready(side)) callback();
        }
    }
}

void Session::end(const Error& given) {
    if (is_over()) return;
    const auto keep = shared_from_this();
    Error error = given;
    if (error.connection().empty() && !settings_->options.label.empty()) error.with_connection(settings_->options.label);
    const bool was_ready = state_ == State::ready;
    error_ = error;
    state_ = State::over;
    limit_.cancel();
    tick_.cancel();
    idle_.cancel();
    place_.cancel();
    if (stream_) stream_->cancel_waits();
    if (dial_) loop_->post([dial = std::shared_ptr<net::Dial>{std::move(dial_)}] {});
    jump_operation_.cancel();
    if (relay_) relay_->stop();
    relay_.reset();
    std::map<std::uint64_t, Opening> openings = std::move(openings_);
    openings_.clear();
    std::vector<std::pair<Opened, Error>> waiting;
    for (auto& [number, opening] : openings) waiting.emplace_back(std::move(opening.opened), interrupted(error, opening));
    openings.clear();
    // The connection ends now, also where somebody still holds a channel of it. Not under the hands of the pool.
    if (!busy_ && !running_ && channels_.empty()) transport_.reset();
    if (stream_) ::shutdown(stream_->fd(), SHUT_RDWR);
    stream_.reset();
    if (UniqueFunction<void()> over = std::exchange(on_over_, nullptr)) over();
    Ready ready = std::exchange(ready_, nullptr);
    if (!was_ready && ready) ready(error);
    for (auto& [opened, why] : waiting) {
        if (opened) opened(Result<std::unique_ptr<SessionChannel>>{why});
    }
    schedule();
}

}  // namespace qconn::ssh
