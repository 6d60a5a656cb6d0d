// SPDX-License-Identifier: Apache-2.0
/// What waits for one listener. Pure: no clock, no threads.
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include <qconn/monitor/event.hpp>

namespace qconn::monitor {

/// Events of the kinds and names that a listener asked for, in their order. When more than its limit wait, each connection, alert and interface is
/// looked at by itself: where it comes back to what it was after an earlier event that waits, or before it was there at all, what led around in that
/// circle is left out. So the last event still says what is, and each event still follows from the one before.
class Backlog {
public:
    using Item = std::shared_ptr<const Event>;

    /// @param group_alerts  one alert stands for all connections of an outage, as MonitorOptions has it
    explicit Backlog(SubscribeOptions options = {}, bool group_alerts = true);

    /// @returns how many events were left out because of this one
    std::size_t push(const Item& event);
    bool empty() const noexcept { return events_.empty(); }
    std::size_t size() const noexcept { return events_.size(); }
    /// The oldest one, with Event::skipped. Undefined where it is empty.
    Item pop();
    void clear() noexcept;

private:
    bool is_wanted(const Event& event) const noexcept;
    std::size_t thin_out();

    SubscribeOptions options_;
    bool group_alerts_;
    std::bitset<32> kinds_;  // all set where the options name none
    std::deque<Item> events_;
    std::size_t limit_;         // above it events are left out; twice what could not be, so that looking costs little for each event
    std::uint64_t skipped_{0};  // since the last pop()
};

}  // namespace qconn::monitor
