// SPDX-License-Identifier: Apache-2.0
#include "base/xml_reader.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "base/byte_run.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "base/xml_text.hpp"

namespace qconn::xml {

namespace {

constexpr std::size_t k_most_read_depth = 500;  // those who read recurse

bool is_character(std::uint32_t c) noexcept {
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xD800) || (c >= 0xE000 && c < 0xFFFE) || (c >= 0x10000 && c < 0x110000);
}

/// The encoding in the XML declaration, lower-case; empty where there is none.
std::string declared_encoding(std::string_view text) {
    if (!text.starts_with("<?xml")) return {};
    const std::string_view declaration = text.substr(0, std::min(text.find("?>"), text.size()));
    std::size_t at = declaration.find("encoding");
    if (at == std::string_view::npos) return {};
    at = declaration.find_first_of("\"'", at);
    if (at == std::string_view::npos) return {};
    const std::size_t end = declaration.find(declaration[at], at + 1);
    return end == std::string_view::npos ? std::string{} : text::to_lower(declaration.substr(at + 1, end - at - 1));
}

std::string from_latin1(std::string_view text) {
    std::string out;
    out.reserve(text.size() + text.size() / 8);
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            out += c;
        } else {
            out += static_cast<char>(0xC0U | byte >> 6U);
            out += static_cast<char>(0x80U | (byte & 0x3FU));
        }
    }
    return out;
}

/// The first control character that XML cannot hold, or npos.
std::size_t control_in(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    const char* const at = text::run_end(text.data(), end, [](auto c) { return (c < 0x20) & (c != '\n') & (c != '\r') & (c != '\t'); });
    return at == end ? npos : static_cast<std::size_t>(at - text.data());
}

Error not_xml(std::string_view what) { return make_error(Errc::parse, std::string{"the text is not good XML: "}.append(what)); }

}  // namespace

