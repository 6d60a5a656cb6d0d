// SPDX-License-Identifier: Apache-2.0
// Echo over WebSocket: our client against one that is Boost.Beast and nothing else, at the same server, in turns. What counts is messages for each
// second of CPU that this process spends; the server is a child of it.
//
//     bench_websocket [ROUNDS [MESSAGES]]
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <qconn/websocket/websocket_client.hpp>

#include "benchmarks/measure.hpp"

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using tcp = asio::ip::tcp;
using boost::system::error_code;
using namespace qconn::bench;
using BeastStream = ws::stream<tcp::socket>;

// --- The server

class EchoSession : public std::enable_shared_from_this<EchoSession> {
public:
    explicit EchoSession(tcp::socket socket) : stream_{std::move(socket)} {
        stream_.auto_fragment(false);
        stream_.write_buffer_bytes(128 * 1024);
        stream_.next_layer().set_option(tcp::no_delay{true});
    }
    void start() {
        stream_.async_accept([self = shared_from_this()](error_code ec) {
            if (!ec) self->read();
        });
    }

private:
    void read() {
        stream_.async_read(buffer_, [self = shared_from_this()](error_code ec, std::size_t) {
            if (!ec) self->write();
        });
    }
    void write() {
        stream_.binary(true);
        stream_.async_write(buffer_.data(), [self = shared_from_this()](error_code ec, std::size_t) {
            if (ec) return;
            self->buffer_.clear();
            self->read();
        });
    }
    BeastStream stream_;
    beast::flat_buffer buffer_;
};

/// @returns its port
std::uint16_t start_server() {
    asio::io_context context{1};
    tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), 0}};
    const std::uint16_t port = acceptor.local_endpoint().port();
    if (::fork() == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        context.notify_fork(asio::io_context::fork_child);
        std::function<void()> accept = [&] {
            acceptor.async_accept([&](error_code ec, tcp::socket socket) {
                if (!ec) std::make_shared<EchoSession>(std::move(socket))->start();
                accept();
            });
        };
        accept();
        context.run();
        ::_exit(0);
    }
    return port;
}

// --- The two clients: `window` messages under way, `count` in all

struct Load {
    std::uint16_t port;
    std::string message;
    int window;
    int count;
};

class BeastClient {
public:
    explicit BeastClient(const Load& load) : load_{load}, stream_{context_} {
        stream_.next_layer().connect({asio::ip::address_v4::loopback(), load.port});
        stream_.next_layer().set_option(tcp::no_delay{true});
        stream_.handshake("127.0.0.1", "/");
        stream_.binary(true);
    }
    void run() {
        waiting_ = std::min(load_.window, load_.count);
        sent_ = waiting_;
        write();
        read();
        context_.run();
    }

private:
    void write() {
        if (writing_ || waiting_ == 0) return;
        writing_ = true;
        stream_.async_write(asio::buffer(load_.message), [this](error_code, std::size_t) {
            writing_ = false;
            --waiting_;
            write();
        });
    }
    void read() {
        stream_.async_read(buffer_, [this](error_code, std::size_t size) {
            if (size != load_.message.size()) std::abort();
            buffer_.clear();
            if (++received_ == load_.count) return;
            if (sent_ < load_.count) {
                ++sent_;
                ++waiting_;
                write();
            }
            read();
        });
    }
    const Load& load_;
    asio::io_context context_{1};
    BeastStream stream_;
    beast::flat_buffer buffer_;
    bool writing_{false};
    int waiting_{0};
    int sent_{0};
    int received_{0};
};

class OurClient {
public:
    OurClient(const Load& load, const qconn::Runtime& runtime) : load_{load}, client_{options(), runtime} { client_.connect(); }
    void run() {
        sent_ = std::min(load_.window, load_.count);
        for (int i = 0; i < sent_; ++i) client_.try_send(qconn::WebSocketKind::binary, load_.message);
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return done_; });
    }

private:
    qconn::WebSocketOptions options() {
        qconn::WebSocketOptions made;
        made.url = "ws://127.0.0.1:" + std::to_string(load_.port) + "/";
        made.max_queue = std::size_t{64} << 20;
        made.handlers.on_message = [this](qconn::WebSocketKind, std::string_view data) { on_message(data.size()); };
        return made;
    }
    void on_message(std::size_t size) {
        if (size != load_.message.size()) std::abort();
        if (sent_ < load_.count) {
            ++sent_;
            if (!client_.try_send(qconn::WebSocketKind::binary, load_.message)) std::abort();
        }
        if (++received_ < load_.count) return;
        const std::scoped_lock lock{mutex_};
        done_ = true;
        changed_.notify_all();
    }
    const Load& load_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_{false};
    int sent_{0};  // before the first answer comes the caller's, then the I/O thread's
    int received_{0};
    qconn::WebSocketClient client_;
};

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 9;
    const int messages = argc > 2 ? std::atoi(argv[2]) : 20'000;
    const std::uint16_t port = start_server();
    const qconn::Runtime runtime{qconn::RuntimeOptions{}};
    struct Kind {
        std::size_t size;
        int window;
        int count;
    };
    const Kind kinds[] = {{100, 1, messages}, {100, 16, messages * 4}, {100, 256, messages * 4}, {65'536, 1, messages / 10}, {65'536, 8, messages / 10}};
    std::printf("%8s %6s %16s %16s %7s\n", "bytes", "window", "ours, msg/CPU s", "Beast, msg/CPU s", "ratio");
    for (const Kind& kind : kinds) {
        const Load load{port, std::string(kind.size, 'x'), kind.window, kind.count};
        std::vector<double> ours;
        std::vector<double> theirs;
        std::vector<double> ratios;
        for (int round = 0; round < rounds; ++round) {
            double spent[2] = {0, 0};
            for (int turn = 0; turn < 2; ++turn) {
                const bool our_turn = (turn + round) % 2 == 0;
                if (our_turn) {
                    OurClient client{load, runtime};
                    const double begin = process_seconds();
                    client.run();
                    spent[0] = process_seconds() - begin;
                } else {
                    BeastClient client{load};
                    const double begin = process_seconds();
                    client.run();
                    spent[1] = process_seconds() - begin;
                }
            }
            ours.push_back(kind.count / spent[0]);
            theirs.push_back(kind.count / spent[1]);
            ratios.push_back(spent[1] / spent[0]);
        }
        std::printf("%8zu %6d %16.0f %16.0f %7.2f\n", kind.size, kind.window, median(ours), median(theirs), median(ratios));
    }
    return 0;
}
