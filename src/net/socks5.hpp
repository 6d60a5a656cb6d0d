// SPDX-License-Identifier: Apache-2.0
/// Opening a tunnel through a SOCKS5 proxy: RFC 1928, with the log-in of RFC 1929.
#pragma once

#include <cstdint>
#include <optional>

#include "net/proxy_dialogue.hpp"

namespace qconn::net {

/// Greeting, log-in where the proxy chooses it, request.
class Socks5 final : public ProxyDialogue {
public:
    /// Longest name, user name and password: their lengths are one byte.
    static constexpr std::size_t k_max_text = 255;

    Socks5(const Proxy& proxy, ProxyTarget target);

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override;
    std::string_view awaited() const noexcept override;

private:
    enum class State : std::uint8_t { greeting, login, request };

    std::optional<Step> read_method(std::string_view input, std::string& out);
    std::optional<Step> read_login(std::string_view input, std::string& out);
    std::optional<Step> read_reply(std::string_view input);
    void write_login(std::string& out) const;
    void write_request(std::string& out) const;

    ProxyTarget to_;
    State state_{State::greeting};
    bool logged_in_{false};
};

}  // namespace qconn::net
