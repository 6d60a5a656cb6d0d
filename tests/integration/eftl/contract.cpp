// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for eftl and eftls.
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "contract/connection_contract.hpp"
#include "contract/tls_samples.hpp"
#include "integration/eftl/eftl_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

/// Calls that have been begun and have not ended.
std::atomic<int>& in_flight() {
    static std::atomic<int> count{0};
    return count;
}
struct InFlight {
    InFlight() { ++in_flight(); }
    InFlight(const InFlight&) = delete;
    InFlight& operator=(const InFlight&) = delete;
    ~InFlight() { --in_flight(); }
};

/// What a key of a map holds.
Use map_use() {
    return {.blocking =
                [](Client& client, Deadline deadline) {
                    const InFlight counted;
                    const auto found = dynamic_cast<EftlClient&>(client).map("contract").get("answer", deadline);
                    return found ? std::string{found->get_string("text").value_or("")} : std::string{"none"};
                },
            .asynchronous =
                [](Client& client, Deadline deadline, Callback<std::string> callback) {
                    auto counted = std::make_unique<InFlight>();
                    return dynamic_cast<EftlClient&>(client)
                        .map("contract")
                        .async_get("answer", deadline,
                                   [callback = std::move(callback), counted = std::move(counted)](Result<std::optional<EftlMessage>> result) mutable {
                                       counted.reset();
                                       if (!result) return callback(result.error());
                                       callback(*result ? std::string{(*result)->get_string("text").value_or("")} : std::string{"none"});
                                   });
                }};
}

ConnectionContract contract_of(const std::string& scheme, EftlBus& bus, EftlBus& other, const SilentServer& silent) {
    const bool tls = scheme == "eftls";
    const std::string host = tls ? "localhost:" : "127.0.0.1:";
    const std::string trust = tls ? "ssl_ca_file: " + tls_file("ca.crt") + "\n" : "";
    const std::string login = std::string{k_user} + ':' + std::string{k_password} + '@';
    const auto at = [&](const std::string& user, std::uint16_t port) { return scheme + "://" + user + host + std::to_string(port) + "/channel"; };
    bus.post("map", Map{{"map", "contract"}, {"key", "answer"}, {"value", Map{{"text", "one"}}}});
    other.post("map", Map{{"map", "contract"}, {"key", "answer"}, {"value", Map{{"text", "two"}}}});
    ConnectionContract out;
    out.up = {at(login, bus.server.port()), trust};
    out.changed = {at(login, other.server.port()), trust};
    out.use = map_use();
    out.answer = "one";
    out.changed_answer = "two";
    out.refused = Down{{at(login, free_port()), trust}, Phase::connect, Reason::refused};
    out.silent = Down{{at(login, silent.port()), trust}, Phase::protocol, Reason::timeout, PingDepth::auth, 2s};
    out.wrong_password = Down{{at(std::string{k_user} + ":wrong@", bus.server.port()), trust}, Phase::auth, Reason::denied, PingDepth::auth};
    if (tls)
        out.bad_certificate = Down{{at(login, bus.server.port()), ""}, Phase::tls, Reason::certificate_untrusted};
    else
        out.bad_certificate = Absent{"without TLS there is none"};
    out.slow = SlowUse{.sample = {at(login, silent.port()), trust}, .reached = [&silent](int calls) {
                           // All share one connection: from outside only the first can be seen. The others are a moment away from where they wait.
                           if (in_flight() < calls || count_ends_towards(silent.port(), TcpState::established) == 0) return false;
                           std::this_thread::sleep_for(300ms);
                           return true;
                       }};
    const std::string open = at(login, bus.server.port());
    out.samples = {{"urls", {"", trust + "urls: " + (tls ? "wss://" : "ws://") + login + host + std::to_string(bus.server.port()) + "/channel"}},
                   {"trust_store", {open, "trust_store: " + tls_file("ca.crt")}},
                   {"client_id", {"", trust + "client_id: contract"}}};
    out.samples.merge(tls_samples());
    const std::string canary = k_canary;
    out.with_canary = {
        {at("user:" + canary + "@", bus.server.port()), trust},
        {at(login, bus.server.port()), trust + "urls: 'ws://user:" + canary + "@127.0.0.1:1/channel|ws://two:" + canary + "@127.0.0.1:2/x'"}};
    return out;
}

struct Peers {
    EftlBus bus;
    EftlBus other;
    SilentServer silent;
};

}  // namespace

TEST_CASE("eftl keeps the contract of connections", "[contract][alike][integration]") {
    Peers peers;
    CHECK(to_text(broken_promises(contract_of("eftl", peers.bus, peers.other, peers.silent))) == "");
}

TEST_CASE("eftls keeps the contract of connections", "[contract][integration]") {
    Peers peers;
    CHECK(to_text(broken_promises(contract_of("eftls", peers.bus, peers.other, peers.silent))) == "");
}
