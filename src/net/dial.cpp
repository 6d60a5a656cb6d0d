// SPDX-License-Identifier: Apache-2.0
#include "net/dial.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include <qconn/net/net_error.hpp>

#include "base/text.hpp"
#include "net/address_race.hpp"
#include "net/connector.hpp"
#include "net/dialogue_driver.hpp"
#include "net/local_fault.hpp"
#include "net/loop_impl.hpp"
#include "net/proxy_dialogue.hpp"
#include "net/resolver.hpp"
#include "net/runtime_impl.hpp"
#include "net/socket.hpp"
#include "net/stream.hpp"
#include "net/timer.hpp"
#include "net/tls_context.hpp"
#include "net/tls_contexts.hpp"

namespace qconn::net {

namespace {

const std::shared_ptr<const TlsOptions>& default_tls() {
    static const auto options = std::make_shared<const TlsOptions>();
    return options;
}

/// The proxy on the way, or null.
const Proxy* proxy_of(const Endpoint& endpoint) {
    const bool has = endpoint.proxy && !endpoint.is_socket && endpoint.proxy->is_for(endpoint.host, endpoint.port);
    return has ? endpoint.proxy.get() : nullptr;
}

/// The phases one after the other; every step goes as far as it can without waiting. What waits is this object on its loop: nothing outlives
/// finish().
class DialRun : public std::enable_shared_from_this<DialRun> {
public:
    DialRun(Loop& loop, const Endpoint& endpoint, std::string_view label, DialTrace* trace, DialCallback callback, SocketUse use)
        : runtime_{loop.runtime()},
          loop_{loop},
          endpoint_{endpoint},
          proxy_{proxy_of(endpoint)},
          label_{label},
          trace_{trace},
          callback_{std::move(callback)},
          use_{use} {}

    void start() {
        starting_ = true;
        try {
            begin();
        } catch (const Error& e) { fail(e); }
        starting_ = false;
    }

    void cancel() noexcept {
        if (ended_) return;
        ended_ = true;
        release();
        const auto dropped = std::exchange(callback_, nullptr);
    }

    void expire() {
        if (ended_) return;
        const auto self = shared_from_this();
        if (outcome_) {
            deliver();
            return;
        }
        expired_ = true;
        switch (phase_) {
            case Phase::resolve:
                if (auto answer = query_ ? query_->take() : nullptr) on_resolved(std::move(*answer));
                break;
            case Phase::connect: on_connect_event(); break;
            case Phase::proxy:
                if (proxy_driver_)
                    on_proxy_event();
                else
                    on_proxy_tls_event();
                break;
            default: on_tls_event(); break;
        }
        if (!ended_) fail(timeout());
    }

    Phase phase() const noexcept { return phase_; }

private:
    struct Attempt {
        std::size_t index{0};
        UniqueFd fd;
        std::unique_ptr<FdWatch> watch;  // goes before fd
    };

    const SocketOptions& socket() const { return endpoint_.socket ? *endpoint_.socket : socket_defaults(); }
    const std::string& dialled_host() const { return proxy_ != nullptr ? proxy_->host : endpoint_.host; }
    std::uint16_t dialled_port() const { return proxy_ != nullptr ? proxy_->port : endpoint_.port; }
    std::string dialled() const { return endpoint_.is_socket ? endpoint_.host : authority(dialled_host(), dialled_port()); }

    void begin() {
        enter(Phase::resolve);
        if (!runtime_) {
            fail(make_error(Errc::cancelled, "the runtime has ended"));
            return;
        }
        if (endpoint_.tls) {
            if (endpoint_.is_socket && endpoint_.tls->verify && endpoint_.tls->server_name.value_or("").empty()) {
                throw Error{make_error_code(NetErrc::tls_option), error_name(NetErrc::tls_option),
                            "TLS over the UNIX socket \"" + endpoint_.host +
                                "\" has no host name that the certificate could be checked for; set ssl_server_name to the name in it"}
                    .with_phase(Phase::tls)
                    .with_reason(Reason::bad_value);
            }
        }
        load_contexts();
    }

    /// Goes on once the contexts for the remote end and for the proxy are there.
    void load_contexts() {
        if (endpoint_.tls && !tls_) return load(endpoint_.tls, tls_);
        if (proxy_ != nullptr && proxy_->kind == Proxy::Kind::https && !proxy_tls_)
            return load(proxy_->tls ? proxy_->tls : default_tls(), proxy_tls_);
        begin_address();
    }

