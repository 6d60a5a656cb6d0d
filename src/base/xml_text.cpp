// SPDX-License-Identifier: Apache-2.0
#include "base/xml_text.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/text.hpp"

namespace qconn::xml {

namespace {

constexpr std::size_t k_most_depth = 500;  // those who walk the tree recurse

bool is_name_start(char c) noexcept { return text::is_alpha(c) || c == '_' || c == ':' || static_cast<unsigned char>(c) >= 0x80; }
bool is_name_part(char c) noexcept { return is_name_start(c) || text::is_digit(c) || c == '-' || c == '.'; }

bool is_character(std::uint32_t c) noexcept {
    return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0xD800) || (c >= 0xE000 && c < 0xFFFE) || (c >= 0x10000 && c < 0x110000);
}

/// One pass over the markup, without building anything.
class Scanner {
public:
    Scanner(std::string_view text, const Limits& limits)
        : text_{text}, most_depth_{std::min(limits.depth, k_most_depth)}, most_nodes_{limits.nodes} {}

    std::optional<Error> run() {
        while (at_ < text_.size() && !error_) {
            if (text_[at_] == '<')
                markup();
            else
                content();
        }
        if (!error_ && depth_ != 0) fail(Errc::parse, text_.size(), "an element is not closed");
        if (!error_ && !root_) fail(Errc::parse, text_.size(), "there is no element");
        return std::move(error_);
    }

private:
    void fail(Errc code, std::size_t offset, std::string_view what) {
        const std::string_view before = text_.substr(0, std::min(offset, text_.size()));
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const std::size_t newline = before.rfind('\n');
        const std::size_t column = text::utf8_length(newline == std::string_view::npos ? before : before.substr(newline + 1)) + 1;
        error_ = make_error(
            code, "the text is not good XML: line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + std::string{what});
    }

    bool skip(std::string_view begin, std::string_view end) {
        if (!text_.substr(at_).starts_with(begin)) return false;
        const std::size_t found = text_.find(end, at_ + begin.size());
        if (found == std::string_view::npos)
            fail(Errc::parse, at_, std::string{"the end of this is missing: "}.append(end));
        else
            at_ = found + end.size();
        return true;
    }

    void markup() {
        const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
        if (next != '!' && next != '?') return tag();
        if (skip("<!--", "-->") || skip("<?", "?>")) return;
        if (depth_ != 0 && skip("<![CDATA[", "]]>")) return;
        if (text_.substr(at_).starts_with("<!DOCTYPE")) {
            const std::size_t end = text_.find_first_of("[>", at_);
            if (root_ || depth_ != 0 || end == std::string_view::npos || text_[end] == '[')
                fail(Errc::parse, at_, "a document type with declarations of its own is not read");
            else
                at_ = end + 1;
            return;
        }
        tag();
    }

    void tag() {
        const std::size_t start = at_++;
        const bool closing = at_ < text_.size() && text_[at_] == '/';
        if (closing) ++at_;
        if (at_ >= text_.size() || !is_name_start(text_[at_])) return fail(Errc::parse, start, "a '<' must begin a tag; write &lt; for text");
        while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
        if (!closing && depth_ == 0 && root_) return fail(Errc::parse, start, "there is a second root element");
        if (!count(start)) return;
        bool empty = false;
        for (;;) {
            const std::size_t before = at_;
            while (at_ < text_.size() && text::is_space(text_[at_])) ++at_;
            if (at_ >= text_.size()) return fail(Errc::parse, start, "this tag has no end");
            if (text_[at_] == '>') break;
            if (!closing && text_[at_] == '/' && text_.substr(at_).starts_with("/>")) {
                empty = true;
                ++at_;
                break;
            }
            if (closing || before == at_ || !attribute(start)) return error_ ? void() : fail(Errc::parse, at_, "this tag is not well formed");
        }
        ++at_;
        if (closing) {
            if (depth_ == 0) return fail(Errc::parse, start, "nothing is open here that this could close");
            --depth_;
        } else {
            root_ = true;
            if (depth_ + 1 > most_depth_) return fail(Errc::limit, start, "more than " + std::to_string(most_depth_) + " elements inside each other");
            if (!empty) ++depth_;
        }
    }

    bool count(std::size_t offset) {
        if (++nodes_ <= most_nodes_) return true;
        fail(Errc::limit, offset, "more than " + std::to_string(most_nodes_) + " elements and attributes");
        return false;
    }

    bool attribute(std::size_t tag) {
        if (!is_name_start(text_[at_]) || !count(tag)) return false;
        while (at_ < text_.size() && is_name_part(text_[at_])) ++at_;
        blanks();
        if (at_ >= text_.size() || text_[at_] != '=') return false;
        ++at_;
        blanks();
        if (at_ >= text_.size() || (text_[at_] != '"' && text_[at_] != '\'')) return false;
        const char quote = text_[at_++];
        while (at_ < text_.size() && text_[at_] != quote) {
            if (text_[at_] == '<') return false;
            if (text_[at_] == '&' && !reference()) return false;
            ++at_;
        }
        if (at_ >= text_.size()) return false;
        ++at_;
        return true;
    }

    void blanks() {
        while (at_ < text_.size() && text::is_space(text_[at_])) ++at_;
    }

    void content() {
        for (; at_ < text_.size() && text_[at_] != '<'; ++at_) {
            if (depth_ == 0 && !text::is_space(text_[at_])) return fail(Errc::parse, at_, "there is text outside of the root element");
            if (text_[at_] == '&' && !reference()) return;
        }
    }

    /// At a '&'; leaves the place at its ';'.
    bool reference() {
        const std::size_t end = text_.find(';', at_);
        const std::string_view name = end == std::string_view::npos ? std::string_view{} : text_.substr(at_ + 1, end - at_ - 1);
        bool good = name == "amp" || name == "lt" || name == "gt" || name == "quot" || name == "apos";
        if (name.starts_with('#')) {
            const bool hex = name.starts_with("#x");
            const std::string_view digits = name.substr(hex ? 2 : 1);
            std::uint32_t c = 0;
            const auto r = std::from_chars(digits.data(), digits.data() + digits.size(), c, hex ? 16 : 10);
            good = r.ec == std::errc{} && r.ptr == digits.data() + digits.size() && is_character(c);
        }
        if (!good) {
            fail(Errc::parse, at_, "this entity is not known; write &amp; for text");
            return false;
        }
        at_ = end;
        return true;
    }

    std::string_view text_;
    std::size_t most_depth_;
    std::size_t most_nodes_;
    std::size_t at_{0};
    std::size_t depth_{0};
    std::size_t nodes_{0};
    bool root_{false};
    std::optional<Error> error_;
};

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

}  // namespace

bool is_name(std::string_view name) noexcept {
    if (name.empty() || !is_name_start(name.front())) return false;
    return std::all_of(name.begin(), name.end(), is_name_part);
}

bool append_text(std::string& out, std::string_view text, bool in_attribute) {
    if (!text::valid_utf8(text)) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        switch (c) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '\r': out += "&#13;"; break;  // a reader turns a raw one into a newline
            case '"': out += in_attribute ? "&quot;" : "\""; break;
            case '\n': out += in_attribute ? "&#10;" : "\n"; break;
            case '\t': out += in_attribute ? "&#9;" : "\t"; break;
            default:
                if (static_cast<unsigned char>(c) < 0x20) return false;
                if (c == '\xEF' && (text.substr(i, 3) == "\xEF\xBF\xBE" || text.substr(i, 3) == "\xEF\xBF\xBF")) return false;
                out += c;
        }
    }
    return true;
}

