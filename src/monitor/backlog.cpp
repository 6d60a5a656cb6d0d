// SPDX-License-Identifier: Apache-2.0
#include "monitor/backlog.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/glob.hpp"

namespace qconn::monitor {

namespace {

enum class Topic { state, text, silence, alert, interface, outage };
/// What an event speaks of.
using Subject = std::tuple<Topic, std::string_view, std::string_view, std::uint64_t>;  // topic, name, type of alert, number of an outage

/// What a subject is, as a number: equal ones mean the same. Of connections a ConnectionState or absent.
constexpr int k_absent = -1;
constexpr int k_present = 1;
constexpr int k_unknown = -2;

Topic topic_of(const Event& event) noexcept {
    switch (event.kind) {
        case EventKind::updated:
        case EventKind::slow: return Topic::text;
        case EventKind::alert:
            if (event.transient) return Topic::text;
            [[fallthrough]];
        case EventKind::alert_cleared: return Topic::alert;
        case EventKind::silenced:
        case EventKind::unsilenced: return Topic::silence;
        case EventKind::stop:
        case EventKind::start: return Topic::interface;
        case EventKind::outage:
        case EventKind::outage_over: return Topic::outage;
        default: return Topic::state;
    }
}

bool is_of_connection(const Event& event) noexcept { return topic_of(event) < Topic::interface; }

Subject subject_of(const Event& event, bool group_alerts) noexcept {
    const Topic topic = topic_of(event);
    if (topic == Topic::outage) return {topic, {}, {}, event.outage};
    if (event.kind == EventKind::slow) return {topic, event.name, to_string(event.kind), 0};
    if (topic != Topic::alert) return {topic, event.name, event.alert, 0};
    // What stands for an outage may be cleared by another name than it was raised by.
    const bool of_outage = group_alerts && event.outage != 0;
    return {topic, of_outage ? std::string_view{} : event.name, event.alert, event.outage};
}

int after(const Event& event) noexcept {
    switch (event.kind) {
        case EventKind::removed:
        case EventKind::alert_cleared:
        case EventKind::start:
        case EventKind::unsilenced:
        case EventKind::outage_over: return k_absent;
        case EventKind::alert:
        case EventKind::stop:
        case EventKind::silenced:
        case EventKind::outage: return k_present;
        // Not the same as that state later: it may be disabled or invalid from the beginning, which is told once more.
        case EventKind::added: return 100 + static_cast<int>(event.state);
        default: return static_cast<int>(event.state);
    }
}

/// Where it can be told for sure.
int before(const Event& event) noexcept {
    switch (event.kind) {
        case EventKind::added:
        case EventKind::alert:
        case EventKind::stop:
        case EventKind::silenced:
        case EventKind::outage: return k_absent;
        default: return k_unknown;
    }
}

/// One subject's events that stay.
struct Chain {
    int before;
    std::vector<std::pair<int, std::size_t>> kept{};  // what it is after each, and where that stands in the queue
};

/// Alerts and updates say in passing what the connection was then. Where it went on from there and came back without the listener being told, they
/// say what he knows of it.
void align_states(std::deque<Backlog::Item>& events, const std::vector<bool>& stays) {
    struct Known {
        std::size_t last_left_out{0};
        const Event* state{nullptr};
    };
    std::unordered_map<std::string_view, Known> names;
    for (std::size_t i = 0; i < events.size(); ++i)
        if (!stays[i] && is_of_connection(*events[i])) names[events[i]->name].last_left_out = i;
    for (std::size_t i = 0; i < events.size(); ++i) {
        if (!stays[i]) continue;
        const Event& event = *events[i];
        const auto at = names.find(event.name);
        if (at == names.end() || !is_of_connection(event)) continue;
        Known& known = at->second;
        if (topic_of(event) == Topic::state) {
            known.state = &event;
        } else if (known.state != nullptr && i < known.last_left_out && event.state != known.state->state) {
            Event aligned = event;
            aligned.state = aligned.from = known.state->state;
            events[i] = std::make_shared<const Event>(std::move(aligned));
        }
    }
}

}  // namespace

Backlog::Backlog(SubscribeOptions options, bool group_alerts)
    : options_{std::move(options)},
      group_alerts_{group_alerts},
      limit_{options_.queue == 0 ? std::numeric_limits<std::size_t>::max() : options_.queue} {
    if (options_.kinds.empty()) kinds_.set();
    for (const EventKind kind : options_.kinds) kinds_.set(static_cast<std::size_t>(kind));
}

bool Backlog::is_wanted(const Event& event) const noexcept {
    return kinds_.test(static_cast<std::size_t>(event.kind)) &&
           (options_.names.empty() ||
            std::any_of(options_.names.begin(), options_.names.end(), [&](const auto& pattern) { return text::glob_matches(pattern, event.name); }));
}

std::size_t Backlog::push(const Item& event) {
    if (!is_wanted(*event)) return 0;
    events_.push_back(event);
    return events_.size() > limit_ ? thin_out() : 0;
}

Backlog::Item Backlog::pop() {
    Item event = std::move(events_.front());
    events_.pop_front();
    if (events_.empty() && options_.queue != 0) limit_ = options_.queue;
    if (skipped_ != 0) {
        Event told = *event;
        told.skipped += std::exchange(skipped_, 0);
        event = std::make_shared<const Event>(std::move(told));
    }
    return event;
}

void Backlog::clear() noexcept {
    events_.clear();
    skipped_ = 0;
}

std::size_t Backlog::thin_out() {
    // The last event of a connection stays whatever it is: some changes show only in its state. But of one that is gone nothing else is to be known.
    std::unordered_map<std::string_view, std::size_t> last;
    for (std::size_t i = 0; i < events_.size(); ++i)
        if (is_of_connection(*events_[i])) last[events_[i]->name] = i;

    std::map<Subject, Chain> chains;
    std::vector<bool> stays(events_.size(), true);
    const auto cut = [&stays](Chain& chain, std::size_t length) {
        while (chain.kept.size() > length) {
            stays[chain.kept.back().second] = false;
            chain.kept.pop_back();
        }
    };
    for (std::size_t i = 0; i < events_.size(); ++i) {
        const Event& event = *events_[i];
        Chain& chain = chains.try_emplace(subject_of(event, group_alerts_), Chain{before(event)}).first->second;
        const int now = after(event);
        const auto last_at = last.find(event.name);
        const bool must_stay = is_of_connection(event) && event.kind != EventKind::removed && last_at != last.end() && last_at->second == i;
        if (topic_of(event) == Topic::text) {
            cut(chain, 0);  // the latest one is what counts
        } else if (must_stay) {
            // whatever was there before
        } else if (now == chain.before) {
            cut(chain, 0);
            stays[i] = false;
        } else if (const auto same = std::find_if(chain.kept.begin(), chain.kept.end(), [now](const auto& one) { return one.first == now; });
                   same != chain.kept.end()) {
            cut(chain, static_cast<std::size_t>(same - chain.kept.begin()) + 1);
            stays[i] = false;
        }
        if (event.kind == EventKind::removed) {
            for (auto texts = chains.lower_bound({Topic::text, event.name, {}, 0});
                 texts != chains.end() && std::get<0>(texts->first) == Topic::text && std::get<1>(texts->first) == event.name; ++texts)
                cut(texts->second, 0);
        }
        if (stays[i]) chain.kept.emplace_back(now, i);
    }
    align_states(events_, stays);
    std::size_t kept = 0;
    for (std::size_t i = 0; i < stays.size(); ++i) {
        if (stays[i])
            events_[kept++] = std::move(events_[i]);  // onto itself while nothing has been left out
        else
            skipped_ += 1 + events_[i]->skipped;
    }
    const std::size_t left_out = events_.size() - kept;
    events_.resize(kept);
    limit_ = std::max(options_.queue, 2 * kept);
    return left_out;
}

}  // namespace qconn::monitor
