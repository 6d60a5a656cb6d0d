// SPDX-License-Identifier: Apache-2.0
/// Records what a monitor tells, for tests that wait for it and compare it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/monitor/event.hpp>
#include <qconn/monitor/monitor.hpp>
#include <qconn/testing/unexpected.hpp>

namespace qconn::testing {

/// The events of a monitor, in order. May go before the monitor and after it.
/// @note Thread-safe. Copies share what was recorded.
class QCONN_API EventRecorder {
public:
    /// Records what listener() is called with.
    EventRecorder();
    /// Listens to that monitor, until it and its copies go.
    explicit EventRecorder(Monitor& monitor, SubscribeOptions options = {});

    /// For Monitor::subscribe, of one monitor or of several.
    std::function<void(const Event&)> listener() const;

    std::vector<Event> events() const;
    /// The kinds of the events of one name, in order: "up failing down alert".
    std::string of(std::string_view name) const;
    /// All of them, a line each, for people: "3 down shop (connect, refused): connecting to …".
    std::string text() const;
    bool has(EventKind kind, std::string_view name) const;
    /// The last event of that kind and name; a default one where there is none.
    Event last(EventKind kind, std::string_view name) const;
    /// Forgets what has come.
    void clear();

    /// Waits until of(name) is that text. @returns false where it was something else still at the deadline
    bool wait_for(std::string_view name, std::string_view story, Deadline deadline = std::chrono::seconds{10}) const;
    /// Waits until the condition holds for what has come; looks at it after each event. @returns false where the deadline came first
    bool wait_until(const std::function<bool(const std::vector<Event>&)>& condition, Deadline deadline = std::chrono::seconds{10}) const;

    /// The next event of that kind, and of that name unless it is empty, after the one that was expected before; waits for it. So calls in a row
    /// expect events in that order, whatever comes in between.
    /// @throws Unexpected
    Event expect(EventKind kind, std::string_view name = {}, Deadline deadline = std::chrono::seconds{10});
    /// As wait_for(). @throws Unexpected
    void expect_story(std::string_view name, std::string_view story, Deadline deadline = std::chrono::seconds{10}) const;

private:
    struct State;
    std::shared_ptr<State> state_;
    std::shared_ptr<Subscription> watching_;
};

/// One event as a line, as in EventRecorder::text().
QCONN_API std::string to_line(const Event& event);

}  // namespace qconn::testing
