// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/value.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <ostream>

#include <qconn/base/error.hpp>

#include "base/text.hpp"

namespace qconn {

namespace {

const Value k_null;

[[noreturn]] void wrong_kind(std::string_view wanted, ValueKind is) {
    throw make_error(Errc::value_type,
                     std::string{"a value of type "}.append(wanted).append(" was asked for, but it is of type ").append(to_string(is)));
}

[[noreturn]] void out_of_range(std::string_view number, std::string_view wanted) {
    throw make_error(Errc::value_range, std::string{"the number "}.append(number).append(" does not fit ").append(wanted));
}

}  // namespace

std::string_view to_string(ValueKind kind) noexcept {
    static constexpr std::array<std::string_view, 13> k_names{"null",   "bool",      "integer",  "integer", "float", "decimal", "string",
                                                              "binary", "timestamp", "duration", "list",    "map",   "tagged"};
    static_assert(k_names.size() == static_cast<std::size_t>(ValueKind::tagged) + 1);
    return k_names[static_cast<std::size_t>(kind)];
}

struct Value::Tagged {
    std::string tag;
    Value value;
};

Value::Value(unsigned long long v) noexcept {
    if (v <= static_cast<unsigned long long>(std::numeric_limits<std::int64_t>::max())) {
        kind_ = ValueKind::int64;
        u_.int64 = static_cast<std::int64_t>(v);
    } else {
        kind_ = ValueKind::uint64;
        u_.uint64 = v;
    }
}

Value::Value(std::string_view v) { set_text(ValueKind::string, v); }
Value::Value(const Bytes& v) { set_text(ValueKind::binary, {reinterpret_cast<const char*>(v.data()), v.size()}); }

Value::Value(List v) {
    u_.list = new List(std::move(v));
    kind_ = ValueKind::list;
}

Value::Value(Map v) {
    u_.map = new Map(std::move(v));
    kind_ = ValueKind::map;
}

Value Value::decimal(std::string_view text) {
    Value v;
    v.set_text(ValueKind::decimal, text);
    return v;
}

Value Value::binary(std::string_view bytes) {
    Value v;
    v.set_text(ValueKind::binary, bytes);
    return v;
}

Value Value::tagged(std::string_view tag, Value value) {
    Value v;
    v.u_.tag = new Tagged{std::string{tag}, std::move(value)};
    v.kind_ = ValueKind::tagged;
    return v;
}

void Value::set_text(ValueKind kind, std::string_view text) {
    if (text.size() <= k_inline) {
        std::copy(text.begin(), text.end(), u_.text);
        size_ = static_cast<std::uint8_t>(text.size());
    } else {
        char* data = new char[text.size()];
        std::memcpy(data, text.data(), text.size());
        u_.heap.data = data;
        u_.heap.size = text.size();
        size_ = k_on_heap;
    }
    kind_ = kind;
}

std::string_view Value::text() const noexcept {
    if (size_ == k_on_heap) return {u_.heap.data, u_.heap.size};
    return {u_.text, size_};
}

Value::Value(const Value& other) {
    switch (other.kind_) {
        case ValueKind::decimal:
        case ValueKind::string:
        case ValueKind::binary: set_text(other.kind_, other.text()); return;
        case ValueKind::list: u_.list = new List(*other.u_.list); break;
        case ValueKind::map: u_.map = new Map(*other.u_.map); break;
        case ValueKind::tagged: u_.tag = new Tagged(*other.u_.tag); break;
        default: u_ = other.u_;
    }
    kind_ = other.kind_;
}

Value& Value::operator=(const Value& other) {
    if (this != &other) *this = Value{other};
    return *this;
}

Value& Value::operator=(Value&& other) noexcept {
    if (this != &other) {
        // By way of a third one: `v = std::move(v.as_list()[0])` destroys the list that `other` lives in.
        Value taken{std::move(other)};
        if (kind_ >= ValueKind::decimal) destroy();
        u_ = taken.u_;
        size_ = taken.size_;
        kind_ = taken.kind_;
        taken.kind_ = ValueKind::null;
    }
    return *this;
}

void Value::destroy() noexcept {
    switch (kind_) {
        case ValueKind::decimal:
        case ValueKind::string:
        case ValueKind::binary:
            if (size_ == k_on_heap) delete[] u_.heap.data;
            break;
        case ValueKind::list: delete u_.list; break;
        case ValueKind::map: delete u_.map; break;
        case ValueKind::tagged: delete u_.tag; break;
        default: break;
    }
    kind_ = ValueKind::null;
}

bool Value::as_bool() const {
    if (kind_ != ValueKind::boolean) wrong_kind("bool", kind_);
    return u_.boolean;
}

std::int64_t Value::as_int64() const {
    if (kind_ == ValueKind::int64) return u_.int64;
    if (kind_ == ValueKind::uint64) out_of_range(std::to_string(u_.uint64), "a signed 64-bit integer");
    wrong_kind("integer", kind_);
}

std::uint64_t Value::as_uint64() const {
    if (kind_ == ValueKind::uint64) return u_.uint64;
    if (kind_ != ValueKind::int64) wrong_kind("integer", kind_);
    if (u_.int64 < 0) out_of_range(std::to_string(u_.int64), "an unsigned 64-bit integer");
    return static_cast<std::uint64_t>(u_.int64);
}

double Value::as_double() const {
    constexpr std::int64_t k_exact = std::int64_t{1} << 53;
    if (kind_ == ValueKind::float64) return u_.float64;
    if (kind_ == ValueKind::int64) {
        if (u_.int64 > k_exact || u_.int64 < -k_exact) {
            const auto d = static_cast<double>(u_.int64);
            // 2^63 itself cannot be converted back.
            if (d >= 9.2e18 || static_cast<std::int64_t>(d) != u_.int64) out_of_range(std::to_string(u_.int64), "a double without loss");
        }
        return static_cast<double>(u_.int64);
    }
    if (kind_ == ValueKind::uint64) {
        const auto d = static_cast<double>(u_.uint64);
        if (d >= 1.8e19 || static_cast<std::uint64_t>(d) != u_.uint64) out_of_range(std::to_string(u_.uint64), "a double without loss");
        return d;
    }
    wrong_kind("float", kind_);
}

std::string_view Value::as_string() const {
    if (kind_ != ValueKind::string && kind_ != ValueKind::decimal) wrong_kind("string", kind_);
    return text();
}

std::string_view Value::as_bytes() const {
    if (kind_ != ValueKind::string && kind_ != ValueKind::binary) wrong_kind("binary", kind_);
    return text();
}

Timestamp Value::as_timestamp() const {
    if (kind_ != ValueKind::timestamp) wrong_kind("timestamp", kind_);
    return u_.timestamp;
}

Duration Value::as_duration() const {
    if (kind_ != ValueKind::duration) wrong_kind("duration", kind_);
    return u_.duration;
}

const List& Value::as_list() const {
    if (kind_ != ValueKind::list) wrong_kind("list", kind_);
    return *u_.list;
}
List& Value::as_list() {
    if (kind_ != ValueKind::list) wrong_kind("list", kind_);
    return *u_.list;
}
const Map& Value::as_map() const {
    if (kind_ != ValueKind::map) wrong_kind("map", kind_);
    return *u_.map;
}
Map& Value::as_map() {
    if (kind_ != ValueKind::map) wrong_kind("map", kind_);
    return *u_.map;
}

std::string_view Value::tag() const {
    if (kind_ != ValueKind::tagged) wrong_kind("tagged", kind_);
    return u_.tag->tag;
}
const Value& Value::untagged() const {
    if (kind_ != ValueKind::tagged) wrong_kind("tagged", kind_);
    return u_.tag->value;
}

std::size_t Value::size() const noexcept {
    switch (kind_) {
        case ValueKind::decimal:
        case ValueKind::string:
        case ValueKind::binary: return text().size();
        case ValueKind::list: return u_.list->size();
        case ValueKind::map: return u_.map->size();
        default: return 0;
    }
}

const Value& Value::operator[](std::string_view key) const noexcept {
    if (kind_ != ValueKind::map) return k_null;
    const Value* v = u_.map->find(key);
    return v ? *v : k_null;
}

const Value& Value::operator[](std::size_t index) const noexcept {
    return kind_ == ValueKind::list && index < u_.list->size() ? (*u_.list)[index] : k_null;
}

bool operator==(const Value& a, const Value& b) noexcept {
    if (a.kind_ != b.kind_) return false;
    switch (a.kind_) {
        case ValueKind::null: return true;
        case ValueKind::boolean: return a.u_.boolean == b.u_.boolean;
        case ValueKind::int64: return a.u_.int64 == b.u_.int64;
        case ValueKind::uint64: return a.u_.uint64 == b.u_.uint64;
        case ValueKind::float64: return a.u_.float64 == b.u_.float64;
        case ValueKind::decimal:
        case ValueKind::string:
        case ValueKind::binary: return a.text() == b.text();
        case ValueKind::timestamp: return a.u_.timestamp == b.u_.timestamp;
        case ValueKind::duration: return a.u_.duration == b.u_.duration;
        case ValueKind::list: return *a.u_.list == *b.u_.list;
        case ValueKind::map: return *a.u_.map == *b.u_.map;
        case ValueKind::tagged: return a.u_.tag->tag == b.u_.tag->tag && a.u_.tag->value == b.u_.tag->value;
    }
    return false;
}

// ---- Map ----

/// Open addressing over positions in the entries; 0 means empty, so positions are stored plus one.
struct Map::Index {
    std::vector<std::uint32_t> slots;

