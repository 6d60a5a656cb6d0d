// SPDX-License-Identifier: Apache-2.0
#include "integration/amqp/fixture.hpp"

#include "support/raw_socket.hpp"

namespace qconn::test {

Server& rhea() {
    static Server server{"rhea"};
    return server;
}
Server& proton() {
    static Server server{"proton"};
    return server;
}
Server& rabbitmq() {
    static Server server{"rabbitmq", {.environment = {}, .start_limit = std::chrono::seconds{90}}};
    return server;
}
Server& raw_amqp() {
    static Server server{"amqpraw"};
    return server;
}

std::string raw_amqp_control(const std::string& line) { return raw_amqp_control(raw_amqp(), line); }
std::string raw_amqp_control(const Server& server, const std::string& line) {
    const RawSocket socket{server.port2()};
    std::string answer = socket.ask(line + '\n', std::chrono::seconds{5}, std::size_t{16} * 1024 * 1024);
    if (answer.size() >= 3 && answer.compare(answer.size() - 3, 3, "EOF") == 0) answer.resize(answer.size() - 3);
    return answer;
}

AmqpOptions to(const Server& server, bool tls) {
    AmqpOptions options;
    options.label = "bus";
    options.hosts = {{"127.0.0.1", tls ? server.port2() : server.port()}};
    options.use_tls = tls;
    if (tls) options.tls.ca_file = tls_file("ca.crt");
    options.reconnect.delay = std::chrono::milliseconds{10};
    options.reconnect.max_delay = std::chrono::milliseconds{100};
    return options;
}

AmqpSenderOptions sending_to(std::string address) {
    AmqpSenderOptions options;
    options.target.address = std::move(address);
    return options;
}

AmqpReceiverOptions receiving_from(std::string address) {
    AmqpReceiverOptions options;
    options.source.address = std::move(address);
    return options;
}

}  // namespace qconn::test
