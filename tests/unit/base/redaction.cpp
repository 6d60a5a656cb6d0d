// SPDX-License-Identifier: Apache-2.0
#include "base/redaction.hpp"

#include <string>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/log.hpp>

#include "support/catch.hpp"

using namespace qconn;

namespace {

Redaction of(std::string_view secret) {
    Redaction redaction;
    redaction.add(secret, "${env:X}");
    return redaction;
}

}  // namespace

TEST_CASE("what came from a reference is shown as the reference, in each form that it takes", "[secret]") {
    const Redaction r = of("Canary Host/ä");
    CHECK(r.apply("to Canary Host/ä:80") == "to ${env:X}:80");
    CHECK(r.apply("to canary host/ä") == "to ${env:X}");
    CHECK(r.apply("GET /Canary%20Host/%C3%A4") == "GET /${env:X}");
    CHECK(r.apply("GET /Canary%20Host%2F%C3%A4") == "GET /${env:X}");
    CHECK(r.apply("a Canary Ho…") == "a ${env:X}…");
    CHECK(r.apply("another host…") == "another host…");
    CHECK(r.apply("") == "");
}

TEST_CASE("the parts of a URL that came from a reference are taken out by themselves", "[secret]") {
    const Redaction r = of("http://canary-user:canary-word@Canary.example:3128/canary-path?token=canary-token");
    for (const char* part : {"canary-user", "canary-word", "canary.example", "/canary-path"}) {
        CAPTURE(part);
        CHECK(r.apply(std::string{"at "} + part + ";").find("anary") == std::string::npos);
    }
    CHECK(of("canary-host:3128").apply("looking up canary-host") == "looking up ${env:X}");
}

TEST_CASE("short secrets are taken out only where they stand by themselves", "[secret]") {
    CHECK(of("db").apply("db:5432 of feedback") == "${env:X}:5432 of feedback");
    CHECK(of("a").apply("a b") == "a b");
    CHECK(of("env").apply("env of x") == "${env:X} of x");
    const Redaction r = of("env");
    CHECK(r.apply(r.apply("env")) == "${env:X}");
}

TEST_CASE("of two secrets the longer one is taken out first, whatever their order", "[secret]") {
    Redaction r;
    r.add("canary", "${env:A}");
    r.add("canary-long", "${env:B}");
    r.add("canary", "${env:C}");
    CHECK(r.apply("canary-long canary") == "${env:B} ${env:A}");
}

TEST_CASE("errors and log records about a connection show no secret while its redaction is held, and only about that one", "[secret]") {
    const auto error = [](std::string_view name) {
        Error e{make_error_code(Errc::system), "CANARY", "to canary"};
        e.with_connection(name).with_prefix("canary: ");
        return std::string{e.what()};
    };
    std::string logged;
    const Log log{LogLevel::debug, [&](const LogRecord& record) { logged = std::string{record.text} + record.fields.at(0).second; }};
    const auto write = [&](std::string_view name) {
        log.write({LogLevel::debug, name, "e", "at canary", {{"host", "canary"}}});
        return logged;
    };
    auto held = publish("shop", of("canary"));
    auto again = publish("shop", of("canary"));
    CHECK(held == again);
    CHECK(publish("shop", {}) == nullptr);

    CHECK(error("shop") == "CANARY: ${env:X}: to ${env:X}");
    CHECK(write("shop") == "at ${env:X}${env:X}");
    CHECK(error("other") == "CANARY: canary: to canary");
    CHECK(write("other") == "at canarycanary");
    const auto other = publish("shop", of("prefix"));
    held.reset();
    CHECK(error("shop") == "CANARY: ${env:X}: to ${env:X}");
    again.reset();
    CHECK(error("shop") == "CANARY: canary: to canary");
    CHECK(redactions_of("shop").size() == 1);
    CHECK(redactions_of("").empty());
}
