// SPDX-License-Identifier: Apache-2.0
#include "sinks/webhook_body.hpp"

#include <memory>

#include <qconn/http/http_client.hpp>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::sinks;
using namespace std::chrono_literals;

namespace {

Error answered(int status) {
    HttpResponse response;
    response.status = status;
    return Error{HttpErrc::receive, "HTTP-CLIENT-RECEIVE-ERROR", "no"}.with_detail(std::make_shared<HttpErrorDetail>(std::move(response)));
}

}  // namespace

TEST_CASE("only what is refused for its content is given up, and only alone", "[sinks]") {
    for (const int status : {400, 413, 422}) {
        CHECK(judge(answered(status), 2) == Verdict::halve);
        CHECK(judge(answered(status), 1) == Verdict::refuse);
    }
    for (const int status : {401, 403, 404, 408, 429, 500, 503}) CHECK(judge(answered(status), 1) == Verdict::again);
    CHECK(judge(make_error(Errc::timeout, "too late"), 1) == Verdict::again);
}

TEST_CASE("waits between posts double up to the longest", "[sinks]") {
    CHECK(back_off(1, 500ms, 60s) == 500ms);
    CHECK(back_off(2, 500ms, 60s) == 1s);
    CHECK(back_off(7, 500ms, 60s) == 32s);
    CHECK(back_off(8, 500ms, 60s) == 60s);
    CHECK(back_off(1'000'000, 500ms, 60s) == 60s);
}

TEST_CASE("a post says whose it is, what is missing, and the events", "[sinks]") {
    CHECK(webhook_body("ab12", 3, {}) == R"({"run":"ab12","dropped":3,"events":[]})");
    Event event;
    event.name = "shop";
    const std::string body = webhook_body("ab12", 0, {std::make_shared<const Event>(event), std::make_shared<const Event>(event)});
    CHECK(body.starts_with(R"({"run":"ab12","dropped":0,"events":[{"event":"up","name":"shop",)"));
}
