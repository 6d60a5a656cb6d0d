// SPDX-License-Identifier: Apache-2.0
/// The strict eFTL server of tests/servers, its control, and clients of it.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/eftl/eftl_client.hpp>
#include <qconn/rest/rest_client.hpp>

#include "support/server.hpp"

namespace qconn::test {

using namespace std::chrono_literals;

class EftlBus {
    std::unique_ptr<Server> held_;

public:
    /// One that nobody has any more, as it was at the start, or a new one: Node takes longer to start than most tests. @param environment  of the
    /// server; with one it is new
    explicit EftlBus(std::vector<std::string> environment = {});
    EftlBus(const EftlBus&) = delete;
    EftlBus& operator=(const EftlBus&) = delete;
    ~EftlBus();

    EftlOptions options(bool tls = false) const;
    std::string url(bool tls = false) const;
    Value get(const std::string& path);
    Value post(const std::string& path, const Value& body);
    /// {"fault": NAME, ...}
    void fault(Map what) { post("fault", Value{std::move(what)}); }
    void config(Map what) { post("config", Value{std::move(what)}); }
    /// What the client did wrong by the protocol, one a line; empty: nothing.
    std::string breaches();
    /// Makes the server publish messages with the field "type" and a field "n" that counts from 1.
    void inject(const std::string& type, int count, int rate = 0);

    Server& server;

private:
    bool shared_;
    RestClient control_;
};

/// A message with these.
EftlMessage numbered(std::string_view type, std::int64_t n);
Deadline soon();

}  // namespace qconn::test
