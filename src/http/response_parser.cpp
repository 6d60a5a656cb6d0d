// SPDX-License-Identifier: Apache-2.0
#include "http/response_parser.hpp"

#include <algorithm>
#include <charconv>

#include <qconn/http/http_client.hpp>

#include "base/text.hpp"
#include "http/target.hpp"

namespace qconn::http {

namespace {

constexpr std::size_t k_shown = 120;

std::string quoted(std::string_view text) { return "\"" + text::printable(text::shorten(text, k_shown)) + "\""; }

bool mentions(std::string_view list, std::string_view word) {
    for (;;) {
        const std::size_t comma = list.find(',');
        if (text::iequals(text::trim(list.substr(0, comma)), word)) return true;
        if (comma == std::string_view::npos) return false;
        list.remove_prefix(comma + 1);
    }
}

}  // namespace

std::size_t ResponseParser::feed(std::string_view input) {
    const std::size_t size = input.size();
    if (!input.empty()) nothing_ = false;
    while (!input.empty() && (state_ == State::head || state_ == State::body)) {
        switch (part_) {
            case Part::content:
            case Part::chunk_data: {
                const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size()));
                keep(input.substr(0, taken));
                input.remove_prefix(taken);
                left_ -= taken;
                body_bytes_ += taken;
                if (left_ != 0) break;
                if (part_ == Part::content)
                    state_ = State::done;
                else
                    part_ = Part::chunk_end;
                break;
            }
            case Part::until_close:
                keep(input);
                body_bytes_ += input.size();
                input = {};
                break;
            default: {
                const std::size_t newline = input.find('\n');
                const std::size_t taken = std::min(newline, input.size() - 1) + 1;
                head_bytes_ += taken;
                // A line that came in one piece is read where it lies.
                std::string_view text = input.substr(0, taken);
                if (!line_.empty() || newline == std::string_view::npos) {
                    line_.append(text);
                    text = line_;
                }
                input.remove_prefix(taken);
                if (head_bytes_ > limits_.max_head) {
                    fail("its head is longer than " + std::to_string(limits_.max_head) + " bytes");
                } else if (part_ == Part::status_line && !std::string_view{"HTTP/1."}.starts_with(text.substr(0, 7))) {
                    read_status_line(text);  // it is no HTTP whatever follows: do not wait for a line end that may never come
                } else if (newline != std::string_view::npos) {
                    text.remove_suffix(1);
                    if (text.ends_with('\r')) text.remove_suffix(1);
                    line(text);
                    line_.clear();
                }
            }
        }
    }
    return size - input.size();
}

void ResponseParser::end_of_input() {
    if (state_ == State::done || state_ == State::failed) return;
    keep_ = false;
    if (part_ == Part::until_close) {
        state_ = State::done;
        return;
    }
    was_cut_ = true;
    if (nothing_)
        fail("the connection was closed without an answer");
    else if (state_ == State::head)
        fail("the connection was closed within the head of the answer");
    else
        fail("the connection was closed within the body of the answer, after " + std::to_string(body_bytes_) + " bytes");
}

void ResponseParser::keep(std::string_view bytes) {
    if (body_.size() < keep_body_) body_.append(bytes.substr(0, keep_body_ - body_.size()));
}

void ResponseParser::fail(std::string problem) {
    problem_ = std::move(problem);
    state_ = State::failed;
    keep_ = false;
}

void ResponseParser::line(std::string_view text) {
    switch (part_) {
        case Part::status_line: return read_status_line(text);
        case Part::field: return text.empty() ? end_of_head() : read_field(text);
        case Part::chunk_size: return read_chunk_size(text);
        case Part::chunk_end:
            if (!text.empty()) return fail("a chunk is longer than it says: " + quoted(text) + " follows it");
            part_ = Part::chunk_size;
            head_bytes_ = 0;  // chunk lines are bounded one by one; there may be many
            return;
        case Part::trailer:
            if (text.empty()) state_ = State::done;
            return;
        default: return;
    }
}

