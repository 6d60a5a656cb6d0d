// SPDX-License-Identifier: Apache-2.0
// A secret is planted in every place that can hold one, in good and in broken definitions; no text that qconn makes of them may show it.
#include <cstdlib>
#include <string>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/core/definition.hpp>
#include <qconn/core/scheme.hpp>

#include "core/mask.hpp"
#include "support/catch.hpp"
#include "unit/core/test_catalogue.hpp"

namespace {

constexpr const char* k_canary = "Zq7canary";

std::string everything(const std::string& text) {
    std::string seen;
    const auto parsed = qconn::parse_definitions(text, "f.qconn.yaml");
    qconn::Diagnostics found = parsed.diagnostics;
    for (auto definition : parsed.definitions) {
        test::catalogue().check(definition, found, &parsed);
        test::catalogue().check(definition, found, nullptr);
        seen += qconn::to_yaml(qconn::core::masked(definition, test::catalogue().find(definition.scheme())));
        try {
            (void)test::catalogue().resolve(definition);
        } catch (const qconn::Error& e) { seen.append(e.what()).append("\n"); }
    }
    for (const auto& d : found) seen.append(qconn::render(d)).append(qconn::summary(d)).append("\n");
    return seen;
}

std::string document(const std::string& url, const std::string& options) {
    return "type: connection\nname: a\ndesc: d\nurl: " + url + "\noptions:\n" + options;
}

}  // namespace

TEST_CASE("a secret in a definition is in no finding, masked form or error", "[secret]") {
    const std::string c = k_canary;
    ::setenv("QCONN_T_CANARY", k_canary, 1);
    ::setenv("QCONN_T_LOOP", (c + "$QCONN_T_LOOP").c_str(), 1);
    ::unsetenv("QCONN_T_NONE");
    const std::vector<std::string> urls{
        "shop://u:" + c + "@h",
        "\"shop://u:" + c + "@h\"",
        "'shop://u:" + c + "@h:99999'",
        "shop://u:" + c + "@h:x",
        "shop://u:" + c,
        "shop://u:" + c + "/@h",
        "shop://u:" + c + " #x@h",
        "shop://u: " + c + "@h",
        "shop://u:x #" + c + "@h",
        "nosuch://u:" + c + "@h",
        "\"shop://u:" + c + "\\x40h\"",
        "\"shop://u:" + c + "@h",
        "shop://u:a\n   " + c + "@h",
        "{shop: " + c + "}",
        "vault://u:${env:QCONN_T_CANARY}@h/$QCONN_T_LOOP",
        "vault://u:${env:QCONN_T_CANARY}@${env:QCONN_T_NONE}",
        "shop://u:" + c + "${env:@h",
        "shop://u:" + c + "@[::1",
        "shop://" + c + "@h:1:2",
        "shop://u:${x:" + c + "@h/}",
        "shop://u:${x:" + c + "}@h",
        "u:" + c + "@h",
    };
    const std::vector<std::string> options{
        "  password: " + c + "\n",
        "  password: {type: string, value: " + c + "}\n",
        "  password: [" + c + "]\n",
        "  password: {" + c + ": " + c + "}\n",
        "  password: \"" + c + "\n",
        "  password: '" + c + "\n",
        "  password: *" + c + "\n",
        "  password: &" + c + " " + c + "\n",
        "  password: !" + c + " " + c + "\n",
        "  password: @" + c + "\n",
        "  password: %" + c + "\n",
        "  password: " + c + ": x\n",
        "  password: x: " + c + "\n",
        "  password: x #" + c + "\n",
        "  password: |\n    " + c + "\n",
        "  password: >\n    " + c + "\n   x\n",
        "  password:" + c + "\n",
        "  {password:" + c + "}\n",
        "  {password: " + c + ", timeout: ture, passwrod: " + c + "}\n",
        "  {timeout: ture, headers: {A: \"" + c + "\"}, colour: plaid}\n",
        "  password: " + c + "${env:\n",
        "  password: ${" + c + ":x}\n",
        "  password: ${x:" + c + "}\n",
        "  password: a${Zq7:" + c + "}\n",
        "  password: ${env:" + c + "-}\n",
        "  pin: " + c + "\n",
        "  pin: 0" + c + "\n",
        "  passwrod: " + c + "\n",
        "  passwrod: {type: strng, value: " + c + "}\n",
        "  passwrod: {a: {b: [" + c + "]}}\n",
        "  headers: {Authorization: " + c + "}\n",
        "  headers: Authorization=" + c + ", x\n",
        "  headers: Authorization=\"" + c + "\n",
        "  headers: '{Authorization: " + c + "'\n",
        "  headers: [" + c + "]\n",
        "  args: " + c + "\n",
        "  args: {a: 010, b: " + c + "}\n",
        "  scopes: " + c + " x\n",
        "  body: !!int " + c + "\n",
        "  body: !!binary " + c + "*\n",
        "  certificate: [" + c + "]\n",
        "  proxy: http://u:" + c + "@p\n",
        "  proxy: [http://u:" + c + "@p]\n",
        "  timeout: http://u:" + c + "@p\n",
        "  timeout: ture\n   password: " + c + "\n",
        "  timeout: ture\n   password:" + c + "\n",
        "  timeout: ture # " + c + "\n",
        "  ssl_verify_cert: ture\n    " + c + "\n",
        "  - password: " + c + "\n",
        "  password: " + c + "\n  password: " + c + "\n",
        "\tpassword: " + c + "\n",
        "  password: " + c + "\xFF\n",
        "  password: " + c + "\x01\n",
        "  password: \"" + c + "\\q\"\n",
        "  password: [" + c + "\n",
        "  keyfile: $QCONN_T_LOOP\n",
        "  keyfile: ${env:QCONN_T_CANARY}${env:QCONN_T_NONE}\n",
        "  password: ${env:QCONN_T_CANARY}\n  username: ${env:QCONN_T_NONE}\n",
        "  password: ${cmd:" + std::string{"echo"} + "}\n",
        "  timeout: 1\npassword: " + c + "\n",
        "  timeout: 1\nurl: shop://u:" + c + "@h\n",
        "  timeout: 1\n---\n" + c + "\n",
        "  timeout: 1\n---\n- " + c + "\n",
        "  timeout: 1\n...\n" + c + "\n",
        "  timeout: 1\noption: {password: " + c + ", n: 010}\n",
        "  timeout: 1\nenabled: ture # " + c + "\n",
    };

    for (const auto& url : urls) {
        const auto seen = everything(document(url, "  timeout: x\n  username: u\n  password: p\n"));
        INFO(url << "\n" << seen);
        CHECK_FALSE(seen.find(c) != std::string::npos);
    }
    for (const auto& option : options) {
        for (const char* url : {"shop://h", "nosuch://h", "vault://h"}) {
            const auto seen = everything(document(url, option));
            INFO(option << "\n" << seen);
            CHECK(seen.find(c) == std::string::npos);
        }
    }
}

