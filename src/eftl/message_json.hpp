// SPDX-License-Identifier: Apache-2.0
/// The JSON form of messages, written and read in one pass each.
#pragma once

#include <cstddef>
#include <string_view>

#include <qconn/base/value.hpp>

#include "base/json_scanner.hpp"
#include "base/json_text.hpp"

namespace qconn::eftl {

/// Messages inside each other.
inline constexpr std::size_t k_most_depth = 100;
/// Fields and elements of one frame: an element of an array takes 24 bytes here and two on the wire.
inline constexpr std::size_t k_most_values = 4'000'000;

/// The fields of a message, which hold what EftlMessage lets in.
void put_message(json::TextBuffer& out, const Map& fields);

/// Tolerant reader; see EftlMessage::from_json().
class MessageScanner : public json::Scanner {
public:
    using Scanner::Scanner;

    /// At a brace. Empty where it fails.
    Map message() { return fields(1); }

private:
    Map fields(std::size_t depth);
    Value value(std::size_t depth);
    Value array(std::size_t depth);
    Value number_value();
    /// Behind `_d_`, `_m_` or `_o_`: null where it is none of that.
    Value special(char letter, std::size_t depth);
    bool count();

    std::size_t values_{0};
    bool wrapped_{false};  // the object just read was one of the special ones
    Value unwrapped_;
};

}  // namespace qconn::eftl
