// SPDX-License-Identifier: Apache-2.0
// A RestClient: bodies are values, whatever the format on the wire.
//
//     rest URL PATH
#include <iostream>
#include <qconn/rest/rest_client.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc != 3) {
        std::cerr << "usage: rest URL PATH\n";
        return 2;
    }
    try {
        qconn::RestOptions options;
        options.label = "orders";
        options.url = argv[1];
        qconn::RestClient client{options};

        const qconn::Value order = qconn::Map{{"sku", "A-1"}, {"count", 2}, {"tags", qconn::List{"new", "gift"}}};
        const qconn::RestResponse stored = client.put(argv[2], order, 10s);
        std::cout << "stored: " << stored.status << '\n';

        const qconn::Value read = client.get(argv[2], 10s).body;
        std::cout << read["count"] << " of " << read["sku"].as_string() << ", first tag " << read["tags"][0].as_string() << '\n';
        std::cout << (read == order ? "the same\n" : "changed on the way\n");

        client.del(argv[2], {}, 10s);
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        if (error.retryable()) std::cerr << "trying again later may help\n";
        return 1;
    }
}
