// SPDX-License-Identifier: Apache-2.0
// CPU time of an AMQP client per message. amqp.sh runs it beside its rivals, which take the same arguments:
//   send|recv PORT ADDRESS COUNT SIZE string|binary SETTLED(0|1) CREDIT
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>

#include <qconn/amqp/amqp_client.hpp>

namespace {

using namespace qconn;

struct Arguments {
    bool send;
    std::uint16_t port;
    std::string address;
    std::uint64_t count;
    std::size_t size;
    bool text;
    bool settled;
    std::uint32_t credit;
};

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6; };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

class Done {
public:
    void tell() {
        const std::scoped_lock lock{mutex_};
        done_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return done_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool done_{false};
};

/// Sends from the client's own thread, as messages are taken: what an application that pumps does.
std::uint64_t send(AmqpClient& client, const Arguments& arguments) {
    AmqpMessage message =
        arguments.text ? AmqpMessage::of_text(std::string(arguments.size, 'x')) : AmqpMessage::of_bytes(std::string(arguments.size, 'x'));
    std::uint64_t sent = 0;
    std::uint64_t told = 0;
    std::uint64_t accepted = 0;
    Done done;
    AmqpSender sender;
    const auto pump = [&] {
        while (sent < arguments.count && sent - told < arguments.credit && sender.try_send(message, arguments.settled, sent + 1)) ++sent;
    };
    AmqpSenderOptions options;
    options.target.address = arguments.address;
    options.on_outcome = [&](std::uint64_t, const AmqpOutcome& outcome, const Error* error) {
        ++told;
        if (error == nullptr && (outcome.is_accepted() || arguments.settled)) ++accepted;
        if (told == arguments.count) return done.tell();
        if (sent - told < arguments.credit * 3 / 4) pump();
    };
    sender = client.open_sender(std::move(options));
    Runtime{}.post([&] { pump(); });
    done.wait();
    return accepted;
}

std::uint64_t receive(AmqpClient& client, const Arguments& arguments) {
    std::uint64_t count = 0;
    std::uint64_t sum = 0;
    Done done;
    AmqpReceiverOptions options;
    options.source.address = arguments.address;
    options.credit = arguments.credit;
    options.threshold = arguments.credit / 2;
    options.on_message = [&](AmqpDelivery& delivery) {
        const std::string_view body = delivery.text();
        for (std::size_t i = 0; i < body.size(); i += 64) sum += static_cast<unsigned char>(body[i]);  // each line of the cache
        if (++count == arguments.count) done.tell();
    };
    const AmqpReceiver receiver = client.open_receiver(std::move(options));
    done.wait();
    if (sum == 0 && arguments.size > 0) std::abort();
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 9) {
        std::fprintf(stderr, "usage: %s send|recv PORT ADDRESS COUNT SIZE string|binary SETTLED(0|1) CREDIT\n", argv[0]);
        return 2;
    }
    const Arguments arguments{argv[1] == std::string{"send"},
                              static_cast<std::uint16_t>(std::atoi(argv[2])),
                              argv[3],
                              std::strtoull(argv[4], nullptr, 10),
                              std::strtoull(argv[5], nullptr, 10),
                              argv[6] == std::string{"string"},
                              argv[7] == std::string{"1"},
                              static_cast<std::uint32_t>(std::atoi(argv[8]))};
    try {
        AmqpOptions options;
        options.hosts = {{"127.0.0.1", arguments.port}};
        options.sasl = AmqpSasl::anonymous;
        const double cpu = cpu_seconds();
        const auto begin = std::chrono::steady_clock::now();
        std::uint64_t count = 0;
        {
            AmqpClient client{std::move(options)};
            client.connect();
            count = arguments.send ? send(client, arguments) : receive(client, arguments);
            client.close();
        }
        const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - begin;
        std::printf("RESULT n=%llu wall=%.3f cpu=%.3f\n", static_cast<unsigned long long>(count), wall.count(), cpu_seconds() - cpu);
        return count == arguments.count ? 0 : 1;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
