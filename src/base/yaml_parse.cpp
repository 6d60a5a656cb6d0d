// SPDX-License-Identifier: Apache-2.0
// libyaml's events become a tree in one arena. What libyaml lets pass and must not pass is checked here: duplicate keys, aliases to nothing
// or to themselves, limits counted through aliases, comments that cut a scalar off.
#include <yaml.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <new>
#include <unordered_map>

#include "base/text.hpp"
#include "base/yaml.hpp"

namespace qconn::yaml {

struct ParseResult::Arena {
    explicit Arena(std::size_t first_block) : next_size{first_block} {}

    void* take(std::size_t size, std::size_t alignment) {
        void* place = position;
        if (!std::align(alignment, size, place, space)) {
            const std::size_t block = std::max(next_size, size + alignment);
            blocks.push_back(std::unique_ptr<std::byte[]>(new std::byte[block]));
            next_size = std::min<std::size_t>(block * 2, 1U << 20U);
            place = blocks.back().get();
            space = block;
            std::align(alignment, size, place, space);
        }
        position = static_cast<std::byte*>(place) + size;
        space -= size;
        return place;
    }
    std::string_view keep(std::string_view text) {
        if (text.empty()) return {};
        char* place = static_cast<char*>(take(text.size(), 1));
        std::memcpy(place, text.data(), text.size());
        return {place, text.size()};
    }
    Node* node() { return new (take(sizeof(Node), alignof(Node))) Node; }

