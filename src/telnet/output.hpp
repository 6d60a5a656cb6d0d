// SPDX-License-Identifier: Apache-2.0
/// The output of a command, as it stands on a screen at last.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace qconn::telnet {

/// A line after its carriage returns and backspaces.
std::string shown_line(std::string_view line);

/// Whether a line is the echo of a command: the same but for what a terminal does where a long one is folded.
bool is_echo(std::string_view line, std::string_view command);

/// Lines in, lines out; the first is looked at for the echo. @note One thread at a time.
class Output {
public:
    /// Longer lines go through as they are, in pieces.
    static constexpr std::size_t k_longest_line = std::size_t{64} << 10;

    /// @param echoed  the command where an echo is expected
    /// @param prompt  that may be shown once more before the echo
    Output(std::optional<std::string> echoed, std::string prompt, std::function<void(std::string_view)> out)
        : echoed_{std::move(echoed)}, prompt_{std::move(prompt)}, out_{std::move(out)} {}

    void add(std::string_view text);
    /// Nothing more comes: what is left is a line without an end.
    void finish();

private:
    void end_line(bool with_newline);

    std::optional<std::string> echoed_;
    std::string prompt_;
    std::function<void(std::string_view)> out_;
    std::string line_;
    bool passed_on_{false};  // the beginning of this line, as it is
};

}  // namespace qconn::telnet
