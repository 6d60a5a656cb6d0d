// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <utility>

#include <qconn/sinks/log_sink.hpp>

#include "sinks/event_text.hpp"

namespace qconn {

namespace {

struct Telling {
    LogLevel level;
    std::string_view sentence;  ///< after the name
};

/// By EventKind.
constexpr std::array<Telling, 19> k_tellings{{{LogLevel::info, "is up"},
                                              {LogLevel::error, "is down"},
                                              {LogLevel::warning, "has failed once"},
                                              {LogLevel::info, "is up again after failures that were too few to make it down"},
                                              {LogLevel::info, "was enabled"},
                                              {LogLevel::info, "was disabled"},
                                              {LogLevel::error, "cannot be used"},
                                              {LogLevel::info, "was added"},
                                              {LogLevel::info, "was updated"},
                                              {LogLevel::info, "was removed"},
                                              {LogLevel::warning, "has an alert"},
                                              {LogLevel::info, "has an alert no more"},
                                              {LogLevel::warning, "is being stopped"},
                                              {LogLevel::info, "is being started again"},
                                              {LogLevel::warning, "is why several connections are down"},
                                              {LogLevel::info, "is in no connection's way any more"},
                                              {LogLevel::warning, "is slow to answer"},
                                              {LogLevel::info, "is silenced"},
                                              {LogLevel::info, "is silenced no more"}}};
static_assert(k_tellings.size() == static_cast<std::size_t>(EventKind::unsilenced) + 1);

const Telling& telling(EventKind kind) noexcept { return k_tellings[static_cast<std::size_t>(kind)]; }

void write(const Log& log, const Event& event) {
    // Who is called by what the log says of errors is not to be called for this one.
    const LogLevel level = event.silenced ? LogLevel::info : telling(event.kind).level;
    if (!log.enabled(level)) return;
    const bool of_interface = event.kind == EventKind::stop || event.kind == EventKind::start;
    const bool of_outage = event.kind == EventKind::outage || event.kind == EventKind::outage_over;
    const std::string text = sinks::sentence_of(event);
    LogRecord record{level, of_interface || of_outage ? std::string_view{} : std::string_view{event.name}, to_string(event.kind), text, {}};
    record.fields.emplace_back("seq", std::to_string(event.seq));
    if (of_interface) {
        record.fields.emplace_back("interface", event.name);
    } else if (of_outage) {
        record.fields.emplace_back("cause", event.name);
    } else {
        record.fields.emplace_back("state", to_string(event.state));
        record.fields.emplace_back("from", to_string(event.from));
    }
    if (event.phase != Phase::none) record.fields.emplace_back("phase", to_string(event.phase));
    if (event.reason != Reason::none) record.fields.emplace_back("reason", to_string(event.reason));
    if (!event.alert.empty()) record.fields.emplace_back("alert", event.alert);
    if (event.outage != 0) record.fields.emplace_back("outage", std::to_string(event.outage));
    if (!event.members.empty()) record.fields.emplace_back("members", std::to_string(event.members.size()));
    if (event.silenced) record.fields.emplace_back("silenced", "true");
    if (event.transient) record.fields.emplace_back("transient", "true");
    if (event.skipped != 0) record.fields.emplace_back("skipped", std::to_string(event.skipped));
    log.write(record);
}

}  // namespace

std::string sinks::sentence_of(const Event& event) {
    std::string text = '"' + event.name + "\" " + std::string{telling(event.kind).sentence};
    if (!event.alert.empty()) text += ", " + event.alert;
    if (!event.error.empty()) text += ": " + event.error;
    return text;
}

LogLevel log_level(EventKind kind) noexcept { return telling(kind).level; }

Subscription log_sink(Monitor& monitor, LogSinkOptions options) {
    return monitor.subscribe([log = std::move(options.log)](const Event& event) { write(log, event); }, std::move(options.events));
}

}  // namespace qconn
