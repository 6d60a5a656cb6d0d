// SPDX-License-Identifier: Apache-2.0
#include "integration/amqp/fixture.hpp"

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
