// SPDX-License-Identifier: Apache-2.0
/// Numbers, points in time and durations as text, the same for all codecs.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <qconn/base/value.hpp>

namespace qconn::text {

/// Whether it is `[-+] digits [. digits] [e [-+] digits]` with a digit before or behind the point.
bool is_number(std::string_view text) noexcept;

/// The number in a text for which is_number() holds: an integer without point and exponent where 64 bits hold it; a double where it stands for
/// these digits (the nearest double, written with as many digits or with as few as it takes, gives them again); otherwise a decimal, its text in the
/// form of JSON.
Value number(std::string_view text);

/// The form that JSON has for such a text: no plus, no leading zeros, digits on both sides of the point.
std::string canonical_number(std::string_view text);

/// The shortest text that reads back as the same double and shows that it is one: "1.0", "1e+300". Not for infinity and NaN.
std::string double_text(double v);

/// `2010-05-05`, `2010-05-05T15:35:02.1+02:00`, with `T`, `t` or blanks between date and time, the zone `Z`, `+2`, `+02`, `+02:00`, `+0200` or
/// none, a fraction of up to nine digits (more are cut). Without a zone it is local.
std::optional<Timestamp> parse_timestamp(std::string_view text) noexcept;
/// Canonical: with T, as few digits in the fraction as it needs, `Z` for a zone of zero. With `short_date`, local midnight is the date alone.
/// Empty where the year is not within 0 to 9999.
std::string timestamp_text(const Timestamp& t, bool short_date);

/// `P2Y3M4DT5H6M7S8u`: any part may be left out or negative, seconds may have a fraction, `u` is microseconds; at least one part.
std::optional<Duration> parse_duration(std::string_view text) noexcept;
/// The same with as few parts as it needs; zero is `P0D`.
std::string duration_text(const Duration& d);
/// As ISO 8601 has it: `P2Y3M4DT5H6M7.000008S`.
std::string iso_duration_text(const Duration& d);

/// A scalar as the text that formats without types have for it: null empty, true and false, numbers in digits, binary as base64, timestamps and
/// durations as ISO 8601, a tagged one without its tag. Nothing for lists, maps, and a timestamp that has no text.
std::optional<std::string> scalar(const Value& value);

}  // namespace qconn::text
