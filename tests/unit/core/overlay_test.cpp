// SPDX-License-Identifier: Apache-2.0
// What a private file of secrets says, and where that goes in a definition.
#include <qconn/core/secret_overlay.hpp>

#include <filesystem>

#include <qconn/base/error.hpp>
#include <qconn/core/scheme.hpp>

#include "core/overlay_text.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "test_catalogue.hpp"

using namespace qconn;

namespace {

/// "code LINE:COLUMN", one after the other.
std::string told(const Diagnostics& findings) {
    std::string out;
    for (const Diagnostic& one : findings) {
        if (!out.empty()) out += ", ";
        out += one.code + " " + std::to_string(one.place.line) + ":" + std::to_string(one.place.column);
    }
    return out;
}

/// A file of secrets, and what it makes of definitions.
struct OverlayFile {
    explicit OverlayFile(const std::string& text) : path{directory.write("secrets.yaml", text)}, overlay{path} {
        std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
        REQUIRE(told(overlay.read()).empty());
        catalogue.add(::test::scheme());
        catalogue.add(overlay.provider());
    }
    Definition complete(const std::string& url, Map options = {}) {
        Definition definition;
        definition.name = "shop";
        definition.url = url;
        definition.options = std::move(options);
        definition.file = "a.qconn.yaml";
        definition.place = {2, 7, 4};
        findings.clear();
        overlay.complete(definition, catalogue.find(definition.scheme()), findings);
        return definition;
    }

    qconn::test::TempDir directory;
    std::string path;
    SecretOverlay overlay;
    Catalogue catalogue;
    Diagnostics findings;
};

std::string edited(std::string_view text, std::string_view connection, std::string_view key, std::string_view value) {
    try {
        return add_overlay_entry(text, connection, key, value);
    } catch (const Error& error) { return std::string{error.name()}; }
}

}  // namespace

TEST_CASE("an overlay is read by connection, option and member", "[secret][overlay]") {
    const auto text = core::parse_overlay("shop:\n  password: 007\n  headers:\n    X-Key: k\ninbox:\n  url.password: \"p\"\nempty:\n", "f");
    REQUIRE(text.problems.empty());
    CHECK(text.find("shop", "password")->value.reveal() == "007");
    CHECK(text.find("shop", "password")->place == Place{2, 3, 8});
    CHECK(text.find("shop", "headers.X-Key")->value.reveal() == "k");
    CHECK(text.find("inbox", "url.password")->value.reveal() == "p");
    CHECK(text.find("empty", "password") == nullptr);
    CHECK(core::parse_overlay("", "f").problems.empty());
}

TEST_CASE("what cannot be an entry is found at its place, and concerns its connection alone", "[secret][overlay]") {
    const auto text = core::parse_overlay(
        "a:\n  password:\n  list: [x]\n  token:hidden\nb: hidden\nc:\n  token: t\n  token: u\nc:\n  token: v\nd:\n  token: fine\n", "f");
    // `token:hidden` is drawn into the list's line by YAML: such a file is none.
    CHECK(told(text.problems) == "secrets-file 4:3");
    CHECK(text.connections.empty());

    const auto other = core::parse_overlay(
        "a:\n  password:\n  list: [x]\n  'to ken': x\nb: hidden\nc:\n  token: t\n  token: u\nc:\n  token: v\nd:\n  token: fine\n", "f");
    REQUIRE(told(other.problems).empty());
    CHECK(told(other.connections.at("a").findings) == "secrets-entry 2:3, secrets-entry 3:3, secrets-entry 4:3");
    CHECK(told(other.connections.at("b").findings) == "secrets-entry 5:1");
    CHECK(told(other.connections.at("c").findings) == "secrets-entry 8:3, secrets-entry 9:1");
    CHECK(other.find("d", "token")->value.reveal() == "fine");
    for (const auto& [name, connection] : other.connections)
        for (const Diagnostic& one : connection.findings) CHECK(render(one).find("hidden") == std::string::npos);
    CHECK(other.connections.at("a").findings.front().source_line == "  password: …");
}

