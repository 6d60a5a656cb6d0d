// SPDX-License-Identifier: Apache-2.0
// Requests and replies by Qpid Proton's C++, in the way of its own client example: amqp_proton_latency PORT ADDRESS COUNT.
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/error_condition.hpp>
#include <proton/message.hpp>
#include <proton/message_id.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/source.hpp>
#include <proton/source_options.hpp>
#include <proton/transport.hpp>

#include <optional>

#include "result.hpp"

namespace {

class Client : public proton::messaging_handler {
public:
    Client(int port, std::string address, std::uint32_t count) : port_{port}, address_{std::move(address)}, count_{count} {}

    void on_container_start(proton::container& c) override {
        proton::connection connection =
            c.connect("127.0.0.1:" + std::to_string(port_), proton::connection_options().sasl_enabled(true).sasl_allowed_mechs("ANONYMOUS"));
        sender_ = connection.open_sender(address_);
        connection.open_receiver("", proton::receiver_options().source(proton::source_options().dynamic(true)));
    }

    void on_receiver_open(proton::receiver& r) override {
        reply_to_ = r.source().address();
        send();
    }

    void on_message(proton::delivery& d, proton::message& m) override {
        if (proton::get<std::string>(m.body()).size() != 100) std::exit(1);
        ++done_;
        if (done_ == k_before) result_.emplace();
        if (done_ == count_ + k_before) {
            result_->done(count_);
            d.connection().close();
            return;
        }
        send();
    }

    void on_transport_error(proton::transport& t) override {
        std::fprintf(stderr, "amqp_proton_latency: %s\n", t.error().what().c_str());
        std::exit(1);
    }

private:
    static constexpr std::uint32_t k_before = 10;

    void send() {
        proton::message message{std::string(100, 'x')};
        message.to(address_);
        message.reply_to(reply_to_);
        message.id(std::uint64_t{done_ + 1});
        sender_.send(message);
    }

    const int port_;
    const std::string address_;
    const std::uint32_t count_;
    std::uint32_t done_{0};
    proton::sender sender_;
    std::string reply_to_;
    std::optional<bench::Result> result_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) return 2;
    Client client{std::atoi(argv[1]), argv[2], static_cast<std::uint32_t>(std::atoll(argv[3]))};
    proton::container{client}.run();
    return 0;
}
