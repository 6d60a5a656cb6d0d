// SPDX-License-Identifier: Apache-2.0
// Request and reply by an AMQP 1.0 broker: one side adds two numbers for those who ask. The broker makes a node for the replies of each asker.
//
//     amqp_request_reply DIRECTORY-WITH-DEFINITIONS CONNECTION serve ADDRESS COUNT
//     amqp_request_reply DIRECTORY-WITH-DEFINITIONS CONNECTION ask ADDRESS A B
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <qconn/qconn.hpp>
#include <string_view>
#include <variant>

namespace {

using qconn::AmqpMessage;
using qconn::AmqpValue;

const AmqpValue* field_of(const AmqpMessage& message, std::string_view name) {
    const auto* const value = std::get_if<AmqpValue>(&message.body);
    return value != nullptr ? value->find(name) : nullptr;
}

std::int64_t number_of(const AmqpMessage& message, std::string_view name) {
    const AmqpValue* const field = field_of(message, name);
    return field != nullptr ? field->integer().value_or(0) : 0;
}

void serve(qconn::AmqpClient& bus, const char* address, int count) {
    qconn::AmqpReceiverOptions options;
    options.source.address = address;
    options.auto_accept = false;
    qconn::AmqpReceiver requests = bus.open_receiver(options, std::chrono::seconds{30});
    std::cout << "ready" << std::endl;
    for (; count > 0; --count) {
        const qconn::AmqpReceived request = requests.receive(std::chrono::hours{24});
        if (!request.message.properties || !request.message.properties->reply_to) {
            request.answer(qconn::AmqpOutcome::rejected({"example:no-reply-to", "there is nobody to answer", {}}));
            continue;
        }
        AmqpMessage sum = AmqpMessage::of_value(qconn::AmqpMap{{"sum", number_of(request.message, "a") + number_of(request.message, "b")}});
        sum.properties.emplace().correlation_id = request.message.properties->message_id;
        qconn::AmqpSenderOptions to;
        to.target.address = *request.message.properties->reply_to;
        qconn::AmqpSender replies = bus.open_sender(to, std::chrono::seconds{10});
        replies.send(sum, std::chrono::seconds{10});
        replies.close(std::chrono::seconds{10});
        request.answer(qconn::AmqpOutcome::accepted());  // only now: what was not answered comes again
    }
    requests.close(std::chrono::seconds{10});
}

void ask(qconn::AmqpClient& bus, const char* address, std::int64_t a, std::int64_t b) {
    qconn::AmqpReceiverOptions own;
    own.source.dynamic = true;
    qconn::AmqpReceiver replies = bus.open_receiver(own, std::chrono::seconds{30});

    AmqpMessage question = AmqpMessage::of_value(qconn::AmqpMap{{"a", a}, {"b", b}});
    question.properties.emplace().reply_to = replies.info().address;
    question.properties->message_id = qconn::AmqpUuid::random();
    qconn::AmqpSenderOptions to;
    to.target.address = address;
    bus.open_sender(to, std::chrono::seconds{10}).send(question, std::chrono::seconds{10});

    for (;;) {
        const AmqpMessage reply = replies.receive(std::chrono::seconds{30}).message;
        if (!reply.properties || reply.properties->correlation_id != question.properties->message_id) continue;
        std::cout << number_of(reply, "sum") << '\n';
        return;
    }
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view role = argc > 3 ? argv[3] : "";
    if (!(role == "serve" && argc == 6) && !(role == "ask" && argc == 7)) {
        std::cerr << "usage: amqp_request_reply DIRECTORY CONNECTION serve ADDRESS COUNT | ask ADDRESS A B\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto bus = registry.get<qconn::AmqpClient>(argv[2]);
        if (role == "serve")
            serve(*bus.pin(), argv[4], std::atoi(argv[5]));
        else
            ask(*bus.pin(), argv[4], std::atoll(argv[5]), std::atoll(argv[6]));
        bus->close(std::chrono::seconds{10});
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
