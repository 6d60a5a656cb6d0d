// SPDX-License-Identifier: Apache-2.0
#include "monitor/timeline.hpp"

#include <algorithm>
#include <utility>

#include <qconn/monitor/history.hpp>

#include "base/glob.hpp"
#include "base/text.hpp"

namespace qconn {

namespace {

bool matches(const Event& event, const TimelineFilter& filter) {
    if (event.time < filter.from || event.time >= filter.until) return false;
    const auto is_one_of = [](const auto& range, const auto& is_it) { return range.empty() || std::any_of(range.begin(), range.end(), is_it); };
    if (!is_one_of(filter.kinds, [&](EventKind kind) { return kind == event.kind; })) return false;
    return is_one_of(filter.names, [&](const std::string& pattern) {
        const auto fits = [&](const std::string& name) { return text::glob_matches(pattern, name); };
        return fits(event.name) || std::any_of(event.members.begin(), event.members.end(), fits);
    });
}

}  // namespace

std::vector<Event> filtered(const std::vector<Event>& events, const TimelineFilter& filter) {
    std::vector<Event> found;
    for (auto one = events.rbegin(); one != events.rend() && found.size() < filter.most; ++one)
        if (matches(*one, filter)) found.push_back(*one);
    std::reverse(found.begin(), found.end());
    return found;
}

namespace monitor {

bool Timeline::is_told(const Event& event) { return event.kind != EventKind::failing && event.kind != EventKind::recovered; }

Event Timeline::bounded(Event event) {
    if (event.members.size() > k_members) event.members.resize(k_members);
    event.error = text::shorten(event.error, k_text);
    return event;
}

void Timeline::add(Event event) {
    if (!remember_ || !is_told(event)) return;
    unseen_.push_back(bounded(std::move(event)));
    flush();
}

void Timeline::add_waiting(Event event) {
    if (!remember_ || !is_told(event)) return;
    event = bounded(std::move(event));
    const std::scoped_lock lock{mutex_};
    insert(std::move(event));
}

void Timeline::restore(std::vector<Event> events) {
    if (!remember_) return;
    const std::scoped_lock lock{mutex_};
    for (Event& event : events) {
        event.seq = 0;
        event.mono = {};
        insert(bounded(std::move(event)));
    }
}

bool Timeline::flush() {
    if (unseen_.empty()) return true;
    const std::unique_lock lock{mutex_, std::try_to_lock};
    if (!lock) return false;
    for (Event& event : unseen_) insert(std::move(event));
    unseen_.clear();
    return true;
}

void Timeline::insert(Event event) {
    if (event.kind == EventKind::up && event.from == ConnectionState::unknown && !of_name_.contains(event.name)) return;
    ++of_name_[event.name];
    auto place = events_.end();
    while (place != events_.begin() && (*std::prev(place))->seq > event.seq) --place;
    events_.insert(place, std::make_shared<const Event>(std::move(event)));
    if (events_.size() <= k_events) return;
    const auto count = of_name_.find(events_.front()->name);
    if (--count->second == 0) of_name_.erase(count);
    events_.pop_front();
}

std::vector<Event> Timeline::list() const {
    std::vector<std::shared_ptr<const Event>> shared;
    {
        const std::scoped_lock lock{mutex_};
        shared.assign(events_.begin(), events_.end());
    }
    std::vector<Event> events;
    events.reserve(shared.size());
    for (const auto& one : shared) events.push_back(*one);
    return events;
}

}  // namespace monitor

}  // namespace qconn
