// SPDX-License-Identifier: Apache-2.0
// How long a request and its reply take: bench_amqp_latency blocking|async PORT ADDRESS COUNT, one after the other, 100 bytes each way.
// amqp_latency.sh runs it beside rivals/amqp_proton_latency.cpp, against rhea.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <future>
#include <string>

#include <qconn/amqp/amqp_client.hpp>

#include "benchmarks/measure.hpp"

using namespace qconn;

namespace {

const std::string k_body(100, 'x');

void blocking(AmqpClient& client, const std::string& address, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) client.request(address, AmqpMessage::of_text(k_body));
}

/// The next one from the callback of the one before.
class Chain {
public:
    Chain(AmqpClient& client, std::string address, std::uint64_t count) : client_{client}, address_{std::move(address)}, left_{count} {}
    void run() {
        next();
        done_.get_future().get();
    }

private:
    void next() {
        client_.async_request(address_, AmqpMessage::of_text(k_body), {}, [this](const Result<AmqpMessage>& reply) {
            if (!reply) return done_.set_exception(std::make_exception_ptr(reply.error()));
            if (--left_ == 0) return done_.set_value();
            next();
        });
    }
    AmqpClient& client_;
    const std::string address_;
    std::uint64_t left_;
    std::promise<void> done_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fprintf(stderr, "usage: %s blocking|async PORT ADDRESS COUNT\n", argv[0]);
        return 2;
    }
    const std::uint64_t count = std::strtoull(argv[4], nullptr, 10);
    try {
        AmqpOptions options;
        options.hosts = {{"127.0.0.1", static_cast<std::uint16_t>(std::atoi(argv[2]))}};
        options.sasl = AmqpSasl::anonymous;
        AmqpClient client{std::move(options)};
        blocking(client, argv[3], 10);  // the links are there then
        const double begun = bench::seconds_of(CLOCK_MONOTONIC);
        const double used = bench::process_seconds();
        if (argv[1] == std::string{"blocking"})
            blocking(client, argv[3], count);
        else
            Chain{client, argv[3], count}.run();
        std::printf("RESULT n=%llu wall=%.6f cpu=%.6f\n", static_cast<unsigned long long>(count), bench::seconds_of(CLOCK_MONOTONIC) - begun,
                    bench::process_seconds() - used);
        client.close();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