TEST_CASE("what is no file of secrets is not used at all", "[secret][overlay]") {
    CHECK(told(core::parse_overlay("a: {password: x\n", "f").problems).starts_with("secrets-file "));
    CHECK(told(core::parse_overlay("[a, b]\n", "f").problems) == "secrets-file 1:1");
    CHECK(told(core::parse_overlay("a:\n  password: x\n---\nb:\n", "f").problems) == "secrets-file 4:1");
}

TEST_CASE("a definition gets references for what it lacks, and resolves to the secrets", "[secret][overlay]") {
    OverlayFile f{"shop:\n  password: 'p}$'\n  url.password: in url\n  url.user: edi\n  headers: {Authorization: Bearer t}\n"};
    Definition definition = f.complete("shops://h/p?q=a");
    CHECK(told(f.findings).empty());
    CHECK(definition.url == "shops://${local:url.user}:${local:url.password}@h/p?q=a");
    CHECK(definition.options.at("password") == Value{"${local:password}"});
    Diagnostics none;
    REQUIRE(f.catalogue.check(definition, none));
    const ResolvedDefinition resolved = f.catalogue.resolve(definition);
    CHECK(resolved.url.username == "edi");
    CHECK(resolved.url.password == Secret{"in url"});
    CHECK(resolved.options.at("password") == Value{"p}$"});
    CHECK(resolved.options.at("headers").as_map().at("Authorization") == Value{"Bearer t"});

    SecretOverlay::strip(definition);
    CHECK(definition.url == "shops://h/p?q=a");
    CHECK(definition.options.empty());
}

TEST_CASE("a connection is given its own entries and no others", "[secret][overlay]") {
    OverlayFile f{"shop:\n  password: p\nother:\n  password: q\n  pin2: x\n"};
    Definition definition;
    definition.name = "thief";
    definition.url = "shop://h";
    definition.options = Map{{"password", "${local:password}"}};
    try {
        f.catalogue.resolve(definition);
        FAIL("nothing was thrown");
    } catch (const Error& error) {
        CHECK(error.name() == "SECRET-ERROR");
        CHECK(error.reason() == Reason::missing);
    }
}

TEST_CASE("what a definition says itself stays, and the entry is told of", "[secret][overlay]") {
    OverlayFile f{"shop:\n  password: p\n  url.password: u\n  headers.Authorization: a\n"};
    const Definition definition =
        f.complete("shop://edi:own@h", {{"password", Value{}}, {"headers", Map{{"Authorization", "${env:X}"}, {"Accept", "b"}}}});
    CHECK(told(f.findings) == "secrets-unused 2:3, secrets-unused 3:3, secrets-unused 4:3");
    CHECK(f.findings.front().severity == Severity::warning);
    CHECK(f.findings.front().message.find("a.qconn.yaml:2") != std::string::npos);
    CHECK(f.findings.front().connection == "shop");
    CHECK(definition.url == "shop://edi:own@h");
    CHECK(definition.options.at("password").is_null());
    CHECK(definition.options.at("headers").as_map().at("Authorization") == Value{"${env:X}"});
}

TEST_CASE("a definition that was completed may be completed again", "[secret][overlay]") {
    OverlayFile f{"shop:\n  password: p\n  headers.Authorization: a\n"};
    const Definition once = f.complete("shop://edi@h");
    CHECK(once.url == "shop://edi:${local:password}@h");
    const Definition twice = f.complete(once.url, once.options);
    CHECK(told(f.findings).empty());
    CHECK(twice == once);
}

