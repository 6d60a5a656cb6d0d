// SPDX-License-Identifier: Apache-2.0
// Transactions with a coordinator that was written from the specification, and plays what real ones do and what none should.
#include <algorithm>
#include <atomic>
#include <optional>
#include <sstream>
#include <thread>

#include "integration/amqp/fixture.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

AmqpOptions options_for(const std::string& label) {
    AmqpOptions options = to(raw_amqp());
    options.label = label;
    options.container_id = "transactions-" + label;
    options.virtual_host = "broker";
    options.timeout = 20s;
    return options;
}

AmqpReceiverOptions fetching_from(const std::string& address) {
    AmqpReceiverOptions options = receiving_from(address);
    options.mode = AmqpReceiverOptions::Mode::fetch;
    return options;
}

/// All that is in a queue, by another client; the texts with commas between.
std::string content(const std::string& address) {
    AmqpClient client{options_for("reader")};
    AmqpReceiver receiver = client.open_receiver(fetching_from(address), soon());
    std::string all;
    for (;;) {
        try {
            const AmqpReceived one = receiver.fetch(Deadline{300ms});
            all += (all.empty() ? "" : ",") + std::string{one.message.text()};
        } catch (const Error& error) {
            CHECK(error.name() == "AMQP-RECEIVE-ERROR");
            break;
        }
    }
    client.close(soon());
    return all;
}

void fill(const std::string& address, int messages) {
    AmqpClient client{options_for("writer")};
    AmqpSender sender = client.open_sender(sending_to(address), soon());
    for (int i = 0; i < messages; ++i) sender.send(AmqpMessage::of_text(std::to_string(i)), soon());
    client.close(soon());
}

/// "AMQP-TRANSACTION-ERROR", …
std::string name_of(const Error& error) { return std::string{error.name()}; }

}  // namespace

TEST_CASE("what is sent in a transaction is there when it is committed, and not before", "[amqp][integration]") {
    const std::string address = GENERATE(as<std::string>{}, "txn/blocking", "txn/asynchronous");
    AmqpClient client{options_for("sender")};
    AmqpSender sender = client.open_sender(sending_to(address), soon());
    AmqpTransaction transaction = client.begin_transaction({}, soon());
    CHECK(transaction.is_active());
    CHECK_FALSE(transaction.id().empty());
    if (address == "txn/blocking") {
        for (const char* text : {"a", "b", "c"}) sender.send(AmqpMessage::of_text(text), transaction, soon());
        CHECK(content(address).empty());
        transaction.commit(soon());
    } else {
        Seen seen;
        for (const char* text : {"a", "b", "c"})
            sender.async_send(AmqpMessage::of_text(text), transaction, soon(), [&](const Result<AmqpOutcome>& outcome) {
                seen.add(outcome ? outcome->shown() : std::string{outcome.error().message()});
            });
        transaction.async_commit(soon(), [&](const Result<void>& result) { seen.add(result ? "committed" : std::string{result.error().message()}); });
        REQUIRE(seen.wait(4));
        CHECK(seen.all() == std::vector<std::string>{"accepted", "accepted", "accepted", "committed"});
    }
    CHECK_FALSE(transaction.is_active());
    CHECK(content(address) == "a,b,c");
    const Error late = error_of([&] { sender.send(AmqpMessage::of_text("d"), transaction, soon()); });
    CHECK(name_of(late) == "AMQP-TRANSACTION-ERROR");
    CHECK(late.message().find("it was committed") != std::string_view::npos);
    CHECK(name_of(error_of([&] { transaction.commit(soon()); })) == "AMQP-TRANSACTION-ERROR");
    CHECK(name_of(error_of([&] { transaction.rollback(soon()); })) == "AMQP-TRANSACTION-ERROR");
    client.close(soon());
}

TEST_CASE("what is sent in a transaction that is rolled back, or whose handle goes, never was", "[amqp][integration]") {
    AmqpClient client{options_for("regret")};
    AmqpSender sender = client.open_sender(sending_to("txn/regret"), soon());
    {
        AmqpTransaction transaction = client.begin_transaction({}, soon());
        sender.send(AmqpMessage::of_text("a"), transaction, soon());
        transaction.rollback(soon());
        transaction.rollback(soon());  // there is nothing to do any more
        CHECK(name_of(error_of([&] { transaction.commit(soon()); })) == "AMQP-TRANSACTION-ERROR");
    }
    {
        AmqpTransaction forgotten = client.begin_transaction({}, soon());
        sender.send(AmqpMessage::of_text("b"), forgotten, soon());
    }
    sender.send(AmqpMessage::of_text("outside"), soon());
    CHECK(content("txn/regret") == "outside");
    client.close(soon());
}

