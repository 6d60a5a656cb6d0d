// SPDX-License-Identifier: Apache-2.0
// A durable subscriber of an eFTL server: what comes while it does not run is kept for it. Each message is acknowledged when it has been written out.
//
//     eftl_subscriber DIRECTORY-WITH-DEFINITIONS CONNECTION DURABLE MATCHER-OR-{} COUNT
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <qconn/qconn.hpp>

int main(int argc, char** argv) {
    if (argc != 6) {
        std::cerr << "usage: eftl_subscriber DIRECTORY CONNECTION DURABLE MATCHER COUNT\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto bus = registry.get<qconn::EftlClient>(argv[2]);

        qconn::EftlSubscription what;
        what.durable = argv[3];
        what.matcher = qconn::EftlMatcher::parse(argv[4]);
        what.ack = qconn::EftlAck::client;
        const std::string id = bus->subscribe(what, std::chrono::seconds{30});

        for (int left = std::atoi(argv[5]); left > 0; --left) {
            const qconn::EftlMessage message = bus->receive(id);  // over lost connections too
            std::cout << message << std::endl;
            bus->acknowledge(message);
        }
        bus->close_subscription(id);  // unsubscribe() would remove the durable, and what waits in it
        bus->disconnect(std::chrono::seconds{10});
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
