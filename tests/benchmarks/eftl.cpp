// SPDX-License-Identifier: Apache-2.0
// Messages of eFTL. Without arguments: the codec against nlohmann/json on the same text. bench_eftl URL CONTROL_PORT USER PASSWORD [MESSAGES
// [IN_FLIGHT]]: the client against tests/servers/eftl.sh, as eftl_rival.mjs beside it does; eftl.sh runs both. Prints one line of JSON as that does:
// microseconds of CPU of this process for a message.
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include <qconn/eftl/eftl_client.hpp>

#include "benchmarks/measure.hpp"

using namespace qconn;

namespace {

constexpr int k_samples = 9;

/// What a message of an application may look like.
EftlMessage order(int n) {
    EftlMessage line;
    line.set_string("sku", "A-" + std::to_string(n)).set_long("count", 3).set_double("price", 19.99);
    EftlMessage out;
    out.set_string("type", "order").set_long("id", 9007199254740993 + n).set_double("total", 1234.5 + n).set_string("customer", "Müller & Söhne");
    out.set_datetime("when", EftlTime{std::chrono::milliseconds{1'700'000'000'000 + n}})
        .set_message("first", line)
        .set_message_array("lines", {line, line, line});
    out.set_string_array("tags", {"urgent", "export"}).set_string("note", "line \"one\" of an order\nline two");
    return out;
}

/// How many times as fast as the rival.
bool compare(const char* what, const std::function<std::size_t()>& ours, const std::function<std::size_t()>& rival) {
    const auto time = [](const std::function<std::size_t()>& work) {
        const double start = bench::thread_seconds();
        std::size_t sum = 0;
        for (int i = 0; i < 2000; ++i) sum += work();
        if (sum == 0) std::puts("nothing was done");
        return (bench::thread_seconds() - start) / 2000 * 1e6;
    };
    std::vector<double> mine;
    std::vector<double> theirs;
    time(ours);
    time(rival);
    for (int i = 0; i < k_samples; ++i) {
        mine.push_back(time(ours));
        theirs.push_back(time(rival));
    }
    const double ratio = bench::median(theirs) / bench::median(mine);
    std::printf("eftl: %s: %.2f us, nlohmann %.2f us, %.2f times as fast (aim 2.5)\n", what, bench::median(mine), bench::median(theirs), ratio);
    return ratio >= 2.5;
}

bool codec() {
    bool good = true;
    EftlMessage small;
    small.set_string("type", "order").set_long("id", 17).set_double("total", 19.99).set_string("text", std::string(40, 'x'));
    EftlMessage large;
    for (int i = 0; i < 200; ++i) large.set_message("order" + std::to_string(i), order(i));
    const std::pair<const char*, EftlMessage> all[] = {{"100 B", small}, {"1 KiB", order(1)}, {"100 KiB", large}};
    for (const auto& [name, message] : all) {
        const std::string text = message.to_json();
        const nlohmann::json tree = nlohmann::json::parse(text);
        const std::string label = std::string{" of "} + name + " (" + std::to_string(text.size()) + ')';
        good = compare(("decode" + label).c_str(), [&] { return EftlMessage::from_json(text).size(); },
                       [&] { return nlohmann::json::parse(text).size(); }) &&
               good;
        good = compare(("encode" + label).c_str(), [&, m = message] { return m.to_json().size(); }, [&] { return tree.dump().size(); }) && good;
    }
    return good;
}

/// The server's control: makes it publish.
bool inject(int port, int count) {
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
    const std::string body =
        R"({"body":{"type":"bench","text":")" + std::string(60, 'x') + R"("},"counter":"n","count":)" + std::to_string(count) + "}";
    const std::string request =
        "POST /publish HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    const bool sent = ::send(fd, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size());
    char answer[256];
    while (::recv(fd, answer, sizeof answer, 0) > 0) {}
    ::close(fd);
    return sent;
}

struct Half {
    double cpu{0};
    double seconds{0};
};

/// Counts callbacks of many operations.
class Count {
public:
    void done() {
        const std::scoped_lock lock{mutex_};
        ++count_;
        changed_.notify_one();
    }
    void wait(long until) {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [&] { return count_ >= until; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    long count_{0};
};

template <class Work>
Half timed(int messages, Work work) {
    const double cpu = bench::process_seconds();
    const auto begin = std::chrono::steady_clock::now();
    work();
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    return {(bench::process_seconds() - cpu) / messages * 1e6, time.count()};
}

int client(char** argv, int argc) {
    const int messages = argc > 5 ? std::atoi(argv[5]) : 50'000;
    EftlOptions options;
    options.servers = EftlServer::parse_list(argv[1]);
    options.username = argv[3];
    options.password = Secret{argv[4]};
    options.max_in_flight = argc > 6 ? static_cast<std::size_t>(std::atoi(argv[6])) : 1000;
    EftlClient bus{options};
    bus.connect(Deadline{std::chrono::seconds{20}});

    std::atomic<long> failed{0};
    const auto publish = [&](int count) {
        Count all;
        EftlMessage message;
        message.set_string("type", "out").set_string("text", std::string(60, 'x'));
        for (int i = 0; i < count; ++i) {
            if (bus.in_flight() >= options.max_in_flight) bus.wait_for_room();
            message.set_long("n", i);
            bus.async_publish(message, {}, [&](const Result<void>& result) {
                if (!result) ++failed;
                all.done();
            });
        }
        all.wait(count);
    };
    publish(messages / 5);
    const Half out = timed(messages, [&] { publish(messages); });

    std::atomic<long> received{0};
    EftlSubscription what;
    what.matcher.equals("type", "bench");
    what.on_message = [&](const EftlMessage& message) {
        if (message.get_long("n")) ++received;
    };
    bus.subscribe(what, Deadline{std::chrono::seconds{20}});
    const auto receive = [&](int count) {
        const long until = received.load() + count;
        if (!inject(std::atoi(argv[2]), count)) ++failed;
        while (received.load() < until) ::usleep(200);
    };
    receive(messages / 5);
    const Half in = timed(messages, [&] { receive(messages); });
    bus.disconnect(Deadline{std::chrono::seconds{10}});
    std::printf(R"({"client":"qconn","messages":%d,"failed":%ld,"publish":{"cpu_us":%.2f,"seconds":%.3f},"receive":{"cpu_us":%.2f,"seconds":%.3f}})"
                "\n",
                messages, failed.load(), out.cpu, out.seconds, in.cpu, in.seconds);
    return failed.load() == 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc == 1) return codec() ? 0 : 2;
    if (argc < 5) {
        std::fputs("usage: bench_eftl [URL CONTROL_PORT USER PASSWORD [MESSAGES [IN_FLIGHT]]]\n", stderr);
        return 2;
    }
    return client(argv, argc);
}
