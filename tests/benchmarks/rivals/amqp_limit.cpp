// SPDX-License-Identifier: Apache-2.0
// The limit of the AMQP benchmark: transfers encoded beforehand and written by 64 KiB, of which only the numbers change; of what comes, the frames'
// heads are read, and of flows and dispositions what is needed. It trusts its peer (amqp_peer) blindly and does not look at bodies: no client can be
// that careless.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "amqp_wire.hpp"
#include "result.hpp"

namespace {

using namespace bench;

void write_all(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t n = ::write(fd, bytes.data(), bytes.size());
        if (n <= 0) throw std::runtime_error{"write failed"};
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

class Limit {
public:
    Limit(const Arguments& a) : a_{a}, in_(1U << 20U) {}

    std::uint32_t run() {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<std::uint16_t>(a_.port));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error{"connect failed"};
        std::string hello{k_sasl_header};
        Performative{k_init}.symbol("ANONYMOUS").frame(hello, 0, 1);
        hello += k_amqp_header;
        Performative{k_open}.string("limit").null().uint(65536).frame(hello);
        Performative{k_begin}.null().uint(0).uint(k_window).uint(k_window).frame(hello);
        Performative attach{k_attach};
        attach.string("link").uint(0).boolean(!a_.is_send).ubyte(a_.settled ? 1 : 0).ubyte(0).address(0x28, a_.address).address(0x29, a_.address);
        if (a_.is_send) attach.null().null().uint(0);
        attach.frame(hello);
        if (!a_.is_send) flow(hello);
        write_all(fd_, hello);
        return a_.is_send ? send() : receive();
    }

private:
    static constexpr std::uint32_t k_window = 10'000'000;

    void flow(std::string& to) {
        limit_ = got_ + static_cast<std::uint32_t>(a_.credit);
        Performative{k_flow}
            .uint(got_)
            .uint(k_window)
            .uint(0)
            .uint(k_window)
            .uint(0)
            .uint(got_)
            .uint(static_cast<std::uint32_t>(a_.credit))
            .frame(to);
    }

    std::uint32_t send() {
        Transfers transfers{a_.size, a_.is_string, a_.settled, 0, std::max<std::size_t>(1, 65536 / (a_.size + 40))};
        std::uint32_t sent = 0;
        while (sent < a_.count || (!a_.settled && settled_ < a_.count)) {
            while (sent < std::min(a_.count, limit_)) {
                const auto n = std::min<std::size_t>(std::min(a_.count, limit_) - sent, transfers.frames());
                write_all(fd_, transfers.numbered(sent, n));
                sent += static_cast<std::uint32_t>(n);
            }
            if (sent < a_.count || !a_.settled) read();
        }
        close();
        return sent;
    }

    std::uint32_t receive() {
        std::string out;
        while (got_ < a_.count) {
            const std::uint32_t first = got_;
            read();
            out.clear();
            if (!a_.settled && got_ != first) {
                Performative{k_disposition}
                    .boolean(true)
                    .uint(first)
                    .uint(got_ - 1)
                    .boolean(true)
                    .raw(std::string_view{"\0\x53\x24\x45", 4})
                    .frame(out);
            }
            if ((limit_ - got_) * 2 < static_cast<std::uint32_t>(a_.credit)) flow(out);
            if (!out.empty()) write_all(fd_, out);
        }
        close();
        return got_;
    }

    void close() {
        std::string bye;
        Performative{k_close}.frame(bye);
        write_all(fd_, bye);
        while (!closed_) read();
        ::close(fd_);
    }

    void read() {
        const ssize_t n = ::read(fd_, in_.data() + have_, in_.size() - have_);
        if (n <= 0) throw std::runtime_error{"the peer has gone"};
        have_ += static_cast<std::size_t>(n);
        std::size_t at = 0;
        while (have_ - at >= 8) {
            const char* const frame = in_.data() + at;
            if (headers_ > 0 && std::memcmp(frame, "AMQP", 4) == 0) {
                --headers_;
                at += 8;
                continue;
            }
            const std::size_t size = get32(frame);
            if (have_ - at < size) break;
            at += size;
            switch (static_cast<std::uint8_t>(frame[10])) {
                case k_transfer: ++got_; break;
                case k_close: closed_ = true; break;
                case k_flow: {
                    Fields f{{frame + 8, size - 8}};
                    f.skip(5);
                    const auto count = f.next().number();
                    limit_ = count + f.next().number();
                    break;
                }
                case k_disposition: {
                    Fields f{{frame + 8, size - 8}};
                    f.skip(2);
                    settled_ = f.next().number() + 1;
                    break;
                }
                default: break;
            }
        }
        have_ -= at;
        if (at != 0 && have_ != 0) std::memmove(in_.data(), in_.data() + at, have_);
    }

    const Arguments& a_;
    std::vector<char> in_;
    int fd_{-1};
    std::size_t have_{0};
    int headers_{2};
    std::uint32_t got_{0};
    std::uint32_t limit_{0};
    std::uint32_t settled_{0};
    bool closed_{false};
};

}  // namespace

int main(int argc, char** argv) {
    const Arguments a = arguments(argc, argv);
    try {
        const Result result;
        result.done(Limit{a}.run());
    } catch (const std::exception& e) {
        std::fprintf(stderr, "amqp_limit: %s\n", e.what());
        return 1;
    }
}
