// SPDX-License-Identifier: Apache-2.0
#include "monitor/kept_state.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <tuple>
#include <type_traits>
#include <utility>

#include <qconn/base/value.hpp>
#include <qconn/monitor/names.hpp>

#include "base/json.hpp"
#include "monitor/credentials.hpp"
#include "monitor/valid_text.hpp"

namespace qconn::monitor {

namespace {

constexpr std::string_view k_form = "qconn_monitor_state";
constexpr std::int64_t k_version = 1;
constexpr json::Limits k_limits{16U << 20U, 64, 1'000'000, true};

/// The instants and times of a file are nanoseconds from zero to this, so that sums of them are numbers.
constexpr std::int64_t k_latest = std::int64_t{1} << 62U;

// ---- the members of each: one list for writing and reading ---------------------------------------------------------------------------------

/// T is const where it is written.
template <class T, class Of>
concept Is = std::is_same_v<std::remove_const_t<T>, Of>;

template <class Io, Is<Silence> T>
void members(Io& io, T& one) {
    io("kind", one.kind);
    io("from", one.from);
    io("until", one.until);
    io("by", one.by);
    io("note", one.note);
}

template <class Io, Is<ConnectionStatus> T>
void members(Io& io, T& one) {
    io("name", one.name);
    io("state", one.state);
    io("since", one.since);
    io("checked", one.checked);
    io("latency", one.latency);
    io("failures", one.failures);
    io("flapping", one.flapping);
    io("slow", one.slow);
    io("silence", one.silence);
    io("phase", one.phase);
    io("reason", one.reason);
    io("error", one.error);
    io("pings", one.pings);
    io("outage", one.outage);
}

template <class Io, Is<ServerCertificate> T>
void members(Io& io, T& one) {
    io("subject", one.subject);
    io("issuer", one.issuer);
    io("not_before", one.not_before);
    io("expires", one.expires);
    io("sha256", one.sha256);
}

template <class Io, Is<Credential> T>
void members(Io& io, T& one) {
    io("kind", one.kind);
    io("subject", one.subject);
    io("issuer", one.issuer);
    io("from", one.valid_from);
    io("expires", one.expires);
    io("fingerprint", one.fingerprint);
}

template <class Io, Is<PastOutage> T>
void members(Io& io, T& one) {
    io("began", one.began);
    io("ended", one.ended);
    io("phase", one.phase);
    io("reason", one.reason);
    io("error", one.error);
    io("kind", one.kind);
    io("cause", one.cause);
    io("outage", one.outage);
}

template <class Io, Is<Latencies> T>
void members(Io& io, T& one) {
    io("pings", one.pings);
    io("p50", one.p50);
    io("p90", one.p90);
    io("p99", one.p99);
    io("longest", one.longest);
}

template <class Io, Is<Histories::Kept> T>
void members(Io& io, T& one) {
    io("since", one.shown.since);
    io("downs", one.shown.downs);
    io("pings", one.shown.pings);
    io("latencies", one.shown.latencies);
    io("outages", one.shown.outages);
    io("up_from", one.up_time.began);
    io("up_to", one.up_time.ended);
    io("up", one.up_time.total.up);
    io("down", one.up_time.total.down);
    io("parts", one.up_time.parts);
    io("minutes", one.up_time.minutes);
}

template <class Io, Is<KeptConnection> T>
void members(Io& io, T& one) {
    members(io, one.status);
    io("configuration", one.configuration);
    io("certificate", one.certificate);
    io("credentials", one.credentials);
    io("history", one.history);
}

template <class Io, Is<Alert> T>
void members(Io& io, T& one) {
    io("type", one.type);
    io("name", one.name);
    io("text", one.text);
    io("since", one.since);
    io("id", one.id);
    io("outage", one.outage);
    io("silenced", one.silenced);
    io("untold", one.untold);
    io("acknowledged_by", one.acknowledged_by);
    io("note", one.note);
    io("acknowledged", one.acknowledged);
}

template <class Io, Is<KeptOutage> T>
void members(Io& io, T& one) {
    io("id", one.outage.id);
    io("kind", one.outage.kind);
    io("cause", one.outage.cause);
    io("phase", one.outage.phase);
    io("reason", one.outage.reason);
    io("error", one.outage.error);
    io("since", one.outage.since);
    io("members", one.outage.members);
    io("told", one.told);
}

template <class Io, Is<Event> T>
void members(Io& io, T& one) {
    io("event", one.kind);
    io("name", one.name);
    io("state", one.state);
    io("from", one.from);
    io("phase", one.phase);
    io("reason", one.reason);
    io("error", one.error);
    io("time", one.time);
    io("seq", one.seq);
    io("alert", one.alert);
    io("outage", one.outage);
    io("members", one.members);
    io("transient", one.transient);
    io("silenced", one.silenced);
}

template <class Io, Is<InterfaceKey> T>
void members(Io& io, T& one) {
    io("kind", one.kind);
    io("name", one.name);
}

template <class Io, Is<InterfaceInfo> T>
void members(Io& io, T& one) {
    io("name", one.name);
    io("kind", one.kind);
    io("state", one.state);
    io("connections", one.connections);
    io("waits_for", one.waits_for);
    io("start_error", one.start_error);
    io("optional", one.optional);
    io("stops_after", one.stops_after);
    io("autostart", one.autostart);
    io("version", one.version);
    io("id", one.id);
    io("description", one.description);
    io("groups", one.groups);
    io("provides", one.provides);
}

template <class Io, Is<StopReason> T>
void members(Io& io, T& one) {
    io("cause", one.cause);
    io("name", one.name);
    io("text", one.text);
    io("because", one.because);
}

template <class Io, Is<WhyStopped> T>
void members(Io& io, T& one) {
    members(io, one.interface);
    io("state", one.state);
    io("reasons", one.reasons);
}

template <class Io, Is<KeptHead> T>
void members(Io& io, T& one) {
    io("written", one.written);
    io("running", one.running);
    io("manage_interfaces", one.manage_interfaces);
    io("disabled_groups", one.disabled_groups);
    io("last_alert", one.last_alert);
    io("last_outage", one.last_outage);
}

/// Those whose names are in to_string(), by their last one.
template <class Enum>
constexpr Enum k_last{};
template <>
constexpr auto k_last<ConnectionState> = ConnectionState::invalid;
template <>
constexpr auto k_last<Silence::Kind> = Silence::Kind::maintenance;
template <>
constexpr auto k_last<Phase> = Phase::redirect;
template <>
constexpr auto k_last<Reason> = Reason::unsupported;
template <>
constexpr auto k_last<Credential::Kind> = Credential::Kind::host_key;
template <>
constexpr auto k_last<OutageKind> = OutageKind::connection;
template <>
constexpr auto k_last<InterfaceKind> = InterfaceKind::job;
template <>
constexpr auto k_last<InterfaceState> = InterfaceState::disabled;
template <>
constexpr auto k_last<StopCause> = StopCause::in_transition;

constexpr std::string_view k_outcomes = ".x?";  // by PingOutcome

// ---- values --------------------------------------------------------------------------------------------------------------------------------

template <class T>
constexpr bool k_is_list = false;
template <class T>
constexpr bool k_is_list<std::vector<T>> = true;
template <class T>
constexpr bool k_is_optional = false;
template <class T>
constexpr bool k_is_optional<std::optional<T>> = true;
template <class T>
constexpr bool k_is_time = false;
template <class Rep, class Period>
constexpr bool k_is_time<std::chrono::duration<Rep, Period>> = true;
template <class T>
constexpr bool k_is_instant = false;
template <class Clock, class Duration>
constexpr bool k_is_instant<std::chrono::time_point<Clock, Duration>> = true;

template <class T>
Value to(const T& value);

class Writer {
public:
    template <class T>
    void operator()(std::string_view name, const T& value) {
        if (Value made = to(value); !made.is_null()) map_.set(name, std::move(made));
    }
    Map take() { return std::move(map_); }

private:
    Map map_;
};

/// Null for what is zero, empty or false.
template <class T>
Value to(const T& value) {
    if constexpr (std::is_same_v<T, std::string>) {
        return value.empty() ? Value{} : Value{valid_text(value)};
    } else if constexpr (std::is_same_v<T, bool>) {
        return value ? Value{true} : Value{};
    } else if constexpr (std::is_enum_v<T>) {
        return value == T{} ? Value{} : Value{to_string(value)};
    } else if constexpr (std::is_integral_v<T>) {
        return value == 0 ? Value{} : Value{value};
    } else if constexpr (k_is_time<T>) {
        return to(static_cast<std::int64_t>(value.count()));
    } else if constexpr (k_is_instant<T>) {
        return to(value.time_since_epoch());
    } else if constexpr (k_is_optional<T>) {
        return value ? to(*value) : Value{};
    } else if constexpr (std::is_same_v<T, std::vector<PingOutcome>>) {
        std::string text;
        for (const PingOutcome one : value) text += k_outcomes[static_cast<std::size_t>(one)];
        return to(text);
    } else if constexpr (k_is_list<T>) {
        if (value.empty()) return {};
        List list;
        for (const auto& one : value) {
            if constexpr (std::is_integral_v<typename T::value_type>)
                list.push_back(one);
            else
                list.push_back(to(one));
        }
        return list;
    } else {
        Writer writer;
        members(writer, value);
        Map map = writer.take();
        return map.empty() ? Value{} : Value{std::move(map)};
    }
}

template <class T>
void from(const Value& value, T& into);

class Reader {
public:
    explicit Reader(const Value& map) : map_{map} {}
    template <class T>
    void operator()(std::string_view name, T& value) {
        from(map_[name], value);
    }

private:
    const Value& map_;
};

template <class T>
T number(const Value& value) {
    if (!value.is_integer()) return {};
    if (value.kind() == ValueKind::uint64) {
        if constexpr (std::is_same_v<T, std::uint64_t>) return value.as_uint64();
        return {};
    }
    return std::in_range<T>(value.as_int64()) ? static_cast<T>(value.as_int64()) : T{};
}

template <class T>
void from(const Value& value, T& into) {
    into = T{};
    if constexpr (std::is_same_v<T, std::string>) {
        if (value.is_string()) into = value.as_string();
    } else if constexpr (std::is_same_v<T, bool>) {
        into = value.is_bool() && value.as_bool();
    } else if constexpr (std::is_same_v<T, EventKind>) {
        if (value.is_string()) into = event_kind(value.as_string()).value_or(T{});
    } else if constexpr (std::is_enum_v<T>) {
        for (auto one = std::underlying_type_t<T>{}; value.is_string() && one <= static_cast<std::underlying_type_t<T>>(k_last<T>); ++one)
            if (to_string(static_cast<T>(one)) == value.as_string()) into = static_cast<T>(one);
    } else if constexpr (std::is_integral_v<T>) {
        into = number<T>(value);
    } else if constexpr (k_is_time<T>) {
        const auto limit = std::chrono::duration_cast<T>(std::chrono::nanoseconds{k_latest}).count();
        into = T{static_cast<typename T::rep>(std::clamp<std::int64_t>(number<std::int64_t>(value), 0, limit))};
    } else if constexpr (k_is_instant<T>) {
        typename T::duration since{};
        from(value, since);
        into = T{since};
    } else if constexpr (k_is_optional<T>) {
        if (k_is_instant<typename T::value_type> ? value.is_integer() : value.is_map()) from(value, into.emplace());
    } else if constexpr (std::is_same_v<T, std::vector<PingOutcome>>) {
        if (!value.is_string()) return;
        for (const char c : value.as_string().substr(0, History::k_pings))
            if (const auto found = k_outcomes.find(c); found != std::string_view::npos) into.push_back(static_cast<PingOutcome>(found));
    } else if constexpr (k_is_list<T>) {
        if (!value.is_list()) return;
        for (const Value& one : value.as_list()) from(one, into.emplace_back());
    } else {
        Reader reader{value};
        members(reader, into);
    }
}

/// A kind of line: its name, and where it goes.
template <class T>
struct Kind {
    std::string_view name;
    std::vector<T> KeptState::*list;
};
constexpr std::tuple k_kinds{Kind<KeptConnection>{"connection", &KeptState::connections},
                             Kind<Alert>{"alert", &KeptState::alerts},
                             Kind<KeptOutage>{"outage", &KeptState::outages},
                             Kind<Event>{"event", &KeptState::timeline},
                             Kind<InterfaceInfo>{"interface", &KeptState::interfaces},
                             Kind<WhyStopped>{"why_stopped", &KeptState::why_stopped}};

template <class T>
constexpr std::string_view k_name = std::get<Kind<T>>(k_kinds).name;

Error wrong(std::uint64_t line, std::string what) { return make_error(Errc::parse, "line " + std::to_string(line) + ": " + std::move(what)); }

}  // namespace

// ---- text ----------------------------------------------------------------------------------------------------------------------------------

template <class T>
void StateText::line(std::string_view name, const T& value) {
    Writer writer;
    members(writer, value);
    text_ += json::encode(Map{{std::string{name}, writer.take()}});
    text_ += '\n';
    ++lines_;
}

StateText::StateText(const KeptHead& head) {
    Writer writer;
    writer(k_form, k_version);
    members(writer, head);
    text_ = json::encode(writer.take()) + '\n';
}

void StateText::add(const KeptConnection& one) { line(k_name<KeptConnection>, one); }
void StateText::add(const Alert& one) { line(k_name<Alert>, one); }
void StateText::add(const KeptOutage& one) { line(k_name<KeptOutage>, one); }
void StateText::add(const Event& one) { line(k_name<Event>, one); }
void StateText::add(const InterfaceInfo& one) { line(k_name<InterfaceInfo>, one); }
void StateText::add(const WhyStopped& one) { line(k_name<WhyStopped>, one); }
void StateText::end() { text_ += json::encode(Map{{"end", lines_}}) + '\n'; }
std::string StateText::take() { return std::exchange(text_, {}); }

Result<KeptState> read_state(std::string_view text) {
    KeptState state;
    std::uint64_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) break;  // the last line has been cut
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end + 1);
        ++number;
        Result<Value> decoded = json::decode(line, k_limits);
        if (!decoded) return wrong(number, std::string{decoded.error().message()});
        const Value& value = decoded.value();
        if (number == 1) {
            const Value& version = value[k_form];
            if (!version.is_integer()) return wrong(1, "this is no state of a monitor");
            if (version != Value{k_version})
                return wrong(1, "this is of another version than " + std::to_string(k_version)).with_reason(Reason::unsupported);
            from(value, state.head);
            continue;
        }
        if (const Value& lines = value["end"]; !lines.is_null()) {
            if (lines == Value{number - 2} && text.empty()) return state;
            return wrong(number, "this is not the end, or something is missing before it");
        }
        const auto take = [&](const auto& kind) {
            if (const Value& one = value[kind.name]; one.is_map()) from(one, (state.*kind.list).emplace_back());
        };
        std::apply([&](const auto&... kind) { (take(kind), ...); }, k_kinds);
    }
    return wrong(number + 1, "the end is missing");
}

