// SPDX-License-Identifier: Apache-2.0
// amqp_peer PORT [CREDIT]: the other end of the benchmark, quick enough not to matter. One connection at a time, with one link, on 127.0.0.1.
// A sender's messages are counted and settled by ranges of what one read has brought, with CREDIT (1000) renewed at half. A receiver's address says
// what it gets: source/COUNT/SIZE/string|binary; settled where it asks for snd-settle-mode settled.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <vector>

#include "amqp_wire.hpp"

namespace {

using namespace bench;

constexpr std::uint32_t k_window = 10'000'000;

struct Connection {
    Connection(int socket, std::uint32_t granted) : fd{socket}, full_credit{granted} {}

    int fd;
    std::uint32_t full_credit;
    enum class Stage { header, sasl, amqp } stage{Stage::header};
    std::string out{};
    std::size_t sent{0};  // of out
    std::uint32_t next_incoming{0};
    // as a sink
    bool is_sink{false};
    std::uint32_t count{0};
    std::uint32_t credit{0};
    std::uint32_t first{0};
    std::uint32_t last{0};
    bool owes{false};
    // as a source
    std::unique_ptr<Transfers> source{};
    std::uint32_t total{0};
    std::uint32_t next{0};
    std::uint32_t limit{0};
    std::uint32_t window_end{0};
    bool closed{false};

    void flow() {
        credit = full_credit;
        Performative{k_flow}.uint(next_incoming).uint(k_window).uint(0).uint(k_window).uint(0).uint(count).uint(credit).frame(out);
    }

    void attach(Fields& f) {
        const auto name = f.next();
        f.next();
        const bool to_client = f.next().is_true();
        const auto snd_mode = f.next();
        const auto rcv_mode = f.next();
        const auto source_end = f.next();
        const auto target_end = f.next();
        Performative answer{k_attach};
        answer.raw(name.whole).uint(0).boolean(!to_client).ubyte(static_cast<std::uint8_t>(snd_mode.is_null() ? 2 : snd_mode.number()));
        answer.ubyte(static_cast<std::uint8_t>(rcv_mode.number()));
        for (const auto& end : {source_end, target_end}) end.is_null() ? answer.null() : answer.raw(end.whole);
        if (to_client) {
            answer.null().null().uint(0);
            const std::string whole{source_end.whole};
            unsigned size = 0;
            char kind[8] = {};
            const auto at = whole.find("source/");
            if (at == std::string::npos || std::sscanf(whole.c_str() + at, "source/%u/%u/%6s", &total, &size, kind) != 3)
                throw std::runtime_error{"the address is not source/COUNT/SIZE/KIND"};
            source = std::make_unique<Transfers>(size, kind[0] == 's', snd_mode.number() == 1, 0, std::max<std::size_t>(1, 65536 / (size + 40)));
        }
        answer.frame(out);
        if (!to_client) {
            is_sink = true;
            flow();
        }
    }

    void transfer(Fields& f) {
        ++next_incoming;
        f.next();
        const auto id = f.next();
        f.skip(2);
        const bool settled = f.next().is_true();
        const bool more = f.next().is_true();
        if (!id.is_null()) last = id.number();
        if (!settled && !id.is_null() && !owes) {
            first = last;
            owes = true;
        }
        if (more) return;
        ++count;
        --credit;
    }

    void frame(std::string_view whole) {
        const std::size_t head = 4 * static_cast<std::uint8_t>(whole[4]);
        if (whole.size() == head) return;
        Fields f{whole.substr(head)};
        switch (f.code()) {
            case k_transfer: return transfer(f);
            case k_init:
                Performative{k_outcome}.ubyte(0).frame(out, 0, 1);
                stage = Stage::header;
                return;
            case k_open: return Performative{k_open}.string("peer").null().uint(65536).ushort(10).frame(out);
            case k_begin:
                f.next();
                next_incoming = f.next().number();
                window_end = f.next().number();
                return Performative{k_begin}.ushort(0).uint(0).uint(k_window).uint(k_window).frame(out);
            case k_attach: return attach(f);
            case k_flow: {
                const auto id = f.next();
                window_end = id.number() + f.next().number();
                f.skip(2);
                if (f.next().is_null()) return;
                const auto delivery_count = f.next().number();
                limit = delivery_count + f.next().number();
                return;
            }
            case k_detach: return Performative{k_detach}.uint(0).boolean(true).frame(out);
            case k_end: return Performative{k_end}.frame(out);
            case k_close:
                Performative{k_close}.frame(out);
                closed = true;
                return;
            default: return;
        }
    }

    // How much of it was used.
    std::size_t take(std::string_view in) {
        std::size_t at = 0;
        while (in.size() - at >= 8) {
            if (stage == Stage::header) {
                const auto header = in.substr(at, 8);
                at += 8;
                out += header;
                stage = header == k_sasl_header ? Stage::sasl : Stage::amqp;
                if (stage == Stage::sasl) Performative{k_mechanisms}.symbol("ANONYMOUS").frame(out, 0, 1);
                continue;
            }
            const std::size_t size = get32(in.data() + at);
            if (size < 8) throw std::runtime_error{"a frame below 8 bytes"};
            if (in.size() - at < size) break;
            frame(in.substr(at, size));
            at += size;
        }
        if (owes) {
            Performative{k_disposition}.boolean(true).uint(first).uint(last).boolean(true).raw(std::string_view{"\0\x53\x24\x45", 4}).frame(out);
            owes = false;
        }
        if (is_sink && credit * 2 < full_credit) flow();
        return at;
    }

    void generate() {
        while (source && out.size() - sent < 131072) {
            // Serial numbers do not wrap in a benchmark.
            const std::uint32_t end = std::min({total, limit, window_end});
            if (next >= end) break;
            const auto n = std::min<std::size_t>(end - next, source->frames());
            out += source->numbered(next, n);
            next += static_cast<std::uint32_t>(n);
        }
    }

    void run() {
        std::vector<char> in(1U << 20U);
        std::size_t have = 0;
        while (true) {
            const bool waits = sent < out.size();
            pollfd p{fd, static_cast<short>(POLLIN | (waits ? POLLOUT : 0)), 0};
            if (::poll(&p, 1, -1) < 0) continue;
            if ((p.revents & (POLLIN | POLLHUP | POLLERR)) != 0) {
                const ssize_t n = ::read(fd, in.data() + have, in.size() - have);
                if (n == 0 || (n < 0 && errno != EAGAIN)) return;
                if (n > 0) have += static_cast<std::size_t>(n);
                const std::size_t used = take({in.data(), have});
                have -= used;
                if (used != 0 && have != 0) std::memmove(in.data(), in.data() + used, have);
            }
            generate();
            while (sent < out.size()) {
                const ssize_t n = ::write(fd, out.data() + sent, out.size() - sent);
                if (n < 0 && errno == EAGAIN) break;
                if (n < 0) return;
                sent += static_cast<std::size_t>(n);
                if (sent == out.size()) {
                    out.clear();
                    sent = 0;
                    generate();
                }
            }
            if (closed && out.empty()) return;
        }
    }
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 2) return 2;
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener, 16) != 0) {
        std::perror("amqp_peer");
        return 1;
    }
    while (true) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) continue;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        try {
            Connection{fd, argc > 2 ? static_cast<std::uint32_t>(std::atoi(argv[2])) : 1000U}.run();
        } catch (const std::exception& e) { std::fprintf(stderr, "amqp_peer: %s\n", e.what()); }
        ::close(fd);
    }
}
