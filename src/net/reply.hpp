// SPDX-License-Identifier: Apache-2.0
/// Replies of three digits and text: RFC 959 section 4.2, RFC 5321 section 4.2.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/net/reply.hpp>

#include "net/dialogue_log.hpp"

namespace qconn::net {

/// `550 No such file`, made fit for a message.
std::string shown(const Reply& reply);

/// Bytes in, replies out. A value type.
class ReplyParser {
public:
    static constexpr std::size_t k_max_line = 16 * 1024;
    static constexpr std::size_t k_max_reply = 256 * 1024;

    ReplyParser() = default;
    /// @param log  is told each line as it came
    explicit ReplyParser(SessionLog log) : log_{std::move(log)} {}

    /// Takes bytes up to the end of one reply. @returns how many it used: all of them as long as none is complete
    std::size_t feed(std::string_view input);
    /// The reply that is complete, once.
    std::optional<Reply> take();
    /// What is wrong with the input; empty: nothing so far. Nothing more can be read after that.
    const std::string& problem() const noexcept { return problem_; }
    /// Whether a reply has begun that is not complete.
    bool is_within() const noexcept { return !line_.empty() || reply_.code != 0; }

private:
    void end_line();

    SessionLog log_;
    std::string line_;
    Reply reply_;
    std::size_t size_{0};
    bool complete_{false};
    std::string problem_;
};

}  // namespace qconn::net
