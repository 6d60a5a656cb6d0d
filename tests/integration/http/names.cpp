// SPDX-License-Identifier: Apache-2.0
// Names whose addresses nobody answers at.
#include <future>

#include "integration/http/http_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/name_service.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("a call after a failed connect looks the name up anew", "[http][integration]") {
    const auto passed = run_in_own_network("[inside-names]");
    if (!passed) WARN("skipped: no right to make namespaces");
    CHECK(passed.value_or(true));
}

TEST_CASE("inside: a call after a failed connect asks for the name again", "[.inside-names]") {
    if (!has_own_network()) return;
    const Form form = GENERATE(Form::blocking, Form::asynchronous);
    NameService names;
    const Runtime runtime{RuntimeOptions{}};
    const auto begin_with = [&](HttpClient& client, const std::string& address) {
        auto called = std::async(std::launch::async, [&client, form] { return call(client, form, {}, 60s); });
        CHECK(wait_until([&] { return names.asked() >= 2 || called.wait_for(0s) == std::future_status::ready; }, 30s));
        CHECK(names.was_asked());
        names.answer(0, address);
        return called;
    };
    const auto failure_with = [&](HttpClient& client, const std::string& address) {
        try {
            begin_with(client, address).get();
        } catch (const Error& error) { return error.reason(); }
        return Reason::none;
    };

    ScriptedServer server{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"};  // at 127.0.0.1 alone
    HttpClient moved{options("http://moved.test:" + std::to_string(server.port())), runtime};
    CHECK(failure_with(moved, "\2") == Reason::refused);
    CHECK(begin_with(moved, "\1").get().body == "ok");

    BlackHole hole;  // at 127.0.0.1 alone
    HttpOptions impatient = options("http://silent.test:" + std::to_string(hole.port()));
    impatient.connect_timeout = 1s;
    HttpClient silent{impatient, runtime};
    CHECK(failure_with(silent, "\1") == Reason::timeout);
    CHECK(failure_with(silent, "\2") == Reason::refused);
}