    std::vector<std::unique_ptr<std::byte[]>> blocks;
    void* position{nullptr};
    std::size_t space{0};
    std::size_t next_size;
};
static_assert(std::is_trivially_destructible_v<Node>);

ParseResult::ParseResult() = default;
ParseResult::ParseResult(ParseResult&&) noexcept = default;
ParseResult& ParseResult::operator=(ParseResult&&) noexcept = default;
ParseResult::~ParseResult() = default;

bool Node::is_null() const noexcept {
    return is_plain() && tag_.empty() && (text_.empty() || text_ == "~" || text_ == "null" || text_ == "Null" || text_ == "NULL");
}

const Node* Node::find(std::string_view key) const noexcept {
    for (const auto [k, value] : entries())
        if (k.is_scalar() && k.text() == key) return &value;
    return nullptr;
}

TreeMaker::TreeMaker(ParseResult& result) : result_{result} {
    if (!result_.arena_) result_.arena_ = std::make_unique<ParseResult::Arena>(4096);
}

Node& TreeMaker::scalar(std::string_view text, const Mark& start, const Mark& end) {
    Node& node = *result_.arena_->node();
    node.text_ = result_.arena_->keep(text);
    node.style_ = Style::double_quoted;
    node.start_ = start;
    node.end_ = end;
    return node;
}

TreeMaker::Mapping TreeMaker::mapping(const Mark& start, const Mark& end) {
    Node& node = *result_.arena_->node();
    node.kind_ = Kind::mapping;
    node.style_ = Style::block;
    node.start_ = start;
    node.end_ = end;
    return {&node, nullptr};
}

void TreeMaker::add(Mapping& mapping, Node& key, Node& value) noexcept {
    (mapping.last ? mapping.last->next_ : mapping.node->first_) = &key;
    key.next_ = &value;
    mapping.last = &value;
    mapping.node->count_ += 2;
}

namespace {

constexpr std::string_view k_byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t k_most_bytes = 0xFFFF'0000U;  // offsets are 32 bits wide
constexpr std::size_t k_most_depth = 500;           // those who walk the tree recurse

struct ParserGuard {
    yaml_parser_t parser;
    ParserGuard() {
        if (!yaml_parser_initialize(&parser)) throw std::bad_alloc{};
    }
    ~ParserGuard() { yaml_parser_delete(&parser); }
    ParserGuard(const ParserGuard&) = delete;
    ParserGuard& operator=(const ParserGuard&) = delete;
};

struct EventGuard {
    yaml_event_t event;
    ~EventGuard() { yaml_event_delete(&event); }
    EventGuard() { std::memset(&event, 0, sizeof event); }
    EventGuard(const EventGuard&) = delete;
    EventGuard& operator=(const EventGuard&) = delete;
};

std::string_view view(const yaml_char_t* text) { return text ? std::string_view{reinterpret_cast<const char*>(text)} : std::string_view{}; }

/// What libyaml says, and how we say it. The first row whose texts match is taken.
struct Wording {
    std::string_view problem;  // empty: any
    std::string_view context;  // empty: any
    bool at_context;           // the place that matters is where the construct began
    bool to_line_end;
    std::string_view code;
    std::string_view message;
    std::string_view hint;
};

constexpr std::array k_wordings{
    Wording{"found unexpected end of stream", "while scanning a quoted scalar", true, true, "unterminated-quote",
            "the quoted text that begins here has no closing quote", "add the closing quote; a quote inside is written '' or \\\""},
    Wording{"found unexpected document indicator", "while scanning a quoted scalar", true, true, "unterminated-quote",
            "the quoted text that begins here has no closing quote before the next document", "add the closing quote"},
    Wording{"could not find expected ':'", "", true, true, "missing-colon", "there is no ':' behind this key",
            "write `key: value`; text that goes on in another line must be indented deeper than its key"},
    Wording{"mapping values are not allowed in this context", "", false, false, "unexpected-colon", "a ':' cannot stand here",
            "put quotes around text that holds `: `, or check the indentation of this line"},
    Wording{"mapping keys are not allowed in this context", "", false, false, "unexpected-key", "a key cannot begin here", "check the indentation"},
    Wording{"block sequence entries are not allowed in this context", "", false, false, "unexpected-dash", "a list item cannot begin here",
            "put the '-' on a line of its own below the key"},
    Wording{"did not find expected key", "", false, false, "bad-indentation", "this does not fit into the mapping around it",
            "check the indentation of this line, and that the value before it has its quotes closed"},
    Wording{"did not find expected '-' indicator", "", false, false, "bad-indentation", "this does not fit into the list around it",
            "check the indentation, or begin the line with '- '"},
    Wording{"did not find expected ',' or ']'", "", false, false, "bad-flow", "a ',' or ']' is missing before this", ""},
    Wording{"did not find expected ',' or '}'", "", false, false, "bad-flow", "a ',' or '}' is missing before this", ""},
    Wording{"did not find expected node content", "", false, false, "missing-value", "a value is missing before this", ""},
    Wording{"found a tab character that violates indentation", "", false, false, "tab", "a tab cannot indent YAML", "use blanks"},
    Wording{"found a tab character where an indentation space is expected", "", false, false, "tab", "a tab cannot indent YAML", "use blanks"},
    Wording{"found a tab character where an intendation space is expected", "", false, false, "tab", "a tab cannot indent YAML", "use blanks"},
    Wording{"found unknown escape character", "", false, false, "bad-escape", "YAML has no such escape",
            "write a backslash as \\\\, or use single quotes"},
    Wording{"did not find expected hexdecimal number", "", false, false, "bad-escape", "this escape needs more hexadecimal digits", ""},
    Wording{"found invalid Unicode character escape code", "", false, false, "bad-escape", "this escape names no character", ""},
    Wording{"did not find expected <document start>", "", false, false, "trailing-text", "this stands behind the end of the document",
            "separate documents with a line `---`"},
    Wording{"found undefined tag handle", "", false, false, "unknown-tag-handle", "this tag's handle was not declared with %TAG", ""},
    Wording{"did not find expected alphabetic or numeric character", "while scanning an alias", true, false, "bad-alias",
            "a '*' begins an alias and needs a name", "put quotes around text that begins with '*'"},
    Wording{"did not find expected alphabetic or numeric character", "", true, false, "bad-anchor", "a '&' begins an anchor and needs a name",
            "put quotes around text that begins with '&'"},
    Wording{"", "while scanning a directive", true, true, "bad-directive", "this directive is not understood",
            "put quotes around text that begins with '%'"},
    Wording{"", "while scanning a %YAML directive", true, true, "bad-directive", "the %YAML directive is not understood", "write %YAML 1.2"},
    Wording{"", "while scanning a %TAG directive", true, true, "bad-directive", "the %TAG directive is not understood", ""},
    Wording{"found duplicate %YAML directive", "", false, true, "bad-directive", "a second %YAML directive", ""},
    Wording{"found duplicate %TAG directive", "", false, true, "bad-directive", "the same handle in a second %TAG directive", ""},
    Wording{"found incompatible YAML document", "", false, true, "bad-directive", "this document wants another version of YAML", "write %YAML 1.2"},
    Wording{"", "while scanning a tag", true, false, "bad-tag", "this tag is not well formed", "put quotes around text that begins with '!'"},
    Wording{"", "while parsing a tag", true, false, "bad-tag", "this tag is not well formed", "put quotes around text that begins with '!'"},
    Wording{"", "while scanning a block scalar", false, false, "bad-block-text", "the head of this block text is not understood",
            "write `|` or `>`, then at most an indentation digit and `+` or `-`"},
};

}  // namespace

class Builder {
public:
    Builder(std::string_view text, const Limits& limits)
        : source_{text.data() ? text : std::string_view{""}}, limits_{limits} {  // libyaml aborts on a null pointer
        if (source_.substr(0, 3) == k_byte_order_mark) {
            source_.remove_prefix(3);
            skipped_ = 3;
        }
    }

