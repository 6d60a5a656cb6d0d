// SPDX-License-Identifier: Apache-2.0
/// What is said on connections whose protocol has lines for people: FTP, POP3, SMTP, TELNET.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include <qconn/base/export.hpp>

namespace qconn {

/// A line of a dialogue, fit to be shown: without its end, on one line, secrets masked, cut behind 4,096 bytes (before what cannot
/// be printed is escaped).
struct DialogueLine {
    enum class Kind : std::uint8_t {
        sent,
        received,
        noted,  ///< neither: what became of the session, the size of what is no line
    };
    Kind kind{Kind::noted};
    /// Lives for the call.
    std::string_view text{};
    /// Which session of the client said it, counted from 1: several may speak at a time.
    std::uint64_t session{0};

    /// "> " for what was sent, "< " for what came, "* " for the rest.
    QCONN_API std::string_view mark() const noexcept;
};

/// Told each line of a client's dialogues, those of a session in their order. Called where the I/O is done, an I/O thread of the runtime or the
/// caller's of a blocking call, at the same time from several where several sessions speak: it must not block. What it throws is logged once
/// (`listener-threw`) and does no harm.
///
/// Passwords, tokens and what is made of them for a log-in are masked: as a whole where they are sent, and by what they are wherever else they stand,
/// as in answers that repeat them (from 3 characters on; shorter ones would blot out parts of words). Contents (mails, files, listings) are no lines:
/// their size is noted.
using DialogueListener = std::function<void(const DialogueLine& line)>;

/// A client whose dialogues can be listened to.
class QCONN_API DialogueSource {
public:
    virtual ~DialogueSource();
    /// From now on, in the place of who listened before (`on_dialogue` of the options), also for sessions that are kept. Empty: nobody.
    /// @note Thread-safe. When this returns, or the client's destructor, the former listener is not called any more: both wait for calls that are
    /// under way, but for one that they are called from.
    virtual void set_dialogue_listener(DialogueListener listener) = 0;
};

}  // namespace qconn
