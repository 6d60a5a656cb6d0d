// SPDX-License-Identifier: Apache-2.0
// What is called by name on a client that lives on.
#include <algorithm>

#include "integration/amqp/fixture.hpp"
#include "support/catch.hpp"
#include "support/define.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

Value call(AmqpClient& client, std::string_view name, const Map& arguments) {
    const auto& all = builtin_catalogue().find("amqp")->operations;
    const auto found = std::find_if(all.begin(), all.end(), [name](const OperationSpec& one) { return one.name == name; });
    REQUIRE(found != all.end());
    return found->run(client, arguments, soon());
}

}  // namespace

TEST_CASE("calls by name leave no link behind, also those that fail", "[amqp][integration]") {
    AmqpClient client{to(proton())};
    call(client, "send", Map{{"address", "by-name"}, {"body", "hello"}});
    CHECK(call(client, "receive", Map{{"address", "by-name"}})[0]["body"] == Value{"hello"});
    CHECK(client.links().empty());

    CHECK(error_of([&] { call(client, "send", Map{{"address", "reject"}, {"body", "x"}}); }).name() == "AMQP-DELIVERY-ERROR");
    CHECK(error_of([&] { call(client, "fetch", Map{{"address", "by-name"}, {"timeout", 100}}); }).name() == "AMQP-RECEIVE-ERROR");
    CHECK(error_of([&] {
              call(client, "request", Map{{"address", "void"}, {"body", "x"}, {"timeout", 300}});
          }).name() == "AMQP-REQUEST-REPLY-TIMEOUT");
    CHECK(error_of([&] { call(client, "send", Map{{"address", "by-name"}, {"body", "x"}, {"type", "colour"}}); }).name() == "AMQP-DECODE-ERROR");
    CHECK(wait_until([&] { return client.links().empty(); }));
    CHECK(client.is_open());
}

TEST_CASE("links by name are those that the program has open", "[amqp][integration]") {
    AmqpClient client{to(proton())};
    AmqpSenderOptions options = sending_to("seen");
    options.name = "mine";
    const AmqpSender sender = client.open_sender(std::move(options), soon());
    const Value links = call(client, "links", {});
    REQUIRE(links.as_list().size() == 1);
    CHECK(links[0]["name"] == Value{"mine"});
    CHECK(links[0]["role"] == Value{"sender"});
    CHECK(links[0]["address"] == Value{"seen"});
}
