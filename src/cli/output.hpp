// SPDX-License-Identifier: Apache-2.0
/// Standard output of the tool: text, tables and JSON that survive a closed pipe and untrusted texts.
#pragma once

#include <chrono>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>

namespace qconn::cli {

/// The reader of standard output has gone. Not an error of the tool's: it ends quietly.
class PipeClosed : public std::exception {};

/// Standard output could not be written for another reason.
class OutputError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

enum class Style { plain, bold, dim, good, bad, warn };

/// Text for standard output, gathered and written in one go by flush().
class Output {
public:
    /// Decides on colours: only on a terminal, and unless switched off (NO_COLOR, TERM=dumb, --no-colour).
    void set_up(bool no_colour);
    bool colour() const noexcept { return colour_; }
    bool is_terminal() const noexcept { return terminal_; }

    void text(std::string_view text) { buffer_ += text; }
    void line(std::string_view text = {}) { (buffer_ += text) += '\n'; }
    /// One JSON text and a newline; pretty for whole documents, in one line for streams.
    void json(const Value& value, bool pretty = true);
    /// @throws PipeClosed, OutputError
    void flush();
    /// What has not been written yet.
    std::string_view pending() const noexcept { return buffer_; }

    std::string paint(Style style, std::string_view text) const;

private:
    std::string buffer_;
    bool terminal_{false};
    bool colour_{false};
};

/// Columns of text, each as wide as its widest cell; the last is not padded.
class Table {
public:
    struct Cell {
        Cell(std::string t, Style s = Style::plain) : text{std::move(t)}, style{s} {}
        Cell(const char* t) : text{t} {}
        std::string text;
        Style style{Style::plain};
    };
    using Row = std::vector<Cell>;

    explicit Table(Row head = {});
    /// Control characters in the cells are made visible.
    void add(Row row);
    bool empty() const noexcept { return rows_.empty(); }
    /// The rows, each ending with a newline.
    std::string render(const Output& out) const;
    /// The same as single lines cut to that many columns; 0: not cut.
    std::vector<std::string> lines(const Output& out, std::size_t max_width) const;

private:
    Row head_;
    std::vector<Row> rows_;
};

/// The text with control characters as `\x1b`, invalid UTF-8 as U+FFFD, so that nothing that came from a peer or a file can steer a terminal.
std::string printable(std::string_view text);
/// The text with U+FFFD for what is no UTF-8 in it.
std::string valid_utf8(std::string_view text);
/// Characters (code points) in it.
std::size_t width(std::string_view text) noexcept;

/// "850 us", "12.3 ms", "2.05 s".
std::string duration_text(std::chrono::nanoseconds time);
/// "3 s", "5 min", "2 h 10 min", "4 d": for ages.
std::string age_text(std::chrono::nanoseconds time);
/// "1 error", "2 errors".
std::string counted(std::size_t n, std::string_view singular);

}  // namespace qconn::cli
