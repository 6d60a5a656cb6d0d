// SPDX-License-Identifier: Apache-2.0
// What can be called by name, and pings to their depths.
#include <memory>
#include <string>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

const OperationSpec& operation(const std::string& name) {
    for (const OperationSpec& one : builtin_catalogue().find("smtp")->operations) {
        if (one.name == name) return one;
    }
    throw std::runtime_error{"there is no operation " + name};
}

Definition a_definition(const std::string& scheme, std::uint16_t port) {
    Definition made;
    made.name = "out";
    made.url = scheme + "://" + std::string{k_user} + ":" + std::string{k_password} + "@127.0.0.1:" + std::to_string(port);
    made.options.set("ssl_ca_file", tls_file("ca.crt"));
    made.options.set("from", "Reports <reports@example.com>");
    return made;
}

}  // namespace

TEST_CASE("mail is sent by name, with addresses and files as words", "[smtp][integration]") {
    Registry registry;
    registry.add(a_definition("smtptls", aiosmtp().port()));
    const auto client = registry.open<Client>("out");
    const TempDir directory;
    const std::string file = directory.write("a b.txt", "contents");
    const Value receipt = operation("send").run(*client,
                                                Map{{"to", "Jörg <j@x.example>, b@x.example"},
                                                    {"cc", List{"c@x.example", "D <d@x.example>"}},
                                                    {"bcc", "hidden@x.example"},
                                                    {"subject", "Größe"},
                                                    {"body", "text"},
                                                    {"html", "<p>text</p>"},
                                                    {"attach", file}},
                                                20s);
    const Map& map = receipt.as_map();
    CHECK(map.at("recipients").as_list().size() == 5);
    CHECK(map.at("reply").as_map().at("code").as_int64() == 250);
    const Value mail = read_mail(aiosmtp(), std::string{map.at("message_id").as_string()});
    CHECK(mail.as_map().at("subject").as_string() == "Größe");
    CHECK(mail.as_map().at("to").as_list().size() == 2);
    CHECK(mail.as_map().at("cc").as_list().size() == 2);
    CHECK(mail.as_map().at("body").as_map().at("parts").as_list().at(1).as_map().at("name").as_string() == "a b.txt");

    CHECK(error_of([&] { operation("send").run(*client, Map{{"to", "nobody"}}, 20s); }).name() == "SMTP-MESSAGE-ERROR");
    const Map refused{{"to", "a@x.example, reject@x.example"}, {"body", "x"}};
    CHECK(error_of([&] { operation("send").run(*client, refused, 20s); }).name() == "SMTP-RECIPIENT-REFUSED");
    Map partial = refused;
    partial.set("partial", true);
    CHECK_FALSE(operation("send").run(*client, partial, 20s).as_map().at("recipients").as_list().at(1).as_map().at("accepted").as_bool());

    const Map info = operation("info").run(*client, {}, 20s).as_map();
    CHECK(info.at("tls").as_bool());
    CHECK(info.at("smtputf8").as_bool());
    CHECK(operation("verify").run(*client, Map{{"address", "j@x.example"}}, 20s).as_map().at("code").as_int64() == 252);
}

TEST_CASE("pings of mail tell how far they came, by each scheme", "[smtp][integration]") {
    for (const char* scheme : {"smtp", "smtptls", "smtps", "esmtp", "esmtptls", "esmtps"}) {
        INFO(scheme);
        const bool implicit = std::string{scheme}.ends_with("mtps");
        Registry registry;
        registry.add(a_definition(scheme, implicit ? exim().port2() : exim().port()));
        for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full}) {
            const PingResult result = registry.ping("out", depth, 20s, true);
            INFO((result.error ? result.error->what() : "ok"));
            CHECK(result.ok);
            std::string seen;
            for (const PingStep& step : result.steps) seen += step.evidence + "; ";
            INFO(seen);
            CHECK((depth == PingDepth::connect || result.tls.has_value()));
            const bool logs_in = depth != PingDepth::connect && depth != PingDepth::tls;
            CHECK((seen.find("logged in as qconntest (PLAIN)") != std::string::npos) == logs_in);
        }
        Definition wrong = a_definition(scheme, implicit ? exim().port2() : exim().port());
        wrong.url.replace(wrong.url.find(k_password), k_password.size(), "wrong");
        wrong.name = "wrong";
        registry.add(wrong);
        CHECK(registry.ping("wrong", PingDepth::tls, 20s).ok);
        const PingResult refused = registry.ping("wrong", PingDepth::standard, 20s);
        REQUIRE(refused.error);
        CHECK(refused.error->phase() == Phase::auth);
    }
}