    ParseResult run() {
        const std::size_t most = std::min(limits_.size, k_most_bytes);
        if (source_.size() > most) {
            stop({1, 1, 0}, 1, "limit", "the text has " + std::to_string(source_.size()) + " bytes; at most " + std::to_string(most) + " are read");
        } else if (characters_are_good()) {
            result_.arena_ = std::make_unique<ParseResult::Arena>(std::clamp<std::size_t>(source_.size() * 6, 512, 64U << 10U));
            read();
        }
        return std::move(result_);
    }

private:
    struct Open {
        Node* node;
        Node* last;  // child
    };

    // ---- characters and places ----

    /// Place of a byte, counted from the start of its text: for the few places that libyaml does not give.
    Mark locate(std::size_t offset) const {
        Mark mark;
        std::size_t line_start = 0;
        for (std::size_t i = 0; i < offset; ++i) {
            if (source_[i] == '\n' || (source_[i] == '\r' && !(i + 1 < source_.size() && source_[i + 1] == '\n'))) {
                ++mark.line;
                line_start = i + 1;
            }
        }
        mark.column = static_cast<std::uint32_t>(text::utf8_length(source_.substr(line_start, offset - line_start)) + 1);
        mark.offset = static_cast<std::uint32_t>(offset + skipped_);
        return mark;
    }

    std::string_view rest_of_line(std::size_t offset) const {
        const std::size_t end = source_.find_first_of("\r\n", offset);
        return source_.substr(offset, end == std::string_view::npos ? end : end - offset);
    }

    bool characters_are_good() {
        static constexpr std::string_view k_hex = "0123456789ABCDEF";
        if (const std::size_t bad = text::invalid_utf8(source_); bad != std::string_view::npos) {
            const auto c = static_cast<unsigned char>(source_[bad]);
            std::string message{"the byte 0x"};
            message.append(1, k_hex[c >> 4U]).append(1, k_hex[c & 15U]).append(" is not valid UTF-8");
            stop(locate(bad), 1, "invalid-utf8", std::move(message), "save the text as UTF-8");
            return false;
        }
        for (std::size_t i = 0; i < source_.size(); ++i) {
            const auto c = static_cast<unsigned char>(source_[i]);
            if (c >= 0x20 && c < 0x7F) continue;
            if (c == '\n' || c == '\r' || c == '\t') continue;
            if (c < 0x80) {
                std::string message{"the control character 0x"};
                message.append(1, k_hex[c >> 4U]).append(1, k_hex[c & 15U]).append(" cannot stand in YAML");
                stop(locate(i), 1, "control-character", std::move(message), "write it as an escape in double quotes");
                return false;
            }
            ascii_ = false;
            // To libyaml (YAML 1.1) these end a line; YAML 1.2 and every editor disagree, so text would change and places would be wrong.
            const std::string_view here = source_.substr(i, 3);
            if (here.substr(0, 2) == "\xC2\x85" || here == "\xE2\x80\xA8" || here == "\xE2\x80\xA9") {
                stop(locate(i), 1, "line-separator",
                     "the line separator U+" +
                         std::string(here[0] == '\xC2'   ? "0085"
                                     : here[2] == '\xA8' ? "2028"
                                                         : "2029") +
                         " means different things to different readers of YAML",
                     "write it as \\N, \\L or \\P in double quotes");
                return false;
            }
        }
        return true;
    }

