// SPDX-License-Identifier: Apache-2.0
#include <future>

#include "integration/net/pinging.hpp"
#include "net/dial.hpp"
#include "net/resolver.hpp"
#include "net/stream.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/name_service.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

NetPing to(const std::string& host, std::uint16_t port = 9) {
    return {.endpoint = endpoint(host, port), .dialogue = {}, .keep = false, .start_tls = nullptr};
}

}  // namespace

TEST_CASE("a silent name service holds up nobody", "[net][resolver][integration]") {
    const auto passed = run_in_own_network("[inside]");
    if (!passed) WARN("skipped: no right to make namespaces");
    CHECK(passed.value_or(true));
}

TEST_CASE("a name is looked up anew once a connection to its address has failed", "[net][resolver][integration]") {
    const auto passed = run_in_own_network("[inside-anew]");
    if (!passed) WARN("skipped: no right to make namespaces");
    CHECK(passed.value_or(true));
}

TEST_CASE("inside: a ping after a failed one asks for the name again", "[.inside-anew]") {
    if (!has_own_network()) return;
    NameService names;
    const Runtime runtime{RuntimeOptions{}};
    const auto ping_with = [&](const NetPing& plan, Deadline deadline, const std::string& address) {
        auto pinged = std::async(std::launch::async, [&] { return ping(runtime, plan, deadline); });
        CHECK(wait_until([&] { return names.asked() >= 2 || pinged.wait_for(0s) == std::future_status::ready; }, k_enough));
        CHECK(names.was_asked());
        names.answer(0, address);
        return pinged.get();
    };

    SilentServer server;  // at 127.0.0.1 alone
    const NetPing moved = to("moved.test", server.port());
    auto result = ping_with(moved, Deadline{k_enough}, "\2");
    REQUIRE(result.error);
    CHECK(result.error->reason() == Reason::refused);
    result = ping_with(moved, Deadline{k_enough}, "\1");
    INFO(text_of(result));
    CHECK(result.ok);

    BlackHole hole;  // at 127.0.0.1 alone
    const NetPing silent = to("silent.test", hole.port());
    result = ping_with(silent, Deadline{1s}, "\1");
    REQUIRE(result.error);
    CHECK(result.error->phase() == Phase::connect);
    CHECK(result.error->reason() == Reason::timeout);
    result = ping_with(silent, Deadline{k_enough}, "\2");
    REQUIRE(result.error);
    CHECK(result.error->reason() == Reason::refused);
}

TEST_CASE("inside: look-ups end at their deadline or when they are cancelled", "[.inside]") {
    if (!has_own_network()) return;
    NameService names;
    SilentServer server;
    {
        const Runtime runtime{RuntimeOptions{.resolver_threads = 2}};
        REQUIRE(ping(runtime, to("127.0.0.1", server.port())).ok);
        REQUIRE(ping(runtime, to("localhost", server.port())).ok);
        auto& loop = runtime.impl().loop();

        auto start = Clock::now();
        auto result = ping(runtime, to("one.test"), Deadline{200ms});
        CHECK(Clock::now() - start < 3s);
        REQUIRE(result.error);
        INFO(text_of(result));
        CHECK(result.error->name() == "TIMEOUT");
        CHECK(result.error->phase() == Phase::resolve);
        CHECK(result.error->reason() == Reason::timeout);
        CHECK(text_of(result).find("one.test") != std::string::npos);
        CHECK(runtime.impl().resolver().hung() == 1);

        // Another name finds another thread; a name of this machine is answered meanwhile.
        std::promise<Error> promise;
        auto ended = promise.get_future();
        auto operation = net::async_dial(loop, endpoint("two.test", 9), "test", Deadline{60s}, nullptr,
                                         [&](Result<std::unique_ptr<net::Stream>> dialled) { promise.set_value(dialled.error()); });
        CHECK(ping(runtime, to("localhost", server.port())).ok);
        CHECK(wait_until([&] { return names.asked() >= 4; }));  // both are being asked for
        start = Clock::now();
        operation.cancel();
        REQUIRE(ended.wait_for(k_enough) == std::future_status::ready);
        CHECK(Clock::now() - start < 3s);
        const auto error = ended.get();
        CHECK(error.name() == "CANCELLED");
        CHECK(error.phase() == Phase::resolve);

        // As many hang as may: the next is told at once, and does not make it worse.
        CHECK(runtime.impl().resolver().hung() == 2);
        result = ping(runtime, to("three.test"), Deadline{5s});
        REQUIRE(result.error);
        CHECK(result.error->name() == "RESOLVE-ERROR");
        CHECK(result.error->reason() == Reason::resolver);
        CHECK(ping(runtime, to("127.0.0.1", server.port())).ok);
    }
    // The runtime has gone without waiting for the two that hang.
}
