// SPDX-License-Identifier: Apache-2.0
/// Writes the state file of a monitor soon after something has changed, on the blocking pool.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/deadline.hpp>
#include <qconn/base/log.hpp>
#include <qconn/net/runtime.hpp>

#include "monitor/kept_state.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"
#include "net/unique_fd.hpp"

namespace qconn::monitor {

/// @note Thread-safe.
class StateKeeper : public std::enable_shared_from_this<StateKeeper> {
public:
    /// What is written: given to the function piece by piece, none for long after the one before.
    using Put = std::function<void(std::string_view)>;
    /// @returns false where nobody knows anything any more: what is there stays
    using Gather = std::function<bool(const Put&)>;

    /// So long after a change it is written, with what else has changed meanwhile.
    static constexpr Clock::duration k_gather = std::chrono::milliseconds{200};
    /// Time between two writings; longer where writing takes so long that it would take more than a fiftieth of a thread's time.
    static constexpr Clock::duration k_pause = std::chrono::seconds{3};
    /// Written also when only pings have come, so that the file says that somebody watches; likewise.
    static constexpr Clock::duration k_beat = std::chrono::minutes{1};
    /// A monitor of this process that is just going may still have the file.
    static constexpr Clock::duration k_handover = std::chrono::seconds{1};
    /// A writing of the pool's that is under way when the monitor stops, or ends, is waited for so long: its file system may hang.
    static constexpr Clock::duration k_patience = std::chrono::seconds{5};

    /// @param gather  called on the pool, or by write_now(); never two at a time
    StateKeeper(Runtime runtime, std::shared_ptr<net::Loop> loop, std::string path, Gather gather);

    /// What the file has. One that cannot be used is renamed to end in `.bad`; whatever is wrong is logged, and costs nothing but what was in it.
    std::optional<KeptState> load() const;
    /// There is something to be written.
    void changed();
    /// On a thread that may block: after it has returned the file has all that changed before, unless it could not be written. A writing that hangs
    /// is not waited for longer than that.
    void write_now(Clock::duration patience = k_patience);
    /// Loop's thread: pings come, or do so no more. That is a change.
    void set_running(bool running);
    /// Loop's thread: nothing is written by itself any more.
    void close() noexcept;
    /// On a thread that may block, after close(): after it has returned nothing is written or logged any more. @returns false where a writing hangs
    bool end(Clock::duration patience = k_patience) noexcept;

private:
    /// @returns whether the file is this monitor's, which it is then until the end
    bool lock();
    void arm();  // loop's thread
    /// One at a time. @param patience  for the one before
    void write(Clock::duration patience);
    /// @returns what went wrong, empty where nothing did; nothing where there is nothing to be written
    std::optional<std::string> replace_file();
    void tell(LogLevel level, std::string_view event, const std::string& text) const;

    const Runtime runtime_;
    const std::shared_ptr<net::Loop> loop_;
    const std::string path_;
    const Gather gather_;
    net::UniqueFd lock_;
    const bool is_owner_;
    std::atomic<bool> dirty_{false};
    std::atomic<bool> asked_{false};  // arm() is on its way, or a writing that will see to it
    std::atomic<bool> closed_{false};

    std::mutex mutex_;
    std::condition_variable written_;
    bool writing_{false};  // guarded by mutex_
    bool ended_{false};    // guarded by mutex_
    bool failed_{false};   // of who is writing: and that was logged

    // Loop's thread:
    std::optional<net::Timer> timer_;
    Clock::time_point not_before_{};
    Clock::duration beat_{k_beat};
    bool running_{false};
};

}  // namespace qconn::monitor
