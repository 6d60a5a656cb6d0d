// SPDX-License-Identifier: Apache-2.0
/// From the bytes of a network virtual terminal to text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/telnet/telnet_options.hpp>

namespace qconn::telnet {

/// Line ends (RFC 854, "The NVT printer and keyboard"), escape sequences (ECMA-48), encoding; the same in pieces of any size. A value type.
class Decoder {
public:
    /// A sequence that does not end by then is none.
    static constexpr std::size_t k_longest_sequence = 4'096;

    Decoder(TelnetEncoding encoding, bool replace_invalid, bool strip_escapes) noexcept
        : encoding_{encoding}, replace_invalid_{replace_invalid}, strip_escapes_{strip_escapes} {}

    /// From now on bytes are as they are: no rules for CR (RFC 856).
    void set_binary(bool yes) noexcept { binary_ = yes; }
    void feed(std::string_view bytes, std::string& out);

private:
    enum class Escape : std::uint8_t { none, begun, intermediate, control, string, string_end };

    void line_end(unsigned char byte, std::string& out);
    void escape(unsigned char byte, std::string& out);
    void encode(unsigned char byte, std::string& out);
    void give_up(std::string& out);
    std::size_t plain_run(std::string_view bytes) const noexcept;

    TelnetEncoding encoding_;
    bool replace_invalid_;
    bool strip_escapes_;
    bool binary_{false};
    bool after_cr_{false};
    Escape escape_{Escape::none};
    std::size_t sequence_{0};  // bytes of it so far
    std::string character_;    // the beginning of one of UTF-8
};

/// UTF-8 in the encoding of the other end. @returns false: there is a character that it does not have
bool encode(std::string_view text, TelnetEncoding encoding, std::string& out);

}  // namespace qconn::telnet
