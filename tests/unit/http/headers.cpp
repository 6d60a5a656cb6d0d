// SPDX-License-Identifier: Apache-2.0
#include <qconn/http/http_client.hpp>

#include "support/catch.hpp"

using qconn::Headers;

TEST_CASE("header names compare without case", "[http]") {
    const Headers headers{{"Content-Type", "text/plain"}, {"X-A", "1"}};

    CHECK(headers.get("content-type") == "text/plain");
    CHECK(*headers.find("x-a") == "1");
    CHECK(headers.find("x-b") == nullptr);
    CHECK(headers.get("x-b").empty());
}

TEST_CASE("setting a header replaces all of its name, in the first one's place", "[http]") {
    Headers headers{{"A", "1"}, {"B", "2"}, {"a", "3"}};

    headers.set("a", "9");

    CHECK(headers == Headers{{"A", "9"}, {"B", "2"}});
    headers.set("C", "4");
    CHECK(headers.size() == 3);
    CHECK(headers.erase("b"));
    CHECK_FALSE(headers.erase("b"));
}
