// SPDX-License-Identifier: Apache-2.0
/// Contents as they go over the line: RFC 2045 section 6, RFC 5321 section 4.5.2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace qconn::mail {

enum class TransferEncoding : std::uint8_t { seven_bit, quoted_printable, base64 };
std::string_view to_string(TransferEncoding encoding) noexcept;

/// What makes a text shortest that is not to be changed on the way.
TransferEncoding encoding_for(std::string_view text) noexcept;

/// With CRLF for LF, CR and CRLF.
void append_with_crlf(std::string& out, std::string_view text);
/// Of a text: its line ends stay line ends, and lines are at most 76 characters long.
void append_quoted_printable(std::string& out, std::string_view text);

/// Bytes of a line of 76 characters.
inline constexpr std::size_t k_base64_line = 57;
/// Lines of 76 characters, each with its end. Whole lines where it is not the end: a multiple of k_base64_line.
void append_base64_lines(std::string& out, std::string_view bytes);
/// What so many bytes take as such lines.
constexpr std::uint64_t base64_lines_size(std::uint64_t bytes) noexcept {
    const std::uint64_t lines = bytes / k_base64_line;
    const std::uint64_t rest = bytes % k_base64_line;
    return lines * 78 + (rest == 0 ? 0 : (rest + 2) / 3 * 4 + 2);
}

/// Makes a message fit for DATA, piece by piece: CRLF at the ends of lines, dots at their beginning doubled, the line of one dot at the end.
class DataWriter {
public:
    void append(std::string& out, std::string_view piece);
    /// Ends the last line, and the message.
    void finish(std::string& out);
    /// Bytes of the message so far, without doubled dots.
    std::uint64_t size() const noexcept { return size_; }

private:
    void end_line(std::string& out);

    bool line_begins_{true};
    bool after_cr_{false};
    std::uint64_t size_{0};
};

}  // namespace qconn::mail
