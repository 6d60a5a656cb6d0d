// SPDX-License-Identifier: Apache-2.0
// Takes what an AMQP 1.0 broker has at this moment, message by message, and no more than that: the broker sends only what was asked for.
//
//     amqp_fetch DIRECTORY-WITH-DEFINITIONS CONNECTION ADDRESS
#include <chrono>
#include <iostream>
#include <qconn/qconn.hpp>

int main(int argc, char** argv) {
    if (argc != 4) {
        std::cerr << "usage: amqp_fetch DIRECTORY CONNECTION ADDRESS\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto bus = registry.get<qconn::AmqpClient>(argv[2]);

        qconn::AmqpReceiverOptions options;
        options.source.address = argv[3];
        options.mode = qconn::AmqpReceiverOptions::Mode::fetch;
        options.auto_accept = false;
        qconn::AmqpReceiver receiver = bus->open_receiver(options, std::chrono::seconds{30});

        int count = 0;
        try {
            for (;; ++count) {
                const qconn::AmqpReceived received = receiver.fetch(std::chrono::milliseconds{500});
                std::cout << received.message.text() << std::endl;
                received.answer(qconn::AmqpOutcome::accepted());  // it is written out: the broker may forget it
            }
        } catch (const qconn::Error& error) {
            if (error.code() != qconn::AmqpErrc::receive) throw;  // there are no more
        }
        std::cout << count << " in all\n";
        receiver.close(std::chrono::seconds{10});
        bus->close(std::chrono::seconds{10});
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
