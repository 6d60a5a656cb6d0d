// SPDX-License-Identifier: Apache-2.0
// The rival of the AMQP benchmark: Qpid Proton's C++, by its public interface and in the way of its own examples, the quickest of them: all that the
// credit allows in one on_sendable, one message that is used again, credit and accepts by its own hand.
#include <proton/binary.hpp>
#include <proton/connection.hpp>
#include <proton/connection_options.hpp>
#include <proton/container.hpp>
#include <proton/delivery.hpp>
#include <proton/delivery_mode.hpp>
#include <proton/error_condition.hpp>
#include <proton/message.hpp>
#include <proton/messaging_handler.hpp>
#include <proton/receiver_options.hpp>
#include <proton/sender.hpp>
#include <proton/sender_options.hpp>
#include <proton/tracker.hpp>
#include <proton/transport.hpp>

#include "result.hpp"

namespace {

class Client : public proton::messaging_handler {
public:
    explicit Client(const bench::Arguments& a) : a_{a} {
        std::string body(a.size, ' ');
        for (std::size_t n = 0; n < a.size; ++n) body[n] = static_cast<char>('a' + n % 26);
        if (a.is_string) {
            message_.body(body);
        } else {
            message_.body(proton::binary(body));
            message_.inferred(true);  // a data section
        }
    }

    void on_container_start(proton::container& c) override {
        const auto mode = a_.settled ? proton::delivery_mode::AT_MOST_ONCE : proton::delivery_mode::AT_LEAST_ONCE;
        proton::connection connection =
            c.connect("127.0.0.1:" + std::to_string(a_.port), proton::connection_options().sasl_enabled(true).sasl_allowed_mechs("ANONYMOUS"));
        if (a_.is_send) {
            connection.open_sender(a_.address, proton::sender_options().delivery_mode(mode));
        } else {
            connection.open_receiver(a_.address, proton::receiver_options().delivery_mode(mode).credit_window(a_.credit).auto_accept(true));
        }
    }

    void on_sendable(proton::sender& s) override {
        while (sent_ < a_.count && s.credit() > 0) {
            s.send(message_);
            ++sent_;
        }
        if (a_.settled && sent_ == a_.count) s.connection().close();
    }

    void on_tracker_settle(proton::tracker& t) override {
        if (!a_.settled && ++done_ == a_.count) t.connection().close();
    }

    void on_message(proton::delivery& d, proton::message& m) override {
        if (done_ == a_.count) return;
        if (a_.is_string) {
            const auto body = proton::get<std::string>(m.body());
            for (std::size_t n = 0; n < body.size(); n += 64) sum_ += static_cast<unsigned char>(body[n]);  // each line of the cache
        } else {
            const auto body = proton::get<proton::binary>(m.body());
            for (std::size_t n = 0; n < body.size(); n += 64) sum_ += static_cast<unsigned char>(body[n]);  // each line of the cache
        }
        if (++done_ == a_.count) d.connection().close();
    }

    void on_transport_error(proton::transport& t) override {
        std::fprintf(stderr, "amqp_proton: %s\n", t.error().what().c_str());
        std::exit(1);
    }

    std::uint32_t done() const { return a_.is_send && a_.settled ? sent_ : done_; }
    std::uint64_t sum() const { return sum_; }

private:
    const bench::Arguments& a_;
    proton::message message_{};
    std::uint32_t sent_{0};
    std::uint32_t done_{0};
    std::uint64_t sum_{0};
};

}  // namespace

int main(int argc, char** argv) {
    const bench::Arguments a = bench::arguments(argc, argv);
    Client client{a};
    const bench::Result result;
    proton::container{client}.run();
    result.done(client.done());
    return !a.is_send && client.sum() == 0 ? 1 : 0;  // nobody may leave out the sum
}
