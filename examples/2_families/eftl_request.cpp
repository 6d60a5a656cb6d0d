// SPDX-License-Identifier: Apache-2.0
// Request and reply by an eFTL server: one side adds two numbers for those who ask.
//
//     eftl_request DIRECTORY-WITH-DEFINITIONS CONNECTION serve COUNT
//     eftl_request DIRECTORY-WITH-DEFINITIONS CONNECTION ask A B
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <qconn/qconn.hpp>
#include <string_view>

namespace {

void serve(qconn::EftlClient& bus, int count) {
    qconn::EftlSubscription what;
    what.matcher.equals("type", "add").present("a").present("b");
    const std::string id = bus.subscribe(what, std::chrono::seconds{30});
    std::cout << "ready" << std::endl;
    while (count > 0) {
        const qconn::EftlMessage request = bus.receive(id);
        if (!request.is_request()) continue;
        qconn::EftlMessage sum;
        sum.set_long("sum", request.get_long("a").value_or(0) + request.get_long("b").value_or(0));
        bus.reply(request, sum, std::chrono::seconds{10});
        --count;
    }
}

void ask(qconn::EftlClient& bus, long long a, long long b) {
    qconn::EftlMessage question;
    question.set_string("type", "add").set_long("a", a).set_long("b", b);
    std::cout << bus.request(question, std::chrono::seconds{10}).get_long("sum").value_or(0) << '\n';
}

}  // namespace

int main(int argc, char** argv) {
    const std::string_view role = argc > 3 ? argv[3] : "";
    if (!(role == "serve" && argc == 5) && !(role == "ask" && argc == 6)) {
        std::cerr << "usage: eftl_request DIRECTORY CONNECTION serve COUNT | ask A B\n";
        return 2;
    }
    try {
        qconn::Registry registry;
        registry.load(argv[1]);
        const auto bus = registry.get<qconn::EftlClient>(argv[2]);
        if (role == "serve")
            serve(*bus.pin(), std::atoi(argv[4]));
        else
            ask(*bus.pin(), std::atoll(argv[4]), std::atoll(argv[5]));
        bus->disconnect(std::chrono::seconds{10});
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