Reader::Reader(std::string_view text, const Limits& limits) : most_depth_{std::min(limits.depth, k_most_read_depth)}, most_nodes_{limits.nodes} {
    if (text.size() > limits.size) {
        error_ = make_error(Errc::limit,
                            "the XML text has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(limits.size) + " are read");
        return;
    }
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    const std::string encoding = declared_encoding(text);
    if (encoding == "iso-8859-1" || encoding == "latin1" || encoding == "iso8859-1") {
        converted_ = from_latin1(text);
        text = converted_;
    } else if (!encoding.empty() && encoding != "utf-8" && encoding != "utf8" && encoding != "us-ascii" && encoding != "ascii") {
        error_ = make_error(Errc::parse,
                            "the text is XML in the encoding " + text::printable(text::shorten(encoding, 40)) + "; UTF-8 and ISO-8859-1 are read");
        return;
    }
    source_ = text;
    at_ = text.data();
    end_ = at_ + text.size();
    if (const std::size_t bad = text::invalid_utf8(text); bad != npos)
        error_ = not_xml("byte " + std::to_string(bad) + " is not UTF-8");
    else if (const std::size_t control = control_in(text); control != npos)
        error_ = not_xml("byte " + std::to_string(control) + " is a control character");
}

void Reader::fail(Errc code, const char* place, std::string_view what) {
    const std::string_view before{source_.data(), place};
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const std::size_t newline = before.rfind('\n');
    const std::size_t column = text::utf8_length(newline == npos ? before : before.substr(newline + 1)) + 1;
    error_ =
        make_error(code, "the text is not good XML: line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + std::string{what});
}

Reader::Token Reader::next() {
    if (empty_ && !error_) {
        empty_ = false;
        just_opened_ = false;
        open_.pop_back();
        return Token::close;
    }
    has_text_ = false;
    while (!error_ && at_ != end_) {
        if (*at_ != '<') {
            content();
            continue;
        }
        const char second = end_ - at_ > 1 ? at_[1] : '\0';
        if ((second == '!' || second == '?') && no_tag()) continue;
        return has_text_ ? Token::text : second == '/' ? close_tag() : open_tag();
    }
    if (!error_ && !open_.empty()) fail(Errc::parse, end_, "an element is not closed");
    if (!error_ && !root_) fail(Errc::parse, end_, "there is no element");
    return Token::end;
}

bool Reader::next_child() {
    for (;;) {
        const Token token = next();
        if (token != Token::text) return token == Token::open;
    }
}

void Reader::skip() {
    for (std::size_t depth = 1; depth != 0;) {
        const Token token = next();
        if (token == Token::end) return;
        if (token == Token::open) ++depth;
        if (token == Token::close) --depth;
    }
}

std::optional<std::string_view> Reader::only_text() {
    Token token = next();
    const std::string_view text = token == Token::text ? text_ : std::string_view{};
    if (token == Token::text) token = next();
    if (token == Token::open) return std::nullopt;
    return text;
}

std::optional<Error> Reader::finish() {
    while (next() != Token::end) continue;
    return error_;
}

// ---- markup ----

bool Reader::no_tag() {
    if (is_at("<!--")) {
        skip_past("-->", 4);
    } else if (is_at("<?")) {
        if (rest().size() < 3 || !is_name_start(at_[2]))
            fail(Errc::parse, at_, "a '<?' must begin a processing instruction");
        else
            skip_past("?>", 2);
    } else if (!open_.empty() && is_at("<![CDATA[")) {
        character_data();
    } else if (is_at("<!DOCTYPE")) {
        document_type();
    } else {
        return false;
    }
    return true;
}

void Reader::skip_past(std::string_view end, std::size_t begin) {
    const std::size_t found = rest().find(end, begin);
    if (found == npos) return fail(Errc::parse, at_, std::string{"the end of this is missing: "}.append(end));
    at_ += found + end.size();
}

void Reader::document_type() {
    std::size_t i = rest().find_first_of("[<>\"'", 1);
    while (i != npos && (rest()[i] == '"' || rest()[i] == '\'')) {
        const std::size_t quote = rest().find(rest()[i], i + 1);
        i = quote == npos ? npos : rest().find_first_of("[<>\"'", quote + 1);
    }
    if (root_ || i == npos || rest()[i] != '>') return fail(Errc::parse, at_, "a document type with declarations of its own is not read");
    at_ += i + 1;
}

void Reader::blanks() noexcept {
    const char* at = at_;
    while (at != end_ && text::is_space(*at)) ++at;
    at_ = at;
}

Reader::Token Reader::too_many(const char* tag) {
    fail(Errc::limit, tag, "more than " + std::to_string(most_nodes_) + " elements and attributes");
    return Token::end;
}

Reader::Token Reader::refuse(const char* place, std::string_view what) {
    if (!error_) fail(Errc::parse, place, what);
    return Token::end;
}

Reader::Token Reader::open_tag() {
    const char* const start = at_;
    at_ = name_end(start + 1, end_);
    name_ = {start + 1, at_};
    if (name_.empty()) return refuse(start, "a '<' must begin a tag; write &lt; for text");
    if (open_.empty() && root_) return refuse(start, "there is a second root element");
    if (++nodes_ > most_nodes_) return too_many(start);
    while (at_ == end_ || *at_ != '>') {
        const char* const before = at_;
        blanks();
        if (at_ == end_) return refuse(start, "this tag has no end");
        if (*at_ == '>') break;
        if (is_at("/>")) {
            empty_ = true;
            ++at_;
        } else if (before == at_ || !attribute(start)) {
            return refuse(at_, "this tag is not well formed");
        }
    }
    ++at_;
    root_ = true;
    if (open_.size() == most_depth_) {
        fail(Errc::limit, start, "more than " + std::to_string(most_depth_) + " elements inside each other");
        return Token::end;
    }
    open_.push_back(name_);
    just_opened_ = true;
    return Token::open;
}

Reader::Token Reader::close_tag() {
    const char* const start = std::exchange(at_, at_ + 2);
    if (++nodes_ > most_nodes_) return too_many(start);
    const std::size_t size = open_.empty() ? 0 : open_.back().size();
    if (size != 0 && is_at(open_.back()) && size < rest().size() && at_[size] == '>') {  // nearly always
        name_ = open_.back();
        at_ += size;
    } else {
        at_ = name_end(at_, end_);
        name_ = {start + 2, at_};
        if (name_.empty()) return refuse(start, "a '<' must begin a tag; write &lt; for text");
        blanks();
        if (at_ == end_) return refuse(start, "this tag has no end");
        if (*at_ != '>') return refuse(at_, "this tag is not well formed");
        if (size == 0) return refuse(start, "nothing is open here that this could close");
        if (open_.back() != name_) return refuse(start, "this closes another element than the last that was opened");
    }
    ++at_;
    open_.pop_back();
    just_opened_ = false;
    return Token::close;
}

bool Reader::attribute(const char* tag) {
    const char* const name = std::exchange(at_, name_end(at_, end_));
    if (name == at_) return false;
    if (++nodes_ > most_nodes_) return too_many(tag), false;
    blanks();
    if (at_ == end_ || *at_ != '=') return false;
    ++at_;
    blanks();
    if (at_ == end_ || (*at_ != '"' && *at_ != '\'')) return false;
    const char quote = *at_++;
    while (at_ != end_ && *at_ != quote) {
        if (*at_ == '<' || (*at_ == '&' && !reference())) return false;
        ++at_;
    }
    if (at_ == end_) return false;
    ++at_;
    return true;
}

// ---- text ----

/// Makes made_ hold the text so far.
void Reader::own() {
    if (!has_text_)
        made_.clear();
    else if (text_.data() != made_.data())
        made_.assign(text_);
    has_text_ = true;
}

void Reader::add(std::string_view piece) {
    if (!std::exchange(has_text_, true)) {
        text_ = piece;
    } else {
        own();
        text_ = made_.append(piece);
    }
}

void Reader::content() {
    const char* const begin = at_;
    blanks();
    const bool blank = at_ == end_ || *at_ == '<';
    if (blank && !(just_opened_ && !has_text_ && is_at("</"))) return;
    if (open_.empty()) return fail(Errc::parse, at_, "there is text outside of the root element");

    constexpr auto k_special = [](auto c) { return (c == '<') | (c == '&') | (c == '\r'); };
    at_ = text::run_end(begin, end_, k_special);
    if (at_ == end_ || *at_ == '<') return add({begin, at_});
    own();
    made_.append(begin, at_);
    while (at_ != end_ && *at_ != '<') {
        if (*at_ == '&') {
            const auto c = reference();
            if (!c) return;
            text::append_utf8(made_, *c);
            ++at_;
        } else {
            at_ += is_at("\r\n") ? 2 : 1;
            made_ += '\n';
        }
        const char* const run = std::exchange(at_, text::run_end(at_, end_, k_special));
        made_.append(run, at_);
    }
    text_ = made_;
}

void Reader::character_data() {
    constexpr std::size_t k_begin = 9;
    const char* const start = at_;
    skip_past("]]>", k_begin);
    if (error_) return;
    std::string_view data{start + k_begin, at_ - 3};
    for (std::size_t end = data.find('\r'); end != npos; end = data.find('\r')) {
        own();
        made_.append(data.substr(0, end)).append(1, '\n');
        text_ = made_;
        data.remove_prefix(end + (data.substr(end).starts_with("\r\n") ? 2 : 1));
    }
    add(data);
}

/// At a '&'; leaves the place at its ';'.
std::optional<std::uint32_t> Reader::reference() {
    static constexpr std::array<std::pair<std::string_view, char>, 5> k_names{
        {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}}};
    const std::size_t end = rest().find(';');
    const std::string_view name = end == npos ? std::string_view{} : rest().substr(1, end - 1);
    std::optional<std::uint32_t> found;
    for (const auto& [known, c] : k_names)
        if (name == known) found = static_cast<std::uint32_t>(c);
    if (name.starts_with('#')) {
        const bool hex = name.starts_with("#x");
        const std::string_view digits = name.substr(hex ? 2 : 1);
        std::uint32_t c = 0;
        const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), c, hex ? 16 : 10);
        if (r.ec == std::errc{} && r.ptr == digits.data() + digits.size() && is_character(c)) found = c;
    }
    if (found)
        at_ += end;
    else
        fail(Errc::parse, at_, "this entity is not known; write &amp; for text");
    return found;
}

}  // namespace qconn::xml
