// SPDX-License-Identifier: Apache-2.0
/// Replacements in a text, by the offsets that it has before any of them, and the lines around a place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace qconn::core {

class TextEdits {
public:
    /// @param text  must outlive this
    explicit TextEdits(std::string_view text) : text_{text}, eol_{text.find("\r\n") < text.find('\n') ? "\r\n" : "\n"} {}

    std::string_view text() const noexcept { return text_; }
    /// The first line end of the text counts for all that is new.
    std::string_view eol() const noexcept { return eol_; }

    std::size_t line_start(std::size_t at) const noexcept;
    /// Of the next line; the end of the text where there is none.
    std::size_t next_line(std::size_t at) const noexcept;
    /// Whether there is nothing but blanks before a place in its line.
    bool is_first(std::size_t at) const noexcept;

    /// What is new is given with '\n' for line ends. Insertions at one place stay in the order of the calls.
    void replace(std::size_t begin, std::size_t end, std::string_view by);
    void insert(std::size_t at, std::string_view what) { replace(at, at, what); }
    /// Whole lines at the start of a line, or at the end of a text whose last line has no end: then the new last one has none either.
    void insert_lines(std::size_t at, std::string_view lines);
    /// The lines from that of `begin` to that of the character before `end`.
    void remove_lines(std::size_t begin, std::size_t end);

    /// False where two replacements touch the same characters; removals may.
    bool apply(std::string& out) const;

private:
    struct Edit {
        std::size_t begin;
        std::size_t end;
        std::string by;
    };
    std::string_view text_;
    std::string_view eol_;
    std::vector<Edit> edits_;
};

}  // namespace qconn::core
