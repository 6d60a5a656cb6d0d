// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/fault_proxy.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "testing/loopback.hpp"

namespace qconn::testing {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t k_block = 65536;
/// What may wait in a proxy before it stops to read.
constexpr std::size_t k_most_waiting = 1 << 20;

/// One direction of a connection.
struct Flow {
    struct Block {
        Clock::time_point due;
        std::string bytes;
    };
    std::deque<Block> waiting;
    std::size_t waiting_bytes{0};
    std::size_t passed{0};
    Clock::time_point next{};  // when the rate allows more
    bool at_end{false};        // of what comes in
    bool end_told{false};      // and that was passed on

    void take(std::string bytes, Clock::time_point due) {
        waiting_bytes += bytes.size();
        waiting.push_back({due, std::move(bytes)});
    }
    bool has_due(Clock::time_point now) const { return !waiting.empty() && waiting.front().due <= now && next <= now; }
    /// When to look again; max: when something comes.
    Clock::time_point wake() const { return waiting.empty() ? Clock::time_point::max() : std::max(waiting.front().due, next); }
};

struct Connection {
    Fd client;
    Fd server;  // none: what the client says is dropped
    bool connecting{false};
    bool stalled{false};
    std::optional<std::size_t> inverted{};  // which byte was
    Flow up;                                // to the server
    Flow down;                              // to the client
};

enum class Fate : std::uint8_t { goes_on, ended, reset };

}  // namespace

class FaultProxy::Impl {
public:
    Impl(std::uint16_t target, Faults faults)
        : target_{target}, listener_{bound_socket()}, port_{port_of(listener_)}, wake_{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)}, faults_{faults} {
        if (!wake_) fail("an event");
        if (faults.door != Door::refuse) listen();
        thread_ = thread_without_signals([this] { run(); });
    }
    ~Impl() {
        change([this] { ended_ = true; });
        thread_.join();
        for (Connection& one : connections_) reset_on_close(one.client);
    }

    std::uint16_t port() const noexcept { return port_; }

    void set(Faults faults) {
        change([&] { wanted_ = faults; });
    }
    void cut() {
        change([this] { cut_ = true; });
    }
    std::size_t accepted() const {
        const std::scoped_lock lock{mutex_};
        return accepted_;
    }
    std::size_t live() const {
        const std::scoped_lock lock{mutex_};
        return live_;
    }