    void load(const std::shared_ptr<const TlsOptions>& options, std::shared_ptr<const TlsContext>& context) {
        context = runtime_->tls_contexts()->at_hand(options);
        if (context) return load_contexts();
        tls_query_ = std::make_unique<TlsContextQuery>(*runtime_, loop_, options, label_, [this, &context](auto made) {
            const auto self = shared_from_this();
            tls_query_.reset();
            guarded([&] {
                context = std::move(made).value();
                load_contexts();
            });
        });
    }

    void begin_address() {
        phase_start_ = Clock::now();
        if (endpoint_.is_socket) {
            begin_socket();
        } else {
            // Some proxies want the address of the target.
            resolves_target_ = proxy_ != nullptr && !proxy_->looks_up();
            resolve();
        }
    }

    const std::string& looked_up() const { return resolves_target_ ? endpoint_.host : dialled_host(); }

    void resolve() {
        if (auto addresses = runtime_->resolver().at_hand(looked_up())) {
            use(*addresses);
        } else {
            query_ = runtime_->resolver().resolve(looked_up(), loop_, [this](Resolved resolved) { on_resolved(std::move(resolved)); });
        }
    }

    void use(const std::vector<Address>& addresses) {
        if (!resolves_target_) {
            begin_addresses(addresses);
            return;
        }
        const bool only_v4 = proxy_->kind == Proxy::Kind::socks4;
        for (const Address& one : chosen(addresses, socket().family)) {
            if (only_v4 && one.family() != AF_INET) continue;
            target_address_ = one;
            break;
        }
        if (!target_address_) {
            fail(no_address(only_v4 ? AddressFamily::only_ipv4 : socket().family));
            return;
        }
        resolves_target_ = false;
        phase_start_ = Clock::now();
        resolve();
    }

    Error no_address(AddressFamily family) const {
        const bool v4 = family == AddressFamily::only_ipv4;
        std::string message = '"' + looked_up() + "\" has no " + (v4 ? "IPv4" : "IPv6") + " address, and others may not be used";
        if (resolves_target_ && proxy_->kind == Proxy::Kind::socks4) message += " with SOCKS4; a socks5 proxy can lead to IPv6";
        return Error{make_error_code(NetErrc::resolve), error_name(NetErrc::resolve), std::move(message)}.with_reason(Reason::unknown_host);
    }

    void on_resolved(Resolved resolved) {
        const auto self = shared_from_this();
        query_.reset();
        if (!resolved.addresses) {
            std::string message = "looking up \"" + looked_up() + "\" failed: " + resolved.words;
            if (resolved.reason == Reason::unknown_host)
                message += "; check the name, and the search domains of this machine";
            else if (resolved.reason == Reason::resolver)
                message += "; check the name servers of this machine (/etc/resolv.conf)";
            fail(Error{make_error_code(NetErrc::resolve), error_name(NetErrc::resolve), std::move(message)}
                     .with_reason(resolved.reason)
                     .with_retryable(resolved.reason != Reason::unknown_host));
            return;
        }
        if (trace_) {
            std::string seen;
            for (auto address : *resolved.addresses) {
                if (!seen.empty()) seen += ", ";
                address.set_port(resolves_target_ ? endpoint_.port : dialled_port());
                seen += address.to_string();
            }
            if (resolved.stale) seen += ", as known from earlier: " + resolved.words;
            passed(looked_up() + " is " + seen);
        }
        guarded([&] { use(*resolved.addresses); });
    }

    void begin_addresses(const std::vector<Address>& found) {
        auto addresses = chosen(found, socket().family);
        if (addresses.empty()) {
            fail(no_address(socket().family));
            return;
        }
        for (auto& address : addresses) address.set_port(dialled_port());
        if (proxy_ != nullptr) proxy_addresses_ = addresses;
        race_ = AddressRace{std::move(addresses)};
        enter(Phase::connect);
        advance_race();
    }

