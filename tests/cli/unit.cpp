// SPDX-License-Identifier: Apache-2.0
// What the commands are made of, without a process.
#include <nlohmann/json.hpp>

#include <qconn/base/error.hpp>
#include <qconn/base/wall_time.hpp>

#include "cli/advice.hpp"
#include "cli/call_arguments.hpp"
#include "cli/causes.hpp"
#include "cli/changes.hpp"
#include "cli/describe.hpp"
#include "cli/diff.hpp"
#include "cli/duration.hpp"
#include "cli/import_files.hpp"
#include "cli/json.hpp"
#include "cli/output.hpp"
#include "cli/tool.hpp"
#include "support/catch.hpp"
#include "support/error_of.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::cli;
using namespace std::chrono_literals;

TEST_CASE("times are taken as 100ms, 1s, 2m, 1h, 1d and bare seconds", "[cli]") {
    CHECK(parse_duration("100ms") == 100ms);
    CHECK(parse_duration("1s") == 1s);
    CHECK(parse_duration("2m") == 2min);
    CHECK(parse_duration("1h") == 1h);
    CHECK(parse_duration("30d") == 720h);
    CHECK(parse_duration("30") == 30s);
    CHECK(parse_duration("0.5") == 500ms);
    CHECK(parse_duration("1.5s") == 1500ms);
    CHECK(parse_duration("0") == 0ms);
    CHECK(parse_duration("0.1ms") == 1ms);
}

