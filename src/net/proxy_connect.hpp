// SPDX-License-Identifier: Apache-2.0
/// Opening a tunnel through an HTTP proxy: CONNECT, RFC 9110 section 9.3.6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "net/http_auth.hpp"
#include "net/proxy_dialogue.hpp"

namespace qconn::net {

/// A CONNECT request and the head of its answer; where the proxy asks for a log-in and may be shown it, the same again with that, and once more with
/// a fresh nonce of a proxy to which the first was stale. What follows a 2xx head belongs to the tunnel and is left unused.
class ProxyConnect final : public ProxyDialogue {
public:
    /// Largest head of an answer.
    static constexpr std::size_t k_max_head = std::size_t{64} * 1024;

    /// Interim answers (1xx) before the final one.
    static constexpr int k_max_interims = 16;

    /// Body of a 407 that is read past to go on with the connection.
    static constexpr std::size_t k_max_skipped = std::size_t{64} * 1024;

    /// @param proxy  lives as long as this
    ProxyConnect(const Proxy& proxy, std::string_view host, std::uint16_t port);

    Step begin(std::string& out) override;
    Step feed(std::string_view input, bool closed, std::string& out) override;
    std::string evidence() const override { return status_line_; }
    std::string_view awaited() const noexcept override { return "the proxy's answer to CONNECT"; }
    bool wants_new_connection() const noexcept override { return wants_new_connection_; }

private:
    std::optional<Step> ask(std::string& out);
    Step read_head(std::string_view input, bool closed);
    Step judge(std::string_view head, std::size_t used);
    bool can_answer(std::string_view head);
    Step ask_again(std::string_view head, std::size_t used, std::string words);
    Step refuse(int status, std::string_view head, std::string words, std::size_t used) const;

    std::string status_line_;
    int interims_{0};
    std::optional<DigestChallenge> challenge_;
    bool answers_basic_{false};  // to a challenge
    bool was_stale_{false};
    std::size_t to_skip_{0};  // of the body of a 407, before the request is sent again
    bool asks_again_{false};  // as soon as that is done
    bool wants_new_connection_{false};
};

}  // namespace qconn::net