TEST_CASE("an entry that has no place in its definition is an error at its place", "[secret][overlay]") {
    OverlayFile f{"shop:\n  pasword: p\n  timeout: '5'\n  pin: '5'\n  headers.Accept: x\n  url.password: u\n"};
    f.complete("shop://h");
    CHECK(told(f.findings) == "secrets-entry 2:3, secrets-entry 3:3, secrets-entry 4:3, secrets-entry 5:3, secrets-entry 6:3");
    CHECK(f.findings.front().hint == "did you mean 'password'?");
    CHECK(f.findings.front().severity == Severity::error);
    CHECK(f.findings[1].message.find("is no secret") != std::string::npos);
    CHECK(f.findings[4].hint.find("url.user") != std::string::npos);
}

TEST_CASE("a password goes where the user is", "[secret][overlay]") {
    OverlayFile f{"shop:\n  password: p\n"};
    CHECK(f.complete("shop://edi@h").url == "shop://edi:${local:password}@h");
    CHECK(f.complete("shop://h").options.at("password") == Value{"${local:password}"});
    CHECK(f.complete("shop://${env:U}@h").url == "shop://${env:U}:${local:password}@h");
}

TEST_CASE("a file of secrets that others can read is not used, and what to do is said", "[secret][overlay]") {
    const qconn::test::TempDir directory;
    const std::string path = directory.write("secrets.yaml", "shop:\n  password: p\n");
    for (const auto more : {std::filesystem::perms::group_read, std::filesystem::perms::others_read, std::filesystem::perms::group_write}) {
        std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write | more);
        const Diagnostics found = SecretOverlay{path}.read();
        REQUIRE(told(found) == "secrets-file 0:0");
        CHECK(found.front().hint == "run: chmod 600 " + path);
    }
    CHECK(told(SecretOverlay{directory / "none"}.read()) == "secrets-file 0:0");
    CHECK(told(SecretOverlay{directory.path()}.read()) == "secrets-file 0:0");
}

TEST_CASE("an entry is added where its connection's are, and nothing else changes", "[secret][overlay]") {
    CHECK(edited("", "shop", "password", "p") == "shop:\n  password: \"p\"\n");
    CHECK(edited("# mine\nshop:   # here\n    token: t  # old\nb:\n  x: y", "shop", "password", "a\n\"b") ==
          "# mine\nshop:   # here\n    password: \"a\\n\\\"b\"\n    token: t  # old\nb:\n  x: y");
    CHECK(edited("b:\n  x: y", "true", "password", "p") == "b:\n  x: y\n\"true\":\n  password: \"p\"\n");
    CHECK(edited("shop:\n  password: q\n", "shop", "password", "p") == "EDIT-ERROR");
    CHECK(edited("shop: {token: t}\n", "shop", "password", "p") == "EDIT-ERROR");
    CHECK(edited("{shop: {token: t}}\n", "b", "password", "p") == "EDIT-ERROR");
    CHECK(edited("[a]\n", "b", "password", "p") == "EDIT-ERROR");
}

TEST_CASE("an entry of an overlay gets another value in its place, or is added", "[secret][overlay]") {
    const auto set = [](std::string_view text, std::string_view key, std::string_view value) {
        try {
            return set_overlay_entry(text, "shop", key, value);
        } catch (const Error& error) { return std::string{error.name()}; }
    };
    CHECK(set("# mine\nshop:\n    token: old  # kept\n    password: p\n", "token", "n\"ew") ==
          "# mine\nshop:\n    token: \"n\\\"ew\"  # kept\n    password: p\n");
    CHECK(set("shop: {token: 'old', a: b}\n", "token", "new") == "shop: {token: \"new\", a: b}\n");
    CHECK(set("shop:\n  password: p\n", "token", "new") == "shop:\n  token: \"new\"\n  password: p\n");
    CHECK(set("", "token", "new") == "shop:\n  token: \"new\"\n");
    CHECK(set("shop:\n  token: |\n    old\n", "token", "new") == "EDIT-ERROR");
    CHECK(set("shop:\n  headers: {Token: old}\n", "headers.Token", "new") == "EDIT-ERROR");
    CHECK(set("[a]\n", "token", "new") == "EDIT-ERROR");
}
