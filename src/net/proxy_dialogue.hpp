// SPDX-License-Identifier: Apache-2.0
/// What is said to a proxy until it leads to the target.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/net/dialogue.hpp>
#include <qconn/net/endpoint.hpp>

#include "net/address.hpp"
#include "net/proxy_refusal.hpp"

namespace qconn::net {

/// Where a tunnel is to end.
struct ProxyTarget {
    std::string host;
    std::uint16_t port{0};
    /// Set where the name was looked up here: then this is sent instead of the name.
    std::optional<Address> address{};
};

/// The byte there, as a number.
inline unsigned byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

/// After `done` what is left of the input belongs to the tunnel.
class ProxyDialogue : public Dialogue {
public:
    Phase phase() const noexcept final { return Phase::proxy; }
    /// After a failure: the proxy is to be asked once more, by begin() on a new connection to it.
    virtual bool wants_new_connection() const noexcept { return false; }

protected:
    /// @param proxy  lives as long as this
    ProxyDialogue(const Proxy& proxy, std::string target) : proxy_{proxy}, target_{std::move(target)} {}

    /// @param heard  what it said, before the words of the refusal; may be empty
    Error error(ProxyRefusal refusal, const std::string& heard) const;
    Step fail(ProxyRefusal refusal, const std::string& heard) const { return {Want::failed, 0, error(refusal, heard)}; }
    bool has_login() const noexcept { return !proxy_.username.empty() || !proxy_.password.empty(); }

    const Proxy& proxy_;
    const std::string target_;  // for messages, and for CONNECT
};

/// @param proxy  lives as long as the dialogue
std::unique_ptr<ProxyDialogue> make_proxy_dialogue(const Proxy& proxy, const ProxyTarget& target);

}  // namespace qconn::net