private:
    /// Asks the thread for something and waits until it is done.
    template <class Order>
    void change(Order order) {
        std::unique_lock lock{mutex_};
        order();
        const std::uint64_t mine = ++orders_;
        const std::uint64_t one = 1;
        if (::write(wake_.get(), &one, sizeof one) != sizeof one && errno != EAGAIN) fail("its event");
        done_.wait(lock, [&] { return obeyed_ >= mine; });
    }

    // All that follows is the thread's.

    void listen() {
        if (std::exchange(listens_, true)) return;
        if (::listen(listener_.get(), 1024) != 0) fail("listening");
    }
    void refuse() {
        if (!std::exchange(listens_, false)) return;
        ::shutdown(listener_.get(), SHUT_RDWR);
    }

    bool obey() {
        std::uint64_t count = 0;
        while (::read(wake_.get(), &count, sizeof count) > 0) {}
        const std::scoped_lock lock{mutex_};
        if (wanted_) {
            faults_ = *std::exchange(wanted_, std::nullopt);
            if (faults_.door == Door::refuse)
                refuse();
            else
                listen();
            if (!faults_.stall_after)
                for (Connection& one : connections_) one.stalled = false;
        }
        if (std::exchange(cut_, false)) {
            for (Connection& one : connections_) reset_on_close(one.client);
            connections_.clear();
        }
        live_ = connections_.size();
        obeyed_ = orders_;
        done_.notify_all();
        return !ended_;
    }

    void run() {
        while (obey()) {
            Clock::time_point wake = Clock::time_point::max();
            poll_set(wake);
            int timeout = -1;
            if (wake != Clock::time_point::max()) {
                const auto left = std::chrono::ceil<std::chrono::milliseconds>(wake - Clock::now()).count();
                timeout = static_cast<int>(std::clamp<long long>(left, 0, 60'000));
            }
            ::poll(polled_.data(), polled_.size(), timeout);
            if (listens_ && (polled_[1].revents & POLLIN) != 0) accept();
            serve();
        }
    }

    /// What to wait for. Entry 0 is the event, 1 the listener, then two for each connection.
    void poll_set(Clock::time_point& wake) {
        const Clock::time_point now = Clock::now();
        polled_.clear();
        polled_.push_back({wake_.get(), POLLIN, 0});
        polled_.push_back({listens_ ? listener_.get() : -1, POLLIN, 0});
        for (const Connection& one : connections_) {
            const bool still = faults_.half_open || one.stalled;
            pollfd client{one.client.get(), 0, 0};
            pollfd server{one.server.get(), 0, 0};
            if (faults_.half_open) client.fd = server.fd = -1;
            if (!one.up.at_end && one.up.waiting_bytes < k_most_waiting) client.events |= POLLIN;
            if (!one.down.at_end && one.down.waiting_bytes < k_most_waiting && !one.connecting) server.events |= POLLIN;
            if (one.stalled) server.fd = -1;  // that it closes is not passed on
            if (!still && one.down.has_due(now)) client.events |= POLLOUT;
            if (!faults_.half_open && (one.connecting || one.up.has_due(now))) server.events |= POLLOUT;
            if (!still) wake = std::min(wake, one.down.has_due(now) ? Clock::time_point::max() : one.down.wake());
            if (!faults_.half_open && !one.connecting) wake = std::min(wake, one.up.has_due(now) ? Clock::time_point::max() : one.up.wake());
            polled_.push_back(client.events == 0 ? pollfd{-1, 0, 0} : client);
            polled_.push_back(server.events == 0 ? pollfd{-1, 0, 0} : server);
        }
    }

    void accept() {
        for (;;) {
            Fd client{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
            if (!client) return;
            {
                const std::scoped_lock lock{mutex_};
                ++accepted_;
            }
            if (faults_.door == Door::reset) {
                reset_on_close(client);
                continue;
            }
            Connection one;
            one.client = std::move(client);
            if (faults_.door == Door::close) end_down(one);
            if (faults_.door == Door::open && !connect(one)) {
                reset_on_close(one.client);
                continue;
            }
            connections_.push_back(std::move(one));
            const std::scoped_lock lock{mutex_};
            live_ = connections_.size();
        }
    }

    bool connect(Connection& one) {
        try {
            one.server = tcp_socket();
        } catch (const std::system_error&) { return false; }
        const sockaddr_in address = loopback(target_);
        one.connecting = ::connect(one.server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0;
        return !one.connecting || errno == EINPROGRESS;
    }

    /// FIN. Closed only when the client has: what it still says would turn that into a RST.
    static void end_down(Connection& one) {
        ::shutdown(one.client.get(), SHUT_WR);
        one.server = Fd{};
        one.connecting = false;
        one.down = Flow{};
    }

    void serve() {
        std::size_t at = 2;
        for (auto one = connections_.begin(); one != connections_.end() && at < polled_.size(); at += 2) {
            const Fate fate = serve(*one, polled_[at].revents, polled_[at + 1].revents);
            if (fate == Fate::goes_on) {
                ++one;
                continue;
            }
            if (fate == Fate::reset) reset_on_close(one->client);
            one = connections_.erase(one);
        }
        const std::scoped_lock lock{mutex_};
        live_ = connections_.size();
    }

    Fate serve(Connection& one, short client, short server) {
        if (faults_.half_open) return Fate::goes_on;
        if (one.connecting && server != 0) {
            int error = 0;
            socklen_t size = sizeof error;
            ::getsockopt(one.server.get(), SOL_SOCKET, SO_ERROR, &error, &size);
            if (error != 0) return Fate::reset;
            one.connecting = false;
        }
        if ((client & (POLLIN | POLLHUP | POLLERR)) != 0 && !one.up.at_end && !read(one.client, one.up)) return Fate::ended;
        if (!one.server) {
            one.up.waiting.clear();
            one.up.waiting_bytes = 0;
            return one.up.at_end ? Fate::ended : Fate::goes_on;
        }
        if (!one.connecting && !write(one.server, one.up)) return Fate::reset;
        if (one.stalled) return one.up.at_end ? Fate::ended : Fate::goes_on;
        if ((server & (POLLIN | POLLHUP | POLLERR)) != 0 && !one.connecting && !one.down.at_end && !read(one.server, one.down)) return Fate::reset;
        const Fate fate = write_down(one);
        if (fate != Fate::goes_on) return fate;
        return one.up.end_told && one.down.end_told ? Fate::ended : Fate::goes_on;
    }

    /// @returns false where the connection broke
    bool read(const Fd& from, Flow& flow) {
        std::string bytes(k_block, '\0');
        const ssize_t got = ::recv(from.get(), bytes.data(), bytes.size(), 0);
        if (got < 0) return errno == EAGAIN || errno == EINTR;
        if (got == 0) {
            flow.at_end = true;
            return true;
        }
        bytes.resize(static_cast<std::size_t>(got));
        flow.take(std::move(bytes), Clock::now() + faults_.delay);
        return true;
    }

    /// @param most  how many bytes at all
    bool write(const Fd& to, Flow& flow, std::size_t most = std::string::npos) {
        while (most > 0 && flow.has_due(Clock::now())) {
            std::string& bytes = flow.waiting.front().bytes;
            std::size_t size = std::min(bytes.size(), most);
            if (faults_.chunk != 0) size = std::min(size, faults_.chunk);
            if (faults_.bytes_per_second != 0) size = std::min(size, std::max<std::size_t>(faults_.bytes_per_second / 20, 1));
            const ssize_t sent = ::send(to.get(), bytes.data(), size, MSG_NOSIGNAL);
            if (sent < 0) return errno == EAGAIN || errno == EINTR;
            const auto count = static_cast<std::size_t>(sent);
            flow.passed += count;
            flow.waiting_bytes -= count;
            most -= count;
            if (faults_.bytes_per_second != 0) flow.next = Clock::now() + std::chrono::nanoseconds{count * 1'000'000'000 / faults_.bytes_per_second};
            bytes.erase(0, count);
            if (bytes.empty()) flow.waiting.pop_front();
        }
        if (flow.at_end && flow.waiting.empty() && !std::exchange(flow.end_told, true)) ::shutdown(to.get(), SHUT_WR);
        return true;
    }

    /// To the client, as far as the faults that count bytes let it.
    Fate write_down(Connection& one) {
        Flow& flow = one.down;
        if (faults_.invert_at && one.inverted != faults_.invert_at) invert(one, *faults_.invert_at);
        constexpr std::size_t k_never = std::string::npos;
        const std::size_t limit =
            std::min({faults_.close_after.value_or(k_never), faults_.reset_after.value_or(k_never), faults_.stall_after.value_or(k_never)});
        const bool has_more = flow.waiting_bytes > 0;
        if (!write(one.client, flow, limit - std::min(limit, flow.passed))) return Fate::ended;
        if (!has_more || flow.passed < limit) return Fate::goes_on;
        if (faults_.reset_after == limit) return Fate::reset;
        if (faults_.close_after == limit)
            end_down(one);
        else
            one.stalled = true;
        return Fate::goes_on;
    }

    static void invert(Connection& one, std::size_t index) {
        if (index < one.down.passed) return;
        std::size_t at = index - one.down.passed;
        for (Flow::Block& block : one.down.waiting) {
            if (at < block.bytes.size()) {
                block.bytes[at] = static_cast<char>(~block.bytes[at]);
                one.inverted = index;
                return;
            }
            at -= block.bytes.size();
        }
    }

    const std::uint16_t target_;
    const Fd listener_;
    const std::uint16_t port_;
    const Fd wake_;
    std::thread thread_;

    mutable std::mutex mutex_;
    std::condition_variable done_;
    std::optional<Faults> wanted_;  // these are guarded by mutex_
    bool cut_{false};
    bool ended_{false};
    std::uint64_t orders_{0};
    std::uint64_t obeyed_{0};
    std::size_t accepted_{0};
    std::size_t live_{0};

    Faults faults_;  // these are the thread's
    bool listens_{false};
    std::list<Connection> connections_;
    std::vector<pollfd> polled_;
};

FaultProxy::FaultProxy(std::uint16_t port, Faults faults) : impl_{std::make_unique<Impl>(port, faults)} {}
FaultProxy::~FaultProxy() = default;
std::uint16_t FaultProxy::port() const noexcept { return impl_->port(); }
std::string FaultProxy::address() const { return "127.0.0.1:" + std::to_string(port()); }
void FaultProxy::set(Faults faults) { impl_->set(faults); }
void FaultProxy::cut() { impl_->cut(); }
std::size_t FaultProxy::connections() const { return impl_->accepted(); }
std::size_t FaultProxy::live() const { return impl_->live(); }

}  // namespace qconn::testing