    /// libyaml counts characters; we want bytes.
    std::size_t byte_of(std::size_t character) {
        if (ascii_) return std::min(character, source_.size());
        constexpr std::size_t k_step = 64;
        if (steps_.empty()) {
            std::size_t n = 0;
            for (std::size_t i = 0; i < source_.size(); ++i) {
                if ((static_cast<unsigned char>(source_[i]) & 0xC0U) == 0x80U) continue;
                if (n++ % k_step == 0) steps_.push_back(static_cast<std::uint32_t>(i));
            }
            if (steps_.empty()) return 0;
        }
        const std::size_t step = std::min(character / k_step, steps_.size() - 1);
        std::size_t i = steps_[step];
        for (std::size_t n = step * k_step; i < source_.size(); ++i) {
            if ((static_cast<unsigned char>(source_[i]) & 0xC0U) == 0x80U) continue;
            if (n++ == character) break;
        }
        return i;
    }

    Mark mark(const yaml_mark_t& m) {
        return {static_cast<std::uint32_t>(m.line + 1), static_cast<std::uint32_t>(m.column + 1),
                static_cast<std::uint32_t>(byte_of(m.index) + skipped_)};
    }
    std::size_t in_source(const Mark& m) const { return m.offset - skipped_; }

    // ---- problems ----

    void note(Mark at, std::uint32_t length, std::string_view code, std::string message, std::string_view hint = {}) {
        if (result_.problems.size() >= limits_.problems) return;
        result_.problems.push_back({at, std::max(length, 1U), std::string{code}, std::move(message), std::string{hint}});
    }
    void stop(Mark at, std::uint32_t length, std::string_view code, std::string message, std::string_view hint = {}) {
        result_.problems.push_back({at, std::max(length, 1U), std::string{code}, std::move(message), std::string{hint}});
        result_.fatal = true;
    }
    void stop_at_limit(Mark at, std::string_view what, std::size_t limit) {
        stop(at, 1, "limit", std::string{"more than "}.append(std::to_string(limit)).append(" ").append(what));
    }

    void stop_for(const yaml_parser_t& parser) {
        if (parser.error == YAML_MEMORY_ERROR) throw std::bad_alloc{};
        if (parser.error == YAML_READER_ERROR) {
            // Well-formed UTF-8, but not a character that YAML allows: a C1 control, a byte order mark in the middle, U+FFFE.
            stop(locate(std::min(parser.problem_offset, source_.size())), 1, "control-character", "this character cannot stand in YAML",
                 "write it as an escape in double quotes");
            return;
        }
        const std::string_view problem = parser.problem ? parser.problem : "";
        const std::string_view context = parser.context ? parser.context : "";
        const Mark at = mark(parser.problem_mark);
        const std::size_t offset = in_source(at);
        const char c = offset < source_.size() ? source_[offset] : '\0';
        if (problem == "found character that cannot start any token") {
            if (c == '\t')
                stop(at, 1, "tab", "a tab cannot indent YAML", "use blanks");
            else
                stop(at, 1, "reserved-character", std::string{"a value cannot begin with '"}.append(1, c).append("'"), "put quotes around the value");
            return;
        }
        const bool in_flow = context == "while parsing a flow sequence" || context == "while parsing a flow mapping";
        if (in_flow && offset >= source_.size()) {
            const bool list = context == "while parsing a flow sequence";
            stop(mark(parser.context_mark), 1, "unclosed-bracket", list ? "the '[' is never closed" : "the '{' is never closed",
                 list ? "add the ']'" : "add the '}'");
            return;
        }
        for (const Wording& w : k_wordings) {
            if ((!w.problem.empty() && w.problem != problem) || (!w.context.empty() && w.context != context)) continue;
            Mark place = w.at_context && !context.empty() ? mark(parser.context_mark) : at;
            const auto length = w.to_line_end ? text::utf8_length(text::trim(rest_of_line(in_source(place)))) : 1;
            std::string message{w.message};
            if (w.code == "bad-indentation" && parser.context_mark.line != parser.problem_mark.line)
                message += ", which began in line " + std::to_string(parser.context_mark.line + 1);
            stop(place, static_cast<std::uint32_t>(length), w.code, std::move(message), w.hint);
            return;
        }
        std::string message{problem.empty() ? std::string_view{"this is not YAML"} : problem};
        if (!context.empty()) message.append(" ").append(context);
        stop(at, 1, "syntax", std::move(message));
    }

    // ---- the tree ----

