// SPDX-License-Identifier: Apache-2.0
// What can be done with a mailbox by name, and pings to each depth.
#include <algorithm>
#include <string>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/net/ping.hpp>

#include "pop3_fixture.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

Value run_operation(Pop3Client& client, std::string_view name, const Map& arguments) {
    const Scheme* const scheme = builtin_catalogue().find("pop3");
    for (const OperationSpec& one : scheme->operations)
        if (one.name == name) return one.run(client, arguments, 20s);
    throw std::runtime_error{"there is no such operation"};
}

}  // namespace

TEST_CASE("a mailbox is looked into and emptied by operations", "[mail][integration]") {
    Mailbox box;
    box.put("From: Anna <a@example.com>\nSubject: one\n\ntext\nmore\n");
    box.put("Subject: two\n\nb\n");
    box.put("Subject: three\n\nc\n");
    Pop3Client client{box.options()};

    const Value list = run_operation(client, "list", {});
    REQUIRE(list.as_list().size() == 3);
    CHECK(list[0]["number"].as_int64() == 1);
    CHECK(list[0]["size"].as_int64() > 40);
    CHECK(run_operation(client, "stat", {})["messages"].as_int64() == 3);
    CHECK(run_operation(client, "uidl", {})[1]["uid"].as_string() == list[1]["uid"].as_string());
    CHECK(run_operation(client, "retrieve", {{"number", 2}}).as_string() == "Subject: two\r\n\r\nb\r\n");
    const Value parsed = run_operation(client, "retrieve", {{"number", 1}, {"parsed", true}});
    CHECK(parsed["subject"].as_string() == "one");
    CHECK(parsed["from"][0].as_string() == "Anna <a@example.com>");
    CHECK(parsed["text"].as_string() == "text\r\nmore\r\n");
    CHECK(run_operation(client, "top", {{"number", 1}, {"lines", 1}}).as_string().find("more") == std::string_view::npos);
    CHECK(run_operation(client, "capabilities", {}).as_list().size() > 3);
    CHECK(error_of([&] { run_operation(client, "delete", {}); }).code() == Errc::invalid_argument);
    CHECK(error_of([&] { run_operation(client, "retrieve", {{"number", 0}}); }).code() == Errc::invalid_argument);
    CHECK(run_operation(client, "delete", {{"numbers", List{1, 3}}})["deleted"].as_int64() == 2);
    CHECK(run_operation(client, "delete", {{"uid", list[1]["uid"]}})["deleted"].as_int64() == 1);
    CHECK(box.count() == 0);
}

TEST_CASE("a mailbox answers pings to each depth", "[mail][integration]") {
    Mailbox box;
    const TempDir folder;
    const std::string login = box.user() + ':' + std::string{k_password} + '@';
    const auto define = [&](const std::string& name, const std::string& url, const std::string& options) {
        folder.write(name + ".qconn.yaml", "type: connection\nname: " + name + "\ndesc: d\nurl: " + url +
                                               "\noptions:\n  ssl_ca_file: " + tls_file("ca.crt") + "\n" + options);
    };
    define("plain", "pop3://" + login + dovecot().address(), "");
    define("stls", "pop3://" + login + dovecot().address(), "  tls: true\n");
    define("secure", "pop3s://" + login + dovecot().address2(), "");
    Registry registry;
    registry.load(folder.path());
    for (const char* name : {"plain", "stls", "secure"}) {
        for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full}) {
            const PingResult result = registry.ping(name, depth, 10s);
            INFO(name << " " << to_string(depth) << (result.error ? result.error->what() : ""));
            CHECK(result.ok);
        }
    }
}