TEST_CASE("a masked definition keeps its shape and the names of its secrets", "[secret]") {
    qconn::Definition d;
    d.name = "a";
    d.url = "shop://u:pw@h";
    d.options = qconn::Map{{"password", "x"},
                           {"pin", 5},
                           {"timeout", 3},
                           {"headers", qconn::Map{{"A", "x"}}},
                           {"proxy", "http://u:pw@p"},
                           {"keyfile", "${file:/k}"},
                           {"certificate", "${env:C}"},
                           {"username", nullptr},
                           {"nosuch", "x"}};
    const auto m = qconn::core::masked(d, test::catalogue().find("shop"));

    CHECK(m.url == "shop://u:<masked>@h");
    CHECK(m.options == qconn::Map{{"password", "<masked>"},
                                  {"pin", "<masked>"},
                                  {"timeout", 3},
                                  {"headers", qconn::Map{{"A", "<masked>"}}},
                                  {"proxy", "http://u:<masked>@p"},
                                  {"keyfile", "${file:/k}"},
                                  {"certificate", "${env:C}"},
                                  {"username", nullptr},
                                  {"nosuch", "<masked>"}});
}

TEST_CASE("credentials in queries are masked in URLs and paths, and shown where they are references", "[secret]") {
    qconn::Definition d;
    d.name = "a";
    d.url = "shop://h/x?token=canary&key=${env:K}&sig=a${env:S}&b=1";
    d.options = qconn::Map{{"keyfile", "/x?token=canary&b=1"}, {"proxy", "http://p/?api_key=${file:/a?b&c=d}"}};
    const auto m = qconn::core::masked(d, test::catalogue().find("shop"));

    CHECK(m.url == "shop://h/x?token=<masked>&key=${env:K}&sig=<masked>&b=1");
    CHECK(m.options == qconn::Map{{"keyfile", "/x?token=<masked>&b=1"}, {"proxy", "http://p/?api_key=${file:/a?b&c=d}"}});
}

TEST_CASE("an error about a resolved definition shows its references", "[secret]") {
    ::setenv("QCONN_T_CANARY", k_canary, 1);
    qconn::Definition d;
    d.name = "resolved";
    d.url = "shop://${env:QCONN_T_CANARY}.example/x";
    const auto said = [&] {
        return std::string{qconn::make_error(qconn::Errc::system, "to " + std::string{k_canary}).with_connection(d.name).message()};
    };
    {
        const auto resolved = test::catalogue().resolve(d);
        CHECK(said() == "to ${env:QCONN_T_CANARY}");
    }
    CHECK(said() == "to " + std::string{k_canary});
}
