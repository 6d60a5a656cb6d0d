// SPDX-License-Identifier: Apache-2.0
/// A peer for measurements: answers every HTTP request on any address of 127.0.0.0/8 with 200, one thread, kept or fresh connections alike.
/// bench_responder PORT [DELAY_MS]. `GET /count` answers with the numbers of connections and requests so far.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

std::uint64_t connections = 0;
std::uint64_t requests = 0;

void answer(int fd, std::string_view request) {
    std::string body = "ok";
    if (request.starts_with("GET /count")) body = std::to_string(connections) + ' ' + std::to_string(requests);
    const std::string text = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    // Small enough for any socket's buffer; a peer that has gone is seen at the next read.
    [[maybe_unused]] const auto sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

}  // namespace

int main(int argc, char** argv) {
    const int port = argc > 1 ? std::atoi(argv[1]) : 0;
    const std::chrono::milliseconds delay{argc > 2 ? std::atoi(argv[2]) : 0};
    if (port <= 0) {
        std::fputs("usage: bench_responder PORT [DELAY_MS]\n", stderr);
        return 2;
    }
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_ANY);
    const auto* any = static_cast<const sockaddr*>(static_cast<const void*>(&address));
    if (bind(listener, any, sizeof address) != 0 || listen(listener, 65535) != 0) {
        std::perror("bench_responder");
        return 1;
    }
    const int poll = epoll_create1(EPOLL_CLOEXEC);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = listener;
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);

    struct Late {
        Clock::time_point when;
        int fd;
    };
    std::deque<Late> late;  // a descriptor that was closed meanwhile gets an answer it does not want, or none
    std::array<epoll_event, 256> events{};
    std::array<char, 4096> buffer{};
    for (;;) {
        int wait = -1;
        if (!late.empty()) wait = static_cast<int>(std::max<std::int64_t>(0, (late.front().when - Clock::now()) / std::chrono::milliseconds{1} + 1));
        const int ready = epoll_wait(poll, events.data(), static_cast<int>(events.size()), wait);
        while (!late.empty() && late.front().when <= Clock::now()) {
            answer(late.front().fd, {});
            late.pop_front();
        }
        for (int i = 0; i < ready; ++i) {
            const int fd = events[static_cast<std::size_t>(i)].data.fd;
            if (fd == listener) {
                for (int client; (client = accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0;) {
                    ++connections;
                    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                    event.events = EPOLLIN;
                    event.data.fd = client;
                    epoll_ctl(poll, EPOLL_CTL_ADD, client, &event);
                }
                continue;
            }
            const auto got = read(fd, buffer.data(), buffer.size());
            if (got > 0) {
                const std::string_view request{buffer.data(), static_cast<std::size_t>(got)};
                ++requests;  // each comes in one piece: they are short
                if (delay.count() > 0 && !request.starts_with("GET /count"))
                    late.push_back({Clock::now() + delay, fd});
                else
                    answer(fd, request);
            } else if (got == 0 || errno != EAGAIN) {
                close(fd);
            }
        }
    }
}
