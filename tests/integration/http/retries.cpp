// SPDX-License-Identifier: Apache-2.0
// Calls that are tried again.
#include <qconn/net/runtime.hpp>

#include "http_fixture.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

std::string answer(const std::string& status, const std::string& headers = {}) {
    return "HTTP/1.1 " + status + "\r\n" + headers + "Content-Length: 2\r\n\r\nok";
}

HttpOptions retrying(const std::string& url, int attempts = 4) {
    HttpOptions out = options(url);
    out.retry.attempts = attempts;
    out.retry.backoff = 1ms;
    return out;
}

}  // namespace

TEST_CASE("a call is made again until it succeeds, in both forms", "[http][integration][retry]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        std::atomic<int> asked{0};
        ScriptedServer server{
            [&](int, int) { return std::optional{++asked <= 2 ? answer("503 Service Unavailable", "Retry-After: 0\r\n") : answer("200 OK")}; }};
        HttpClient client{retrying(server.url())};
        const HttpResponse done = call(client, form, {});
        CHECK(done.status == 200);
        CHECK(done.info.retries == 2);
        CHECK(asked == 3);

        // What may be carried out twice only by permission.
        asked = 0;
        const Error refused = failure(client, form, {.method = "POST", .body = "x"});
        CHECK(refused.phase() == Phase::protocol);
        CHECK(asked == 1);
        asked = 0;
        CHECK(call(client, form, {.method = "POST", .body = "x", .repeatable = true}).status == 200);
        CHECK(asked == 3);
    }
}

TEST_CASE("the last of all tries is the outcome, and says how many there were", "[http][integration][retry]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        ScriptedServer server{answer("503 Service Unavailable")};
        HttpClient client{retrying(server.url(), 3)};
        const Error error = failure(client, form, {});
        CHECK(has(error.message(), "after 3 tries: "));
        CHECK(error.detail<HttpErrorDetail>()->response.status == 503);
        CHECK(wait_until([&] { return server.requests() == 3; }));

        // The wait would go beyond the deadline; and the answer asks for too much.
        HttpOptions slow = retrying(server.url());
        slow.retry.backoff = 1h;
        slow.retry.max_backoff = 1h;
        HttpClient patient{slow};
        CHECK_FALSE(has(failure(patient, form, {}, 20s).message(), "tries"));
        ScriptedServer busy{answer("429 Too Many Requests", "Retry-After: 3600\r\n")};
        HttpClient eager{retrying(busy.url())};
        CHECK(failure(eager, form, {}).detail<HttpErrorDetail>()->response.status == 429);
        CHECK(wait_until([&] { return busy.requests() == 1; }));
    }
}

TEST_CASE("a server that is down is tried again, within the budget", "[http][integration][retry]") {
    HttpOptions none = retrying("http://127.0.0.1:" + std::to_string(1) + "/", 5);
    none.retry.budget = 0;
    HttpClient client{none};
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        const Error error = failure(client, form, {});
        CHECK(error.reason() == Reason::refused);
        CHECK(has(error.message(), "after 5 tries: "));
    }
    // Eight of the first ten are used up.
    CHECK(has(failure(client, Form::blocking, {}).message(), "after 3 tries: "));
    CHECK_FALSE(has(failure(client, Form::blocking, {}).message(), "tries"));
}

TEST_CASE("a wait between tries ends with a cancellation and with the client", "[http][integration][retry]") {
    ScriptedServer server{answer("503 Service Unavailable")};
    HttpOptions slow = retrying(server.url());
    slow.retry.backoff = 1h;
    slow.retry.max_backoff = 1h;
    auto client = std::make_unique<HttpClient>(slow);
    Responses responses;
    Operation first = client->async_request({}, {}, responses.callback());
    CHECK(wait_until([&] { return server.requests() == 1; }));
    first.cancel();
    REQUIRE(responses.wait(1));
    CHECK(responses.results().at(0).error().code() == make_error_code(HttpErrc::cancelled));
    CHECK(first.done());

    client->async_request({}, {}, responses.callback());
    bool ended = false;
    std::thread blocking{[&] {
        try {
            client->get("");
        } catch (const Error& error) { ended = error.code() == make_error_code(HttpErrc::cancelled); }
    }};
    CHECK(wait_until([&] { return server.requests() == 3; }));
    client.reset();
    blocking.join();
    CHECK(ended);
    REQUIRE(responses.wait(2));
    CHECK(responses.results().at(1).error().code() == make_error_code(HttpErrc::cancelled));
}