std::optional<Error> load(std::string_view text, const Limits& limits, pugi::xml_document& document) {
    if (text.size() > limits.size)
        return make_error(Errc::limit,
                          "the XML text has " + std::to_string(text.size()) + " bytes; at most " + std::to_string(limits.size) + " are read");
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    std::string converted;
    const std::string encoding = declared_encoding(text);
    if (encoding == "iso-8859-1" || encoding == "latin1" || encoding == "iso8859-1") {
        converted = from_latin1(text);
        text = converted;
    } else if (!encoding.empty() && encoding != "utf-8" && encoding != "utf8" && encoding != "us-ascii" && encoding != "ascii") {
        return make_error(Errc::parse,
                          "the text is XML in the encoding " + text::printable(text::shorten(encoding, 40)) + "; UTF-8 and ISO-8859-1 are read");
    }
    if (const std::size_t bad = text::invalid_utf8(text); bad != std::string_view::npos)
        return make_error(Errc::parse, "the text is not good XML: byte " + std::to_string(bad) + " is not UTF-8");
    for (std::size_t i = 0; i < text.size(); ++i) {
        // Eight at a time, as nearly no byte is a control.
        for (std::uint64_t word = 0; i + 8 <= text.size(); i += 8) {
            std::memcpy(&word, text.data() + i, 8);
            if (((word - 0x2020202020202020U) & ~word & 0x8080808080808080U) != 0) break;
        }
        if (i == text.size()) break;
        const char c = text[i];
        if (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\r' && c != '\t')
            return make_error(Errc::parse, "the text is not good XML: byte " + std::to_string(i) + " is a control character");
    }
    if (auto error = Scanner{text, limits}.run()) return error;

    const auto result = document.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_ws_pcdata_single, pugi::encoding_utf8);
    if (result) return std::nullopt;
    return make_error(Errc::parse, "the text is not good XML: byte " + std::to_string(result.offset) + ": " + result.description());
}

}  // namespace qconn::xml
