// SPDX-License-Identifier: Apache-2.0
/// The histories of all connections: written by the loop's thread, which never waits for a reader, read from any.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include <qconn/base/operation.hpp>

#include "monitor/cell.hpp"
#include "monitor/history.hpp"
#include "monitor/moment.hpp"

namespace qconn::monitor {

class Histories {
public:
    /// As shown, and its accounts as numbers for a file.
    struct Kept {
        ConnectionHistory shown;
        UpTime::Kept up_time;
    };

    /// @param remember  false: nothing is
    explicit Histories(bool remember) : remember_{remember} {}

    /// Loop's thread: the history of a connection begins, or goes on.
    void begin(const std::shared_ptr<Cell>& cell, Moment now, const Kept* before = nullptr);
    /// Loop's thread: `change` gets the history and the time in it, now or when no reader is in the way.
    template <class Change>
    void write(const std::shared_ptr<Cell>& cell, Moment now, Change&& change) {
        if (!remember_) return;
        const HistoryTime time = time_of(now);
        if (waiting_.empty())
            if (const std::unique_lock lock{mutex_, std::try_to_lock}) return change(*cell->history, time);
        waiting_.emplace_back(cell, [change = std::forward<Change>(change), time](Cell& one) mutable { change(*one.history, time); });
    }
    /// Loop's thread: writes what readers kept it from writing. @returns false where one is reading: try again in a moment
    bool flush();

    /// Any thread. All but the name; nothing where nothing is remembered, or not yet.
    ConnectionHistory read(const Cell& cell, Moment now) const;
    std::optional<Kept> keep(const Cell& cell, Moment now) const;

private:
    HistoryTime time_of(Moment now) const;

    const bool remember_;
    // Written by the loop's thread before the first history is there; who sees one under the mutex sees this.
    std::optional<Moment> origin_;
    std::vector<std::pair<std::shared_ptr<Cell>, UniqueFunction<void(Cell&)>>> waiting_;  // loop's thread
    mutable std::mutex mutex_;                                                            // of all Cell::history
};

}  // namespace qconn::monitor
