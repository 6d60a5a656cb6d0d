// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/test_eftl_server.hpp>

#include <poll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "testing/eftl_broker.hpp"
#include "testing/loopback.hpp"
#include "testing/websocket_peer.hpp"

namespace qconn::testing {

namespace {

constexpr std::string_view k_eftl_subprotocol = "v1.eftl.tibco.com";
constexpr std::size_t k_eftl_read = 65536;
/// Longest wait for a client's part of a close handshake, and for its end.
constexpr std::chrono::seconds k_eftl_goodbye{5};

/// One connection.
struct EftlPeer {
    struct Block {
        Clock::time_point due;
        std::string bytes;
    };
    Fd fd;
    std::uint64_t link{0};
    WebSocketPeer wire;
    std::deque<Block> out;
    std::size_t frames{0};  // of the client that were taken
    bool deaf{false};       // what still comes is dropped
    bool ends{false};       // FIN when all is out
    bool fin_sent{false};
    bool cut{false};  // RST at once
    Clock::time_point until{Clock::time_point::max()};
    Clock::time_point heartbeat{Clock::time_point::max()};
};

std::string texts_of(const std::vector<EftlMessage>& messages) {
    std::string out;
    for (const EftlMessage& one : messages) out += "  " + one.to_json() + '\n';
    return out.empty() ? "  nothing\n" : out;
}

std::vector<EftlMessage> matching(const std::vector<EftlMessage>& all, const EftlMatcher& matcher) {
    std::vector<EftlMessage> out;
    for (const EftlMessage& one : all)
        if (matcher.matches(one)) out.push_back(one);
    return out;
}

std::size_t count_of(const std::vector<EftlMessage>& all, const EftlMatcher& matcher) {
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const EftlMessage& one) { return matcher.matches(one); }));
}

}  // namespace

class TestEftlServer::Impl final : private EftlOutlet {
public:
    Impl(TestEftlServerOptions options, EftlFaults faults)
        : options_{std::move(options)},
          listener_{bound_socket()},
          port_{port_of(listener_)},
          wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)},
          broker_{options_, std::move(faults), *this} {
        if (!wake_) fail("an event");
        if (::listen(listener_.get(), 1024) != 0) fail("listening");
        thread_ = thread_without_signals([this] { run(); });
    }
    ~Impl() override {
        {
            const std::scoped_lock lock{mutex_};
            ended_ = true;
            wake();
        }
        thread_.join();
        for (const EftlPeer& one : peers_) reset_on_close(one.fd);
    }

    const TestEftlServerOptions& options() const noexcept { return options_; }
    std::uint16_t port() const noexcept { return port_; }

    /// From a thread of the test: what changes something for others.
    template <class Order>
    auto change(Order order) {
        struct Telling {
            Impl& impl;
            ~Telling() {
                ++impl.changes_;
                impl.changed_.notify_all();
                impl.wake();
            }
        };
        const std::scoped_lock lock{mutex_};
        const Telling telling{*this};
        return order(broker_);
    }
    /// What does not.
    template <class Order>
    auto take(Order order) {
        const std::scoped_lock lock{mutex_};
        return order(broker_);
    }
    template <class Look>
    auto look(Look look) const {
        const std::scoped_lock lock{mutex_};
        return look(broker_);
    }

    /// Looks after each change, with no lock held.
    bool wait_until(const std::function<bool()>& condition, Deadline deadline) const {
        for (;;) {
            std::uint64_t seen = 0;
            {
                const std::scoped_lock lock{mutex_};
                seen = changes_;
            }
            if (condition()) return true;
            std::unique_lock lock{mutex_};
            const auto changed = [&] { return changes_ != seen; };
            if (deadline.is_never()) {
                changed_.wait(lock, changed);
            } else if (!changed_.wait_until(lock, deadline.when(), changed)) {
                lock.unlock();
                return condition();
            }
        }
    }

    // With the lock held:

    void cut_all(EftlBroker& broker) {
        for (EftlPeer& one : peers_) {
            broker.lost(one.link);
            one.cut = true;
        }
    }
    void close_all(EftlBroker& broker, int code, const std::string& reason) {
        for (const std::uint64_t link : broker.links()) {
            broker.lost(link);
            close(link, code, reason);
        }
    }
    void send_all(EftlBroker& broker, const std::string& text) {
        for (const std::uint64_t link : broker.links()) send(link, text);
    }

