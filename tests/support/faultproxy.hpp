// SPDX-License-Identifier: Apache-2.0
/// A network that can be broken.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "support/server.hpp"

namespace qconn::test {

/// A TCP proxy to a port of 127.0.0.1 that misbehaves as told; the rules are at the head of tests/servers/faultproxy.py.
/// @note One thread at a time.
class FaultProxy {
public:
    explicit FaultProxy(std::uint16_t target_port);
    FaultProxy(const FaultProxy&) = delete;
    FaultProxy& operator=(const FaultProxy&) = delete;
    ~FaultProxy();

    std::uint16_t port() const noexcept { return server_.port(); }
    std::string address() const { return server_.address(); }

    /// Sets rules, for example `{"stall_after": 100}`; those not named stay. @returns what the proxy answers, a JSON object
    std::string rules(std::string_view json) { return command(json); }
    void set(std::string_view rule, double value);
    void set(std::string_view rule, bool value);
    void set(std::string_view rule, int value);
    void clear() { command("clear"); }
    /// RST to every client now.
    void cut() { command("cut"); }
    /// Connections so far, and those that stand now.
    int connections() { return number("connections"); }
    int live() { return number("live"); }

    /// The proxy itself: kill(), freeze() …
    Server& server() noexcept { return server_; }

private:
    std::string command(std::string_view line);
    int number(std::string_view name);

    Server server_;
    int control_{-1};
};

}  // namespace qconn::test
