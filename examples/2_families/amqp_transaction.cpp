// SPDX-License-Identifier: Apache-2.0
// Moves what an AMQP 1.0 broker has at one address to another, in batches: each batch wholly or not at all, whatever breaks meanwhile.
//
//     amqp_transaction DIRECTORY-WITH-DEFINITIONS CONNECTION FROM TO [BATCH]
#include <chrono>
#include <iostream>
#include <qconn/qconn.hpp>
#include <string>

using namespace std::chrono_literals;

namespace {

/// @returns how many were moved; fewer than asked for: there are no more
int move_batch(const qconn::Ref<qconn::AmqpClient>& bus, qconn::AmqpReceiver& from, qconn::AmqpSender& to, int most) {
    // Where anything below throws, the handle goes, and the broker rolls back: all messages are where they were.
    qconn::AmqpTransaction transaction = bus->begin_transaction({}, 30s);
    int count = 0;
    try {
        for (; count < most; ++count) {
            const qconn::AmqpReceived received = from.fetch(500ms);
            to.send(received.message, transaction, 30s);
            received.answer(qconn::AmqpOutcome::accepted().in(transaction));
        }
    } catch (const qconn::Error& error) {
        if (error.code() != qconn::AmqpErrc::receive) throw;  // there are no more
    }
    transaction.commit(30s);
    return count;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 5 || argc > 6) {
        std::cerr << "usage: amqp_transaction DIRECTORY CONNECTION FROM TO [BATCH]\n";
        return 2;
    }
    try {
        const int most = argc == 6 ? std::stoi(argv[5]) : 100;
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto bus = registry.get<qconn::AmqpClient>(argv[2]);

        qconn::AmqpReceiverOptions source;
        source.source.address = argv[3];
        source.mode = qconn::AmqpReceiverOptions::Mode::fetch;
        source.auto_accept = false;
        qconn::AmqpReceiver from = bus->open_receiver(source, 30s);
        qconn::AmqpSenderOptions target;
        target.target.address = argv[4];
        qconn::AmqpSender to = bus->open_sender(target, 30s);

        for (int count = most; count == most;) {
            count = move_batch(bus, from, to, most);
            std::cout << "moved " << count << std::endl;
        }
        bus->close(10s);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