TEST_CASE("what is accepted in a transaction is gone when it is committed, and comes again when it is rolled back", "[amqp][integration]") {
    fill("txn/taken", 3);
    AmqpClient client{options_for("taker")};
    AmqpReceiverOptions options = receiving_from("txn/taken");
    options.auto_accept = false;
    AmqpReceiver receiver = client.open_receiver(options, soon());
    {
        AmqpTransaction transaction = client.begin_transaction({}, soon());
        for (int i = 0; i < 2; ++i) {
            const AmqpReceived one = receiver.receive(soon());
            CHECK(one.message.text() == std::to_string(i));
            one.answer(AmqpOutcome::accepted().in(transaction));
        }
        transaction.rollback(soon());
    }
    const AmqpReceived third = receiver.receive(soon());
    CHECK(third.message.text() == "2");
    AmqpTransaction transaction = client.begin_transaction({}, soon());
    third.answer(AmqpOutcome::accepted().in(transaction));
    for (int i = 0; i < 2; ++i) {
        const AmqpReceived again = receiver.receive(soon());
        CHECK(again.message.text() == std::to_string(i));
        again.answer(i == 0 ? AmqpOutcome::accepted().in(transaction) : AmqpOutcome::released());
    }
    transaction.commit(soon());
    client.close(soon());
    CHECK(content("txn/taken") == "1");
}

TEST_CASE("messages are moved from one queue to another, all or none, by a handler", "[amqp][integration]") {
    fill("txn/from", 20);
    AmqpClient client{options_for("mover")};
    AmqpSender sender = client.open_sender(sending_to("txn/to"), soon());
    Seen seen;
    AmqpTransaction transaction = client.begin_transaction({}, soon());
    AmqpReceiverOptions options = receiving_from("txn/from");
    options.on_message = [&](AmqpDelivery& delivery) {
        sender.async_send(delivery.message(), transaction, {}, [&](const Result<AmqpOutcome>& outcome) { seen.add(outcome ? "sent" : "lost"); });
        delivery.set_outcome(AmqpOutcome::accepted().in(transaction));
    };
    AmqpReceiver receiver = client.open_receiver(options, soon());
    REQUIRE(seen.wait(20));
    CHECK(content("txn/to").empty());
    transaction.commit(soon());
    client.close(soon());
    CHECK(content("txn/from").empty());
    std::string expected = "0";
    for (int i = 1; i < 20; ++i) expected += ',' + std::to_string(i);
    CHECK(content("txn/to") == expected);
}

TEST_CASE("a transaction is of one client and one session, and its messages are unsettled", "[amqp][integration]") {
    AmqpClient client{options_for("one")};
    AmqpClient other{options_for("two")};
    AmqpTransaction transaction = client.begin_transaction("night", soon());
    CHECK(transaction.session() == "night");
    const auto refusal = [&](AmqpClient& of, AmqpSenderOptions options) {
        AmqpSender sender = of.open_sender(std::move(options), soon());
        return std::string{error_of([&] { sender.send(AmqpMessage::of_text("x"), transaction, soon()); }).message()};
    };
    AmqpSenderOptions options = sending_to("txn/wrong");
    CHECK(refusal(client, options).find("it belongs to another session") != std::string::npos);
    CHECK(refusal(other, options).find("it is another client's") != std::string::npos);
    options.session = "night";
    options.settle_mode = AmqpSettleMode::settled;
    CHECK(refusal(client, options).find("the link sends all messages settled") != std::string::npos);
    options.settle_mode = AmqpSettleMode::mixed;
    options.settled = true;
    AmqpSender sender = client.open_sender(options, soon());
    sender.send(AmqpMessage::of_text("x"), transaction, soon());
    transaction.commit(soon());
    CHECK(content("txn/wrong") == "x");
    AmqpTransaction none;
    CHECK_FALSE(none.is_active());
    CHECK(name_of(error_of([&] { none.commit(soon()); })) == "AMQP-LINK-ERROR");
}

TEST_CASE("threads commit and roll back beside each other", "[amqp][integration]") {
    AmqpClient client{options_for("many")};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&client, t] {
            const std::string session = t % 2 == 0 ? "even" : "odd";
            AmqpSenderOptions options = sending_to("txn/many" + std::to_string(t));
            options.session = session;
            AmqpSender sender = client.open_sender(options, soon());
            for (int i = 0; i < 20; ++i) {
                AmqpTransaction transaction = client.begin_transaction(session, soon());
                for (int k = 0; k < 3; ++k)
                    sender.async_send(AmqpMessage::of_text(std::to_string(i)), transaction, soon(), [](const Result<AmqpOutcome>&) {});
                i % 2 == 0 ? transaction.commit(soon()) : transaction.rollback(soon());
            }
        });
    }
    for (std::thread& one : threads) one.join();
    client.close(soon());
    std::string expected;
    for (int i = 0; i < 20; i += 2)
        for (int k = 0; k < 3; ++k) expected += (expected.empty() ? "" : ",") + std::to_string(i);
    for (int t = 0; t < 4; ++t) CHECK(content("txn/many" + std::to_string(t)) == expected);
}