// ---- what others see -----------------------------------------------------------------------------------------------------------------------

void sort_by_date(std::vector<ConnectionCertificate>& certificates) {
    std::stable_sort(certificates.begin(), certificates.end(),
                     [](const auto& a, const auto& b) { return a.certificate.expires < b.certificate.expires; });
}

MonitorSnapshot snapshot_of(KeptState state) {
    MonitorSnapshot all;
    all.written = state.head.written;
    all.running = state.head.running;
    all.manage_interfaces = state.head.manage_interfaces;
    all.disabled_groups = std::move(state.head.disabled_groups);
    all.alerts = std::move(state.alerts);
    all.timeline = std::move(state.timeline);
    all.interfaces = std::move(state.interfaces);
    all.why_stopped = std::move(state.why_stopped);
    for (KeptOutage& one : state.outages) all.outages.push_back(std::move(one.outage));
    for (KeptConnection& one : state.connections) {
        const std::string& name = one.status.name;
        if (one.certificate) {
            one.status.certificate_expires = one.certificate->expires;
            all.certificates.push_back({name, std::move(*one.certificate)});
        }
        for (Credential& has : one.credentials) all.credentials.push_back({name, std::move(has)});
        if (one.history) {
            const auto now = std::chrono::floor<std::chrono::milliseconds>(all.written);
            const UpTime::Sums sums = UpTime{one.history->up_time, now}.sums(now);
            ConnectionHistory history = std::move(one.history->shown);
            history.name = name;
            history.last_hour = sums.last_hour;
            history.last_day = sums.last_day;
            history.total = sums.total;
            all.histories.push_back(std::move(history));
        }
        all.connections.push_back(std::move(one.status));
    }
    sort_by_date(all.certificates);
    sort_by_end(all.credentials);
    return all;
}

}  // namespace qconn::monitor
