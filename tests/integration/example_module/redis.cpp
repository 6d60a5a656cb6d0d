// SPDX-License-Identifier: Apache-2.0
// The module of examples/module against a real server.
#include <string>

#include <qconn/core/module.hpp>
#include <qconn/core/registry.hpp>

#include "contract/connection_contract.hpp"
#include "redis_client.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/server.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("the scheme of the example's module keeps the contract of connections", "[contract][module][integration]") {
    const Server server{"redis"};
    const SilentServer silent;
    ModuleHost host{{}};
    qconn_module_1(host);
    Catalogue catalogue;
    catalogue.add(host.schemes().front());
    const auto url = [](std::string_view password, const std::string& at) { return "redis://:" + std::string{password} + "@" + at; };
    const auto local = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };

    ConnectionContract contract;
    contract.catalogue = &catalogue;
    contract.up = {url(k_password, server.address())};
    contract.changed = {contract.up.url, "database: 1"};
    contract.use.blocking = [](Client& client, Deadline deadline) {
        return dynamic_cast<redis::RedisClient&>(client).get("number", deadline).value_or("none");
    };
    contract.answer = "none";
    contract.changed_answer = "one";
    contract.refused = Down{{url(k_password, local(free_port()))}, Phase::connect, Reason::refused};
    contract.silent = Down{{url(k_password, local(silent.port()))}, Phase::auth, Reason::timeout, PingDepth::standard, 1s};
    contract.wrong_password = Down{{url("wrong", server.address())}, Phase::auth, Reason::denied};
    contract.bad_certificate = Absent{"the example does not speak TLS"};
    contract.slow = SlowUse{.sample = {url(k_password, local(silent.port()))},
                            .blocking_holds_client = "its calls are serialised and blocking: a caller holds the client for the length of one"};
    {
        Registry registry{RegistryOptions{.catalogue = &catalogue}};
        Definition definition;
        definition.name = "filled";
        definition.description = "database 1";
        definition.url = contract.up.url;
        definition.options.set("database", 1);
        registry.add(definition);
        registry.open<redis::RedisClient>("filled")->set("number", "one", 10s);
    }

    CHECK(to_text(broken_promises(contract)) == "");
}
