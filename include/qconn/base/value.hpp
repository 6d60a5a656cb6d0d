// SPDX-License-Identifier: Apache-2.0
/// The one dynamic value: options, message bodies, call arguments and rows are made of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iosfwd>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/base/export.hpp>

namespace qconn {

class Value;

/// What a Value holds.
enum class ValueKind : std::uint8_t {
    null,
    boolean,
    int64,
    uint64,
    float64,
    decimal,    ///< a number of any size or precision, kept as its text
    string,     ///< UTF-8 text
    binary,     ///< bytes
    timestamp,  ///< a point in time, or a local date and time
    duration,   ///< months, days and nanoseconds
    list,
    map,     ///< string keys, in the order of insertion
    tagged,  ///< a format's own tag over a value
};

/// The name of a kind as used in messages: "integer", "string", "map" and so on.
QCONN_API std::string_view to_string(ValueKind kind) noexcept;

/// A point in time with the zone it was written in.
struct Timestamp {
    /// Seconds since 1970-01-01T00:00:00 UTC; where has_zone is false, of the local time read as if it were UTC.
    std::int64_t seconds{0};
    /// 0 to 999'999'999, counted forward from `seconds`.
    std::uint32_t nanoseconds{0};
    /// Minutes east of UTC.
    std::int16_t zone_minutes{0};
    bool has_zone{true};

    friend bool operator==(const Timestamp&, const Timestamp&) = default;
};

/// A span of time whose parts are kept apart, as a month has no fixed number of days.
struct Duration {
    std::int32_t months{0};
    std::int32_t days{0};
    std::int64_t nanoseconds{0};

    friend bool operator==(const Duration&, const Duration&) = default;
};

using List = std::vector<Value>;
using Bytes = std::vector<std::byte>;
class Map;

/// One value of any kind. A value type: copying copies deeply, moving is cheap and leaves null behind. At most 24 bytes.
/// @note One thread at a time for changes; const access is safe from many threads.
class QCONN_API Value {
public:
    Value() noexcept = default;
    Value(std::nullptr_t) noexcept {}
    Value(bool v) noexcept : kind_{ValueKind::boolean} { u_.boolean = v; }
    Value(int v) noexcept : Value{static_cast<long long>(v)} {}
    Value(long v) noexcept : Value{static_cast<long long>(v)} {}
    Value(long long v) noexcept : kind_{ValueKind::int64} { u_.int64 = v; }
    Value(unsigned v) noexcept : Value{static_cast<long long>(v)} {}
    Value(unsigned long v) noexcept : Value{static_cast<unsigned long long>(v)} {}
    /// Kept as int64 where it fits, so that a number has one kind whatever type it came from.
    Value(unsigned long long v) noexcept;
    Value(double v) noexcept : kind_{ValueKind::float64} { u_.float64 = v; }
    Value(const char* v) : Value{std::string_view{v}} {}
    Value(std::string_view v);
    Value(const std::string& v) : Value{std::string_view{v}} {}
    Value(const Bytes& v);
    Value(Timestamp v) noexcept : kind_{ValueKind::timestamp} { u_.timestamp = v; }
    Value(Duration v) noexcept : kind_{ValueKind::duration} { u_.duration = v; }
    Value(List v);
    Value(Map v);

    /// A number kept as text. The text is not checked.
    static Value decimal(std::string_view text);
    /// `value` under a format's own tag, for example "!number".
    static Value tagged(std::string_view tag, Value value);
    static Value binary(std::string_view bytes);

    Value(const Value& other);
    Value(Value&& other) noexcept : u_{other.u_}, size_{other.size_}, kind_{other.kind_} { other.kind_ = ValueKind::null; }
    Value& operator=(const Value& other);
    Value& operator=(Value&& other) noexcept;
    ~Value() {
        if (kind_ >= ValueKind::decimal) destroy();
    }

    ValueKind kind() const noexcept { return kind_; }
    bool is_null() const noexcept { return kind_ == ValueKind::null; }
    bool is_bool() const noexcept { return kind_ == ValueKind::boolean; }
    /// int64 or uint64.
    bool is_integer() const noexcept { return kind_ == ValueKind::int64 || kind_ == ValueKind::uint64; }
    /// Integer, float64 or decimal.
    bool is_number() const noexcept { return is_integer() || kind_ == ValueKind::float64 || kind_ == ValueKind::decimal; }
    bool is_string() const noexcept { return kind_ == ValueKind::string; }
    bool is_binary() const noexcept { return kind_ == ValueKind::binary; }
    bool is_list() const noexcept { return kind_ == ValueKind::list; }
    bool is_map() const noexcept { return kind_ == ValueKind::map; }