    void read() {
        ParserGuard guard;
        yaml_parser_set_encoding(&guard.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&guard.parser, reinterpret_cast<const unsigned char*>(source_.data()), source_.size());
        while (!result_.fatal) {
            EventGuard e;
            if (!yaml_parser_parse(&guard.parser, &e.event)) {
                stop_for(guard.parser);
                return;
            }
            if (e.event.type == YAML_STREAM_END_EVENT) return;
            take(e.event);
        }
    }

    void take(const yaml_event_t& event) {
        switch (event.type) {
            case YAML_DOCUMENT_START_EVENT:
                if (result_.documents.size() >= limits_.documents) stop_at_limit(mark(event.start_mark), "documents", limits_.documents);
                nodes_ = 0;
                root_ = nullptr;
                if (!anchors_.empty()) anchors_.clear();
                break;
            case YAML_DOCUMENT_END_EVENT:
                if (root_) result_.documents.push_back({root_});
                break;
            case YAML_SCALAR_EVENT: scalar(event); break;
            case YAML_SEQUENCE_START_EVENT:
                open(event, Kind::sequence, event.data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE ? Style::flow : Style::block,
                     event.data.sequence_start.tag, event.data.sequence_start.anchor);
                break;
            case YAML_MAPPING_START_EVENT:
                open(event, Kind::mapping, event.data.mapping_start.style == YAML_FLOW_MAPPING_STYLE ? Style::flow : Style::block,
                     event.data.mapping_start.tag, event.data.mapping_start.anchor);
                break;
            case YAML_SEQUENCE_END_EVENT:
            case YAML_MAPPING_END_EVENT: close(event); break;
            case YAML_ALIAS_EVENT: alias(event); break;
            default: break;
        }
    }

    Node* make(const yaml_event_t& event, Kind kind, Style style) {
        Node* node = result_.arena_->node();
        node->kind_ = kind;
        node->style_ = style;
        node->start_ = mark(event.start_mark);
        node->end_ = mark(event.end_mark);
        return node;
    }

    std::string_view tag_of(const yaml_char_t* tag) {
        constexpr std::string_view k_yaml_tags = "tag:yaml.org,2002:";
        const std::string_view full = view(tag);
        if (!full.starts_with(k_yaml_tags)) return result_.arena_->keep(full);
        return result_.arena_->keep("!!" + std::string{full.substr(k_yaml_tags.size())});
    }

    /// Puts a node at its place; false where a limit ended the reading.
    bool attach(Node* node) {
        nodes_ += node->weight_;
        if (nodes_ > limits_.nodes) {
            stop_at_limit(node->start_, "nodes in one document, aliases counted in full", limits_.nodes);
            return false;
        }
        const std::size_t most = std::min(limits_.depth, k_most_depth);
        if (open_.size() + std::max(node->height_, node->kind_ == Kind::scalar ? 0U : 1U) > most) {
            stop_at_limit(node->start_, "lists and maps inside each other", most);
            return false;
        }
        if (open_.empty()) {
            root_ = node;
            return true;
        }
        Open& parent = open_.back();
        (parent.last ? parent.last->next_ : parent.node->first_) = node;
        parent.last = node;
        ++parent.node->count_;
        return true;
    }

    void scalar(const yaml_event_t& event) {
        const auto& data = event.data.scalar;
        Style style = Style::plain;
        switch (data.style) {
            case YAML_SINGLE_QUOTED_SCALAR_STYLE: style = Style::single_quoted; break;
            case YAML_DOUBLE_QUOTED_SCALAR_STYLE: style = Style::double_quoted; break;
            case YAML_LITERAL_SCALAR_STYLE: style = Style::literal; break;
            case YAML_FOLDED_SCALAR_STYLE: style = Style::folded; break;
            default: break;
        }
        Node* node = make(event, Kind::scalar, style);
        node->text_ = result_.arena_->keep({reinterpret_cast<const char*>(data.value), data.length});
        node->tag_ = tag_of(data.tag);
        if (!attach(node)) return;
        if (data.anchor) anchors_[result_.arena_->keep(view(data.anchor))] = node;
        if (style == Style::plain && data.length != 0) check_cut(node);
    }

