// SPDX-License-Identifier: Apache-2.0
/// What the tests of this folder share: pings with a limit, and a small dialogue to have something to say.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <qconn/net/ping_plan.hpp>
#include <qconn/net/runtime.hpp>

#include "net/ping_run.hpp"
#include "support/loop.hpp"

namespace qconn::test {

/// One HTTP/1.1 request; over when the body is there (by Content-Length) or the peer closes. Any status below 400 is good.
class HttpGet final : public Dialogue {
public:
    explicit HttpGet(std::string path) : path_{std::move(path)} {}

    Step begin(std::string& out) override {
        out += "GET " + path_ + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
        return {};
    }
    Step feed(std::string_view input, bool closed, std::string&) override {
        const auto end = input.find("\r\n\r\n");
        if (end == input.npos) return {};
        status_ = std::string{input.substr(0, input.find("\r\n"))};
        std::size_t body = 0;
        const auto at = input.find("Content-Length: ");
        if (at < end) body = std::stoul(std::string{input.substr(at + 16, 10)});
        if (at >= end && !closed) return {};
        if (input.size() < end + 4 + body) return {};
        keeps_ = !closed;
        if (status_.at(9) >= '4') {
            return {
                Want::failed, input.size(),
                Error{std::make_error_code(std::errc::protocol_error), "STATUS", status_}.with_phase(Phase::protocol).with_reason(Reason::status)};
        }
        return {Want::done, end + 4 + body, std::nullopt};
    }
    bool keeps_stream() const noexcept override { return keeps_; }
    std::string evidence() const override { return status_; }
    std::string_view awaited() const noexcept override { return "the answer to GET"; }

private:
    std::string path_;
    std::string status_;
    bool keeps_{false};
};

inline std::function<std::unique_ptr<Dialogue>()> get(std::string path) {
    return [path = std::move(path)] { return std::make_unique<HttpGet>(path); };
}

inline Endpoint endpoint(std::string host, std::uint16_t port) {
    Endpoint made;
    made.host = std::move(host);
    made.port = port;
    return made;
}

inline Endpoint endpoint(std::string host, std::uint16_t port, TlsOptions tls) {
    Endpoint made = endpoint(std::move(host), port);
    made.tls = std::make_shared<const TlsOptions>(std::move(tls));
    return made;
}

inline PingResult ping(const Runtime& runtime, NetPing plan, Deadline deadline = Deadline{k_enough}) {
    return net::run_ping_blocking(runtime, PingPlan{std::move(plan)}, "test", deadline, true);
}

inline std::string text_of(const PingResult& result) { return result.error ? result.error->what() : "ok"; }

}  // namespace qconn::test