    /// The accessors below return the value where the kind is right (integers convert to each other and to double where
    /// nothing is lost).
    /// @throws Error VALUE-TYPE-ERROR naming both kinds, VALUE-RANGE-ERROR where a number does not fit
    bool as_bool() const;
    std::int64_t as_int64() const;
    std::uint64_t as_uint64() const;
    double as_double() const;
    /// Text of a string or decimal. The view lives as long as the value is not changed.
    std::string_view as_string() const;
    /// Bytes of a binary or string. The view lives as long as the value is not changed.
    std::string_view as_bytes() const;
    Timestamp as_timestamp() const;
    Duration as_duration() const;
    const List& as_list() const;
    List& as_list();
    const Map& as_map() const;
    Map& as_map();
    /// Tag and inner value of a tagged value.
    std::string_view tag() const;
    const Value& untagged() const;

    /// Number of elements of a list or map, of bytes of a string, decimal or binary; otherwise 0.
    std::size_t size() const noexcept;
    /// The member of that name, or null where there is none or this is no map: `order["lines"][0]["sku"]`.
    const Value& operator[](std::string_view key) const noexcept;
    const Value& operator[](const char* key) const noexcept { return (*this)[std::string_view{key}]; }
    /// The element at that place, or null where there is none or this is no list.
    const Value& operator[](std::size_t index) const noexcept;
    const Value& operator[](int index) const noexcept { return (*this)[static_cast<std::size_t>(index)]; }

    /// Deep equality. 1 and 1.0 differ; int64 and uint64 of the same number never occur together. Maps compare without order.
    QCONN_API friend bool operator==(const Value& a, const Value& b) noexcept;

private:
    struct Tagged;
    static constexpr std::size_t k_inline = 16;
    union Payload {
        bool boolean;
        std::int64_t int64;
        std::uint64_t uint64;
        double float64;
        Timestamp timestamp;
        Duration duration;
        char text[k_inline];  // strings up to k_inline bytes
        struct {
            char* data;
            std::size_t size;
        } heap;
        List* list;
        Map* map;
        Tagged* tag;
        constexpr Payload() noexcept : uint64{0} {}
    };
    static constexpr std::uint8_t k_on_heap = 0xFF;

    void set_text(ValueKind kind, std::string_view text);
    std::string_view text() const noexcept;
    void destroy() noexcept;

    Payload u_;
    std::uint8_t size_{0};  // of inline text; k_on_heap where the text is on the heap
    ValueKind kind_{ValueKind::null};
};
static_assert(sizeof(Value) <= 24);

/// Compact text for people and logs: JSON with markers for what JSON lacks. Not meant to be parsed.
QCONN_API std::string to_text(const Value& value);
QCONN_API std::ostream& operator<<(std::ostream& out, const Value& value);

/// String keys to values, in the order of insertion; look-up by key is constant time whatever the size.
class QCONN_API Map {
public:
    using Entry = std::pair<std::string, Value>;
    using const_iterator = std::vector<Entry>::const_iterator;
    using iterator = std::vector<Entry>::iterator;

    Map() noexcept;
    Map(std::initializer_list<Entry> entries);
    Map(const Map& other);
    Map(Map&& other) noexcept;
    Map& operator=(const Map& other);
    Map& operator=(Map&& other) noexcept;
    ~Map();

    std::size_t size() const noexcept { return entries_.size(); }
    bool empty() const noexcept { return entries_.empty(); }
    const_iterator begin() const noexcept { return entries_.begin(); }
    const_iterator end() const noexcept { return entries_.end(); }
    /// Values may be changed through the iterator; keys must not be.
    iterator begin() noexcept { return entries_.begin(); }
    iterator end() noexcept { return entries_.end(); }

    /// Null pointer where there is no such key.
    const Value* find(std::string_view key) const noexcept;
    Value* find(std::string_view key) noexcept;
    bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
    /// @throws Error VALUE-KEY-ERROR naming the key and those that there are
    const Value& at(std::string_view key) const;
    /// The value of `key`, made (null, at the end) where there was none.
    Value& operator[](std::string_view key);
    /// Adds at the end; false and no change where the key is there already.
    bool insert(std::string key, Value value);
    void set(std::string_view key, Value value) { (*this)[key] = std::move(value); }
    /// False where there was no such key. Keeps the order of the others.
    bool erase(std::string_view key);
    void reserve(std::size_t n) { entries_.reserve(n); }

    /// The same keys with equal values; order does not matter.
    QCONN_API friend bool operator==(const Map& a, const Map& b) noexcept;

private:
    struct Index;  // hash of positions, kept from k_indexed entries on
    std::size_t position(std::string_view key) const noexcept;
    void appended();

    std::vector<Entry> entries_;
    std::unique_ptr<Index> index_;
};

}  // namespace qconn
