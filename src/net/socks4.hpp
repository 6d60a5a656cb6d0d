// SPDX-License-Identifier: Apache-2.0
/// Opening a tunnel through a SOCKS4 or SOCKS4a proxy (the two memoranda of Y.-D. Lee).
#pragma once

#include "net/proxy_dialogue.hpp"

namespace qconn::net {

/// One request, eight bytes of reply.
class Socks4 final : public ProxyDialogue {
public:
    Socks4(const Proxy& proxy, ProxyTarget target);

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override { return "granted (SOCKS4)"; }
    std::string_view awaited() const noexcept override { return "the reply of the SOCKS4 proxy"; }

private:
    ProxyTarget to_;
};

}  // namespace qconn::net