    void begin_socket() {
        enter(Phase::connect);
        auto started = start_connect_unix(endpoint_.host);
        if (started.kind == ConnectStart::Kind::connected) {
            connected(std::move(started.fd), endpoint_.host);
            return;
        }
        const int error = started.kind == ConnectStart::Kind::pending ? EAGAIN : started.error;
        std::string words = std::generic_category().message(error);
        std::string_view advice = "; check the path, and that the server runs";
        Reason reason = reason_of(error);
        if (error == EAGAIN) {
            words = "its queue of connections is full";
            advice = "; the server is overloaded or hangs";
            reason = Reason::refused;
        }
        fail(connect_error("connecting to the UNIX socket \"" + endpoint_.host + "\" failed: " + words + std::string{advice}, reason));
    }

    void advance_race() {
        while (const auto index = race_.next(Clock::now())) {
            const Address& address = race_.address(*index);
            auto started = start_connect(address.data(), address.size(), socket(), use_);
            if (started.binding) {
                fail(connect_error("connecting to " + quoted_target() + " failed: " + binding_words(socket(), started.error), Reason::local));
                return;
            }
            if (started.kind == ConnectStart::Kind::connected) {
                connected(std::move(started.fd), address.to_string());
                return;
            }
            if (started.kind == ConnectStart::Kind::failed) {
                race_.failed(*index, started.error);
                continue;
            }
            Attempt attempt{*index, std::move(started.fd), nullptr};
            if (!expired_) {
                attempt.watch = std::make_unique<FdWatch>(loop_, attempt.fd.get());
                attempt.watch->wait(Ready::write, [this] { on_connect_event(); });
            }
            attempts_.push_back(std::move(attempt));
        }
        if (race_.is_lost()) {
            std::string message = "connecting to " + quoted_target() + " failed: " + race_.report();
            switch (race_.reason()) {
                case Reason::refused: message += "; nothing listens there: check the port, and that the server runs"; break;
                case Reason::unreachable: message += "; check the route to that network, and firewalls"; break;
                case Reason::local: message += "; this machine has run out of descriptors, ports or memory"; break;
                case Reason::permission: message += "; a firewall rule or policy of this machine forbids it"; break;
                default: break;
            }
            fail(connect_error(std::move(message), race_.reason()));
            return;
        }
        const Deadline wake = race_.wake();
        if (wake.is_never() || expired_) return;
        if (!stagger_) stagger_ = std::make_unique<Timer>(loop_);
        stagger_->arm(wake, [this] {
            const auto self = shared_from_this();
            guarded([this] { advance_race(); });
        });
    }

    /// One of the attempts has come to something, or the time is over: looks at all of them.
    void on_connect_event() {
        const auto self = shared_from_this();
        guarded([this] {
            for (std::size_t i = 0; i < attempts_.size();) {
                const int outcome = connect_outcome(attempts_[i].fd.get());
                if (outcome == EINPROGRESS) {
                    ++i;
                    continue;
                }
                Attempt attempt = std::move(attempts_[i]);
                attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(i));
                attempt.watch.reset();
                if (outcome == 0) {
                    connected(std::move(attempt.fd), race_.address(attempt.index).to_string());
                    return;
                }
                race_.failed(attempt.index, outcome);
            }
            advance_race();
        });
    }

    void connected(UniqueFd fd, std::string peer) {
        attempts_.clear();
        stagger_.reset();
        if (trace_) {
            std::string seen = "connected to " + peer;
            if (race_.size() > 1) {
                const auto report = race_.report();
                if (report.find(',') != report.npos) seen += " (" + report + ")";
            }
            passed(std::move(seen));
        }
        stream_ = std::make_unique<Stream>(loop_, std::move(fd), std::move(peer), label_);
        if (proxy_ == nullptr) {
            begin_tls();
            return;
        }
        enter(Phase::proxy);
        if (proxy_tls_) {
            stream_->start_tls(proxy_tls_, TlsPeer{proxy_->host, proxy_->port, label_, {}});
            on_proxy_tls_event();
        } else {
            begin_proxy();
        }
    }

    void on_proxy_tls_event() {
        const auto self = shared_from_this();
        guarded([this] {
            auto result = stream_->handshake();
            switch (result.kind) {
                case IoResult::Kind::done: break;
                case IoResult::Kind::want_read: wait(Ready::read, [this] { on_proxy_tls_event(); }); return;
                case IoResult::Kind::want_write: wait(Ready::write, [this] { on_proxy_tls_event(); }); return;
                case IoResult::Kind::closed:
                case IoResult::Kind::failed: fail(proxy_tls_error(*result.error)); return;
            }
            if (trace_) passed("with the proxy: " + summary(*stream_->tls_info()));
            begin_proxy();
        });
    }

