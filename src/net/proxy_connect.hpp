// SPDX-License-Identifier: Apache-2.0
/// Opening a tunnel through an HTTP proxy: CONNECT, RFC 9110 section 9.3.6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/net/dialogue.hpp>
#include <qconn/net/endpoint.hpp>

namespace qconn::net {

/// One CONNECT request and the head of its answer. What follows a 2xx head belongs to the tunnel and is left unused.
class ProxyConnect final : public Dialogue {
public:
    /// Largest head of an answer.
    static constexpr std::size_t k_max_head = std::size_t{64} * 1024;

    /// Interim answers (1xx) before the final one.
    static constexpr int k_max_interims = 16;

    /// @param proxy  lives as long as this
    ProxyConnect(const Proxy& proxy, std::string_view host, std::uint16_t port);

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override { return status_line_; }
    std::string_view awaited() const noexcept override { return "the proxy's answer to CONNECT"; }
    Phase phase() const noexcept override { return Phase::proxy; }

private:
    Step read_head(std::string_view input, bool closed);
    Step judge(std::string_view head, std::size_t used);
    Error error(Reason reason, std::string words) const;

    const Proxy& proxy_;
    std::string target_;
    std::string status_line_;
    int interims_{0};
};

}  // namespace qconn::net
