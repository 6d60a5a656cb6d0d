// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/wall_time.hpp>
#include <qconn/monitor/names.hpp>
#include <qconn/monitor/to_value.hpp>

#include "monitor/valid_text.hpp"

namespace qconn {

namespace {

Value text_value(std::string_view text) { return monitor::valid_text(text); }

Value texts_value(const std::vector<std::string>& texts) {
    List list;
    for (const std::string& one : texts) list.push_back(text_value(one));
    return list;
}

/// Of an outage; null where there is none.
Value number_value(std::uint64_t number) { return number == 0 ? Value{} : Value{number}; }

/// Null where it never was.
Value time_value(std::chrono::system_clock::time_point time) {
    return time == std::chrono::system_clock::time_point{} ? Value{} : Value{rfc3339(time)};
}

}  // namespace

Value to_value(const Event& event) {
    const EventName& name = event_name(event.kind);
    return Map{{"event", name.name},
               {"name", text_value(event.name)},
               {"state", to_string(event.state)},
               {"from", to_string(event.from)},
               {"phase", to_string(event.phase)},
               {"reason", to_string(event.reason)},
               {"error", text_value(event.error)},
               {"time", rfc3339(event.time)},
               {"mono_ns", std::chrono::nanoseconds{event.mono.time_since_epoch()}.count()},
               {"seq", event.seq},
               {"alert", text_value(event.alert)},
               {"transient", event.transient},
               {"silenced", event.silenced},
               {"outage", number_value(event.outage)},
               {"members", texts_value(event.members)},
               {"skipped", event.skipped},
               {"qorus_event", name.qorus.empty() ? Value{} : Value{name.qorus}},
               {"qorus_code", name.qorus.empty() ? Value{} : Value{name.qorus_code}}};
}

Value to_value(const Alert& alert) {
    return Map{{"type", text_value(alert.type)},
               {"id", alert.id},
               {"name", text_value(alert.name)},
               {"text", text_value(alert.text)},
               {"since", rfc3339(alert.since)},
               {"outage", number_value(alert.outage)},
               {"transient", alert.transient},
               {"silenced", alert.silenced},
               {"acknowledged", time_value(alert.acknowledged)},
               {"acknowledged_by", text_value(alert.acknowledged_by)},
               {"note", text_value(alert.note)}};
}

Value to_value(const ConnectionStatus& status) {
    using Milliseconds = std::chrono::duration<double, std::milli>;
    return Map{{"name", text_value(status.name)},
               {"state", to_string(status.state)},
               {"since", time_value(status.since)},
               {"checked", time_value(status.checked)},
               {"latency_ms", status.latency.count() == 0 ? Value{} : Value{Milliseconds{status.latency}.count()}},
               {"pings", status.pings},
               {"failures", status.failures},
               {"flapping", status.flapping},
               {"slow", status.slow},
               {"outage", number_value(status.outage)},
               {"phase", to_string(status.phase)},
               {"reason", to_string(status.reason)},
               {"error", text_value(status.error)},
               {"silence", status.silence ? to_value(*status.silence) : Value{}}};
}

Value to_value(const Silence& silence) {
    return Map{{"kind", to_string(silence.kind)},
               {"from", time_value(silence.from)},
               {"until", silence.until ? time_value(*silence.until) : Value{}},
               {"by", text_value(silence.by)},
               {"note", text_value(silence.note)}};
}

Value to_value(const Outage& outage) {
    return Map{{"id", outage.id},
               {"kind", to_string(outage.kind)},
               {"cause", text_value(outage.cause)},
               {"since", rfc3339(outage.since)},
               {"members", static_cast<std::uint64_t>(outage.members)},
               {"phase", to_string(outage.phase)},
               {"reason", to_string(outage.reason)},
               {"error", text_value(outage.error)}};
}

Value to_value(const InterfaceInfo& interface) {
    return Map{{"name", text_value(interface.name)},
               {"kind", to_string(interface.kind)},
               {"state", to_string(interface.state)},
               {"connections", texts_value(interface.connections)},
               {"waits_for", texts_value(interface.waits_for)},
               {"start_error", text_value(interface.start_error)},
               {"optional", texts_value(interface.optional)},
               {"groups", texts_value(interface.groups)},
               {"provides", texts_value(interface.provides)}};
}

}  // namespace qconn
