// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>
#include <functional>
#include <string>

#include <qconn/base/error.hpp>
#include <qconn/core/scheme.hpp>

#include "support/catch.hpp"
#include "unit/core/test_catalogue.hpp"

using qconn::Catalogue;
using qconn::Definition;
using qconn::Error;
using qconn::List;
using qconn::Map;
using qconn::OptionType;
using qconn::Scheme;
using qconn::Value;

namespace {

std::string refusal(const std::function<void(Scheme&)>& change) {
    Catalogue catalogue;
    Scheme scheme = test::scheme();
    change(scheme);
    try {
        catalogue.add(std::move(scheme));
    } catch (const Error& e) {
        CHECK(e.name() == "SCHEME-ERROR");
        CHECK(catalogue.schemes().empty());
        return std::string{e.message()};
    }
    return {};
}

Definition definition(std::string url, Map options) {
    Definition d;
    d.name = "a";
    d.url = std::move(url);
    d.options = std::move(options);
    return d;
}

Error failure(const Definition& d) {
    try {
        (void)test::catalogue().resolve(d);
    } catch (const Error& e) { return e; }
    FAIL("no error");
    throw 0;
}

}  // namespace

TEST_CASE("schemes from outside the library are found by each of their names", "[catalogue]") {
    const Catalogue& c = test::catalogue();

    CHECK(c.names() == std::vector<std::string>{"shop", "shops", "vault"});
    REQUIRE(c.find("shops") != nullptr);
    CHECK(c.find("shops") == c.find("shop"));
    CHECK(c.find("http") == nullptr);
    CHECK(c.schemes().size() == 2);
    CHECK(c.find("shop")->option("timeout") != nullptr);
    CHECK(c.find("shop")->option("nosuch") == nullptr);
}

TEST_CASE("a copy can be extended and leaves the original alone", "[catalogue]") {
    Catalogue copy = test::catalogue();
    const Scheme* before = copy.find("shop");
    Scheme more = test::scheme();
    more.names = {"other"};
    more.default_ports.clear();
    copy.add(more);

    CHECK(copy.find("other") != nullptr);
    CHECK(test::catalogue().find("other") == nullptr);
    CHECK(copy.find("shop") == before);
}

TEST_CASE("a table that contradicts itself is refused whole", "[catalogue]") {
    const auto add = [](Scheme& s, OptionType type, const std::function<void(qconn::OptionSpec&)>& change) {
        auto spec = test::option("extra", type);
        change(spec);
        s.options.push_back(spec);
    };
    CHECK(refusal([](Scheme&) {}).empty());
    CHECK(refusal([](Scheme& s) { s.names = {}; }).find("no name") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.names = {"Shop"}; }).find("lower-case") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.names = {"shop", "shop"}; }).find("twice") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.default_ports["x"] = 1; }).find("default port") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.make_client = nullptr; }).find("no client") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.make_ping = nullptr; }).find("no ping") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.options.push_back(s.options[0]); }).find("twice") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.options[1].aliases = {"timeout"}; }).find("alias") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.required = {{{{"nosuch"}}}}; }).find("nosuch") != std::string::npos);
    CHECK(refusal([](Scheme& s) { s.required = {{}}; }).find("empty") != std::string::npos);
    CHECK(refusal([&](Scheme& s) { add(s, OptionType::integer, [](auto& o) { o.fallback = "x"; }); }).find("default that is no int") !=
          std::string::npos);
    CHECK(refusal([&](Scheme& s) {
              add(s, OptionType::integer, [](auto& o) {
                  o.fallback = 1;
                  o.minimum = 2;
              });
          }).find("below the minimum") != std::string::npos);
    CHECK(refusal([&](Scheme& s) { add(s, OptionType::string, [](auto& o) { o.minimum = 2; }); }).find("no number") != std::string::npos);
    CHECK(refusal([&](Scheme& s) {
              add(s, OptionType::string, [](auto& o) {
                  o.allowed = {{"a", ""}};
                  o.fallback = "b";
              });
          }).find("not among") != std::string::npos);
    CHECK(refusal([&](Scheme& s) { add(s, OptionType::boolean, [](auto& o) { o.environment = true; }); }).find("environment") != std::string::npos);
    CHECK(refusal([&](Scheme& s) { add(s, OptionType::string, [](auto& o) { o.pairs_text = true; }); }).find("pairs") != std::string::npos);

    Catalogue twice = test::catalogue();
    CHECK_THROWS_AS(twice.add(test::scheme()), Error);
    CHECK(twice.schemes().size() == 2);
}

