// SPDX-License-Identifier: Apache-2.0
/// Reading the secrets of one definition.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/core/definition.hpp>

#include "base/redaction.hpp"
#include "core/secret_table.hpp"

namespace qconn::core {

/// Until when, and how fresh, somebody wants secrets.
struct SecretLimits {
    Deadline deadline{};
    /// Set when nobody waits any more. Null: never.
    std::shared_ptr<const std::atomic<bool>> cancelled{};
    /// Answers from before are read anew, whatever their validity.
    Clock::time_point not_before{Clock::time_point::min()};
};

/// Answers that hold for a while.
/// @note Thread-safe.
class SecretCache {
public:
    struct Entry {
        Secret secret;
        Clock::time_point read;
        Clock::time_point due;  // for being read anew
    };
    std::optional<Entry> find(const std::string& key, Clock::time_point not_before) const;
    void put(const std::string& key, Entry entry);

private:
    mutable std::mutex mutex_;
    std::map<std::string, Entry> entries_;  // guarded by mutex_
};

/// @note One thread at a time.
class SecretReader {
public:
    /// @param cache  may be null
    SecretReader(const SecretTable& table, const Definition& definition, SecretLimits limits = {}, SecretCache* cache = nullptr);

    /// @throws Error SECRET-ERROR (phase secret) naming the reference and why it cannot be had; never any content
    Secret read(const SecretRef& reference);

    /// Until when somebody waits for the definition.
    const Deadline& deadline() const noexcept { return limits_.deadline; }
    /// Everything that was read.
    Redaction& redaction() noexcept { return redaction_; }
    /// When the first of the secrets is to be read anew; never where none says so.
    Clock::time_point due() const noexcept { return due_; }

private:
    SecretAnswer ask(const SecretProvider& provider, const SecretRef& reference) const;
    [[noreturn]] void fail(const SecretRef& reference, std::string_view why, Reason reason, bool retryable = false) const;

    const SecretTable& table_;
    const std::string connection_;
    const std::string directory_;
    const SecretLimits limits_;
    SecretCache* const cache_;
    Redaction redaction_;
    Clock::time_point due_{Clock::time_point::max()};
};

/// The directory of a definition's file, which relative paths count from; empty: the working directory.
std::string directory_of(const Definition& definition);

}  // namespace qconn::core
