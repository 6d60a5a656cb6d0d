// SPDX-License-Identifier: Apache-2.0
#include "core/slot_pack.hpp"

#include <cstring>
#include <functional>
#include <limits>

namespace qconn::core {
namespace {

enum class Code : char { null, no, yes, int64, uint64, float64, decimal, string, binary, timestamp, local_time, duration, list, map, tagged };

void put_number(std::string& out, std::uint64_t n) {
    for (; n >= 128; n >>= 7) out += static_cast<char>(n | 128);
    out += static_cast<char>(n);
}
void put_signed(std::string& out, std::int64_t n) {
    put_number(out, (static_cast<std::uint64_t>(n) << 1) ^ (n < 0 ? std::numeric_limits<std::uint64_t>::max() : 0));
}
void put_text(std::string& out, std::string_view text) {
    put_number(out, text.size());
    out += text;
}
void put_code(std::string& out, Code code) { out += static_cast<char>(code); }

void put_map(std::string& out, const Map& map) {
    put_number(out, map.size());
    for (const auto& [key, value] : map) {
        put_text(out, key);
        pack_value(out, value);
    }
}

/// Reads what was written above. The bytes are our own, so they are not checked.
class Reader {
public:
    explicit Reader(std::string_view bytes) noexcept : at_{bytes.data()}, end_{at_ + bytes.size()} {}

    bool at_end() const noexcept { return at_ == end_; }
    std::uint64_t number() noexcept {
        std::uint64_t n = 0;
        for (unsigned shift = 0;; shift += 7) {
            const auto byte = static_cast<unsigned char>(*at_++);
            n |= std::uint64_t{byte & 127U} << shift;
            if (byte < 128) return n;
        }
    }
    std::int64_t signed_number() noexcept {
        const std::uint64_t n = number();
        return static_cast<std::int64_t>((n >> 1) ^ (~(n & 1) + 1));
    }
    std::string_view text() noexcept {
        const auto size = static_cast<std::size_t>(number());
        const std::string_view text{at_, size};
        at_ += size;
        return text;
    }
    Value value() {
        switch (static_cast<Code>(*at_++)) {
            case Code::null: return {};
            case Code::no: return false;
            case Code::yes: return true;
            case Code::int64: return static_cast<long long>(signed_number());
            case Code::uint64: return static_cast<unsigned long long>(number());
            case Code::float64: {
                double d = 0;
                std::memcpy(&d, at_, sizeof d);
                at_ += sizeof d;
                return d;
            }
            case Code::decimal: return Value::decimal(text());
            case Code::string: return text();
            case Code::binary: return Value::binary(text());
            case Code::timestamp: return timestamp(true);
            case Code::local_time: return timestamp(false);
            case Code::duration: {
                Duration d;
                d.months = static_cast<std::int32_t>(signed_number());
                d.days = static_cast<std::int32_t>(signed_number());
                d.nanoseconds = signed_number();
                return d;
            }
            case Code::list: {
                List list(static_cast<std::size_t>(number()));
                for (Value& one : list) one = value();
                return list;
            }
            case Code::map: return map();
            case Code::tagged: {
                const std::string_view tag = text();
                return Value::tagged(tag, value());
            }
        }
        return {};
    }
    Map map() {
        Map map;
        auto left = static_cast<std::size_t>(number());
        map.reserve(left);
        for (; left > 0; --left) {
            std::string key{text()};
            map.insert(std::move(key), value());
        }
        return map;
    }

private:
    Value timestamp(bool has_zone) {
        Timestamp t;
        t.seconds = signed_number();
        t.nanoseconds = static_cast<std::uint32_t>(number());
        t.zone_minutes = static_cast<std::int16_t>(signed_number());
        t.has_zone = has_zone;
        return t;
    }