    void check_cut(Node* node) {
        std::size_t i = in_source(node->end_);
        const std::size_t end = i;
        while (i < source_.size() && (source_[i] == ' ' || source_[i] == '\t')) ++i;
        if (i == end || i + 1 >= source_.size() || source_[i] != '#') return;
        if (const char next = source_[i + 1]; next == ' ' || next == '\t' || next == '\r' || next == '\n' || next == '#') return;
        node->cut_ = true;
        Mark at = node->end_;
        at.column += static_cast<std::uint32_t>(i - end);
        at.offset += static_cast<std::uint32_t>(i - end);
        note(at, static_cast<std::uint32_t>(text::utf8_length(text::trim(rest_of_line(i)))), "cut-by-comment",
             "the value ends here: ` #` begins a comment",
             "put quotes around the value if the '#' belongs to it; otherwise write a blank behind the '#'");
    }

    void open(const yaml_event_t& event, Kind kind, Style style, const yaml_char_t* tag, const yaml_char_t* anchor) {
        Node* node = make(event, kind, style);
        node->tag_ = tag_of(tag);
        node->height_ = 1;
        if (!attach(node)) return;
        node->open_ = true;
        if (anchor) anchors_[result_.arena_->keep(view(anchor))] = node;
        open_.push_back({node, nullptr});
    }

    void close(const yaml_event_t& event) {
        Node* node = open_.back().node;
        const Node* last = open_.back().last;
        open_.pop_back();
        // The end of a block collection is reported where the next token begins, lines below.
        if (node->style_ == Style::flow)
            node->end_ = mark(event.end_mark);
        else if (last)
            node->end_ = last->end_;
        for (const Node& child : node->items()) {
            node->weight_ += child.weight_;
            node->height_ = std::max(node->height_, child.height_ + 1);
        }
        if (node->kind_ == Kind::mapping) check_duplicates(*node);
        node->open_ = false;
    }

    void check_duplicates(const Node& mapping) {
        constexpr std::size_t k_compare_all = 16;
        const auto report = [&](const Node& key, const Node& first) {
            note(key.start(), key.length(), "duplicate-key",
                 "the key \"" + text::printable(text::shorten(key.text(), 60)) + "\" is here a second time; it was first in line " +
                     std::to_string(first.start().line),
                 "remove one of them");
        };
        if (mapping.size() <= k_compare_all) {
            for (const auto [key, value] : mapping.entries()) {
                if (!key.is_scalar()) continue;
                for (const auto [other, other_value] : mapping.entries()) {
                    if (&other == &key) break;
                    if (!other.is_scalar() || other.text() != key.text()) continue;
                    report(key, other);
                    break;
                }
            }
            return;
        }
        std::unordered_map<std::string_view, const Node*> seen;
        seen.reserve(mapping.size());
        for (const auto [key, value] : mapping.entries()) {
            if (!key.is_scalar()) continue;
            const auto [place, is_new] = seen.emplace(key.text(), &key);
            if (!is_new) report(key, *place->second);
        }
    }

    void alias(const yaml_event_t& event) {
        Node* node = make(event, Kind::scalar, Style::plain);
        node->alias_ = true;
        const std::string_view name = view(event.data.alias.anchor);
        const auto known = anchors_.find(name);
        if (known == anchors_.end()) {
            note(node->start_, node->length(), "unknown-anchor", "nothing before this is called &" + text::printable(text::shorten(name, 60)),
                 "put quotes around text that begins with '*'");
        } else if (known->second->open_) {
            note(node->start_, node->length(), "recursive-alias", "this alias stands inside of what it refers to");
        } else {
            const Node& target = *known->second;
            node->kind_ = target.kind_;
            node->style_ = target.style_;
            node->text_ = target.text_;
            node->tag_ = target.tag_;
            node->first_ = target.first_;
            node->count_ = target.count_;
            node->weight_ = target.weight_;
            node->height_ = target.height_;
            node->cut_ = target.cut_;
        }
        attach(node);
    }

    std::string_view source_;  // without byte order mark
    const Limits limits_;
    ParseResult result_;
    std::uint32_t skipped_{0};
    bool ascii_{true};
    std::vector<std::uint32_t> steps_;  // byte of every 64th character
    std::vector<Open> open_;
    std::unordered_map<std::string_view, Node*> anchors_;
    Node* root_{nullptr};
    std::uint64_t nodes_{0};
};

ParseResult parse(std::string_view text, const Limits& limits) { return Builder{text, limits}.run(); }

}  // namespace qconn::yaml
