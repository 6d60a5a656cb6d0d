// SPDX-License-Identifier: Apache-2.0
#include "cli/redirect.hpp"

#include "support/catch.hpp"

using namespace qconn::cli;

namespace {

RedirectAnswer answer(const std::string& target, const std::string& method = "GET") {
    return answer_redirect(method + " " + target + " HTTP/1.1\r\nHost: x\r\n\r\n", "/back", "S1");
}

}  // namespace

TEST_CASE("a redirect brings a code or an error, each once", "[cli][auth]") {
    const auto back = read_redirect("state=S%201&code=a+b%2Fc&session_state=x");
    REQUIRE(back);
    CHECK(back->code == "a b/c");
    CHECK(back->state == "S 1");
    const auto refused = read_redirect("error=access_denied&error_description=said%20no&state=S1");
    REQUIRE(refused);
    CHECK(refused->error == "access_denied");
    CHECK(refused->description == "said no");
    for (const char* odd : {"", "state=S1", "code=a&code=b", "code=a&error=b", "code=", "code"}) {
        INFO(odd);
        CHECK_FALSE(read_redirect(odd));
    }
}

TEST_CASE("what a person copies may be the URL, its query, or the code", "[cli][auth]") {
    for (const char* text :
         {"https://app.example/back?code=C1&state=S1#x", " \"http://127.0.0.1:1/?state=S1&code=C1\"\n", "?code=C1&state=S1", "code=C1&state=S1"}) {
        INFO(text);
        const auto back = read_pasted(text);
        REQUIRE(back);
        CHECK(back->code == "C1");
        CHECK(back->state == "S1");
    }
    const auto code = read_pasted("4%2F0Ab\r\n");
    REQUIRE(code);
    CHECK(code->code == "4/0Ab");
    CHECK(code->state.empty());
    for (const char* odd : {"", "  ", "https://app.example/back", "two words", "https://app.example/?page=2"}) {
        INFO(odd);
        CHECK_FALSE(read_pasted(odd));
    }
}

TEST_CASE("a browser can come back to this machine where the redirect URL leads there without TLS", "[cli][auth]") {
    const auto place = redirect_place("http://localhost:8085/back?x=1");
    REQUIRE(place);
    CHECK(place->port == 8085);
    CHECK(place->url(place->port) == "http://localhost:8085/back?x=1");
    CHECK(redirect_place("auto")->url(17) == "http://127.0.0.1:17/");
    CHECK(redirect_place("http://[::1]")->url(17) == "http://[::1]:17/");
    for (const char* elsewhere : {"https://127.0.0.1/", "http://app.example/", "urn:ietf:wg:oauth:2.0:oob", "myapp://back"}) {
        INFO(elsewhere);
        CHECK_FALSE(redirect_place(elsewhere));
    }
}

TEST_CASE("only what belongs to the log-in ends it, and no page repeats what came", "[cli][auth]") {
    const RedirectAnswer taken = answer("/back?code=C1&state=S1");
    REQUIRE(taken.result);
    CHECK(taken.status == 200);
    CHECK(taken.result->code == "C1");
    const RedirectAnswer refused = answer("/back?error=%3Cb%3E&state=S1");
    REQUIRE(refused.result);
    CHECK(refused.result->error == "<b>");
    CHECK(refused.message().find("<b>") == std::string::npos);
    CHECK(refused.message().find("Cache-Control: no-store") != std::string::npos);
    for (const char* foreign : {"/back?code=C1&state=S2", "/back?code=C1", "/back?error=access_denied&state="}) {
        INFO(foreign);
        CHECK(answer(foreign).status == 400);
        CHECK(answer(foreign).is_foreign);
        CHECK_FALSE(answer(foreign).result);
    }
    CHECK(answer("/favicon.ico").status == 404);
    CHECK(answer("/back").status == 400);
    CHECK(answer("/back?code=C1&state=S1", "POST").status == 405);
    CHECK_FALSE(answer_redirect("GET /?code=C1&state= HTTP/1.1\r\n\r\n", "/", "").result);
}
