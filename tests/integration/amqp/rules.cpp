// SPDX-License-Identifier: Apache-2.0
// A server that was written from the specification, checks what the client sends, and plays some 200 roles, most of which break the rules.
#include <algorithm>
#include <atomic>
#include <sstream>
#include <thread>

#include "integration/amqp/fixture.hpp"
#include "support/catch.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

struct Role {
    std::string name;
    bool legal;
};

/// As `amqpraw.py --roles` has them.
std::vector<Role> roles() {
    std::vector<Role> out;
    std::istringstream lines{raw_amqp_control("roles")};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        Role role{{}, false};
        std::string kind;
        // What coordinators play, and what is played over WebSocket, is shown in files of its own.
        if (words >> role.name >> kind && role.name.rfind("txn-", 0) != 0 && role.name.rfind("ws-", 0) != 0)
            role.legal = kind == "legal", out.push_back(role);
    }
    return out;
}

/// Roles that are legal, and end the connection, session or link, or keep back what is waited for: no message passes.
bool passes_nothing(const std::string& name) {
    static const std::vector<std::string> k_such{"silent-transfer",
                                                 "mechanisms-foreign",
                                                 "mechanisms-plain",
                                                 "outcome-",
                                                 "open-close",
                                                 "open-refused",
                                                 "open-redirect",
                                                 "close-later",
                                                 "begin-end",
                                                 "window-stays",
                                                 "no-handles",
                                                 "attach-refused",
                                                 "attach-redirect",
                                                 "attach-end",
                                                 "attach-close",
                                                 "detach-open",
                                                 "detach-later",
                                                 "reject",
                                                 "release",
                                                 "modify",
                                                 "detach-instead",
                                                 "end-instead",
                                                 "close-instead",
                                                 "credit-none",
                                                 "attach-small-messages",
                                                 "transfer-detach",
                                                 "settle-no-state",
                                                 "transfer-interleaved",
                                                 "open-one-channel",
                                                 "challenge",
                                                 "drain-sender"};
    return std::any_of(k_such.begin(), k_such.end(), [&](const std::string& one) { return name.rfind(one, 0) == 0; });
}

/// Roles for what comes before the open, which is where the others are chosen.
bool begins_early(const std::string& name) {
    static const std::vector<std::string> k_such{"silent-header", "silent-sasl", "silent-amqp",  "silent-accept", "cut-header",
                                                 "cut-sasl",      "cut-amqp",    "reset-header", "reset-sasl",    "reset-amqp",
                                                 "header-",       "mechanisms-", "outcome-",     "challenge"};
    return std::any_of(k_such.begin(), k_such.end(), [&](const std::string& one) { return name.rfind(one, 0) == 0; });
}

/// What happened, in a few words; ends in any case.
std::string use(const Role& role) {
    AmqpOptions options = to(raw_amqp());
    options.label = role.name;
    options.container_id = "role-" + role.name;
    options.virtual_host = role.name;
    options.connect_timeout = 1s;
    options.timeout = 2s;
    options.idle_timeout = 3s;
    options.max_message_size = 1'000'000;
    options.reconnect.enabled = false;
    std::string out;
    const auto step = [&](const char* what, const std::function<void()>& work) {
        try {
            work();
            out += std::string{what} + " ok; ";
            return true;
        } catch (const Error& error) {
            out += std::string{what} + ' ' + std::string{error.name()} + ": " + std::string{error.message()} + "; ";
            return false;
        }
    };
    AmqpClient client{options};
    AmqpSender sender;
    AmqpReceiver receiver;
    if (!step("connect", [&] { client.connect(); })) return out;
    if (step("open", [&] { sender = client.open_sender(sending_to(role.name + "/q")); }))
        for (int i = 0; i < 3; ++i)
            if (!step("send", [&] { sender.send(AmqpMessage::of_text("m" + std::to_string(i))); })) break;
    if (step("open", [&] { receiver = client.open_receiver(receiving_from(role.name + "/numbered/3")); }))
        for (int i = 0; i < 3; ++i)
            if (!step("receive", [&] { receiver.receive(); })) break;
    step("close", [&] { client.close(); });
    return out;
}

}  // namespace

TEST_CASE("whatever a peer does, each call ends, with what was wrong", "[amqp][integration]") {
    const std::vector<Role> all = roles();
    REQUIRE(all.size() > 150);
    std::vector<std::string> results(all.size());
    const auto run = [&](std::size_t i) {
        const auto begin = Clock::now();
        results[i] = use(all[i]);
        if (Clock::now() - begin > 40s) results[i] += "TOO LATE";
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (!begins_early(all[i].name)) continue;
        raw_amqp_control("role " + all[i].name);
        run(i);
    }
    raw_amqp_control("role broker");
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 12; ++t) {
        threads.emplace_back([&] {
            for (std::size_t i = next++; i < all.size(); i = next++)
                if (!begins_early(all[i].name)) run(i);
        });
    }
    for (std::thread& one : threads) one.join();
    for (std::size_t i = 0; i < all.size(); ++i) {
        CAPTURE(all[i].name, results[i]);
        CHECK(results[i].find("TOO LATE") == std::string::npos);
        CHECK(results[i].find("secret") == std::string::npos);
        if (all[i].legal && !passes_nothing(all[i].name)) CHECK(results[i].find("send ok; send ok; send ok;") != std::string::npos);
        if (std::getenv("QCONN_SHOW") != nullptr) WARN(all[i].name << (all[i].legal ? " (legal): " : ": ") << results[i]);
    }
    // What the checker has to say of this client. Messages that were on their way when credit was taken back are none of its faults, nor are answers
    // to messages that came without a number, or with one that another has, nor that nobody keeps to a millisecond.
    std::string breaches;
    std::istringstream lines{raw_amqp_control("breaches")};
    for (std::string line; std::getline(lines, line);)
        if (line.find("transfer without credit (delivery-count") == std::string::npos && line.find("disposition of 0 to 0") == std::string::npos &&
            line.find("idle-time-out is 1 ms") == std::string::npos)
            breaches += line + '\n';
    CHECK(breaches == "");
}
