// SPDX-License-Identifier: Apache-2.0
#include "rest/body.hpp"
#include "http/content_type.hpp"

#include <functional>

#include "rest/rest_error.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::rest;

namespace {

Error error_of(const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) { return error; }
    FAIL("nothing was thrown");
    throw std::logic_error{"not reached"};
}

const Value k_order = Map{{"id", 17}, {"lines", List{Map{{"sku", "a b"}, {"n", 2}}}}};

}  // namespace

TEST_CASE("each format has its Content-Type and reads back", "[rest]") {
    struct Case {
        DataFormat format;
        std::string_view name;
        std::string type;
    };
    for (const Case& one : {Case{DataFormat::automatic, "auto", "application/json"}, Case{DataFormat::json, "json", "application/json"},
                            Case{DataFormat::yaml, "yaml", "text/x-yaml"}, Case{DataFormat::xml, "xml", "text/xml"}}) {
        INFO(one.name);
        CHECK(to_string(one.format) == one.name);
        const Encoded encoded = encode_body(k_order, one.format, false);
        CHECK(encoded.content_type == one.type + ";charset=utf-8");
        CHECK(decode_body(encoded.body, encoded.content_type, {}) == k_order);
        CHECK(encode_body(k_order, one.format, true).content_type == one.type);
    }
    const Encoded raw = encode_body(Map{{"order", Map{{"id", "17"}}}}, DataFormat::rawxml, false);
    CHECK(raw.content_type == "application/xml;charset=utf-8");
    CHECK(raw.body.find("<order><id>17</id></order>") != std::string::npos);
    CHECK(decode_body(raw.body, raw.content_type, {})["order"]["id"] == Value{"17"});

    const Encoded form = encode_body(Map{{"a", "1 2"}, {"b", "x&y"}}, DataFormat::url, false);
    CHECK(form.content_type == "application/x-www-form-urlencoded;charset=utf-8");
    CHECK(decode_body(form.body, form.content_type, {}) == Value{Map{{"a", "1 2"}, {"b", "x&y"}}});

    const Encoded text = encode_body("hello", DataFormat::text, false);
    CHECK(text.content_type == "text/plain;charset=utf-8");
    CHECK(text.body == "hello");
    const Encoded bytes = encode_body(Value::binary("\x00\xFF"), DataFormat::bin, false);
    CHECK(bytes.content_type == "application/octet-stream");
    CHECK(decode_body(encode_body(k_order, DataFormat::text, false).body, "text/x-yaml", {}) == k_order);
}

TEST_CASE("what a format cannot hold is named", "[rest]") {
    CHECK(error_of([] { encode_body(List{1, 2}, DataFormat::url, false); }).name() == "FORMURLENCODING-ERROR");
    CHECK(error_of([] { encode_body(Value::binary("x"), DataFormat::json, false); }).name() == "SERIALIZATION-ERROR");
    CHECK(error_of([] { encode_body(Value{"\xFF"}, DataFormat::json, false); }).code() == RestErrc::serialization);
}

TEST_CASE("an answer is read by its Content-Type", "[rest]") {
    CHECK(kind_of("application/json; charset=utf-8") == BodyKind::json);
    CHECK(kind_of("APPLICATION/PROBLEM+JSON") == BodyKind::json);
    CHECK(kind_of("application/vnd.api+json") == BodyKind::json);
    CHECK(kind_of("application/x-amz-json-1.1") == BodyKind::json);
    CHECK(kind_of("application/x-yaml") == BodyKind::yaml);
    CHECK(kind_of("text/x-yaml") == BodyKind::yaml);
    CHECK(kind_of("application/yaml") == BodyKind::yaml);
    CHECK(kind_of("text/xml") == BodyKind::xml);
    CHECK(kind_of("application/atom+xml") == BodyKind::xml);
    CHECK(kind_of("application/x-www-form-urlencoded") == BodyKind::form);
    CHECK(kind_of("text/plain") == BodyKind::text);
    CHECK(kind_of("text/html") == BodyKind::text);
    CHECK(kind_of("application/octet-stream") == BodyKind::binary);
    CHECK(kind_of("") == BodyKind::binary);
    CHECK(kind_of("image/png") == BodyKind::unknown);

    CHECK(decode_body("", "image/png", {}).is_null());
    CHECK(decode_body("[1]", "application/json", {}) == Value{List{1}});
    CHECK(decode_body("a: 1", "text/x-yaml", {}) == Value{Map{{"a", 1}}});
    CHECK(decode_body("\x01\x02", "application/octet-stream", {}) == Value::binary("\x01\x02"));
    CHECK(decode_body("hi", "text/plain", {}) == Value{"hi"});
    CHECK(decode_body("<a><b>1</b></a>", "text/xml", {})["a"]["b"] == Value{"1"});
    CHECK(decode_body("a=1&b=2", "application/x-www-form-urlencoded", {})["b"] == Value{"2"});

    for (const auto& [body, type] : std::vector<std::pair<std::string, std::string>>{{"x", "image/png"},
                                                                                     {"{", "application/json"},
                                                                                     {"a: [", "text/x-yaml"},
                                                                                     {"<a>", "text/xml"},
                                                                                     {"\xFF", "text/plain"},
                                                                                     {"x", "text/plain;charset=no-such"}}) {
        INFO(type);
        const Error error = error_of([&] { decode_body(body, type, {}); });
        CHECK(error.name() == "DESERIALIZATION-ERROR");
        CHECK(error.code() == RestErrc::deserialization);
        CHECK(error.reason() == Reason::bad_answer);
    }
}

