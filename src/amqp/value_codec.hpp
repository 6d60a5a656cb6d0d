// SPDX-License-Identifier: Apache-2.0
/// Values of every type to and from bytes (part 1 of the specification, 1.6).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include <qconn/amqp/amqp_value.hpp>
#include <qconn/base/error.hpp>

#include "amqp/wire.hpp"

namespace qconn::amqp {

// ---- to bytes; where they throw, what is appended already stays ----

/// Appends the shortest encoding; in arrays, whose elements share one, integers, lists, maps and arrays have their full width, as there are brokers
/// that know no other there.
/// @throws Error AMQP-ENCODE-ERROR: a string that is not UTF-8, a symbol that is not ASCII, a char that is no character, an array of several types
void put_value(std::string& to, const AmqpValue& value);
void put_list(std::string& to, const AmqpList& list);
void put_map(std::string& to, const AmqpMap& map);
/// @throws Error AMQP-ENCODE-ERROR: it is not UTF-8
void check_string(std::string_view text);
/// As put_string() and put_symbol() of wire.hpp. @throws Error AMQP-ENCODE-ERROR as put_value()
void put_checked_string(std::string& to, std::string_view text);
void put_checked_symbol(std::string& to, std::string_view name);
/// Sizes are of 32 bits at most. @param begin  where in `to` began what is to be sent as one. @throws Error AMQP-ENCODE-ERROR
void check_size(const std::string& to, std::size_t begin);

/// Whether two values can be elements of one array: their types are the same, and their descriptors, if any.
bool same_type(const AmqpValue& a, const AmqpValue& b);
/// Without a branch for each few bytes: nearly all texts are.
inline bool is_ascii(std::string_view text) noexcept {
    const char* at = text.data();
    std::uint64_t seen = 0;
    std::uint64_t word = 0;
    std::size_t left = text.size();
    for (; left >= sizeof word; left -= sizeof word, at += sizeof word) {
        std::memcpy(&word, at, sizeof word);
        seen |= word;
    }
    for (; left != 0; --left, ++at) seen |= static_cast<std::uint8_t>(*at);
    return (seen & 0x8080808080808080U) == 0;
}

// ---- from bytes ----

/// AMQP-DECODE-ERROR: "the bytes are no AMQP WHAT: at byte 17: it is cut off".
Error not_amqp(std::string_view what, std::size_t offset, std::string_view trouble);

/// Makes values of what lies in a buffer. What is made of one buffer counts together towards the limits. After a fault it is of no use.
class ValueDecoder {
public:
    /// @param whole  the buffer, whose parts are decoded; it is looked at for offsets only
    ValueDecoder(std::string_view whole, const AmqpLimits& limits) noexcept : begin_{whole.data()}, limits_{limits} {}

    /// The next value of `from`, a reader of a part of the buffer. False: a fault.
    bool value(Reader& from, AmqpValue& out) { return value(from, out, 0); }
    /// What a Raw without a descriptor is.
    bool plain(const Raw& raw, AmqpValue& out) { return plain(raw, out, 0); }
    bool list(const Raw& raw, AmqpList& out) { return list(raw, out, 0); }
    bool map(const Raw& raw, AmqpMap& out) { return map(raw, out, 0); }

    /// What is wrong, and where in the buffer.
    const char* fault() const noexcept { return fault_; }
    std::size_t offset() const noexcept { return static_cast<std::size_t>(at_ - begin_); }

private:
    /// @param level  how many lists, maps, arrays and described values it is in
    bool value(Reader& from, AmqpValue& out, int level);
    bool plain(const Raw& raw, AmqpValue& out, int level);
    bool list(const Raw& raw, AmqpList& out, int level);
    bool map(const Raw& raw, AmqpMap& out, int level);
    bool array(const Raw& raw, AmqpArray& out, int level);
    /// @param from  reads the first of them, each of which takes so many bytes at least
    bool count(std::uint32_t elements, const Reader& from, std::size_t width);
    bool enter(int level, const char* at);
    bool failed(const Reader& from) noexcept { return fail(from.rest().data(), from.fault()); }
    bool fail(const char* at, const char* what) noexcept {
        at_ = at;
        fault_ = what;
        return false;
    }

    const char* begin_;
    const char* at_{nullptr};
    const char* fault_{nullptr};
    AmqpLimits limits_;
    std::size_t elements_{0};
    std::size_t widthless_{0};  // elements of arrays that take no bytes
    std::size_t copied_{0};     // bytes of descriptors of arrays, which each of their elements gets
};

}  // namespace qconn::amqp