TEST_CASE("instants are taken with a zone, or as the next time of day here", "[cli]") {
    const std::chrono::system_clock::time_point now{1'700'000'000s};  // 2023-11-14T22:13:20Z
    CHECK(parse_instant("2023-11-14T22:13:20Z", now) == now);
    CHECK(parse_instant("2023-11-14 23:13:20.5+01:00", now) == now);
    CHECK(parse_instant("2023-11-14T16:13-06:00", now) == now - 20s);
    for (const char* text : {"00:00", "12:34", "22:13", "23:59:59"}) {
        CAPTURE(text);
        const auto next = parse_instant(text, now);
        REQUIRE(next);
        CHECK(*next > now);
        CHECK(*next <= now + 25h);  // a day with a change of the clocks
        CHECK(rfc3339(*next).ends_with(text[5] == ':' ? ":59.000Z" : ":00.000Z"));
    }
    for (const char* text :
         {"", "22", "24:00", "22:60", "22:00Z", "2023-02-30T00:00Z", "2023-11-14", "2023-11-14T22:13:20", "tomorrow", "-1:00", "2h"})
        CHECK_FALSE(parse_instant(text, now));
}

TEST_CASE("what is no time is refused", "[cli]") {
    for (const char* text : {"", "s", "ms", "x", "-1s", "-0", "1 s", "1e3s", "nan", "inf", "367d", "0x10", "99999999h", "1s2", "+1s"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration(text));
    }
    CHECK_THROWS_AS(duration_option("--for", "soon"), UsageError);
}

namespace {

OperationSpec operation(bool free_fields) {
    return {.name = "find",
            .help = "",
            .arguments = {{"path", OptionType::string, true, ""}, {"body", OptionType::any, false, ""}},
            .fields = {{"limit", OptionType::integer, false, ""}, {"deep", OptionType::boolean, false, ""}},
            .free_fields = free_fields,
            .run = {}};
}

Map bind(const OperationSpec& spec, const std::vector<std::string>& words) {
    std::vector<CallWord> list;
    for (const std::string& word : words) list.push_back({word, false});
    return bind_arguments(spec, list);
}

std::string refusal(const OperationSpec& spec, const std::vector<std::string>& words) {
    try {
        bind(spec, words);
    } catch (const UsageError& error) { return error.what(); }
    return "taken";
}

}  // namespace

TEST_CASE("a word is KEY=VALUE only where the operation declares KEY", "[cli]") {
    const OperationSpec spec = operation(false);

    CHECK(bind(spec, {"orders", "limit=3"}) == Map{{"path", "orders"}, {"limit", 3}});
    CHECK(bind(spec, {"limit=3", "orders", "deep=true"}) == Map{{"path", "orders"}, {"limit", 3}, {"deep", true}});
    CHECK(bind(spec, {"A=b"}) == Map{{"path", "A=b"}});
    CHECK(bind(spec, {"orders", "x y=b"}) == Map{{"path", "orders"}, {"body", "x y=b"}});
    CHECK(bind_arguments(spec, {{"limit=3", true}}) == Map{{"path", "limit=3"}});
}

TEST_CASE("a misspelt option becomes no argument", "[cli]") {
    OperationSpec spec = operation(false);

    CHECK(refusal(spec, {"orders", "limt=3"})
              .starts_with("there is no option 'limt'; did you mean 'limit'?; a word with '=' that is none stands after '--'"));
    CHECK(refusal(spec, {"zzzzzz=1"}).starts_with("there is no option 'zzzzzz'; there are: limit, deep; "));
    CHECK(bind_arguments(spec, {{"limt=3", true}}) == Map{{"path", "limt=3"}});
    spec.fields.clear();  // nothing that could be misspelt
    CHECK(bind(spec, {"limt=3"}) == Map{{"path", "limt=3"}});
}

TEST_CASE("with free fields every name before '=' is a KEY, other texts are not", "[cli]") {
    const OperationSpec spec = operation(true);

    CHECK(bind(spec, {"orders", "size=12", "sku=A-1"}) == Map{{"path", "orders"}, {"size", 12}, {"sku", "A-1"}});
    CHECK(bind(spec, {"orders?x=1"}) == Map{{"path", "orders?x=1"}});
    CHECK(bind(spec, {"orders", R"({"a": "b=c"})"}) == Map{{"path", "orders"}, {"body", Map{{"a", "b=c"}}}});
    CHECK(bind_arguments(spec, {{"orders", false}, {"size=12", true}}) == Map{{"path", "orders"}, {"body", "size=12"}});
}

TEST_CASE("further positional words make a list where the operation takes them", "[cli]") {
    OperationSpec spec = operation(true);
    spec.rest = OperationSpec::Argument{"more", OptionType::any, false, ""};

    CHECK(bind(spec, {"orders"}) == Map{{"path", "orders"}});
    CHECK(bind(spec, {"orders", "x", "1", "[2]", "text", "size=12"}) ==
          Map{{"path", "orders"}, {"body", "x"}, {"size", 12}, {"more", List{1, List{2}, "text"}}});
    CHECK(usage(spec) == "find PATH [BODY] [limit=INT] [deep=BOOL] [MORE...] [KEY=VALUE...]");
}

TEST_CASE("wrong arguments are refused with the operation's usage", "[cli]") {
    const OperationSpec spec = operation(false);

    CHECK(refusal(spec, {}) == "the argument path is missing; usage: find PATH [BODY] [limit=INT] [deep=BOOL]");
    CHECK(refusal(spec, {"a", "b", "c"}).starts_with("'c' is one argument too many; usage:"));
    CHECK(refusal(spec, {"a", "limit=1", "limit=2"}).starts_with("the argument limit is given twice"));
    CHECK(refusal(spec, {"a", "limit=12x"}).starts_with("the argument limit is no int: '12x'"));
    CHECK(refusal(spec, {"a", "deep=yes"}).starts_with("the argument deep is no bool: 'yes'"));
}

TEST_CASE("arguments have the types that are declared", "[cli]") {
    OperationSpec spec;
    spec.name = "x";
    const auto one = [&](OptionType type, const char* text) {
        spec.arguments = {{"v", type, true, ""}};
        return bind(spec, {text}).at("v");
    };

    CHECK(one(OptionType::string, "17") == Value{"17"});
    CHECK(one(OptionType::any, "17") == Value{17});
    CHECK(one(OptionType::any, "A-1") == Value{"A-1"});
    CHECK(one(OptionType::any, "18446744073709551615") == Value{18446744073709551615ull});
    CHECK(one(OptionType::data, "17") == Value::binary("17"));
    CHECK(one(OptionType::list, "[1,2]") == Value{List{1, 2}});
    CHECK(one(OptionType::number, "1.5") == Value{1.5});
    CHECK_THROWS_AS(one(OptionType::list, "1,2"), UsageError);
    CHECK_THROWS_AS(one(OptionType::map, "[1]"), UsageError);
}

TEST_CASE("data is what a file holds, where it is named by @", "[cli]") {
    const test::TempDir dir;
    dir.write("in", std::string_view{"a\0\n@", 4});
    OperationSpec spec;
    spec.name = "x";
    spec.arguments = {{"text", OptionType::string, false, ""}, {"data", OptionType::data, false, ""}};
    spec.fields = {{"input", OptionType::data, false, ""}};

    CHECK(bind(spec, {"input=@" + (dir / "in")}).at("input") == Value::binary(std::string_view{"a\0\n@", 4}));
    CHECK(bind(spec, {"@x", "@" + (dir / "in")}) == Map{{"text", "@x"}, {"data", Value::binary(std::string_view{"a\0\n@", 4})}});
    CHECK(bind_arguments(spec, {{"x", false}, {"@in", true}}).at("data") == Value::binary("@in"));
    CHECK(test::error_of([&] { bind(spec, {"input=@" + (dir / "gone")}); }).name() == "SYSTEM-ERROR");
}

TEST_CASE("JSON arguments lose no digit and nest only so deep", "[cli]") {
    for (const char* text : {"null", "true", "[]", "{}", R"({"a":[1,-2,{"b":"c"}],"d":0.1})", "18446744073709551615", "-9223372036854775808",
                             "123456789012345678901234567890", "1.00000000000000000001"}) {
        CAPTURE(text);
        const auto value = parse_json(text);
        REQUIRE(value);
        CHECK(json_text(*value, false) == text);
    }
    for (const char* text : {"", "{", "[1,]", "{\"a\":1}x", "nul", "'a'"}) CHECK_FALSE(parse_json(text));
    CHECK(parse_json(std::string(200, '[') + std::string(200, ']')));
    CHECK_FALSE(parse_json(std::string(100000, '[') + std::string(100000, ']')));
}

TEST_CASE("JSON output is JSON whatever the value holds", "[cli]") {
    const Value value = Map{{"text", "a\"b\\c\n\x01\xff"},
                            {"binary", Value::binary(std::string_view{"\x00\xff\x10", 3})},
                            {"big", 18446744073709551615ull},
                            {"decimal", Value::decimal("123456789012345678901234567890.5")},
                            {"odd", Value::decimal("NaN")},
                            {"inf", std::numeric_limits<double>::infinity()},
                            {"third", 0.1},
                            {"list", List{1, nullptr, true, List{}, Map{}}}};
    for (const bool pretty : {false, true}) {
        const std::string text = json_text(value, pretty);
        const auto json = nlohmann::json::parse(text);

        CHECK(json["text"] == "a\"b\\c\n\x01\xEF\xBF\xBD");
        CHECK(json["binary"] == "AP8Q");
        CHECK(json["big"] == 18446744073709551615ull);
        CHECK(text.find("123456789012345678901234567890.5") != std::string::npos);
        CHECK(json["decimal"].is_number());
        CHECK(json["odd"] == "NaN");
        CHECK(json["inf"].is_null());
        CHECK(json["third"] == 0.1);
        CHECK(json["list"].size() == 5);
        CHECK((text.find('\n') != std::string::npos) == pretty);
    }
}

TEST_CASE("control characters cannot steer a terminal", "[cli]") {
    CHECK(printable("a\x1b[31mb") == "a\\x1b[31mb");
    CHECK(printable("a\nb\tc\r") == "a\\x0ab\\x09c\\x0d");
    CHECK(printable("\xc2\x9b") == "\\x9b");
    CHECK(printable("\xe2\x80\xae") == "\\u202e");
    CHECK(printable("caf\xc3\xa9") == "caf\xc3\xa9");
    CHECK(printable("\xff\xc3") == "\xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST_CASE("tables align by characters, not bytes, and can be cut", "[cli]") {
    Output out;
    Table table{{"NAME", "WHAT"}};
    table.add({"caf\xc3\xa9", "one"});
    table.add({"x", ""});
    table.add({"longer", "three"});

    CHECK(table.render(out) == "NAME    WHAT\ncaf\xc3\xa9    one\nx\nlonger  three\n");
    const auto cut = table.lines(out, 5);
    CHECK(cut == std::vector<std::string>{"NAME ", "caf\xc3\xa9 ", "x", "longe"});
}

TEST_CASE("times are written as people read them, and as RFC 3339", "[cli]") {
    CHECK(duration_text(850us) == "850 us");
    CHECK(duration_text(12300us) == "12.3 ms");
    CHECK(duration_text(2050ms) == "2.05 s");
    CHECK(age_text(59s) == "59 s");
    CHECK(age_text(2h + 10min) == "2 h 10 min");
    CHECK(rfc3339(std::chrono::system_clock::time_point{1'700'000'000'123ms}) == "2023-11-14T22:13:20.123Z");
    CHECK(rfc3339(std::chrono::system_clock::time_point{-1ms}) == "1969-12-31T23:59:59.999Z");
}

TEST_CASE("every phase and reason has a next step", "[cli]") {
    for (int phase = 0; phase <= static_cast<int>(Phase::redirect); ++phase) {
        for (int reason = 0; reason <= static_cast<int>(Reason::unsupported); ++reason) {
            CHECK_FALSE(advice(static_cast<Phase>(phase), static_cast<Reason>(reason)).empty());
        }
    }
    CHECK(advice(Phase::connect, Reason::refused).find("listens") != std::string_view::npos);
    CHECK(advice(Phase::tls, Reason::certificate_expired).find("clock") != std::string_view::npos);
    CHECK(advice(Phase::tls, Reason::certificate_untrusted).find("CA certificate") != std::string_view::npos);
}

TEST_CASE("errors that share a phase and a reason with others have a next step of their own", "[cli]") {
    const auto next = [](const char* error) { return std::string{advice(Phase::tls, Reason::certificate_untrusted, error)}; };
    CHECK(next("SSH-HOST-KEY-CHANGED: the server of").find("somebody is in between") != std::string::npos);
    CHECK(next("SSH-HOST-KEY-CHANGED").find("ssh-keygen -R") != std::string::npos);
    CHECK(next("SSH-HOST-KEY-UNKNOWN: it").find("fingerprints") != std::string::npos);
    CHECK(next("SSH-KNOWN-HOSTS-ERROR: it").find("known_hosts") != std::string::npos);
    CHECK(advice(Phase::auth, Reason::missing, "SSH2CLIENT-AUTH-ERROR: it").find("qconn auth") == std::string_view::npos);
    CHECK(next("SSL-ERROR: it").find("CA certificate") != std::string::npos);

    Outage outage;
    outage.kind = OutageKind::certificate;
    outage.cause = "h:22";
    outage.error = "SSH-HOST-KEY-CHANGED: it";
    CHECK(fault_text(outage) == "the host key of h:22");
    outage.error = "SSL-ERROR: it";
    CHECK(fault_text(outage) == "the certificate of h:22");
}

TEST_CASE("names of definition files hold nothing that file systems refuse, are never hidden and differ", "[cli]") {
    CHECK(definition_file_name("shop-api") == "shop-api.qconn.yaml");
    CHECK(definition_file_name("../etc/x:y") == "_.._etc_x_y.qconn.yaml");
    CHECK(definition_file_name(".hidden\n") == "_.hidden_.qconn.yaml");
    std::string wide;
    for (int i = 0; i < 160; ++i) wide += "\xC3\xA9";
    const std::string name = definition_file_name(wide);
    CHECK(name.size() <= 255);
    CHECK(name.find("\xC3.") == std::string::npos);

    std::vector<qconn::Definition> definitions(3);
    definitions[0].name = "a/b";
    definitions[1].name = "a_b";
    definitions[2].name = "A:B";
    CHECK(definition_paths(definitions, "d") == std::vector<std::string>{"d/a_b.qconn.yaml", "d/a_b-2.qconn.yaml", "d/A_B-3.qconn.yaml"});
}

namespace {

std::string diff_of(std::string_view before, std::string_view after) {
    const auto shown = [](std::string_view text) {
        ShownText out{lines_of(text), {}};
        for (const auto line : out.lines) out.shown.emplace_back(line);
        return out;
    };
    return unified_diff("f", shown(before), shown(after));
}

}  // namespace

TEST_CASE("a diff has three lines around each change, and one hunk for changes that are near each other", "[cli]") {
    CHECK(diff_of("a\nb\n", "a\nb\n").empty());
    CHECK(diff_of("a\n", "b\n") == "--- f\n+++ f\n@@ -1 +1 @@\n-a\n+b\n");
    CHECK(diff_of("", "a\nb\n") == "--- f\n+++ f\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    CHECK(diff_of("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n9\n") ==
          "--- f\n+++ f\n@@ -2,8 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n-8\n 9\n");
    CHECK(diff_of("x\n1\n2\n3\n4\n5\n6\n7\n8\ny\n", "X\n1\n2\n3\n4\n5\n6\n7\n8\nY\n") ==
          "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-x\n+X\n 1\n 2\n 3\n@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-y\n+Y\n");
}

TEST_CASE("KEY=VALUE finds the key of a definition, the option, the member or the part of the URL that it means", "[cli]") {
    Definition definition;
    definition.name = "a";
    definition.url = "file://h/x";
    const auto set = [&](const char* key, const char* value) { Changes{definition, builtin_catalogue()}.set(key, value); };

    set("desc", "text");
    set("enabled", "false");
    set("readonly", "true");
    set("tags.team", "sales");
    set("url.path", "/y");
    CHECK(definition.description == "text");
    CHECK(definition.enabled == false);
    CHECK(definition.options == Map{{"readonly", true}});
    CHECK(definition.tags == Map{{"team", "sales"}});
    CHECK(definition.url == "file://h/y");
    Changes{definition, builtin_catalogue()}.unset("readonly");
    CHECK(definition.options == Map{{"readonly", Value{}}});
    Changes{definition, builtin_catalogue()}.remove("readonly");
    Changes{definition, builtin_catalogue()}.remove("enabled");
    CHECK(definition.options.empty());
    CHECK_FALSE(definition.enabled);

    set("readonly", "maybe");  // the check says what is wrong with it
    CHECK(definition.options == Map{{"readonly", "maybe"}});
    for (const char* key : {"readnly", "name", "type", "options", "readonly.x", "url.x", "=", ""}) CHECK_THROWS_AS(set(key, "x"), UsageError);
    for (const char* port : {"x", "-1", "65536", "1 "}) CHECK_THROWS_AS(set("port", port), UsageError);
    CHECK_THROWS_AS(set("host", "a@b"), UsageError);
    CHECK_THROWS_AS(set("enabled", "yes"), UsageError);
    CHECK_THROWS_AS(set("url.password", "x"), UsageError);
    CHECK_THROWS_AS((Changes{definition, builtin_catalogue()}.remove("url")), UsageError);
}
