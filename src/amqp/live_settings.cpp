// SPDX-License-Identifier: Apache-2.0
#include "amqp/live_settings.hpp"

#include <array>
#include <cstdint>
#include <limits>

#include "amqp/amqp_error.hpp"
#include "base/text.hpp"

namespace qconn::amqp {

namespace {

using std::chrono::milliseconds;

/// What kind of values one takes, and how it is kept.
struct Entry {
    std::string_view name;
    bool is_flag;
    std::int64_t least;
    std::int64_t most;
    std::int64_t (*get)(const LiveSettings&);
    void (*set)(LiveSettings&, std::int64_t);
};

constexpr std::int64_t k_longest = std::numeric_limits<std::int32_t>::max();

template <auto member>
constexpr Entry time(std::string_view name) {
    return {name,
            false,
            0,
            k_longest,
            [](const LiveSettings& s) { return std::int64_t{(s.*member).load().count()}; },
            [](LiveSettings& s, std::int64_t v) { s.*member = milliseconds{v}; }};
}
template <auto member>
constexpr Entry flag(std::string_view name) {
    return {name,
            true,
            0,
            1,
            [](const LiveSettings& s) { return std::int64_t{(s.*member).load()}; },
            [](LiveSettings& s, std::int64_t v) { s.*member = v != 0; }};
}
template <auto member, class Kept>
constexpr Entry number(std::string_view name, std::int64_t least, std::int64_t most) {
    return {name,
            false,
            least,
            most,
            [](const LiveSettings& s) { return static_cast<std::int64_t>((s.*member).load()); },
            [](LiveSettings& s, std::int64_t v) { s.*member = static_cast<Kept>(v); }};
}

constexpr std::array k_entries{
    time<&LiveSettings::timeout>("call_timeout"),
    time<&LiveSettings::connect_timeout>("open_timeout"),
    flag<&LiveSettings::connect_on_use>("connect_on_use"),
    flag<&LiveSettings::reconnect>("auto_reconnect"),
    time<&LiveSettings::reconnect_delay>("reconnect_delay"),
    time<&LiveSettings::reconnect_max_delay>("reconnect_max_delay"),
    number<&LiveSettings::reconnect_attempts, int>("reconnect_attempts", 0, 1'000'000),
    flag<&LiveSettings::resend>("resend_unsettled"),
    number<&LiveSettings::max_unsettled_bytes, std::size_t>("max_unsettled_bytes", 1, 1'000'000'000'000'000),
    flag<&LiveSettings::generate_message_id>("generate_message_id"),
};

[[noreturn]] void refuse(std::string_view name, const std::string& words) {
    throw amqp_error(AmqpErrc::option, "the setting \"" + text::printable(name) + "\" " + words).with_reason(Reason::bad_value);
}

const Entry& entry_of(std::string_view name) {
    for (const Entry& one : k_entries) {
        if (one.name == name) return one;
    }
    refuse(name, "is none that a living client has: those are " + text::join(LiveSettings::names(), ", ") +
                     "; others are the definition's or the options', of which a new client is made");
}

}  // namespace

LiveSettings::LiveSettings(const AmqpOptions& options)
    : timeout{options.timeout},
      connect_timeout{options.connect_timeout},
      connect_on_use{options.connect_on_use},
      reconnect{options.reconnect.enabled},
      reconnect_delay{options.reconnect.delay},
      reconnect_max_delay{options.reconnect.max_delay},
      reconnect_attempts{options.reconnect.attempts},
      resend{options.reconnect.resend == AmqpResend::resend},
      max_unsettled_bytes{options.max_unsettled_bytes},
      generate_message_id{options.generate_message_id} {}

void LiveSettings::set(std::string_view name, const Value& value) {
    const Entry& one = entry_of(name);
    if (one.is_flag) {
        if (!value.is_bool()) refuse(name, "takes true or false");
        return one.set(*this, value.as_bool() ? 1 : 0);
    }
    const bool fits = value.kind() == ValueKind::int64
                          ? value.as_int64() >= one.least && value.as_int64() <= one.most
                          : value.kind() == ValueKind::uint64 && value.as_uint64() <= static_cast<std::uint64_t>(one.most);
    if (!fits) refuse(name, "takes a whole number from " + std::to_string(one.least) + " to " + std::to_string(one.most));
    one.set(*this, value.as_int64());
}

Value LiveSettings::get(std::string_view name) const {
    const Entry& one = entry_of(name);
    return one.is_flag ? Value{one.get(*this) != 0} : Value{static_cast<long long>(one.get(*this))};
}

std::vector<std::string> LiveSettings::names() {
    std::vector<std::string> all;
    for (const Entry& one : k_entries) all.emplace_back(one.name);
    return all;
}

}  // namespace qconn::amqp