TEST_CASE("resolving fills in defaults and leaves out what is unset", "[catalogue]") {
    const auto r = test::catalogue().resolve(definition("shops://u:p@h:8443/x", Map{{"username", "bob"}, {"ssl_verify_cert", nullptr}}));

    CHECK(r.name == "a");
    CHECK(r.scheme == "shops");
    CHECK(r.url.host == "h");
    CHECK(r.url.password->reveal() == "p");
    CHECK(r.options == Map{{"timeout", 45'000}, {"http_version", "1.1"}, {"username", "bob"}});
}

TEST_CASE("secrets are put into each part of the URL by itself", "[catalogue]") {
    ::setenv("QCONN_T_USER", "me@x:y", 1);
    ::setenv("QCONN_T_PASS", "p/@:#?${env:QCONN_T_USER}", 1);
    ::setenv("QCONN_T_HOST", "files.example", 1);
    const auto r =
        test::catalogue().resolve(definition("shop://${env:QCONN_T_USER}:a${env:QCONN_T_PASS}@${env:QCONN_T_HOST}:81/x?t=${env:QCONN_T_PASS}", {}));

    CHECK(*r.url.username == "me@x:y");
    CHECK(r.url.password->reveal() == "ap/@:#?${env:QCONN_T_USER}");
    CHECK(r.url.host == "files.example");
    CHECK(r.url.port == 81);
    CHECK(r.url.path == "/x?t=p/@:#?${env:QCONN_T_USER}");
    CHECK(test::catalogue().resolve(definition("shop://u:$${x@h", {})).url.password->reveal() == "${x");
}

TEST_CASE("secrets are put into options, nested ones too", "[catalogue]") {
    ::setenv("QCONN_T_PASS", "pw", 1);
    const auto r = test::catalogue().resolve(definition("shop://h", Map{{"password", "${env:QCONN_T_PASS}"},
                                                                        {"headers", Map{{"A", "Bearer ${env:QCONN_T_PASS}"}}},
                                                                        {"scopes", List{"${env:QCONN_T_PASS}", "$${x}"}}}));

    CHECK(r.options.at("password") == Value{"pw"});
    CHECK(r.options.at("headers") == Value{Map{{"A", "Bearer pw"}}});
    CHECK(r.options.at("scopes") == Value{List{"pw", "${x}"}});
}

TEST_CASE("the environment is used where the table says so", "[catalogue]") {
    ::setenv("QCONN_T_DIR", "/data", 1);
    const auto options =
        test::catalogue().resolve(definition("shop://$QCONN_T_DIR/$QCONN_T_DIR", Map{{"keyfile", "$QCONN_T_DIR/k"}, {"username", "$QCONN_T_DIR"}}));
    CHECK(options.options.at("keyfile") == Value{"/data/k"});
    CHECK(options.options.at("username") == Value{"$QCONN_T_DIR"});
    CHECK(options.url.host == "$QCONN_T_DIR");

    const auto url = test::catalogue().resolve(definition("vault://u:$QCONN_T_DIR@$QCONN_T_DIR/${QCONN_T_DIR}/in", {}));
    CHECK(url.url.host == "/data");
    CHECK(url.url.path == "//data/in");
    CHECK(url.url.password->reveal() == "$QCONN_T_DIR");
}

TEST_CASE("what cannot be resolved is an error of that connection", "[catalogue]") {
    ::unsetenv("QCONN_T_NONE");
    ::setenv("QCONN_T_LINE", "a\r\nHost: b", 1);

    const auto missing = failure(definition("shop://u:${env:QCONN_T_NONE}@h", {}));
    CHECK(missing.name() == "SECRET-ERROR");
    CHECK(missing.phase() == qconn::Phase::secret);
    CHECK(missing.connection() == "a");
    CHECK(failure(definition("nosuch://h", {})).name() == "SCHEME-ERROR");
    CHECK(failure(definition("shop://h:x", {})).name() == "PARSE-URL-ERROR");
    CHECK(failure(definition("shop://h/${env:QCONN_T_LINE}", {})).name() == "SECRET-ERROR");
}

TEST_CASE("what a secret or a variable stands for is held to the rules of its option", "[catalogue]") {
    ::setenv("QCONN_T_WRONG", "plaid", 1);
    ::setenv("QCONN_T_EMPTY", "", 1);
    const auto refused = [](std::string name, Value value) {
        const auto error = failure(definition("shop://h", Map{{std::move(name), std::move(value)}}));
        CHECK(error.name() == "SECRET-ERROR");
        CHECK(error.phase() == qconn::Phase::secret);
        CHECK(error.reason() == qconn::Reason::bad_value);
        CHECK(error.connection() == "a");
        CHECK(std::string{error.what()}.find("plaid") == std::string::npos);
        return std::string{error.message()};
    };

    const auto allowed = refused("http_version", "${env:QCONN_T_WRONG}");
    CHECK(allowed.find("the option 'http_version'") != std::string::npos);
    CHECK(allowed.find("${env:QCONN_T_WRONG} is none of: 1.0, 1.1, 2") != std::string::npos);
    CHECK(refused("colour", "${env:QCONN_T_WRONG}").find("${env:QCONN_T_WRONG} cannot be used") != std::string::npos);
    CHECK(refused("password", "${env:QCONN_T_EMPTY}").find("${env:QCONN_T_EMPTY} is empty") != std::string::npos);
    CHECK(refused("timeout", "${env:QCONN_T_WRONG}").find("${env:QCONN_T_WRONG} is no ") != std::string::npos);

    ::setenv("QCONN_T_RIGHT", "2", 1);
    CHECK(test::catalogue().resolve(definition("shop://h", Map{{"http_version", "${env:QCONN_T_RIGHT}"}})).options.at("http_version") == Value{"2"});
    CHECK(test::catalogue().resolve(definition("shop://h", Map{{"username", "${env:QCONN_T_EMPTY}"}})).options.at("username") == Value{""});
}

TEST_CASE("the options table in Markdown", "[catalogue]") {
    Scheme s;
    auto timeout = test::option("timeout", OptionType::integer);
    timeout.unit = qconn::Unit::milliseconds;
    timeout.fallback = 45'000;
    timeout.minimum = 1;
    timeout.help = "longest silence | of the server";
    auto data = test::option("data", OptionType::string);
    data.allowed = {{"json", ""}, {"yaml", "text/x-yaml"}};
    data.fallback_text = "the server's choice";
    data.sensitive = true;
    data.aliases = {"serialization"};
    s.options = {timeout, data};

    CHECK(test::catalogue().options_markdown(s) ==
          "| option | type | default | meaning |\n"
          "| --- | --- | --- | --- |\n"
          "| `timeout` | int, milliseconds | `45000` | longest silence \\| of the server. At least 1. |\n"
          "| `data` | string | the server's choice | Says how. One of `json`, `yaml` (text/x-yaml). Sensitive. Also called `serialization`. |\n");
}
