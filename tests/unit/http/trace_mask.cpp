// SPDX-License-Identifier: Apache-2.0
#include "http/trace_mask.hpp"

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::http;

namespace {

constexpr std::string_view k_form = "application/x-www-form-urlencoded";

std::string body(std::string_view text, std::string_view type = {}, std::size_t most = 4096) { return TraceMask{}.body(text, type, most); }

}  // namespace

TEST_CASE("headers that are named like credentials are masked, their kind of log-in is told", "[http][trace]") {
    TraceMask mask;
    const Headers shown = mask.headers({{"Authorization", "Bearer C4nary"},
                                        {"authorization", "C4nary secret"},
                                        {"Proxy-Authorization", "Basic dTpDNG5hcnk="},
                                        {"X-Api-Key", "my C4nary"},
                                        {"Cookie", "s=C4nary"},
                                        {"WWW-Authenticate", "Bearer error=\"invalid_token\""},
                                        {"Location", "https://u:C4nary@h/p?access_token=C4nary&page=2"},
                                        {"Accept", "text/plain"}});
    CHECK(shown == Headers{{"Authorization", "Bearer <masked>"},
                           {"authorization", "<masked>"},
                           {"Proxy-Authorization", "Basic <masked>"},
                           {"X-Api-Key", "<masked>"},
                           {"Cookie", "<masked>"},
                           {"WWW-Authenticate", "Bearer error=\"invalid_token\""},
                           {"Location", "https://u:<masked>@h/p?access_token=<masked>&page=2"},
                           {"Accept", "text/plain"}});
}

TEST_CASE("of forms to a token server only what is known to be harmless is seen, of others all but what is named like a credential",
          "[http][trace]") {
    CHECK(
        body("grant_type=refresh_token&refresh_token=C4nary&client_id=edi&client_secret=C4nary&code_verifier=C4nary&own=C4nary&scope=a+b", k_form) ==
        "grant_type=refresh_token&refresh_token=<masked>&client_id=edi&client_secret=<masked>&code_verifier=<masked>&own=<masked>&scope=a+b");
    CHECK(body("name=jo&pass%77ord=C4nary&empty_token=&token=C4nary&flag", "application/x-www-form-urlencoded; charset=utf-8") ==
          "name=jo&pass%77ord=<masked>&empty_token=&token=<masked>&flag");
}

TEST_CASE("members of JSON that are named like credentials are masked where they stand", "[http][trace]") {
    CHECK(body(R"({"access_token":"C4nary","token_type":"Bearer","expires_in":60,"nested":{"Client-Secret" : "C4\"nary", "n": [1, {"pwd":1234}]}})",
               "application/json") ==
          R"({"access_token":"<masked>","token_type":"Bearer","expires_in":60,"nested":{"Client-Secret" : "<masked>", "n": [1, {"pwd":<masked>}]}})");
    CHECK(body(R"({"credentials": {"a": ["}", 1]}, "code": -32601, "use_token": true, "token": null})", "application/json") ==
          R"({"credentials": <masked>, "code": -32601, "use_token": true, "token": null})");
    CHECK(body(R"({"token": "C4nary that is cut)", "application/problem+json") == R"({"token": "<masked>")");
    CHECK(body(R"({"pass\u0077ord": "C4nary"})") == R"({"pass\u0077ord": "<masked>"})");
    CHECK(body(R"(["C4nary is no name", ": "])", "application/json") == R"(["C4nary is no name", ": "])");
}

TEST_CASE("elements, attributes and members of XML-RPC that are named like credentials are masked", "[http][trace]") {
    CHECK(body("<?xml version=\"1.0\"?><s:login xmlns:s=\"u\" password=\"C4nary\"><s:token a='b'>C4nary</s:token><n>1</n></s:login>", "text/xml") ==
          "<?xml version=\"1.0\"?><s:login xmlns:s=\"u\" password=\"<masked>\"><s:token a='b'><masked></s:token><n>1</n></s:login>");
    CHECK(body("<struct><member><name>password</name><value><string>C4nary</string></value></member>"
               "<member><name>user</name><value>jo</value></member></struct>",
               "text/xml") ==
          "<struct><member><name>password</name><value><string><masked></string></value></member>"
          "<member><name>user</name><value>jo</value></member></struct>");
    CHECK(body("<secret><![CDATA[C4nary]]></secret><secret>C4nary that is cut", "text/xml") == "<secret><masked></secret><secret><masked>");
}

TEST_CASE("lines of other texts are masked behind such a name", "[http][trace]") {
    CHECK(body("user: jo\napi-key: C4nary # old\nurl: a:b\n", "application/x-yaml") == "user: jo\napi-key: <masked>\nurl: a:b\n");
    CHECK(body("{user: jo, token: C4nary}", "application/x-yaml") == "{user: jo, token: <masked>");
}

TEST_CASE("bodies of several parts are not shown", "[http][trace]") {
    CHECK(body("--x\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nC4nary\r\n--x--", "multipart/form-data; boundary=x").empty());
}

TEST_CASE("what was masked once is taken out of all that follows", "[http][trace]") {
    TraceMask mask{[](std::string text) {
        if (const auto at = text.find("known"); at != std::string::npos) text.replace(at, 5, "${env:X}");
        return text;
    }};
    mask.headers({{"Authorization", "Basic dXNlcjpDNG5hcnk="}});  // user:C4nary
    CHECK(mask.body("grant_type=password&password=C4%6Eary-2", k_form, 100) == "grant_type=password&password=<masked>");

    CHECK(mask.text("C4nary and C4nary-2 and known") == "<masked> and <masked> and ${env:X}");
    CHECK(mask.body("no: C4nary", "text/plain", 100) == "no: <masked>");
    CHECK(TraceMask{}.text("C4nary") == "C4nary");
}

TEST_CASE("bodies are cut behind what is masked, not through it", "[http][trace]") {
    const std::string text = R"({"a": 1, "token": ")" + std::string(5000, 'C') + "\"}";
    CHECK(body(text, "application/json", 20) == R"({"a": 1, "token": "<)");
    CHECK(body(std::string(100, 'x'), "text/plain", 10) == std::string(10, 'x'));
}
