// SPDX-License-Identifier: Apache-2.0
// Works off a queue of an AMQP 1.0 broker: each message is a number, whose square is said. What is no number is rejected, with the reason; what
// could not be done now is given back.
//
//     amqp_worker DIRECTORY-WITH-DEFINITIONS CONNECTION ADDRESS COUNT
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <future>
#include <iostream>
#include <qconn/qconn.hpp>
#include <string_view>

int main(int argc, char** argv) {
    if (argc != 5) {
        std::cerr << "usage: amqp_worker DIRECTORY CONNECTION ADDRESS COUNT\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto bus = registry.get<qconn::AmqpClient>(argv[2]);

        std::promise<void> done;
        qconn::AmqpReceiverOptions options;
        options.source.address = argv[3];
        options.credit = 10;  // so many are under way to this worker, and not to another
        options.threshold = 5;
        // On an I/O thread, one message at a time. Long work belongs elsewhere: delivery.answer_later() gives what is to be called when it is done.
        options.on_message = [&, left = std::atoi(argv[4])](qconn::AmqpDelivery& delivery) mutable {
            if (left == 0) return delivery.release();
            const std::string_view text = delivery.text();
            long long number = 0;
            const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (fault != std::errc{} || end != text.data() + text.size())
                delivery.reject("example:no-number", "a whole number was expected");
            else
                std::cout << number * number << std::endl;  // accepted, where nothing else is said
            if (--left == 0) done.set_value();
        };
        qconn::AmqpReceiver receiver = bus->open_receiver(options, std::chrono::seconds{30});

        done.get_future().wait();
        receiver.close(std::chrono::seconds{10});  // the answers have arrived when it returns
        bus->close(std::chrono::seconds{10});
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
