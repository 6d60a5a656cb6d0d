// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/event_recorder.hpp>

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

namespace qconn::testing {

namespace {

std::string story_of(const std::vector<Event>& events, std::string_view name) {
    std::string text;
    for (const Event& event : events)
        if (event.name == name) text.append(text.empty() ? "" : " ").append(to_string(event.kind));
    return text;
}

std::string lines_of(const std::vector<Event>& events, std::size_t from = 0) {
    std::string text;
    for (std::size_t i = from; i < events.size(); ++i) text += "  " + to_line(events[i]) + '\n';
    return text.empty() ? "  nothing\n" : text;
}

}  // namespace

Unexpected::~Unexpected() = default;

std::string to_line(const Event& event) {
    std::string line = std::to_string(event.seq) + ' ' + std::string{to_string(event.kind)} + ' ' + event.name;
    if (!event.alert.empty()) line += ' ' + event.alert;
    if (event.reason != Reason::none || event.phase != Phase::none)
        line += " (" + std::string{to_string(event.phase)} + ", " + std::string{to_string(event.reason)} + ')';
    if (!event.error.empty()) line += ": " + event.error;
    return line;
}

struct EventRecorder::State {
    mutable std::mutex mutex;
    mutable std::condition_variable came;
    std::vector<Event> events;
    std::size_t expected{0};  // those up to there have been looked at by expect()
};

EventRecorder::EventRecorder() : state_{std::make_shared<State>()} {}
EventRecorder::EventRecorder(Monitor& monitor, SubscribeOptions options)
    : state_{std::make_shared<State>()}, watching_{std::make_shared<Subscription>(monitor.subscribe(listener(), std::move(options)))} {}

std::function<void(const Event&)> EventRecorder::listener() const {
    return [state = state_](const Event& event) {
        const std::scoped_lock lock{state->mutex};
        state->events.push_back(event);
        state->came.notify_all();
    };
}

std::vector<Event> EventRecorder::events() const {
    const std::scoped_lock lock{state_->mutex};
    return state_->events;
}

std::string EventRecorder::of(std::string_view name) const {
    const std::scoped_lock lock{state_->mutex};
    return story_of(state_->events, name);
}

std::string EventRecorder::text() const {
    std::string text;
    for (const Event& event : events()) text += to_line(event) + '\n';
    return text;
}

bool EventRecorder::has(EventKind kind, std::string_view name) const {
    for (const Event& event : events())
        if (event.kind == kind && event.name == name) return true;
    return false;
}

Event EventRecorder::last(EventKind kind, std::string_view name) const {
    Event found;
    for (Event& event : events())
        if (event.kind == kind && event.name == name) found = std::move(event);
    return found;
}

void EventRecorder::clear() {
    const std::scoped_lock lock{state_->mutex};
    state_->events.clear();
    state_->expected = 0;
}

bool EventRecorder::wait_until(const std::function<bool(const std::vector<Event>&)>& condition, Deadline deadline) const {
    std::unique_lock lock{state_->mutex};
    const auto holds = [&] { return condition(state_->events); };
    if (!deadline.is_never()) return state_->came.wait_until(lock, deadline.when(), holds);
    state_->came.wait(lock, holds);
    return true;
}

bool EventRecorder::wait_for(std::string_view name, std::string_view story, Deadline deadline) const {
    return wait_until([&](const std::vector<Event>& events) { return story_of(events, name) == story; }, deadline);
}

Event EventRecorder::expect(EventKind kind, std::string_view name, Deadline deadline) {
    std::size_t from = 0;
    {
        const std::scoped_lock lock{state_->mutex};
        from = state_->expected;
    }
    std::size_t found = from;
    const bool came = wait_until(
        [&](const std::vector<Event>& events) {
            for (found = from; found < events.size(); ++found)
                if (events[found].kind == kind && (name.empty() || events[found].name == name)) return true;
            return false;
        },
        deadline);
    const std::scoped_lock lock{state_->mutex};
    if (came) {
        state_->expected = found + 1;
        return state_->events[found];
    }
    throw Unexpected{"no \"" + std::string{to_string(kind)} + '"' + (name.empty() ? std::string{} : " of \"" + std::string{name} + '"') +
                     " came; what came instead:\n" + lines_of(state_->events, from)};
}

void EventRecorder::expect_story(std::string_view name, std::string_view story, Deadline deadline) const {
    if (wait_for(name, story, deadline)) return;
    const auto all = events();
    throw Unexpected{"of \"" + std::string{name} + "\" this was expected: " + std::string{story} + "\n  and this came: " + story_of(all, name) +
                     "\nall that came:\n" + lines_of(all)};
}

}  // namespace qconn::testing
