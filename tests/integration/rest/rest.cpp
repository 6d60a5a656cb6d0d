// SPDX-License-Identifier: Apache-2.0
// REST calls against httpbin, and against answers made for the purpose.
#include <qconn/rest/rest_client.hpp>

#include "integration/http/http_fixture.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr Form k_forms[] = {Form::blocking, Form::asynchronous};

RestOptions rest_options(const std::string& url) {
    RestOptions out;
    out.label = "shop-api";
    out.url = url;
    return out;
}

RestResponse call(RestClient& client, Form form, const RestCall& request, Deadline deadline = {}) {
    if (form == Form::blocking) return client.call(request, deadline);
    Outcomes<RestResponse> outcomes;
    client.async_call(request, deadline, outcomes.callback());
    REQUIRE(outcomes.wait(1));
    return outcomes.results().front().value();
}

Error failure(RestClient& client, Form form, const RestCall& request, Deadline deadline = {}) {
    try {
        call(client, form, request, deadline);
    } catch (const Error& error) { return error; }
    FAIL("it was answered");
    throw std::logic_error{"not reached"};
}

std::string answer(int status, const std::string& type, const std::string& body) {
    return "HTTP/1.1 " + std::to_string(status) + " X\r\n" + (type.empty() ? "" : "Content-Type: " + type + "\r\n") +
           "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

TEST_CASE("a value goes out and a value comes back", "[rest][integration]") {
    for (const Form form : k_forms) {
        RestClient client{rest_options(url(httpbin(), "/anything"))};
        const Value order = Map{{"id", 17}, {"name", "H\xC3\xA4mmer"}};
        for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
            const RestResponse response = call(client, form, {.method = method, .path = "orders", .body = order});
            CHECK(response.status == 200);
            CHECK(response.body["method"] == Value{method});
            CHECK(response.body["json"] == order);
            CHECK(response.body["headers"]["Content-Type"] == Value{"application/json;charset=utf-8"});
            CHECK(response.http.info.method == method);
        }
        const RestResponse got = call(client, form, {.path = "orders/17?x=1"});
        CHECK(got.body["args"]["x"] == Value{"1"});
        CHECK(got.body["headers"]["Accept"].as_string().find("text/x-yaml,application/x-yaml") == 0);
        CHECK(got.body["headers"]["Content-Type"].is_null());
    }
}

TEST_CASE("each format is sent as itself", "[rest][integration]") {
    RestClient client{rest_options(url(httpbin(), "/anything"))};
    const auto sent = [&](DataFormat format, Value body) {
        return client.call({.method = "POST", .path = "", .body = std::move(body), .data = format}).body;
    };
    CHECK(sent(DataFormat::url, Map{{"a", "1 2"}, {"b", "\xC3\xA4"}})["form"] == Value{Map{{"a", "1 2"}, {"b", "\xC3\xA4"}}});
    CHECK(sent(DataFormat::text, "hello")["data"] == Value{"hello"});
    CHECK(sent(DataFormat::yaml, Map{{"a", 1}})["data"].as_string().find("a: 1") != std::string_view::npos);
    CHECK(sent(DataFormat::xml, Map{{"a", 1}})["data"].as_string().find("<i4>1</i4>") != std::string_view::npos);
    CHECK(sent(DataFormat::rawxml, Map{{"a", 1}})["data"].as_string().find("<a>1</a>") != std::string_view::npos);
    CHECK(sent(DataFormat::bin, Value::binary("bytes"))["headers"]["Content-Type"] == Value{"application/octet-stream"});

    RestOptions quiet = rest_options(url(httpbin(), "/anything"));
    quiet.no_charset = true;
    quiet.data = DataFormat::url;
    RestClient other{quiet};
    const RestResponse response = other.post("", Map{{"a", "b"}});
    CHECK(response.body["headers"]["Content-Type"] == Value{"application/x-www-form-urlencoded"});
    CHECK(other.call({.method = "POST", .path = "", .body = "x", .headers = {{"Content-Type", "application/mine"}}, .data = DataFormat::text})
              .body["headers"]["Content-Type"] == Value{"application/mine"});
}

TEST_CASE("large bodies are compressed and the server reads them", "[rest][integration]") {
    RestOptions compressing = rest_options(url(httpbin(), "/anything"));
    compressing.send_coding = "gzip";
    RestClient client{compressing};
    CHECK(client.post("", Map{{"a", std::string(2000, 'x')}}).body["headers"]["Content-Encoding"] == Value{"gzip"});
    CHECK(client.post("", Map{{"a", "short"}}).body["headers"]["Content-Encoding"].is_null());
}

