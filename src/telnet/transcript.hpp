// SPDX-License-Identifier: Apache-2.0
/// What was said, with secrets masked: for people, and bounded.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/dialogue_log.hpp"

namespace qconn::telnet {

/// The last of the text of a client's sessions; and its lines, which come in pieces, for who listens to the dialogue. @note Thread-safe
class Transcript {
public:
    /// @param size  of what is kept; 0: nothing
    Transcript(std::shared_ptr<net::DialogueLog> dialogue, std::size_t size) : dialogue_{std::move(dialogue)}, size_{size} {}

    /// The lines that follow are those of a new session. @returns for what else there is to tell of it
    net::SessionLog begin_session();
    void received(std::string_view text);
    /// @param shown  false: it is echoed, and stands in what is received
    void sent(std::string_view text, bool shown);
    void sent_secret(bool shown);

    std::string text() const;

private:
    void keep(std::string_view text);
    /// The session, once what it has received without an end is told: it was said before what is sent now.
    net::SessionLog flushed(std::string_view sent, bool shown);

    const std::shared_ptr<net::DialogueLog> dialogue_;
    const std::size_t size_;
    mutable std::mutex mutex_;
    // Guarded by mutex_, which is not held while anything is told: listeners and logs are the user's.
    net::SessionLog session_;
    std::string text_;
    std::string line_;  // received, without an end so far
};

}  // namespace qconn::telnet
