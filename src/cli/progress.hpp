// SPDX-License-Identifier: Apache-2.0
/// How far long work has come: one line on standard error, only where that is a terminal.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace qconn::cli {

/// Shows a line from a thread of its own while it lives, beginning after a moment, so that quick work shows nothing. The line is gone when this goes.
class Progress {
public:
    /// @param text  what to show now; called on the thread of this, where standard error is a terminal
    explicit Progress(std::function<std::string()> text);
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress();

    /// Runs `write` with the line out of the way, as standard output may be the same terminal.
    void aside(const std::function<void()>& write);

private:
    void run();
    void erase();

    std::function<std::string()> text_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool ends_{false};    // guarded by mutex_
    bool shown_{false};   // guarded by mutex_
    std::thread thread_;  // none: standard error is no terminal
};

}  // namespace qconn::cli
