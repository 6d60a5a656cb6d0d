// SPDX-License-Identifier: Apache-2.0
// A WebSocketClient that follows a feed: it subscribes on every connection, reconnects by itself, and ends after so many messages.
//
//     live_feed URL COUNT [SUBSCRIPTION]
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <qconn/websocket/websocket_client.hpp>
#include <string>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "usage: live_feed URL COUNT [SUBSCRIPTION]\n";
        return 2;
    }
    const int wanted = std::atoi(argv[2]);
    const std::string subscription = argc > 3 ? argv[3] : "";
    std::mutex mutex;
    std::condition_variable changed;
    int count = 0;

    qconn::WebSocketOptions options;
    options.label = "feed";
    options.url = argv[1];
    options.reconnect.enabled = true;
    options.handlers.on_setup = [&](qconn::WebSocketSetup& setup) {
        if (!subscription.empty()) setup.send(subscription);
    };
    // Called on an I/O thread: it must not block.
    options.handlers.on_message = [&](qconn::WebSocketKind, std::string_view data) {
        const std::scoped_lock lock{mutex};
        if (count == wanted) return;
        std::cout << data << '\n';
        ++count;
        changed.notify_all();
    };
    options.handlers.log = options.handlers.errlog = [](std::string_view line) { std::cerr << line << '\n'; };
    try {
        qconn::WebSocketClient client{options};
        client.connect(10s);
        {
            std::unique_lock lock{mutex};
            changed.wait(lock, [&] { return count == wanted; });
        }
        client.close(1000, "enough", 10s);
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
