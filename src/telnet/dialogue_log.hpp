// SPDX-License-Identifier: Apache-2.0
/// What was said, with secrets masked: for people, and bounded.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/log.hpp>
#include <qconn/base/secret.hpp>

namespace qconn::telnet {

/// The transcript of a client, and its log. @note Thread-safe
class DialogueLog {
public:
    /// @param size  of the transcript; 0: none
    /// @param events  whether told() is logged, at level info
    /// @param lines   whether what is said is logged, at level debug
    DialogueLog(std::string label, std::size_t size, bool events, bool lines, Log log)
        : label_{std::move(label)}, size_{size}, events_{events}, lines_{lines}, log_{std::move(log)} {}

    /// Is masked from now on.
    void add_secret(const Secret& secret);
    std::string masked(std::string text) const;

    void received(std::string_view text);
    /// @param shown  false: it is echoed, and stands in what is received
    void sent(std::string_view text, bool shown);
    void sent_secret(bool shown);
    /// What is neither: negotiation, commands.
    void noted(std::string_view text);
    /// What became of the session.
    void told(std::string_view event, std::string_view text);

    std::string transcript() const;

private:
    /// What is to be logged, once the lock is released: sinks are the user's.
    using Lines = std::vector<std::pair<std::string_view, std::string>>;

    std::string mask(std::string text) const;
    void keep(std::string_view text);
    bool logs_lines() const noexcept { return lines_ && log_.enabled(LogLevel::debug); }
    void flush_line(Lines& out);
    void write(LogLevel level, const Lines& lines) const;

    const std::string label_;
    const std::size_t size_;
    const bool events_;
    const bool lines_;
    const Log log_;
    mutable std::mutex mutex_;
    // Guarded by mutex_:
    std::vector<Secret> secrets_;
    std::string text_;
    std::string line_;  // received, without an end so far
};

}  // namespace qconn::telnet
