// SPDX-License-Identifier: Apache-2.0
#include "core/silence_form.hpp"

#include <string>
#include <utility>

#include <qconn/base/wall_time.hpp>

#include "base/scalar_text.hpp"

namespace qconn {

std::string_view to_string(Silence::Kind kind) noexcept { return kind == Silence::Kind::mute ? "mute" : "maintenance"; }

std::string to_text(const Silence& silence) {
    std::string text{to_string(silence.kind)};
    text += silence.until ? " until " + rfc3339(*silence.until) : " until it is taken back";
    if (!silence.by.empty()) text += " by " + silence.by;
    if (!silence.note.empty()) text += ": " + silence.note;
    return text;
}

namespace core {
namespace {

using Time = std::chrono::system_clock::time_point;

std::string time_text(Time time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    Timestamp stamp;
    stamp.seconds = seconds.time_since_epoch().count();
    stamp.nanoseconds = static_cast<std::uint32_t>(std::chrono::nanoseconds{time - seconds}.count());
    return text::timestamp_text(stamp, false);
}

std::optional<Time> time_of(const Value& value) {
    constexpr std::int64_t k_farthest = 9'000'000'000;  // what the clock's nanoseconds can count
    if (!value.is_string()) return std::nullopt;
    const auto stamp = text::parse_timestamp(value.as_string());
    if (!stamp || !stamp->has_zone || stamp->seconds > k_farthest || stamp->seconds < -k_farthest) return std::nullopt;
    return Time{std::chrono::seconds{stamp->seconds} + std::chrono::nanoseconds{stamp->nanoseconds}};
}

void set_text(Map& map, const char* key, const std::string& text) {
    if (!text.empty()) map.set(key, text);
}
std::string text_of(const Map& map, std::string_view key) {
    const Value* value = map.find(key);
    return value && value->is_string() ? std::string{value->as_string()} : std::string{};
}

}  // namespace

Map silence_map(const Silence& silence) {
    Map map{{"kind", to_string(silence.kind)}, {"from", time_text(silence.from)}};
    if (silence.until) map.set("until", time_text(*silence.until));
    set_text(map, "by", silence.by);
    set_text(map, "note", silence.note);
    return map;
}

std::optional<Silence> silence_of(const Map& map) {
    Silence silence;
    const std::string kind = text_of(map, "kind");
    if (kind == to_string(Silence::Kind::maintenance))
        silence.kind = Silence::Kind::maintenance;
    else if (kind != to_string(Silence::Kind::mute))
        return std::nullopt;
    if (const Value* from = map.find("from")) {
        const auto time = time_of(*from);
        if (!time) return std::nullopt;
        silence.from = *time;
    }
    if (const Value* until = map.find("until")) {
        silence.until = time_of(*until);
        if (!silence.until || *silence.until <= silence.from) return std::nullopt;
    }
    silence.by = text_of(map, "by");
    silence.note = text_of(map, "note");
    return silence;
}

std::optional<Silence> silence_of(const std::optional<Map>& map, Time now) {
    auto silence = map ? silence_of(*map) : std::nullopt;
    return silence && !silence->is_over(now) ? silence : std::nullopt;
}

Map acknowledgement_map(const Acknowledgement& acknowledgement) {
    Map map{{"by", acknowledgement.by}};
    set_text(map, "note", acknowledgement.note);
    map.set("at", time_text(acknowledgement.at));
    return map;
}

std::optional<Acknowledgement> acknowledgement_of(const Map& map) {
    const Value* at = map.find("at");
    const auto time = at ? time_of(*at) : std::nullopt;
    Acknowledgement acknowledgement{text_of(map, "by"), text_of(map, "note"), time.value_or(Time{})};
    if (!time || acknowledgement.by.empty()) return std::nullopt;
    return acknowledgement;
}

}  // namespace core
}  // namespace qconn