    void begin_proxy() {
        if (!proxy_dialogue_) proxy_dialogue_ = make_proxy_dialogue(*proxy_, {endpoint_.host, endpoint_.port, target_address_});
        proxy_driver_ = std::make_unique<DialogueDriver>(*stream_, *proxy_dialogue_);
        follow_proxy(proxy_driver_->begin());
    }

    /// Some proxies close after they have asked for a log-in.
    void reconnect_to_proxy() {
        proxy_driver_.reset();
        stream_.reset();
        begin_addresses(std::vector<Address>{proxy_addresses_});
    }

    void on_proxy_event() {
        const auto self = shared_from_this();
        guarded([this] { follow_proxy(proxy_driver_->pump()); });
    }

    void follow_proxy(DialogueDriver::State state) {
        switch (state) {
            case DialogueDriver::State::waiting: wait(proxy_driver_->waits_for(), [this] { on_proxy_event(); }); return;
            case DialogueDriver::State::failed:
                if (proxy_dialogue_->wants_new_connection())
                    reconnect_to_proxy();
                else
                    fail(proxy_error(proxy_driver_->error()));
                return;
            case DialogueDriver::State::start_tls:
            case DialogueDriver::State::done: break;
        }
        if (trace_) passed("tunnel through " + dialled() + ": " + proxy_dialogue_->evidence());
        if (proxy_tls_) stream_->enter_tunnel();
        stream_->unread(proxy_driver_->rest());
        proxy_driver_.reset();
        proxy_dialogue_.reset();
        begin_tls();
    }

    void begin_tls() {
        if (!tls_) {
            succeed();
            return;
        }
        enter(Phase::tls);
        stream_->start_tls(tls_, TlsPeer{endpoint_.is_socket ? std::string{} : endpoint_.host, endpoint_.port, label_, endpoint_.alpn});
        on_tls_event();
    }

    void on_tls_event() {
        const auto self = shared_from_this();
        guarded([this] {
            auto result = stream_->handshake();
            switch (result.kind) {
                case IoResult::Kind::done: break;
                case IoResult::Kind::want_read: wait(Ready::read, [this] { on_tls_event(); }); return;
                case IoResult::Kind::want_write: wait(Ready::write, [this] { on_tls_event(); }); return;
                case IoResult::Kind::closed:
                case IoResult::Kind::failed: fail(std::move(*result.error)); return;
            }
            if (trace_) passed(summary(*stream_->tls_info()));
            succeed();
        });
    }

    template <class F>
    void wait(Ready side, F callback) {
        if (!expired_) stream_->wait(side, std::move(callback));
    }

    /// Every way in from the loop: what is thrown below ends the dial.
    template <class F>
    void guarded(F step) {
        try {
            step();
        } catch (const Error& e) { fail(e); } catch (const std::exception& e) {
            fail(make_error(Errc::system, std::string{"dialling failed: "} + e.what()).with_reason(Reason::local));
        }
    }

    void enter(Phase phase) {
        phase_ = phase;
        phase_start_ = Clock::now();
    }

    void passed(std::string evidence) {
        if (trace_) trace_->steps.push_back({phase_, true, Clock::now() - phase_start_, std::move(evidence)});
        phase_start_ = Clock::now();
    }

    std::string quoted_target() const {
        std::string target = proxy_ != nullptr ? "the proxy \"" : "\"";
        return target + dialled() + '"';
    }

    static Error connect_error(std::string message, Reason reason) {
        return Error{make_error_code(NetErrc::connect), error_name(NetErrc::connect), std::move(message)}.with_reason(reason).with_retryable(true);
    }

    /// A connection to the proxy that breaks is an error of the proxy.
    static Error proxy_error(const Error& error) {
        if (error.code() != make_error_code(NetErrc::io)) return error;
        return Error{make_error_code(NetErrc::proxy), error_name(NetErrc::proxy), std::string{error.message()}}
            .with_reason(error.reason())
            .with_retryable(true)
            .with_spoils_connection(true);
    }