    const char* at_;
    const char* end_;
};

/// Bits of a definition's optional parts.
enum Part : unsigned {
    k_description = 1,
    k_display_name = 2,
    k_short_description = 4,
    k_tags = 8,
    k_other = 16,
    k_flags = 32,
};
unsigned flag_bits(const std::optional<bool>& flag) noexcept { return !flag ? 0U : *flag ? 3U : 1U; }
std::optional<bool> flag_of(unsigned bits) noexcept { return (bits & 1U) ? std::optional{(bits & 2U) != 0} : std::nullopt; }

/// Options: how many, then for each the place in the scheme's table plus one, or zero and the name.
void put_options(std::string& out, const Map& options, const Scheme* scheme) {
    put_number(out, options.size());
    for (const auto& [name, value] : options) {
        std::size_t place = 0;
        if (scheme)
            for (std::size_t i = 0; i < scheme->options.size() && place == 0; ++i)
                if (scheme->options[i].name == name) place = i + 1;
        put_number(out, place);
        if (place == 0) put_text(out, name);
        pack_value(out, value);
    }
}
Map get_options(Reader& reader, const Scheme* scheme) {
    Map options;
    auto left = static_cast<std::size_t>(reader.number());
    options.reserve(left);
    for (; left > 0; --left) {
        const auto place = static_cast<std::size_t>(reader.number());
        std::string name{place == 0 ? reader.text() : std::string_view{scheme->options[place - 1].name}};
        options.insert(std::move(name), reader.value());
    }
    return options;
}

/// Without those that only say how it is watched.
Map essential(Map options, const Scheme* scheme) {
    if (scheme)
        for (const OptionSpec& spec : scheme->options)
            if (spec.monitoring) options.erase(spec.name);
    return options;
}

enum ExtraPart : unsigned {
    k_file = 1,
    k_usual_file = 2,
    k_place = 4,
    k_problem = 8,
    k_set_tags = 16,
    k_file_hash = 32,
    k_problem_hash = 64,
    k_set_monitoring = 128,
    k_set_silence = 256,
    k_set_acknowledged = 512,
};

}  // namespace

void pack_value(std::string& out, const Value& value) {
    switch (value.kind()) {
        case ValueKind::null: return put_code(out, Code::null);
        case ValueKind::boolean: return put_code(out, value.as_bool() ? Code::yes : Code::no);
        case ValueKind::int64: put_code(out, Code::int64); return put_signed(out, value.as_int64());
        case ValueKind::uint64: put_code(out, Code::uint64); return put_number(out, value.as_uint64());
        case ValueKind::float64: {
            const double d = value.as_double();
            char bytes[sizeof d];
            std::memcpy(bytes, &d, sizeof d);
            put_code(out, Code::float64);
            out.append(bytes, sizeof d);
            return;
        }
        case ValueKind::decimal: put_code(out, Code::decimal); return put_text(out, value.as_string());
        case ValueKind::string: put_code(out, Code::string); return put_text(out, value.as_string());
        case ValueKind::binary: put_code(out, Code::binary); return put_text(out, value.as_bytes());
        case ValueKind::timestamp: {
            const Timestamp t = value.as_timestamp();
            put_code(out, t.has_zone ? Code::timestamp : Code::local_time);
            put_signed(out, t.seconds);
            put_number(out, t.nanoseconds);
            return put_signed(out, t.zone_minutes);
        }
        case ValueKind::duration: {
            const Duration d = value.as_duration();
            put_code(out, Code::duration);
            put_signed(out, d.months);
            put_signed(out, d.days);
            return put_signed(out, d.nanoseconds);
        }
        case ValueKind::list:
            put_code(out, Code::list);
            put_number(out, value.as_list().size());
            for (const Value& one : value.as_list()) pack_value(out, one);
            return;
        case ValueKind::map: put_code(out, Code::map); return put_map(out, value.as_map());
        case ValueKind::tagged:
            put_code(out, Code::tagged);
            put_text(out, value.tag());
            return pack_value(out, value.untagged());
    }
}

std::string pack_content(const Definition& definition, const Scheme* scheme) {
    std::string out;
    std::string essentials;
    essentials.reserve(256);
    put_text(essentials, definition.url);
    put_options(essentials, definition.options, scheme);
    out.reserve(essentials.size() + definition.description.size() + 32);
    put_text(out, essentials);
    wipe(essentials);

    const unsigned flags = flag_bits(definition.enabled) | flag_bits(definition.monitored) << 2 | flag_bits(definition.locked) << 4 |
                           flag_bits(definition.debug_data) << 6;
    unsigned parts = 0;
    if (!definition.description.empty()) parts |= k_description;
    if (!definition.display_name.empty()) parts |= k_display_name;
    if (!definition.short_description.empty()) parts |= k_short_description;
    if (!definition.tags.empty()) parts |= k_tags;
    if (!definition.other.empty()) parts |= k_other;
    if (flags != 0) parts |= k_flags;
    put_number(out, parts);
    if (parts & k_description) put_text(out, definition.description);
    if (parts & k_display_name) put_text(out, definition.display_name);
    if (parts & k_short_description) put_text(out, definition.short_description);
    if (parts & k_tags) put_map(out, definition.tags);
    if (parts & k_other) put_map(out, definition.other);
    if (parts & k_flags) put_number(out, flags);
    return out;
}

Definition unpack_content(std::string_view content, const Scheme* scheme) {
    Definition definition;
    Reader reader{content};
    Reader essentials{reader.text()};
    definition.url = essentials.text();
    definition.options = get_options(essentials, scheme);

    const auto parts = static_cast<unsigned>(reader.number());
    if (parts & k_description) definition.description = reader.text();
    if (parts & k_display_name) definition.display_name = reader.text();
    if (parts & k_short_description) definition.short_description = reader.text();
    if (parts & k_tags) definition.tags = reader.map();
    if (parts & k_other) definition.other = reader.map();
    if (parts & k_flags) {
        const auto flags = static_cast<unsigned>(reader.number());
        definition.enabled = flag_of(flags);
        definition.monitored = flag_of(flags >> 2);
        definition.locked = flag_of(flags >> 4);
        definition.debug_data = flag_of(flags >> 6);
    }
    return definition;
}

Essentials unpack_essentials(std::string_view content, const Scheme* scheme) {
    Reader reader{content};
    Reader inner{reader.text()};
    Essentials essentials;
    essentials.url = inner.text();
    essentials.options = get_options(inner, scheme);
    return essentials;
}

bool same_essentials(std::string_view a, std::string_view b, const Scheme* scheme) {
    Reader reader_a{a};
    Reader reader_b{b};
    const std::string_view bytes_a = reader_a.text();
    const std::string_view bytes_b = reader_b.text();
    if (bytes_a == bytes_b) return true;
    Reader inner_a{bytes_a};
    Reader inner_b{bytes_b};
    return inner_a.text() == inner_b.text() && essential(get_options(inner_a, scheme), scheme) == essential(get_options(inner_b, scheme), scheme);
}

std::string pack_extra(const Extra& extra, std::string_view usual_file) {
    unsigned parts = 0;
    if (!extra.file.empty()) parts |= extra.file == usual_file ? k_usual_file : k_file;
    if (extra.place.line != 0) parts |= k_place;
    if (!extra.problem.empty()) parts |= k_problem;
    if (extra.set.tags) parts |= k_set_tags;
    if (extra.file_hash != 0) parts |= k_file_hash;
    if (extra.problem_hash != 0) parts |= k_problem_hash;
    if (extra.set.monitoring) parts |= k_set_monitoring;
    if (extra.set.silence) parts |= k_set_silence;
    if (extra.set.acknowledged) parts |= k_set_acknowledged;
    std::string out;
    put_number(out, parts);
    if (parts & k_file) put_text(out, extra.file);
    if (parts & k_place) {
        put_number(out, extra.place.line);
        put_number(out, extra.place.column);
        put_number(out, extra.place.length);
    }
    if (parts & k_problem) put_text(out, extra.problem);
    if (parts & k_set_tags) put_map(out, *extra.set.tags);
    if (parts & k_file_hash) put_number(out, extra.file_hash);
    if (parts & k_problem_hash) put_number(out, extra.problem_hash);
    if (parts & k_set_monitoring) put_map(out, *extra.set.monitoring);
    if (parts & k_set_silence) put_map(out, *extra.set.silence);
    if (parts & k_set_acknowledged) put_map(out, *extra.set.acknowledged);
    return out;
}

Extra unpack_extra(std::string_view bytes, std::string_view usual_file) {
    Extra extra;
    if (bytes.empty()) return extra;
    Reader reader{bytes};
    const auto parts = static_cast<unsigned>(reader.number());
    if (parts & k_usual_file) extra.file = usual_file;
    if (parts & k_file) extra.file = reader.text();
    if (parts & k_place) {
        extra.place.line = static_cast<std::uint32_t>(reader.number());
        extra.place.column = static_cast<std::uint32_t>(reader.number());
        extra.place.length = static_cast<std::uint32_t>(reader.number());
    }
    if (parts & k_problem) extra.problem = reader.text();
    if (parts & k_set_tags) extra.set.tags = reader.map();
    if (parts & k_file_hash) extra.file_hash = reader.number();
    if (parts & k_problem_hash) extra.problem_hash = reader.number();
    if (parts & k_set_monitoring) extra.set.monitoring = reader.map();
    if (parts & k_set_silence) extra.set.silence = reader.map();
    if (parts & k_set_acknowledged) extra.set.acknowledged = reader.map();
    return extra;
}

std::uint64_t hash_bytes(std::string_view bytes) noexcept { return std::hash<std::string_view>{}(bytes); }

}  // namespace qconn::core
