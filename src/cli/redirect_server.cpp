// SPDX-License-Identifier: Apache-2.0
#include "cli/redirect_server.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <list>
#include <system_error>
#include <vector>

#include <qconn/base/error.hpp>

#include "cli/output.hpp"
#include "cli/prompt.hpp"

namespace qconn::cli {
namespace {

constexpr std::size_t k_most_head = std::size_t{64} * 1024;
/// Browsers open connections ahead and leave them; the oldest one goes.
constexpr std::size_t k_most_connections = 32;

/// What may be an IPv4 or an IPv6 address of this machine.
struct Address {
    sockaddr_storage storage{};
    socklen_t size{0};

    explicit Address(const RedirectPlace& place) {
        if (place.host == "::1") {
            auto& address = reinterpret_cast<sockaddr_in6&>(storage);
            address.sin6_family = AF_INET6;
            address.sin6_port = htons(place.port);
            address.sin6_addr = in6addr_loopback;
            size = sizeof address;
        } else {
            auto& address = reinterpret_cast<sockaddr_in&>(storage);
            address.sin_family = AF_INET;
            address.sin_port = htons(place.port);
            address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
            size = sizeof address;
        }
    }
    sockaddr* get() noexcept { return reinterpret_cast<sockaddr*>(&storage); }
};

[[noreturn]] void fail(const RedirectPlace& place, int code) {
    std::string advice;
    if (code == EADDRINUSE) advice = "; another program has that port: --port names another one, --paste does without";
    if (code == EACCES) advice = "; only root may use that port: --port names another one, --paste does without";
    throw Error{Errc::system, "SYSTEM-ERROR",
                "listening on " + place.host + ":" + std::to_string(place.port) + " for the browser failed: " + std::strerror(code) + advice}
        .with_reason(Reason::local);
}

int listening(const RedirectPlace& place) {
    Address address{place};
    const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) fail(place, errno);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(fd, address.get(), address.size) != 0 || ::listen(fd, 16) != 0) {
        const int code = errno;
        ::close(fd);
        fail(place, code);
    }
    return fd;
}

std::uint16_t port_of(int fd) {
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
    return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

struct Visitor {
    explicit Visitor(int socket) : fd{socket} {}
    Descriptor fd;
    std::string head;

    /// False: the peer has gone, or says too much.
    bool read() {
        char block[4096];
        const auto n = ::recv(fd.get(), block, sizeof block, 0);
        if (n < 0 && (errno == EAGAIN || errno == EINTR)) return true;
        if (n <= 0 || head.size() > k_most_head) return false;
        head.append(block, static_cast<std::size_t>(n));
        return true;
    }
    bool is_whole() const { return head.find("\r\n\r\n") != std::string::npos; }
};

}  // namespace

RedirectServer::RedirectServer(RedirectPlace place) : place_{std::move(place)}, fd_{listening(place_)}, port_{port_of(fd_.get())} {}

Redirected RedirectServer::wait(const std::string& state, Signals& signals, Deadline until) {
    std::list<Visitor> connections;
    std::size_t foreign = 0;
    for (;;) {
        std::vector<pollfd> fds{{signals.descriptor(), POLLIN, 0}, {fd_.get(), POLLIN, 0}};
        for (const Visitor& one : connections) fds.push_back({one.fd.get(), POLLIN, 0});
        const int ready = ::poll(fds.data(), fds.size(), poll_time(until));
        if (ready < 0 && errno != EINTR) throw std::system_error{errno, std::generic_category(), "waiting for the browser"};
        if (signals.take() != 0) break_off();
        if (until.has_passed()) {
            throw Error{Errc::timeout, "TIMEOUT",
                        "waiting for the browser at " + url() + ": nobody came back in time" +
                            (foreign == 0 ? "" : " (" + counted(foreign, "request") + " of another log-in came, with another state)") +
                            "; --timeout gives more, and where the browser runs on another machine --paste takes what it ended at"}
                .with_phase(Phase::auth)
                .with_reason(Reason::timeout);
        }
        if (ready <= 0) continue;
        std::size_t index = 2;
        for (auto one = connections.begin(); one != connections.end(); ++index) {
            if (fds[index].revents == 0) {
                ++one;
                continue;
            }
            const bool goes_on = one->read();
            if (one->is_whole()) {
                RedirectAnswer answer = answer_redirect(one->head, place_.path, state);
                const std::string message = answer.message();
                ::send(one->fd.get(), message.data(), message.size(), MSG_NOSIGNAL);  // fits into any socket's buffer
                ::shutdown(one->fd.get(), SHUT_WR);
                foreign += answer.is_foreign ? 1 : 0;
                if (answer.is_foreign)
                    std::fputs("qconn: note: a browser brought the code of another log-in (its state is another one); it was not used\n", stderr);
                if (answer.result) return std::move(*answer.result);
            }
            one = goes_on && !one->is_whole() ? std::next(one) : connections.erase(one);
        }
        if (fds[1].revents == 0) continue;
        const int accepted = ::accept4(fd_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (accepted < 0) continue;
        if (connections.size() >= k_most_connections) connections.pop_front();
        connections.emplace_back(accepted);
    }
}

}  // namespace qconn::cli
