// SPDX-License-Identifier: Apache-2.0
/// Signals that end a program which waits in a call.
#pragma once

#include <functional>
#include <mutex>
#include <thread>

#include "cli/live.hpp"

namespace qconn::cli {

/// SIGINT and SIGTERM, for as long as it lives: they end the program at once, but for what is `Gentle`. To be made before there are other threads.
class Interruption {
public:
    /// The first signal while it lives is answered by `stop`, and the program goes on to its end; the second ends it.
    class Gentle {
    public:
        /// @param stop  called on another thread, once at most, never after the destructor
        Gentle(Interruption& interruption, std::function<void()> stop);
        Gentle(const Gentle&) = delete;
        Gentle& operator=(const Gentle&) = delete;
        ~Gentle();

    private:
        Interruption& interruption_;
    };

    Interruption();
    Interruption(const Interruption&) = delete;
    Interruption& operator=(const Interruption&) = delete;
    ~Interruption();

    /// The one that has come, or 0.
    int signal() const;
    /// 130 and 143, as shells tell them; 0 without a signal.
    int exit_code() const;

private:
    void watch();
    void take(int number);

    Signals signals_;
    Descriptor over_;
    mutable std::mutex mutex_;
    std::function<void()> stop_;  // guarded by mutex_
    int signal_{0};               // guarded by mutex_
    std::thread thread_;          // last: it uses the others
};

}  // namespace qconn::cli