TEST_CASE("text in other charsets becomes UTF-8", "[rest]") {
    CHECK(http::charset_of("text/plain; Charset=\"ISO-8859-1\"; x=y") == "iso-8859-1");
    CHECK(http::charset_of("text/plain").empty());
    CHECK(decode_body("\xE4", "text/plain;charset=iso-8859-1", {}) == Value{"\xC3\xA4"});
    CHECK(decode_body("\xE4", "text/plain", "ISO-8859-1") == Value{"\xC3\xA4"});
    CHECK(decode_body("\xC3\xA4", "text/plain;charset=utf-8", "iso-8859-1") == Value{"\xC3\xA4"});
    CHECK(decode_body("\"\xE4\"", "application/json;charset=windows-1252", {}) == Value{"\xC3\xA4"});
    CHECK(decode_body("\"\xC3\xA4\"", "application/json", "iso-8859-1") == Value{"\xC3\xA4"});
    CHECK(error_of([] { decode_body("\xE4", "text/plain", {}); }).message().find("assume_encoding") != std::string_view::npos);
    CHECK_FALSE(http::to_utf8("x", "utf-8//ignore"));
    CHECK(http::to_utf8(std::string(10'000, '\xE4'), "latin1")->size() == 20'000);
}

TEST_CASE("a failing answer speaks for itself where it can", "[rest]") {
    const auto from = [](std::string body, std::string type) {
        Error plain{HttpErrc::receive, "HTTP-CLIENT-RECEIVE-ERROR", "GET x was answered with 409"};
        plain.with_phase(Phase::protocol).with_reason(Reason::status).with_connection("shop");
        HttpResponse response;
        response.status = 409;
        response.headers.add("Content-Type", std::move(type));
        response.body = std::move(body);
        return response_error(plain, response, {}, {}, "http://h/x");
    };
    const Error own = from(R"({"err":"ORDER-ERROR","desc":"no such order","arg":1})", "application/json");
    CHECK(own.name() == "ORDER-ERROR");
    CHECK(own.message() == "no such order (status 409, REST URL http://h/x)");
    CHECK(own.code() == RestErrc::response);
    CHECK(own.connection() == "shop");
    CHECK(own.reason() == Reason::status);

    CHECK(from("out of stock\r\nsorry", "text/plain").name() == "REST-RESPONSE-ERROR");
    CHECK(from("out of stock\r\nsorry", "text/plain").message().find("out of stock\\") == 0);
    CHECK(from("\"quoted\"", "application/json").name() == "REST-RESPONSE-ERROR");
    CHECK(from(R"({"error":"x"})", "application/json").name() == "HTTP-CLIENT-RECEIVE-ERROR");
    CHECK(from(R"({"err":"two\nlines"})", "application/json").name() == "HTTP-CLIENT-RECEIVE-ERROR");
    CHECK(from("<html>", "text/html").name() == "HTTP-CLIENT-RECEIVE-ERROR");
    CHECK(from("", "application/json").name() == "HTTP-CLIENT-RECEIVE-ERROR");
    CHECK(from("{broken", "application/json").name() == "HTTP-CLIENT-RECEIVE-ERROR");
}

TEST_CASE("a server's error name that repeats a secret is not kept", "[rest]") {
    HttpOptions options;
    options.url = "http://u:s3cretpass@h/";
    const http::Settings settings{options, Runtime{}};
    const Error plain = make_rest_error(RestErrc::response, "plain", Phase::auth, Reason::denied);
    HttpResponse response;
    response.status = 401;
    response.headers = {{"Content-Type", "application/json"}};

    response.body = R"({"err": "NO-s3cretpass", "desc": "bad"})";
    const Error hidden = redacted(response_error(plain, response, {}, {}, "http://h/"), settings);
    CHECK(hidden.name() == "REST-RESPONSE-ERROR");
    CHECK(std::string{hidden.what()}.find("s3cretpass") == std::string::npos);
    CHECK(hidden.reason() == Reason::denied);

    response.body = R"({"err": "NO-ENTRY", "desc": "s3cretpass is wrong"})";
    const Error kept = redacted(response_error(plain, response, {}, {}, "http://h/"), settings);
    CHECK(kept.name() == "NO-ENTRY");
    CHECK(std::string{kept.message()}.find("<masked> is wrong") == 0);
}