private:
    void wake() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(wake_.get(), &one, sizeof one);  // full: it is awake
    }

    // ---- of the broker ----

    EftlPeer* find(std::uint64_t link) {
        const auto found = std::find_if(peers_.begin(), peers_.end(), [&](const EftlPeer& one) { return one.link == link; });
        return found == peers_.end() ? nullptr : &*found;
    }
    void send(std::uint64_t link, const std::string& frame) override {
        if (EftlPeer* const one = find(link)) put(*one, text_frames(frame, broker_.faults.fragment));
    }
    void close(std::uint64_t link, int code, const std::string& reason) override {
        EftlPeer* const one = find(link);
        if (one == nullptr) return;
        put(*one, close_frame(static_cast<std::uint16_t>(code), reason));
        one->deaf = true;
        one->until = Clock::now() + k_eftl_goodbye;
    }
    void put(EftlPeer& one, std::string bytes) { one.out.push_back({Clock::now() + broker_.faults.delay, std::move(bytes)}); }

    // ---- the thread's ----

    void run() {
        std::unique_lock lock{mutex_};
        while (!ended_) {
            std::erase_if(peers_, [this](const EftlPeer& one) { return is_over(one); });
            const int timeout = poll_set();
            lock.unlock();
            ::poll(polled_.data(), polled_.size(), timeout);
            lock.lock();
            std::uint64_t count = 0;
            while (::read(wake_.get(), &count, sizeof count) > 0) {}
            if (!broker_.faults.silent) {
                serve();
                if (polled_[1].revents != 0) accept();
            }
            ask(lock);
            ++changes_;
            changed_.notify_all();
        }
    }

    bool is_over(const EftlPeer& one) {
        if (!one.cut && one.until > Clock::now()) return false;
        broker_.lost(one.link);
        reset_on_close(one.fd);
        return true;
    }

    /// Entry 0 is the event, 1 the listener, then one for each connection. @returns the time to wait, for poll()
    int poll_set() {
        Clock::time_point wake = Clock::time_point::max();
        const Clock::time_point now = Clock::now();
        const bool silent = broker_.faults.silent;
        polled_.clear();
        polled_.push_back({wake_.get(), POLLIN, 0});
        polled_.push_back({silent ? -1 : listener_.get(), POLLIN, 0});
        for (const EftlPeer& one : peers_) {
            pollfd entry{silent ? -1 : one.fd.get(), POLLIN, 0};
            if (!one.out.empty() && one.out.front().due <= now) entry.events |= POLLOUT;
            polled_.push_back(entry);
            if (silent) continue;
            if (!one.out.empty() && one.out.front().due > now) wake = std::min(wake, one.out.front().due);
            wake = std::min({wake, one.until, one.heartbeat});
        }
        if (wake == Clock::time_point::max()) return -1;
        return static_cast<int>(std::clamp<long long>(std::chrono::ceil<std::chrono::milliseconds>(wake - now).count(), 0, 60'000));
    }

    void accept() {
        for (;;) {
            Fd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
            if (!fd) return;
            EftlPeer& one = peers_.emplace_back();
            one.fd = std::move(fd);
            one.link = ++last_link_;
        }
    }

    void serve() {
        std::size_t at = 2;
        for (EftlPeer& one : peers_) {
            const short events = polled_[at++].revents;
            if (!one.cut && (events & (POLLIN | POLLHUP | POLLERR)) != 0) read(one);
        }
        // What one has said may be for another.
        for (EftlPeer& one : peers_) {
            beat(one);
            if (!one.cut) write(one);
        }
    }

    void read(EftlPeer& one) {
        buffer_.resize(k_eftl_read);
        const ssize_t got = ::recv(one.fd.get(), buffer_.data(), buffer_.size(), 0);
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) {
            one.cut = true;
            return broker_.lost(one.link);
        }
        if (one.ends || one.fin_sent) return;
        one.wire.add({buffer_.data(), static_cast<std::size_t>(got)});
        while (!one.ends && take(one)) {}
    }

    /// @returns false where no more has come
    bool take(EftlPeer& one) {
        const WebSocketPeer::Got got = one.wire.next();
        switch (got) {
            case WebSocketPeer::Got::nothing: return false;
            case WebSocketPeer::Got::handshake: shake(one); return true;
            case WebSocketPeer::Got::ping: put(one, pong_frame(one.wire.payload())); return true;
            case WebSocketPeer::Got::pong: return true;
            case WebSocketPeer::Got::close:
                broker_.lost(one.link);
                if (!one.deaf) put(one, close_frame(eftl_code::k_normal, {}));
                end(one);
                return false;
            case WebSocketPeer::Got::garbage:
                broker_.lost(one.link);
                end(one);
                return false;
            case WebSocketPeer::Got::binary: return true;  // ignored
            case WebSocketPeer::Got::text: break;
        }
        if (one.deaf) return true;
        ++one.frames;
        broker_.received(one.link, one.wire.payload());
        if (options_.heartbeat.count() > 0 && one.heartbeat == Clock::time_point::max()) one.heartbeat = Clock::now() + options_.heartbeat;
        if (!broker_.faults.drop_after || one.frames < *broker_.faults.drop_after) return true;
        broker_.lost(one.link);
        end(one);
        return false;
    }

    void shake(EftlPeer& one) {
        const int status = broker_.faults.refuse_handshake != 0 ? broker_.faults.refuse_handshake : one.wire.path() == options_.channel ? 0 : 404;
        if (status != 0) {
            put(one, http_refusal(status));
            return end(one);
        }
        const bool asked = one.wire.subprotocols().find(k_eftl_subprotocol) != std::string::npos;
        put(one, websocket_acceptance(one.wire.key(), asked ? k_eftl_subprotocol : std::string_view{}));
    }

    /// When all is out.
    void end(EftlPeer& one) {
        one.ends = true;
        one.until = std::min(one.until, Clock::now() + k_eftl_goodbye + broker_.faults.delay);
    }

    void beat(EftlPeer& one) {
        if (one.heartbeat > Clock::now()) return;
        one.heartbeat = Clock::now() + options_.heartbeat;
        if (!one.deaf && !one.ends) put(one, text_frames(R"({"op":0})", broker_.faults.fragment));
    }

    void write(EftlPeer& one) {
        while (!one.out.empty() && one.out.front().due <= Clock::now()) {
            std::string& bytes = one.out.front().bytes;
            const ssize_t sent = ::send(one.fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
            if (sent < 0) {
                one.cut = true;
                return broker_.lost(one.link);
            }
            bytes.erase(0, static_cast<std::size_t>(sent));
            if (bytes.empty()) one.out.pop_front();
        }
        // Closed only when the client has: what it still says would turn that into a RST.
        if (one.out.empty() && one.ends && !std::exchange(one.fin_sent, true)) ::shutdown(one.fd.get(), SHUT_WR);
    }

    /// Functions of the test, with no lock held.
    void ask(std::unique_lock<std::mutex>& lock) {
        for (const EftlBroker::Asked& one : broker_.take_asked()) {
            std::optional<EftlMessage> reply;
            lock.unlock();
            try {
                reply = (*one.reply)(one.message);
            } catch (...) {}  // then nothing is replied
            lock.lock();
            if (reply) broker_.replied(one.request, *reply);
        }
    }

    const TestEftlServerOptions options_;
    const Fd listener_;
    const std::uint16_t port_;
    const Fd wake_;
    std::vector<pollfd> polled_;  // the thread's, as the next
    std::string buffer_;
    std::uint64_t last_link_{0};
    mutable std::mutex mutex_;  // of all that follows
    mutable std::condition_variable changed_;
    std::uint64_t changes_{0};
    bool ended_{false};
    std::list<EftlPeer> peers_;
    EftlBroker broker_;
    std::thread thread_;
};

TestEftlServer::TestEftlServer(TestEftlServerOptions options, EftlFaults faults)
    : impl_{std::make_unique<Impl>(std::move(options), std::move(faults))} {}
TestEftlServer::~TestEftlServer() = default;

std::uint16_t TestEftlServer::port() const noexcept { return impl_->port(); }

std::string TestEftlServer::url() const { return "ws://127.0.0.1:" + std::to_string(port()) + impl_->options().channel; }

EftlOptions TestEftlServer::client() const {
    EftlOptions out;
    out.label = "eftl";
    out.servers = qconn::EftlServer::parse_list(url());
    out.username = impl_->options().username;
    out.password = impl_->options().password;
    out.auto_reconnect_max_delay = std::chrono::milliseconds{50};
    return out;
}

void TestEftlServer::set(EftlFaults faults) {
    impl_->change([&](EftlBroker& broker) { broker.faults = std::move(faults); });
}

void TestEftlServer::drop() {
    impl_->change([this](EftlBroker& broker) { impl_->cut_all(broker); });
}

void TestEftlServer::close(int code, std::string_view reason) {
    impl_->change([&](EftlBroker& broker) { impl_->close_all(broker, code, std::string{reason}); });
}

void TestEftlServer::send(std::string_view text) {
    impl_->change([&](EftlBroker& broker) { impl_->send_all(broker, std::string{text}); });
}

void TestEftlServer::report(int code, std::string_view reason) {
    send(EftlMessage{}.set_long("op", 10).set_long("err", code).set_string("reason", reason).to_json());
}

void TestEftlServer::forget_sessions() {
    impl_->change([](EftlBroker& broker) { broker.forget_sessions(); });
}

std::vector<EftlMessage> TestEftlServer::messages(const EftlMatcher& matcher) const {
    return impl_->look([&](const EftlBroker& broker) { return matching(broker.messages, matcher); });
}

std::vector<EftlMessage> TestEftlServer::expect(std::size_t count, const EftlMatcher& matcher, Deadline deadline) const {
    const auto came = [&] { return impl_->look([&](const EftlBroker& broker) { return count_of(broker.messages, matcher) >= count; }); };
    const bool enough = wait_until(came, deadline);
    std::vector<EftlMessage> out = messages(matcher);
    if (enough) return out;
    throw Unexpected{"of " + std::to_string(count) + " messages " + std::to_string(out.size()) + " came; what came in all:\n" + texts_of(messages())};
}

std::vector<EftlMessage> TestEftlServer::acknowledged(const EftlMatcher& matcher) const {
    return impl_->look([&](const EftlBroker& broker) { return matching(broker.acknowledged, matcher); });
}

std::vector<EftlMessage> TestEftlServer::expect_acknowledged(std::size_t count, const EftlMatcher& matcher, Deadline deadline) const {
    const auto came = [&] { return impl_->look([&](const EftlBroker& broker) { return count_of(broker.acknowledged, matcher) >= count; }); };
    const bool enough = wait_until(came, deadline);
    std::vector<EftlMessage> out = acknowledged(matcher);
    if (enough) return out;
    throw Unexpected{"of " + std::to_string(count) + " messages " + std::to_string(out.size()) +
                     " were acknowledged; what was acknowledged in all:\n" + texts_of(acknowledged())};
}

void TestEftlServer::forget_messages() {
    impl_->change([](EftlBroker& broker) {
        broker.messages.clear();
        broker.acknowledged.clear();
    });
}

std::vector<TestEftlSubscription> TestEftlServer::subscriptions() const {
    return impl_->look([](const EftlBroker& broker) { return broker.subscriptions(); });
}

std::size_t TestEftlServer::sessions() const {
    return impl_->look([](const EftlBroker& broker) { return broker.links().size(); });
}

std::size_t TestEftlServer::log_ins() const {
    return impl_->look([](const EftlBroker& broker) { return broker.log_ins; });
}

bool TestEftlServer::wait_until(const std::function<bool()>& condition, Deadline deadline) const { return impl_->wait_until(condition, deadline); }

void TestEftlServer::publish(const EftlMessage& message) {
    impl_->change([&](EftlBroker& broker) { broker.publish(message); });
}

EftlMessage TestEftlServer::request(const EftlMessage& message, Deadline deadline) {
    const std::int64_t number = impl_->change([&](EftlBroker& broker) { return broker.request(message); });
    std::optional<EftlMessage> reply;
    const auto came = [&] {
        reply = impl_->take([&](EftlBroker& broker) { return broker.take_reply(number, false); });
        return reply.has_value();
    };
    if (wait_until(came, deadline)) return *std::move(reply);
    impl_->take([&](EftlBroker& broker) { return broker.take_reply(number, true); });
    throw Unexpected{"nobody replied to " + message.to_json()};
}

void TestEftlServer::answer(EftlMatcher matcher, std::function<EftlMessage(const EftlMessage& request)> reply) {
    impl_->change([&](EftlBroker& broker) { broker.answer(std::move(matcher), std::move(reply)); });
}

std::size_t TestEftlServer::waiting(std::string_view durable) const {
    return impl_->look([&](const EftlBroker& broker) { return broker.waiting(durable); });
}

std::optional<EftlMessage> TestEftlServer::map_value(std::string_view map, std::string_view key) const {
    return impl_->look([&](const EftlBroker& broker) -> std::optional<EftlMessage> {
        const auto found = broker.maps.find({std::string{map}, std::string{key}});
        if (found == broker.maps.end()) return std::nullopt;
        return found->second;
    });
}

void TestEftlServer::set_map_value(std::string_view map, std::string_view key, const EftlMessage& value) {
    impl_->change([&](EftlBroker& broker) { broker.maps[{std::string{map}, std::string{key}}] = value; });
}

}  // namespace qconn::testing
