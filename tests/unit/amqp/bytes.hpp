// SPDX-License-Identifier: Apache-2.0
/// Bytes as hexadecimal digits, and errors of this family.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/amqp/amqp_error.hpp>
#include <qconn/amqp/amqp_message.hpp>

#include "base/text.hpp"
#include "support/catch.hpp"

namespace qconn::test {

/// Blanks are passed over.
inline std::string bytes(std::string_view hex) {
    std::string out;
    int high = -1;
    for (const char c : hex) {
        const int digit = text::hex_digit(c);
        if (digit < 0) continue;
        if (high < 0) {
            high = digit;
        } else {
            out += static_cast<char>(high * 16 + digit);
            high = -1;
        }
    }
    return out;
}

inline std::string encoded(const AmqpValue& value) {
    std::string out;
    value.encode(out);
    return out;
}
inline std::string encoded(const AmqpMessage& message) {
    std::string out;
    message.encode(out);
    return out;
}

/// The message of the AMQP error that `work` throws.
inline std::string amqp_refusal(AmqpErrc code, const std::function<void()>& work) {
    try {
        work();
    } catch (const Error& error) {
        CHECK(error.code() == make_error_code(code));
        CHECK(error.name() == error_name(code));
        return std::string{error.message()};
    }
    FAIL("nothing was thrown");
    return {};
}

/// As it is for every block of bytes: a copy in a block of its own, so that AddressSanitizer sees a step too far.
template <class Work>
auto in_own_block(std::string_view bytes, Work work) {
    const std::vector<char> block{bytes.begin(), bytes.end()};
    return work(std::string_view{block.data(), block.size()});
}

}  // namespace qconn::test
