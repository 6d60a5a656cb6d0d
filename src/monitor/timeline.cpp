// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <utility>

#include <qconn/monitor/history.hpp>

#include "base/glob.hpp"

namespace qconn {

namespace {

template <class Range, class One>
bool is_in_or_all(const Range& range, const One& is_it) {
    return range.empty() || std::any_of(range.begin(), range.end(), is_it);
}

bool matches(const Event& event, const TimelineFilter& filter) {
    if (event.time < filter.from || event.time >= filter.until) return false;
    if (!is_in_or_all(filter.kinds, [&](EventKind kind) { return kind == event.kind; })) return false;
    return is_in_or_all(filter.names, [&](const std::string& pattern) {
        return text::glob_matches(pattern, event.name) || std::any_of(event.members.begin(), event.members.end(),
                                                                      [&](const std::string& member) { return text::glob_matches(pattern, member); });
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

}  // namespace qconn
