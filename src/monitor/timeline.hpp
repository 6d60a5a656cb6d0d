// SPDX-License-Identifier: Apache-2.0
/// The latest events of all connections and interfaces.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <qconn/monitor/event.hpp>

namespace qconn::monitor {

/// Bounded in number and in what each takes. Of what is told only what an operator asks for afterwards: no `failing` and `recovered`, and no `up` of
/// a connection that was unknown and of which there is nothing else, as after a start all come up.
class Timeline {
public:
    static constexpr std::size_t k_events = 1000;
    static constexpr std::size_t k_members = 100;  ///< of an outage
    static constexpr std::size_t k_text = 1000;    ///< of an error, in bytes

    /// @param remember  false: nothing is
    explicit Timeline(bool remember) : remember_{remember} {}

    /// Loop's thread, which waits for no reader.
    void add(Event event);
    /// Any other thread. Events may come otherwise than in the order of their `seq`.
    void add_waiting(Event event);
    /// Before all others: those of an earlier run, of which `seq` and `mono` say nothing any more.
    void restore(std::vector<Event> events);
    /// Loop's thread: shows readers what they kept it from showing. @returns false where one is reading: try again in a moment
    bool flush();

    /// Any thread.
    std::vector<Event> list() const;

private:
    static bool is_told(const Event& event);
    static Event bounded(Event event);
    void insert(Event event);  // mutex_ is held

    const bool remember_;
    std::vector<Event> unseen_;  // loop's thread
    mutable std::mutex mutex_;
    // Guarded by mutex_:
    std::deque<std::shared_ptr<const Event>> events_;
    std::unordered_map<std::string, std::uint32_t> of_name_;  // how many of them
};

}  // namespace qconn::monitor
