// SPDX-License-Identifier: Apache-2.0
/// Reloading when files change.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <qconn/base/export.hpp>
#include <qconn/core/registry.hpp>

namespace qconn {

namespace core {
class Watcher;
}

struct WatchOptions {
    /// How long nothing must have changed before files are read. Zero: they are read at once.
    std::chrono::milliseconds debounce{200};
    /// Where changes do not end: longest time from the first of them until files are read.
    std::chrono::milliseconds at_most{3000};
    /// Time between two looks at the files where the system does not tell of changes: network file systems, or no inotify watches left.
    /// Not below 10 ms.
    std::chrono::milliseconds poll{5000};
    /// False: only by looking every `poll`.
    bool notified{true};
    /// Called after each reload, on a thread of the runtime's blocking pool, never two at a time. What it throws is logged.
    std::function<void(const LoadReport&)> on_reload{};
};

/// Keeps a registry as its files are, until the handle goes. What was loaded is watched, also what is loaded later; each directory and each symbolic
/// link on the way to it counts, so that files may be replaced by renaming, trees by switching a link, and directories may go and come back.
/// The first watching of a place is followed by a reload, so nothing is lost between a load and this.
///
/// Neither the destructor nor stop() waits for a reload under way, which comes to its end; none begins after. Once they have returned on_reload is
/// not called any more: they wait for a call under way, but not from inside it and not on an I/O thread, where it may still run on. Both may be
/// called from anywhere, also from a listener of the registry. Registry and handle may go in any order.
/// @note A move-only handle; thread-safe.
class QCONN_API Watch {
public:
    Watch() noexcept = default;
    explicit Watch(std::shared_ptr<core::Watcher> watcher) noexcept;
    Watch(Watch&&) noexcept;
    Watch& operator=(Watch&&) noexcept;
    ~Watch();

    void stop() noexcept;
    /// Whether it looks at the files every `poll`, as the system does not tell of all changes. The log has the reason.
    bool polls() const noexcept;

private:
    std::shared_ptr<core::Watcher> watcher_;
};

}  // namespace qconn
