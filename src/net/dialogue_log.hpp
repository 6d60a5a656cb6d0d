// SPDX-License-Identifier: Apache-2.0
/// What is said on connections, for who listens and for the log.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/log.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/net/dialogue_log.hpp>

#include "net/secret_mask.hpp"

namespace qconn::net {

class Stream;

/// Of a client, for all its sessions (SessionLog).
/// @note Thread-safe. Neither listener nor log is called with a lock held.
class DialogueLog {
public:
    struct Options {
        std::string_view family;  ///< static: "smtp", for events like smtp-sent
        std::string label;        ///< of the client
        bool log{false};          ///< what is sent and what becomes of sessions is logged, at level info
        bool dbglog{false};       ///< all else too, at level debug
        DialogueListener listener{};
    };
    DialogueLog(Options options, Log log);
    /// With what the options of a client say.
    template <class ClientOptions>
    static std::shared_ptr<DialogueLog> of(std::string_view family, const ClientOptions& options, Log log) {
        auto made = std::make_shared<DialogueLog>(Options{family, options.label, options.log, options.dbglog, options.on_dialogue}, std::move(log));
        if (options.password) made->add_secret(*options.password);
        return made;
    }

    /// Somebody wants to know; else all that is told goes nowhere, and none of it need be put together.
    bool is_on() const noexcept { return options_.log || options_.dbglog || listened_to_.load(std::memory_order_relaxed); }
    /// Is masked from now on.
    void add_secret(const Secret& secret);
    std::string masked(std::string text) const;
    void set_listener(DialogueListener listener);

private:
    friend class SessionLog;
    enum class Weight : std::uint8_t { act, detail };

    /// @param event  behind the family
    void tell(DialogueLine::Kind kind, Weight weight, std::string_view event, std::string_view text, std::uint64_t session) noexcept;
    void call_listener(const DialogueLine& line);
    struct Listener;

    const Options options_;  // without the listener
    const Log log_;
    std::atomic<bool> listened_to_{false};
    std::atomic<std::uint64_t> sessions_{0};
    mutable std::mutex mutex_;
    std::condition_variable left_;  // a listener has been left
    // Guarded by mutex_:
    SecretMask mask_;
    std::shared_ptr<Listener> listener_;  // null: nobody
};

/// One session's part of it. A value type; one made without a DialogueLog is silent.
class SessionLog {
public:
    SessionLog() noexcept = default;
    explicit SessionLog(std::shared_ptr<DialogueLog> log) : log_{std::move(log)}, number_{++log_->sessions_} {}

    bool is_on() const noexcept { return log_ && log_->is_on(); }
    /// A line without its end.
    void sent(std::string_view line) const { tell(DialogueLine::Kind::sent, DialogueLog::Weight::act, "sent", line); }
    /// Several, each with its end.
    void sent_lines(std::string_view lines) const;
    /// `before`, and behind it what nobody may see, which is masked from now on.
    void sent_secret(std::string_view before, std::string_view secret) const;
    void received(std::string_view line) const { tell(DialogueLine::Kind::received, DialogueLog::Weight::detail, "received", line); }
    /// What is no line; `event` as it stands in the log.
    void noted(std::string_view text, std::string_view event = "noted") const {
        tell(DialogueLine::Kind::noted, DialogueLog::Weight::detail, event, text);
    }
    /// Contents that went or came: "RETR: 17 bytes".
    void noted_size(std::string_view what, std::uint64_t bytes) const;

    // What becomes of the session:

    void connected(const Stream& stream) const;
    /// @param user  empty: there was no log-in
    void logged_in(std::string_view user, const Stream& stream) const;
    void ended() const noexcept { told("ended", "the session has ended"); }
    void told(std::string_view event, std::string_view text) const noexcept {
        tell(DialogueLine::Kind::noted, DialogueLog::Weight::act, event, text);
    }

    void add_secret(const Secret& secret) const {
        if (log_) log_->add_secret(secret);
    }
    std::string masked(std::string text) const { return log_ ? log_->masked(std::move(text)) : text; }

private:
    void tell(DialogueLine::Kind kind, DialogueLog::Weight weight, std::string_view event, std::string_view text) const noexcept {
        if (is_on()) log_->tell(kind, weight, event, text, number_);
    }

    std::shared_ptr<DialogueLog> log_;
    std::uint64_t number_{0};
};

}  // namespace qconn::net
