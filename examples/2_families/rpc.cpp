// SPDX-License-Identifier: Apache-2.0
// An RpcClient: one call, then a batch of JSON-RPC in which each call has its own outcome.
//
//     rpc URL
#include <cstddef>
#include <iostream>
#include <qconn/rpc/rpc_client.hpp>
#include <vector>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: rpc URL\n";
        return 2;
    }
    try {
        qconn::RpcOptions options;
        options.label = "calculator";
        options.url = argv[1];
        qconn::RpcClient client{options};  // JSON-RPC 2.0, unless options.protocol says XML-RPC or YAML-RPC

        std::cout << "40 + 2 = " << client.call("add", qconn::List{40, 2}, 10s) << '\n';

        const std::vector<qconn::RpcCall> calls{
            {"add", qconn::List{1, 2}},
            {"named", qconn::Map{{"sku", "A-1"}, {"count", 2}}},
            {"no.such.method"},
            {.method = "note", .params = qconn::List{"seen"}, .notification = true},
        };
        const std::vector<qconn::Result<qconn::Value>> results = client.batch(calls, 10s);
        for (std::size_t i = 0; i < calls.size(); ++i) {
            std::cout << calls[i].method << ": ";
            if (results[i]) {
                std::cout << *results[i] << '\n';
            } else if (const auto* fault = results[i].error().detail<qconn::RpcFaultDetail>()) {
                std::cout << "error " << fault->code << ", " << fault->message << '\n';
            } else {
                std::cout << results[i].error().what() << '\n';
            }
        }
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
