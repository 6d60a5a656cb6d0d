// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/edit.hpp>

#include "support/catch.hpp"
#include "test_catalogue.hpp"

using qconn::Definition;

namespace {

struct Found {
    std::string where;
    std::string value;
    unsigned line;
    unsigned column;
    bool fixed;
    friend bool operator==(const Found&, const Found&) = default;
};

std::ostream& operator<<(std::ostream& out, const Found& f) {
    return out << f.where << '=' << f.value << '@' << f.line << ':' << f.column << f.fixed;
}

std::vector<Found> found(const std::string& text) {
    const auto parsed = qconn::parse_definitions(text, "f");
    REQUIRE(parsed.definitions.size() == 1);
    const Definition& definition = parsed.definitions.front();
    const auto catalogue = test::catalogue();
    std::vector<Found> out;
    for (const auto& secret : qconn::literal_secrets(definition, catalogue.find(definition.scheme()), &parsed)) {
        std::string where;
        for (const auto& part : secret.where) where += (where.empty() ? "" : "/") + part;
        out.push_back({where, std::string{secret.value.reveal()}, secret.place.line, secret.place.column, !secret.fixed.empty()});
        if (!secret.fixed.empty()) continue;
        Definition other = definition;
        qconn::replace_secret(other, secret, "${env:X}", catalogue.find(definition.scheme()));
        CHECK(qconn::literal_secrets(other, catalogue.find(definition.scheme())).size() + 1 ==
              qconn::literal_secrets(definition, catalogue.find(definition.scheme())).size());
    }
    return out;
}

std::string document(const std::string& url, const std::string& options) {
    return "type: connection\nname: a\ndesc: d\nurl: " + url + "\n" + (options.empty() ? "" : "options:\n" + options);
}

}  // namespace

TEST_CASE("literal secrets are found wherever a definition can hold them, with their places", "[edit]") {
    CHECK(found(document("shop://u:p@w/x@h", "")) == std::vector<Found>{{"url/password", "p@w/x", 4, 15, false}});
    CHECK(found(document("shop://h/x?a=1&api_key=k", "")) == std::vector<Found>{{"url/api_key", "k", 4, 29, false}});
    CHECK(found(document("shop://h", "  password: pw\n")) == std::vector<Found>{{"options/password", "pw", 6, 13, false}});
    CHECK(found(document("shop://h", "  password: {type: string, value: pw}\n")) == std::vector<Found>{{"options/password", "pw", 6, 35, false}});
    CHECK(found(document("shop://h", "  password: 0123\n")) == std::vector<Found>{{"options/password", "0123", 6, 13, false}});
    CHECK(found(document("shop://h", "  password: $${x}\n")) == std::vector<Found>{{"options/password", "${x}", 6, 13, false}});
    CHECK(found(document("shop://h", "  pin: 1234\n")) == std::vector<Found>{{"options/pin", "1234", 6, 8, true}});
    CHECK(found(document("shop://h", "  headers:\n    Accept: x\n    X-Api-Key: k\n")) ==
          std::vector<Found>{{"options/headers/X-Api-Key", "k", 8, 16, false}});
    CHECK(found(document("shop://h", "  headers: 'Accept=x, Authorization=k'\n")) ==
          std::vector<Found>{{"options/headers/Authorization", "k", 6, 12, false}});
    CHECK(found(document("nowhere://h", "  tokn: k\n  my_token: k\n")) == std::vector<Found>{{"options/my_token", "k", 7, 13, false}});
    CHECK(found(document("shop://h", "  proxy: http://u:pw@proxy\n")) == std::vector<Found>{{"options/proxy/password", "pw", 6, 19, false}});
}

TEST_CASE("references, empty texts and harmless values are no literal secrets", "[edit]") {
    CHECK(found(document("shop://u:${file:/a/b@c}@h/x?token=${env:T}", "  password: ${env:X}\n  username: edi\n  timeout: 5\n")).empty());
    CHECK(found(document("shop://u@h", "  password: ~\n  headers: {Accept: x, X-Token: 'Bearer ${env:T}'}\n")).empty());
    CHECK(found(document("shop://h", "  password: ''\n")).empty());
}

TEST_CASE("a secret that is taken out leaves all else, and says under which key a private file may give it", "[edit]") {
    const auto taken = [](const std::string& url, const std::string& options) {
        const auto parsed = qconn::parse_definitions(document(url, options), "f");
        qconn::Definition definition = parsed.definitions.front();
        const auto* scheme = test::catalogue().find(definition.scheme());
        std::string keys;
        for (const auto& secret : qconn::literal_secrets(definition, scheme, &parsed)) keys += qconn::remove_secret(definition, secret, scheme) + ";";
        return keys + " " + definition.url + " " + qconn::to_text(qconn::Value{definition.options});
    };
    CHECK(taken("shop://u:p@w/x@h/y", "") == "url.password; shop://u@h/y {}");
    CHECK(taken("shop://h", "  password: pw\n  username: u\n") == "password; shop://h {\"username\": \"u\"}");
    CHECK(taken("shop://h", "  headers: {Accept: x, X-Token: t}\n") == "headers.X-Token; shop://h {\"headers\": {\"Accept\": \"x\"}}");
    CHECK(taken("shop://h", "  headers: 'X-Token=t'\n") == "headers.X-Token; shop://h {}");
    CHECK(taken("shop://h", "  proxy: http://u:p@proxy\n") == "proxy.password; shop://h {\"proxy\": \"http://u@proxy\"}");
    // What has no place there stays.
    CHECK(taken("shop://h/?token=t", "") == "; shop://h/?token=t {}");
    CHECK(taken("shop://h", "  headers: {'X Token': t}\n") == "; shop://h {\"headers\": {\"X Token\": \"t\"}}");
}

TEST_CASE("masked lines show keys and harmless values, a line for each line of the text", "[edit]") {
    const auto lines = qconn::masked_lines("# PASS\r\n" + document("shop://u:PASS@h", "  password: PASS\n  timeout: 5 # PASS\n") + "\n---\ntype: x",
                                           test::catalogue());
    CHECK(lines.size() == 11);
    std::string all;
    for (const auto& line : lines) all += line + "\n";
    CHECK(all.find("PASS") == std::string::npos);
    CHECK(lines[4] == "url: shop://u:<masked>@h");
    CHECK(lines[6] == "  password: <masked>");
    CHECK(lines[7].starts_with("  timeout: 5 #"));
    CHECK(lines[10] == "type: x");
}