void ResponseParser::read_status_line(std::string_view text) {
    // "HTTP/1.x NNN reason"; the reason may be missing, with the blank before it.
    const bool shaped = text.size() >= 12 && text.starts_with("HTTP/1.") && text::is_digit(text[7]) && text[8] == ' ' && text::is_digit(text[9]) &&
                        text::is_digit(text[10]) && text::is_digit(text[11]) && (text.size() == 12 || text[12] == ' ');
    if (!shaped || text[9] == '0') {
        std::string problem = "what came back is not HTTP/1.x: " + quoted(text);
        if (text.starts_with("\x15\x03")) problem += ", a TLS alert; the server wants https";
        return fail(std::move(problem));
    }
    status_ = (text[9] - '0') * 100 + (text[10] - '0') * 10 + (text[11] - '0');
    status_line_ = text.size() > k_shown ? text::printable(text::shorten(text, k_shown)) : text::printable(text);
    keep_ = text[7] != '0';
    part_ = Part::field;
}

void ResponseParser::read_field(std::string_view text) {
    if (text.front() == ' ' || text.front() == '\t') return;  // continues a field that does not matter here (RFC 9112 section 5.2)
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || !is_token(text.substr(0, colon))) return fail("a line of its head is no header field: " + quoted(text));
    const std::string_view name = text.substr(0, colon);
    const std::string_view value = text::trim(text.substr(colon + 1));
    if (fields_ != nullptr) fields_->add(name, value);
    if (text::iequals(name, "content-length")) {
        std::uint64_t length = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), length);
        if (error != std::errc{} || end != value.data() + value.size() || (length_ && *length_ != length)) {
            return fail("its Content-Length is not one number: " + quoted(value));
        }
        length_ = length;
    } else if (text::iequals(name, "transfer-encoding")) {
        coded_ = true;
        const auto parts = text::split(value, ',');
        chunked_ = text::iequals(text::trim(parts.back()), "chunked");
    } else if (text::iequals(name, "connection")) {
        if (mentions(value, "close"))
            keep_ = false;
        else if (mentions(value, "keep-alive"))
            keep_ = true;
    } else if (text::iequals(name, "via")) {
        via_ = true;
    } else if (text::iequals(name, "x-squid-error") || (text::iequals(name, "proxy-status") && value.find("error=") != value.npos)) {  // RFC 9209
        proxy_error_ = true;
    }
}

void ResponseParser::end_of_head() {
    if (status_ / 100 == 1 && status_ != 101) {
        if (++interim_ > limits_.max_interim) return fail("more than " + std::to_string(limits_.max_interim) + " interim answers came");
        part_ = Part::status_line;
        if (fields_ != nullptr) *fields_ = {};
        length_.reset();
        coded_ = chunked_ = via_ = proxy_error_ = false;
        return;
    }
    state_ = State::body;
    if (no_body_ || status_ == 204 || status_ == 304 || status_ == 101) {
        if (status_ == 101) keep_ = false;
        state_ = State::done;
    } else if (coded_) {
        if (length_) keep_ = false;  // RFC 9112 section 6.3: possibly smuggled
        part_ = chunked_ ? Part::chunk_size : Part::until_close;
        head_bytes_ = 0;
    } else if (length_) {
        left_ = *length_;
        part_ = Part::content;
        if (left_ == 0) state_ = State::done;
    } else {
        part_ = Part::until_close;
    }
    if (part_ == Part::until_close && state_ == State::body) keep_ = false;
}

void ResponseParser::read_chunk_size(std::string_view text) {
    const std::string_view digits = text::trim(text.substr(0, std::min(text.find(';'), text.size())));
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
    if (error != std::errc{} || end != digits.data() + digits.size()) return fail("the size of a chunk is no hexadecimal number: " + quoted(text));
    left_ = size;
    part_ = size == 0 ? Part::trailer : Part::chunk_data;
}

}  // namespace qconn::http
