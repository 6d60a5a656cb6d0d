// SPDX-License-Identifier: Apache-2.0
/// What holds for every finding, whatever text it is about.
#pragma once

#include <string>

#include <qconn/core/diagnostic.hpp>

#include "base/text.hpp"
#include "fuzz/require.hpp"

namespace qconn::fuzz {

inline void check(const Diagnostic& d) {
    QCONN_REQUIRE(!d.code.empty() && !d.message.empty());
    QCONN_REQUIRE(d.place.line == 0 || (d.place.column >= 1 && d.place.length >= 1));
    const std::string shown = render(d);
    QCONN_REQUIRE(text::valid_utf8(shown));
    for (const char c : shown) QCONN_REQUIRE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
}

}  // namespace qconn::fuzz