TEST_CASE("the end of a client ends what is under way in its transactions", "[amqp][integration]") {
    Seen seen;
    AmqpTransaction transaction;
    {
        AmqpOptions options = options_for("gone");
        options.virtual_host = "txn-discharge-silent";
        AmqpClient client{options};
        transaction = client.begin_transaction({}, soon());
        transaction.async_commit({}, [&](const Result<void>& result) { seen.add(result ? "committed" : name_of(result.error())); });
        client.async_begin_transaction({}, {}, [&](const Result<AmqpTransaction>& result) { seen.add(result ? "begun" : name_of(result.error())); });
    }
    REQUIRE(seen.wait(2));
    const auto all = seen.all();
    CHECK(std::count(all.begin(), all.end(), "committed") == 0);
    CHECK_FALSE(transaction.is_active());
    CHECK(name_of(error_of([&] { transaction.commit(soon()); })) != "NO-ERROR");
}

namespace {

struct Use {
    std::string told;
    bool committed{false};  // as the client says
    bool unknown{false};
};

/// Sends three messages in a transaction of a peer that plays a role, and commits.
Use use(const std::string& role) {
    AmqpOptions options = options_for(role);
    options.virtual_host = role;
    options.connect_timeout = 2s;
    options.timeout = 1s;
    options.reconnect.enabled = false;
    Use out;
    const auto step = [&](const char* what, const std::function<void()>& work) {
        try {
            work();
            out.told += std::string{what} + " ok; ";
            return true;
        } catch (const Error& error) {
            out.told += std::string{what} + ' ' + name_of(error) + ": " + std::string{error.message()} + "; ";
            if (std::string_view{what} == "commit")
                out.unknown =
                    error.name() == "AMQP-OUTCOME-UNKNOWN" || error.message().find("whether it was committed is unknown") != std::string_view::npos;
            return false;
        }
    };
    AmqpClient client{options};
    AmqpSender sender;
    AmqpTransaction transaction;
    if (!step("connect", [&] { client.connect(); })) return out;
    if (!step("open", [&] { sender = client.open_sender(sending_to("txn-of-" + role)); })) return out;
    if (!step("begin", [&] { transaction = client.begin_transaction(); })) return out;
    for (int i = 0; i < 3; ++i) step("send", [&] { sender.send(AmqpMessage::of_text("m"), transaction); });
    if (role.rfind("txn-timeout", 0) == 0 || role == "txn-detach" || role == "txn-detach-plain" || role == "txn-end" || role == "txn-close" ||
        role == "txn-cut")
        std::this_thread::sleep_for(400ms);  // what they do comes after 200 ms
    out.committed = step("commit", [&] { transaction.commit(); });
    step("close", [&] { client.close(); });
    return out;
}

}  // namespace

TEST_CASE("whatever a coordinator does, each call ends, and what the client says of a commit is true", "[amqp][integration]") {
    std::vector<std::pair<std::string, bool>> roles;  // and whether it is legal
    std::istringstream lines{raw_amqp_control("roles")};
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words{line};
        std::string name;
        std::string kind;
        if (words >> name >> kind && name.rfind("txn-", 0) == 0) roles.emplace_back(name, kind == "legal");
    }
    REQUIRE(roles.size() > 60);
    std::vector<Use> uses(roles.size());
    std::vector<std::string> contents(roles.size());
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 12; ++t) {
        threads.emplace_back([&] {
            for (std::size_t i = next++; i < roles.size(); i = next++) uses[i] = use(roles[i].first);
        });
    }
    for (std::thread& one : threads) one.join();
    for (std::size_t i = 0; i < roles.size(); ++i) {
        const auto& [name, legal] = roles[i];
        contents[i] = content("txn-of-" + name);
        CAPTURE(name, uses[i].told, contents[i]);
        if (std::getenv("QCONN_SHOW") != nullptr) WARN(name << (legal ? " (legal): " : ": ") << uses[i].told << " [" << contents[i] << ']');
        if (uses[i].unknown) continue;
        // Those that tell what is not so are not to be seen through.
        const bool lies = !legal && (name == "txn-post-silent" || name == "txn-discharge-rejected-foreign");
        if (!lies) CHECK((contents[i] == "m,m,m") == uses[i].committed);
        if (!lies && !uses[i].committed) CHECK(contents[i].empty());
    }
    std::string breaches;
    std::istringstream found{raw_amqp_control("breaches")};
    for (std::string line; std::getline(found, line);)
        if (line.find("txn-") != std::string::npos) breaches += line + '\n';
    CHECK(breaches == "");
}