    Error proxy_tls_error(const Error& error) const {
        return Error{make_error_code(NetErrc::proxy), error_name(NetErrc::proxy),
                     "TLS with the proxy " + dialled() + ": " + std::string{error.message()}}
            .with_phase(Phase::proxy)
            .with_reason(error.reason())
            .with_retryable(error.retryable())
            .with_spoils_connection(true);
    }

    Error timeout() const {
        std::string message;
        switch (phase_) {
            case Phase::resolve:
                if (tls_query_) {
                    message = "loading the TLS options took too long; the file systems of the files that they name may hang";
                    break;
                }
                message = "looking up \"" + looked_up() +
                          "\" took too long: the name service did not answer in time; check the name servers of this machine "
                          "(/etc/resolv.conf)";
                break;
            case Phase::connect:
                message = "connecting to " + quoted_target() + " took too long: " + race_.report() +
                          "; the host may be off, its server may hang, or a firewall may drop the packets";
                break;
            case Phase::proxy:
                message = "opening a tunnel to \"" + authority(endpoint_.host, endpoint_.port) + "\" took too long: the proxy " + dialled() +
                          " took the connection, but ";
                message += proxy_driver_ ? proxy_dialogue_->awaited() : "the end of the TLS handshake with it";
                message += " did not come; it may hang, or be no proxy of this kind";
                break;
            default:
                message = "the TLS handshake with \"" + (endpoint_.is_socket ? endpoint_.host : authority(endpoint_.host, endpoint_.port)) +
                          "\" took too long: the server took the connection but did not complete the handshake; it may hang, or not speak TLS there";
                break;
        }
        return make_error(Errc::timeout, std::move(message)).with_reason(Reason::timeout).with_retryable(true);
    }

    void fail(Error error) {
        if (ended_) return;
        if (phase_ == Phase::connect && !endpoint_.is_socket) runtime_->resolver().forget(dialled_host());
        if (phase_ == Phase::proxy && target_address_) runtime_->resolver().forget(endpoint_.host);
        if (error.connection().empty()) error.with_connection(label_);
        if (error.phase() == Phase::none) error.with_phase(phase_);
        if (trace_) trace_->steps.push_back({error.phase(), false, Clock::now() - phase_start_, std::string{error.message()}});
        stream_.reset();
        finish(std::move(error));
    }

    void succeed() {
        stream_->cancel_waits();
        finish(std::move(stream_));
    }

    void finish(Result<std::unique_ptr<Stream>> result) {
        ended_ = true;
        release();
        if (!starting_) {
            auto callback = std::exchange(callback_, nullptr);
            callback(std::move(result));
            return;
        }
        ended_ = false;  // cancel() may still come
        phase_ = result ? (tls_ ? Phase::tls : phase_) : result.error().phase();
        outcome_.emplace(std::move(result));
        loop_.post([self = shared_from_this()] { self->deliver(); });
    }

    void deliver() {
        if (ended_ || !outcome_) return;
        ended_ = true;
        auto outcome = std::exchange(outcome_, std::nullopt);
        auto callback = std::exchange(callback_, nullptr);
        callback(std::move(*outcome));
    }

    /// Lets go of everything that waits or holds a descriptor.
    void release() noexcept {
        tls_query_.reset();
        query_.reset();
        stagger_.reset();
        attempts_.clear();
        proxy_driver_.reset();
        proxy_dialogue_.reset();
        stream_.reset();
        outcome_.reset();
    }

