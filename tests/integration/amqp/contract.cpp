// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for amqp and amqps.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/operation_steps.hpp"
#include "contract/connection_contract.hpp"
#include "contract/tls_samples.hpp"
#include "integration/amqp/fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Calls that have been begun and have not ended.
std::atomic<int>& in_flight() {
    static std::atomic<int> count{0};
    return count;
}
struct InFlight {
    InFlight() { ++in_flight(); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { --in_flight(); }
};

AmqpReceiverOptions one_of(const AmqpClient& client) {
    AmqpReceiverOptions options = receiving_from(client.options().address);
    options.credit = 1;
    options.threshold = 0;
    return options;
}

/// Opens a link, takes its message, and closes it, all without waiting.
class TakesOne final : public std::enable_shared_from_this<TakesOne> {
public:
    TakesOne(AmqpClient& client, Deadline deadline, Callback<std::string> callback) : deadline_{deadline}, callback_{std::move(callback)} {
        options_ = one_of(client);
    }
    Operation start(AmqpClient& client) {
        const auto steps = steps_;
        steps->set_part(1, client.async_open_receiver(options_, deadline_, [self = shared_from_this()](Result<AmqpReceiver> receiver) {
            if (!receiver) return self->end(receiver.error());
            self->receiver_ = std::move(*receiver);
            self->take();
        }));
        return Operation{steps};
    }

private:
    void take() {
        steps_->set_part(2, receiver_.async_receive(deadline_, [self = shared_from_this()](Result<AmqpReceived> received) {
            if (!received) return self->end(received.error());
            self->close(std::string{received->message.text()});
        }));
    }
    void close(std::string text) {
        steps_->set_part(3, receiver_.async_close(deadline_, [self = shared_from_this(), text = std::move(text)](Result<void> closed) mutable {
            if (!closed) return self->end(closed.error());
            self->end(std::move(text));
        }));
    }
    void end(Result<std::string> result) {
        steps_->end();
        counted_.reset();
        callback_(std::move(result));
    }

    AmqpReceiverOptions options_;
    AmqpReceiver receiver_;
    const Deadline deadline_;
    Callback<std::string> callback_;
    std::unique_ptr<InFlight> counted_{std::make_unique<InFlight>()};
    const std::shared_ptr<OperationSteps> steps_{std::make_shared<OperationSteps>()};
};

/// The message that each link of the address of the URL brings.
Use message_use() {
    return {.blocking =
                [](Client& client, Deadline deadline) {
                    const InFlight counted;
                    auto& bus = dynamic_cast<AmqpClient&>(client);
                    AmqpReceiver receiver = bus.open_receiver(one_of(bus), deadline);
                    std::string text{receiver.receive(deadline).message.text()};
                    receiver.close(deadline);
                    return text;
                },
            .asynchronous =
                [](Client& client, Deadline deadline, Callback<std::string> callback) {
                    auto& bus = dynamic_cast<AmqpClient&>(client);
                    return std::make_shared<TakesOne>(bus, deadline, std::move(callback))->start(bus);
                }};
}

ConnectionContract contract_of(const std::string& scheme, const SilentServer& silent) {
    const bool tls = scheme == "amqps";
    const std::string login = std::string{k_user} + ':' + std::string{k_password} + '@';
    const std::string trust = tls ? "ssl_ca_file: " + tls_file("ca.crt") + "\n" : "";
    const std::uint16_t port = tls ? rhea().port2() : rhea().port();
    const auto at = [&](const std::string& user, std::uint16_t where) { return scheme + "://" + user + "127.0.0.1:" + std::to_string(where); };
    const std::string address = "/large/3/1";
    ConnectionContract out;
    out.up = {at(login, port) + address, trust};
    out.changed = {at(login, port) + "/large/5/1", trust};
    out.use = message_use();
    out.answer = "aaa";
    out.changed_answer = "aaaaa";
    out.refused = Down{{at(login, free_port()), trust}, Phase::connect, Reason::refused};
    out.silent = Down{{at(login, silent.port()), trust}, tls ? Phase::tls : Phase::protocol, Reason::timeout, PingDepth::full, 2s};
    out.wrong_password = Down{{at(std::string{k_user} + ":wrong@", port), trust}, Phase::auth, Reason::denied, PingDepth::auth};
    if (tls)
        out.bad_certificate = Down{{at(login, port), ""}, Phase::tls, Reason::certificate_untrusted};
    else
        out.bad_certificate = Absent{"without TLS there is none"};
    out.slow = SlowUse{.sample = {at(login, silent.port()) + address, trust}, .reached = [&silent](int calls) {
                           // All share one connection: from outside only the first can be seen. The others are a moment away from where they wait.
                           if (in_flight() < calls || count_ends_towards(silent.port(), TcpState::established) == 0) return false;
                           std::this_thread::sleep_for(300ms);
                           return true;
                       }};
    const std::string both = trust + "username: " + std::string{k_user} + "\npassword: " + std::string{k_password};
    out.options_beyond = tls ? "amqp" : "rests";
    out.samples = tls_samples();
    out.samples["hosts"] = {at(login, port) + address,
                            trust + "hosts: 127.0.0.1:" + std::to_string(free_port()) + ",127.0.0.1:" + std::to_string(port)};
    out.samples["username"] = {at("", port) + address, both};
    out.samples["password"] = {at("", port) + address, both};
    out.samples["oauth2_grant_type"] = {
        at("user@", port),
        trust +
            "oauth2_grant_type: client_credentials\noauth2_client_id: shop\noauth2_client_secret: s\noauth2_token_url: https://login.example/token"};
    const std::string canary = k_canary;
    out.with_canary = {
        {at("user:" + canary + "@", port) + address, trust},
        {at("", port) + address, trust + "username: user\npassword: " + canary},
        {at("", port), trust + "sasl: xoauth2\npassword: " + canary},
        {at("user:" + canary + "@", silent.port()), trust + "proxy: http://edi:" + canary + "@127.0.0.1:" + std::to_string(free_port())}};
    return out;
}

}  // namespace

TEST_CASE("amqp keeps the contract of connections", "[contract][alike][integration]") {
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("amqp", silent))) == "");
}

TEST_CASE("amqps keeps the contract of connections", "[contract][integration]") {
    const SilentServer silent;
    CHECK(to_text(broken_promises(contract_of("amqps", silent))) == "");
}
