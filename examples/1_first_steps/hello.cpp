// SPDX-License-Identifier: Apache-2.0
// The program of README.md: connections from a directory, watched, one of them used.
#include <iostream>
#include <qconn/qconn.hpp>

int main() {
    qconn::Registry registry;
    registry.load("connections");                             // *.qconn.yaml

    qconn::Monitor monitor{registry};
    auto watching = monitor.subscribe([](const qconn::Event& e) {
        std::cout << e.name << " is " << to_string(e.state) << ' ' << e.error << '\n';
    });
    monitor.start();

    auto shop = registry.get<qconn::RestClient>("shop-api");  // follows reloads; keep it
    qconn::Value order = shop->get("orders/17").body;
    std::cout << order["customer"]["name"] << '\n';
}
