// SPDX-License-Identifier: Apache-2.0
/// Records what a monitor tells.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <qconn/monitor/event.hpp>

#include "support/wait.hpp"

namespace qconn::test {

/// What a listener was told. Thread-safe.
class EventLog {
public:
    std::function<void(const Event&)> listener() {
        return [state = state_](const Event& event) {
            const std::scoped_lock lock{state->mutex};
            state->events.push_back(event);
        };
    }
    std::vector<Event> events() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->events;
    }
    /// "up failing down" of one name, in order; alerts as "alert".
    std::string of(const std::string& name) const {
        std::string text;
        for (const Event& event : events())
            if (event.name == name) text.append(text.empty() ? "" : " ").append(to_string(event.kind));
        return text;
    }
    bool wait_for(const std::string& name, const std::string& story, std::chrono::milliseconds limit = std::chrono::seconds{10}) const {
        return wait_until([&] { return of(name) == story; }, limit);
    }
    /// The last event of that kind and name; a default one where there is none.
    Event last(EventKind kind, const std::string& name) const {
        Event found;
        for (const Event& event : events())
            if (event.kind == kind && event.name == name) found = event;
        return found;
    }
    bool has(EventKind kind, const std::string& name) const {
        for (const Event& event : events())
            if (event.kind == kind && event.name == name) return true;
        return false;
    }

private:
    struct State {
        std::mutex mutex;
        std::vector<Event> events;
    };
    std::shared_ptr<State> state_{std::make_shared<State>()};
};

}  // namespace qconn::test
