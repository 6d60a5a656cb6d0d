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

double milliseconds(std::chrono::nanoseconds time) { return std::chrono::duration<double, std::milli>{time}.count(); }

Value availability_value(const Availability& one) {
    const auto share = one.share();
    return Map{{"up_ms", one.up.count()}, {"down_ms", one.down.count()}, {"share", share ? Value{*share} : Value{}}};
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
    return Map{{"name", text_value(status.name)},
               {"state", to_string(status.state)},
               {"since", time_value(status.since)},
               {"checked", time_value(status.checked)},
               {"next", time_value(status.next)},
               {"latency_ms", status.latency.count() == 0 ? Value{} : Value{milliseconds(status.latency)}},
               {"pings", status.pings},
               {"failures", status.failures},
               {"flapping", status.flapping},
               {"slow", status.slow},
               {"outage", number_value(status.outage)},
               {"certificate_expires", time_value(status.certificate_expires)},
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

Value to_value(const ConnectionCertificate& one) {
    return Map{{"connection", text_value(one.connection)},          {"expires", rfc3339(one.certificate.expires)},
               {"not_before", rfc3339(one.certificate.not_before)}, {"subject", text_value(one.certificate.subject)},
               {"issuer", text_value(one.certificate.issuer)},      {"sha256", text_value(one.certificate.sha256)}};
}

Value to_value(const ConnectionCredential& one) {
    const Credential& has = one.credential;
    return Map{{"connection", text_value(one.connection)},
               {"kind", to_string(has.kind)},
               {"expires", time_value(has.expires.value_or(Credential::Time{}))},
               {"valid_from", time_value(has.valid_from.value_or(Credential::Time{}))},
               {"subject", text_value(has.subject)},
               {"issuer", text_value(has.issuer)},
               {"fingerprint", text_value(has.fingerprint)}};
}

Value to_value(const PastOutage& outage) {
    return Map{{"began", rfc3339(outage.began)},     {"ended", time_value(outage.ended)},    {"phase", to_string(outage.phase)},
               {"reason", to_string(outage.reason)}, {"error", text_value(outage.error)},    {"kind", to_string(outage.kind)},
               {"cause", text_value(outage.cause)},  {"outage", number_value(outage.outage)}};
}

Value to_value(const ConnectionHistory& history) {
    List pings;
    for (const PingOutcome one : history.pings) pings.push_back(to_string(one));
    List outages;
    for (const PastOutage& one : history.outages) outages.push_back(to_value(one));
    const Latencies& took = history.latencies;
    return Map{{"name", text_value(history.name)},
               {"since", time_value(history.since)},
               {"downs", history.downs},
               {"last_hour", availability_value(history.last_hour)},
               {"last_day", availability_value(history.last_day)},
               {"total", availability_value(history.total)},
               {"latency_ms", took.pings == 0 ? Value{}
                                              : Value{Map{{"pings", took.pings},
                                                          {"p50", milliseconds(took.p50)},
                                                          {"p90", milliseconds(took.p90)},
                                                          {"p99", milliseconds(took.p99)},
                                                          {"longest", milliseconds(took.longest)}}}},
               {"outages", std::move(outages)},
               {"pings", std::move(pings)}};
}

}  // namespace qconn