TEST_CASE("an empty answer is null", "[rest][integration]") {
    RestClient client{rest_options(url(nginx()))};
    CHECK(client.get("status/204").body.is_null());
    ScriptedServer server{answer(200, "application/json", "")};
    RestClient other{rest_options(server.url())};
    CHECK(other.get("").body.is_null());
}

TEST_CASE("the server's own error is the error", "[rest][integration]") {
    for (const Form form : k_forms) {
        ScriptedServer server{answer(409, "application/json", R"({"err":"ORDER-ERROR","desc":"no such order"})")};
        RestClient client{rest_options(server.url() + "api")};
        const Error error = failure(client, form, {.path = "orders/17?key=s3cret"});
        CHECK(error.name() == "ORDER-ERROR");
        CHECK(error.message().find("no such order") == 0);
        CHECK(error.message().find("REST URL " + server.url() + "api/orders/17") != std::string_view::npos);
        CHECK(error.message().find("s3cret") == std::string_view::npos);
        CHECK(error.connection() == "shop-api");
        REQUIRE(error.detail<HttpErrorDetail>() != nullptr);
        CHECK(error.detail<HttpErrorDetail>()->response.status == 409);

        ScriptedServer text{answer(500, "text/plain", "it broke")};
        RestClient second{rest_options(text.url())};
        CHECK(failure(second, form, {}).name() == "REST-RESPONSE-ERROR");

        RestClient third{rest_options(url(nginx()))};
        const Error plain = failure(third, form, {.path = "status/503"});
        CHECK(plain.name() == "HTTP-CLIENT-RECEIVE-ERROR");
        CHECK(plain.retryable());

        RestOptions lenient = rest_options(url(nginx()));
        lenient.error_passthru = true;
        RestClient passthru{lenient};
        CHECK(call(passthru, form, {.path = "status/503"}).body["status"] == Value{503});
    }
}

TEST_CASE("a server that repeats a secret does not get it into the message", "[rest][integration]") {
    ScriptedServer server{answer(401, "text/plain", "wrong password s3cretpass")};
    RestOptions secret = rest_options(server.url());
    secret.username = "u";
    secret.password = Secret{"s3cretpass"};
    RestClient client{secret};
    const Error error = failure(client, Form::blocking, {});
    CHECK(error.message().find("s3cretpass") == std::string_view::npos);
    CHECK(error.message().find("<masked>") != std::string_view::npos);
    CHECK(error.reason() == Reason::denied);
}

TEST_CASE("an answer that is no value is an error with the answer attached", "[rest][integration]") {
    for (const Form form : k_forms) {
        for (const auto& [type, body] :
             std::vector<std::pair<std::string, std::string>>{{"image/png", "x"}, {"application/json", "{"}, {"text/plain", "\xFF"}}) {
            INFO(type);
            ScriptedServer server{answer(200, type, body)};
            RestClient client{rest_options(server.url())};
            const Error error = failure(client, form, {});
            CHECK(error.name() == "DESERIALIZATION-ERROR");
            CHECK(error.connection() == "shop-api");
            REQUIRE(error.detail<HttpErrorDetail>() != nullptr);
            CHECK(error.detail<HttpErrorDetail>()->response.body == body);
        }
    }
}

TEST_CASE("a charset that the answer or the options name is heeded", "[rest][integration]") {
    ScriptedServer named{answer(200, "text/plain;charset=iso-8859-1", "\xE4")};
    CHECK(RestClient{rest_options(named.url())}.get("").body == Value{"\xC3\xA4"});
    ScriptedServer unnamed{answer(200, "text/plain", "\xE4")};
    RestOptions assuming = rest_options(unnamed.url());
    assuming.assume_charset = "ISO-8859-1";
    CHECK(RestClient{assuming}.get("").body == Value{"\xC3\xA4"});
}

TEST_CASE("a body that cannot be written is told by either form", "[rest][integration]") {
    for (const Form form : k_forms) {
        RestClient client{rest_options("http://127.0.0.1:1/")};
        CHECK(failure(client, form, {.method = "POST", .path = "", .body = List{1}, .data = DataFormat::url}).name() == "FORMURLENCODING-ERROR");
        CHECK(failure(client, form, {.method = "POST", .path = "", .body = Value::binary("x")}).name() == "SERIALIZATION-ERROR");
    }
}