    const std::shared_ptr<RuntimeImpl> runtime_;  // does not end while somebody dials
    Loop& loop_;
    const Endpoint& endpoint_;
    const Proxy* const proxy_;
    const std::string label_;
    DialTrace* const trace_;
    DialCallback callback_;
    const SocketUse use_;
    bool starting_{false};
    bool ended_{false};
    bool expired_{false};
    Phase phase_{Phase::resolve};
    Clock::time_point phase_start_{};
    std::shared_ptr<const TlsContext> tls_;
    std::unique_ptr<TlsContextQuery> tls_query_;
    std::unique_ptr<Resolver::Query> query_;
    AddressRace race_;
    std::vector<Attempt> attempts_;
    std::unique_ptr<Timer> stagger_;
    std::unique_ptr<Stream> stream_;
    std::shared_ptr<const TlsContext> proxy_tls_;
    bool resolves_target_{false};            // before the proxy's own name
    std::optional<Address> target_address_;  // for proxies that want it
    std::vector<Address> proxy_addresses_;
    std::unique_ptr<ProxyDialogue> proxy_dialogue_;
    std::unique_ptr<DialogueDriver> proxy_driver_;
    std::optional<Result<std::unique_ptr<Stream>>> outcome_;  // known before start() returned; delivered from the loop
};

class DialHandle final : public Dial {
public:
    explicit DialHandle(std::shared_ptr<DialRun> run) : run_{std::move(run)} {}
    DialHandle(const DialHandle&) = delete;
    DialHandle& operator=(const DialHandle&) = delete;
    ~DialHandle() override { run_->cancel(); }
    void cancel() noexcept override { run_->cancel(); }
    void expire() override { run_->expire(); }
    Phase phase() const noexcept override { return run_->phase(); }

private:
    std::shared_ptr<DialRun> run_;
};

/// A dial with a timer, controlled from any thread. All but `done_` and cancel() belongs to the loop's thread.
class DialOperation final : public Operation::State, public std::enable_shared_from_this<DialOperation> {
public:
    DialOperation(Loop& loop, Endpoint endpoint, std::string label, std::shared_ptr<DialTrace> trace, DialCallback callback)
        : loop_{loop.shared_from_this()},
          runtime_{loop.runtime()},
          endpoint_{std::move(endpoint)},
          label_{std::move(label)},
          trace_{std::move(trace)},
          callback_{std::move(callback)} {}

    void start(Deadline deadline) {
        loop_->post([self = shared_from_this(), deadline] { self->run(deadline); });
    }

    void cancel() noexcept override {
        if (done()) return;
        try {
            loop_->post([self = shared_from_this()] { self->on_cancel(); });
        } catch (const std::exception&) {
            // Without memory for a message it ends with its deadline.
        }
    }

    bool done() const noexcept override { return done_.load(std::memory_order_acquire); }

private:
    void run(Deadline deadline) {
        if (done()) return;
        timer_ = std::make_unique<Timer>(*loop_);
        dial_ = start_dial(*loop_, endpoint_, label_, trace_.get(),  // Owns itself until it is done.
                           [self = shared_from_this()](Result<std::unique_ptr<Stream>> result) { self->finish(std::move(result)); });
        timer_->arm(deadline, [this] { dial_->expire(); });
    }

    void on_cancel() {
        if (done()) return;
        const Phase phase = dial_ ? dial_->phase() : Phase::none;
        if (dial_) dial_->cancel();
        finish(make_error(Errc::cancelled, "dialling was cancelled").with_phase(phase).with_connection(label_));
    }

    void finish(Result<std::unique_ptr<Stream>> result) {
        const auto self = shared_from_this();
        timer_.reset();
        auto callback = std::exchange(callback_, nullptr);
        done_.store(true, std::memory_order_release);
        // Not from inside its own callback.
        loop_->post([dial = std::shared_ptr<Dial>{std::move(dial_)}, self] {});
        UniqueFunction<void()> call{[&] { callback(std::move(result)); }};
        run_guarded(call, loop_->log());
    }

    const std::shared_ptr<Loop> loop_;
    const std::shared_ptr<RuntimeImpl> runtime_;
    const Endpoint endpoint_;
    const std::string label_;
    const std::shared_ptr<DialTrace> trace_;
    DialCallback callback_;
    std::unique_ptr<Timer> timer_;
    std::unique_ptr<Dial> dial_;
    std::atomic<bool> done_{false};
};

}  // namespace

std::unique_ptr<Dial> start_dial(Loop& loop, const Endpoint& endpoint, std::string_view label, DialTrace* trace, DialCallback callback,
                                 SocketUse use) {
    auto run = std::make_shared<DialRun>(loop, endpoint, label, trace, std::move(callback), use);
    auto handle = std::make_unique<DialHandle>(run);
    run->start();
    return handle;
}

Operation async_dial(Loop& loop, Endpoint endpoint, std::string label, Deadline deadline, std::shared_ptr<DialTrace> trace, DialCallback callback) {
    auto operation = std::make_shared<DialOperation>(loop, std::move(endpoint), std::move(label), std::move(trace), std::move(callback));
    operation->start(deadline);
    return Operation{operation};
}

}  // namespace qconn::net
