// SPDX-License-Identifier: Apache-2.0
// The contract of connections, for telnet.
#include "contract/connection_contract.hpp"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "fixture.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Calls that have been begun and have not ended.
std::atomic<int>& calls_in_flight() {
    static std::atomic<int> count{0};
    return count;
}
struct Counted {
    Counted() { ++calls_in_flight(); }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --calls_in_flight(); }
};

/// The port of the device.
Use port_use() {
    return {.blocking =
                [](Client& client, Deadline deadline) {
                    auto& telnet = dynamic_cast<TelnetClient&>(client);
                    const Counted counted;
                    return telnet.run("show port", deadline);
                },
            .asynchronous =
                [](Client& client, Deadline deadline, Callback<std::string> callback) {
                    auto counted = std::make_unique<Counted>();
                    Callback<std::string> tell = [callback = std::move(callback), counted = std::move(counted)](Result<std::string> result) mutable {
                        counted.reset();
                        callback(std::move(result));
                    };
                    return dynamic_cast<TelnetClient&>(client).async_run("show port", deadline, std::move(tell));
                }};
}

}  // namespace

TEST_CASE("telnet keeps the contract of connections", "[contract][integration]") {
    const BlackHole hole;
    const auto at = [](const std::string& login, std::uint16_t port) { return "telnet://" + login + "@127.0.0.1:" + std::to_string(port); };
    const std::string login = std::string{k_user} + ':' + std::string{k_password};
    const Device usual = device();
    const Device other = device("pieces");
    ConnectionContract contract;
    contract.up = {at(login, usual.port)};
    contract.changed = {at(login, other.port)};
    contract.use = port_use();
    contract.answer = std::to_string(usual.port) + "\n";
    contract.changed_answer = std::to_string(other.port) + "\n";
    contract.refused = Down{{at(login, free_port())}, Phase::connect, Reason::refused};
    contract.silent = Down{{at(login, hole.port())}, Phase::connect, Reason::timeout, PingDepth::standard, 2s};
    contract.wrong_password = Down{{at(std::string{k_user} + ":wrong", usual.port)}, Phase::auth, Reason::denied, PingDepth::auth};
    contract.bad_certificate = Absent{"TELNET has no TLS"};
    contract.slow = SlowUse{.sample = {at(login, device("mute").port)}, .reached = [](int calls) {
                                // They share one session: from outside it cannot be seen where the others wait, a moment later.
                                if (calls_in_flight() < calls) return false;
                                std::this_thread::sleep_for(300ms);
                                return true;
                            }};
    contract.with_canary = {{at(std::string{k_user} + ":" + k_canary, usual.port), "dbglog: true\nlog: true\n"},
                            {at(std::string{k_user} + ":" + k_canary, device("shows_password").port), "dbglog: true\n"}};

    CHECK(to_text(broken_promises(contract)) == "");
}