    static std::size_t hash(std::string_view key) noexcept { return std::hash<std::string_view>{}(key); }

    void rebuild(const std::vector<Entry>& entries) {
        std::size_t size = 64;
        while (size < entries.size() * 2) size *= 2;
        slots.assign(size, 0);
        for (std::size_t i = 0; i < entries.size(); ++i) place(entries[i].first, i);
    }
    void place(std::string_view key, std::size_t position) {
        std::size_t i = hash(key) & (slots.size() - 1);
        while (slots[i] != 0) i = (i + 1) & (slots.size() - 1);
        slots[i] = static_cast<std::uint32_t>(position + 1);
    }
    std::size_t find(std::string_view key, const std::vector<Entry>& entries) const noexcept {
        for (std::size_t i = hash(key) & (slots.size() - 1); slots[i] != 0; i = (i + 1) & (slots.size() - 1))
            if (entries[slots[i] - 1].first == key) return slots[i] - 1;
        return static_cast<std::size_t>(-1);
    }
};

namespace {
constexpr std::size_t k_indexed = 16;  // below that, comparing all keys is faster
constexpr std::size_t k_nowhere = static_cast<std::size_t>(-1);
}  // namespace

Map::Map() noexcept = default;
Map::Map(Map&& other) noexcept : entries_{std::move(other.entries_)}, index_{std::move(other.index_)} { other.entries_.clear(); }
Map::~Map() = default;

Map::Map(std::initializer_list<Entry> entries) {
    for (const Entry& e : entries) insert(e.first, e.second);
}

Map::Map(const Map& other) : entries_{other.entries_}, index_{other.index_ ? std::make_unique<Index>(*other.index_) : nullptr} {}

Map& Map::operator=(const Map& other) {
    if (this != &other) *this = Map{other};
    return *this;
}

Map& Map::operator=(Map&& other) noexcept {
    if (this != &other) {
        // What is replaced goes last: `other` may live inside it.
        Map taken{std::move(other)};
        entries_.swap(taken.entries_);
        index_.swap(taken.index_);
    }
    return *this;
}

std::size_t Map::position(std::string_view key) const noexcept {
    if (index_) return index_->find(key, entries_);
    for (std::size_t i = 0; i < entries_.size(); ++i)
        if (entries_[i].first == key) return i;
    return k_nowhere;
}

void Map::appended() {
    if (index_ && entries_.size() * 2 <= index_->slots.size()) {
        index_->place(entries_.back().first, entries_.size() - 1);
    } else if (entries_.size() > k_indexed) {
        if (!index_) index_ = std::make_unique<Index>();
        index_->rebuild(entries_);
    }
}

const Value* Map::find(std::string_view key) const noexcept {
    const auto i = position(key);
    return i == k_nowhere ? nullptr : &entries_[i].second;
}

Value* Map::find(std::string_view key) noexcept {
    const auto i = position(key);
    return i == k_nowhere ? nullptr : &entries_[i].second;
}

const Value& Map::at(std::string_view key) const {
    if (const Value* v = find(key)) return *v;
    std::string keys;
    for (std::size_t i = 0; i < entries_.size() && i < 20; ++i) keys.append(i == 0 ? "" : ", ").append(text::printable(entries_[i].first));
    if (entries_.size() > 20) keys += ", …";
    throw make_error(Errc::value_key, "there is no key \"" + text::printable(key) + "\"; the keys are: " + (keys.empty() ? "none" : keys));
}

Value& Map::operator[](std::string_view key) {
    const auto i = position(key);
    if (i != k_nowhere) return entries_[i].second;
    entries_.emplace_back(std::string{key}, Value{});
    appended();
    return entries_.back().second;
}

bool Map::insert(std::string key, Value value) {
    if (position(key) != k_nowhere) return false;
    entries_.emplace_back(std::move(key), std::move(value));
    appended();
    return true;
}

bool Map::erase(std::string_view key) {
    const auto i = position(key);
    if (i == k_nowhere) return false;
    entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
    if (entries_.size() <= k_indexed)
        index_.reset();
    else
        index_->rebuild(entries_);
    return true;
}

bool operator==(const Map& a, const Map& b) noexcept {
    if (a.size() != b.size()) return false;
    return std::all_of(a.begin(), a.end(), [&](const Map::Entry& e) {
        const Value* other = b.find(e.first);
        return other && *other == e.second;
    });
}

// ---- text for people ----

namespace {

void quote(std::string& out, std::string_view text) {
    out += '"';
    for (const char c : text::printable(text)) {
        if (c == '"') out += '\\';
        out += c;
    }
    out += '"';
}

void append_timestamp(std::string& out, Timestamp t) {
    // Civil date from days, by the well-known era arithmetic over 400-year cycles that begin on 1 March.
    const std::int64_t local = t.seconds + (t.has_zone ? std::int64_t{t.zone_minutes} * 60 : 0);
    std::int64_t days = local / 86'400;
    std::int64_t rest = local % 86'400;
    if (rest < 0) rest += 86'400, --days;
    days += 719'468;
    const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
    const std::int64_t day_of_era = days - era * 146'097;
    const std::int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
    const std::int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
    const std::int64_t day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    const std::int64_t month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    const std::int64_t year = year_of_era + era * 400 + (month <= 2 ? 1 : 0);

    std::array<char, 96> buffer{};
    std::snprintf(buffer.data(), buffer.size(), "%04lld-%02lld-%02lldT%02lld:%02lld:%02lld", static_cast<long long>(year),
                  static_cast<long long>(month), static_cast<long long>(day), static_cast<long long>(rest / 3600),
                  static_cast<long long>(rest / 60 % 60), static_cast<long long>(rest % 60));
    out += buffer.data();
    if (t.nanoseconds != 0) {
        std::snprintf(buffer.data(), buffer.size(), ".%09u", t.nanoseconds);
        std::string_view digits{buffer.data()};
        while (digits.back() == '0') digits.remove_suffix(1);
        out += digits;
    }
    if (!t.has_zone) return;
    if (t.zone_minutes == 0) {
        out += 'Z';
    } else {
        const int minutes = t.zone_minutes < 0 ? -t.zone_minutes : t.zone_minutes;
        std::snprintf(buffer.data(), buffer.size(), "%c%02d:%02d", t.zone_minutes < 0 ? '-' : '+', minutes / 60, minutes % 60);
        out += buffer.data();
    }
}

void append(std::string& out, const Value& v) {
    switch (v.kind()) {
        case ValueKind::null: out += "null"; break;
        case ValueKind::boolean: out += v.as_bool() ? "true" : "false"; break;
        case ValueKind::int64: out += std::to_string(v.as_int64()); break;
        case ValueKind::uint64: out += std::to_string(v.as_uint64()); break;
        case ValueKind::float64: {
            std::array<char, 32> buffer{};
            std::snprintf(buffer.data(), buffer.size(), "%.17g", v.as_double());
            // The shortest form that reads back the same.
            for (int digits = 15; digits <= 17; ++digits) {
                std::snprintf(buffer.data(), buffer.size(), "%.*g", digits, v.as_double());
                if (std::strtod(buffer.data(), nullptr) == v.as_double()) break;
            }
            out += buffer.data();
            break;
        }
        case ValueKind::decimal: out += v.as_string(); break;
        case ValueKind::string: quote(out, v.as_string()); break;
        case ValueKind::binary: out.append("<").append(std::to_string(v.size())).append(" bytes>"); break;
        case ValueKind::timestamp: append_timestamp(out, v.as_timestamp()); break;
        case ValueKind::duration: {
            const Duration d = v.as_duration();
            out.append("P").append(std::to_string(d.months)).append("M").append(std::to_string(d.days)).append("DT");
            out.append(std::to_string(d.nanoseconds)).append("ns");
            break;
        }
        case ValueKind::list: {
            out += '[';
            const char* separator = "";
            for (const Value& e : v.as_list()) {
                out += std::exchange(separator, ", ");
                append(out, e);
            }
            out += ']';
            break;
        }
        case ValueKind::map: {
            out += '{';
            const char* separator = "";
            for (const auto& [key, e] : v.as_map()) {
                out += std::exchange(separator, ", ");
                quote(out, key);
                out += ": ";
                append(out, e);
            }
            out += '}';
            break;
        }
        case ValueKind::tagged:
            out.append(v.tag()).append(" ");
            append(out, v.untagged());
            break;
    }
}

}  // namespace

std::string to_text(const Value& value) {
    std::string out;
    append(out, value);
    return out;
}

std::ostream& operator<<(std::ostream& out, const Value& value) { return out << to_text(value); }

}  // namespace qconn
