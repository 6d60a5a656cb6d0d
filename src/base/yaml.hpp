// SPDX-License-Identifier: Apache-2.0
/// YAML: a strict reader that knows where everything stands, typing by the core schema of YAML 1.2, message bodies, and a writer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/result.hpp>
#include <qconn/base/value.hpp>

namespace qconn::yaml {

/// A place in the text that was parsed.
struct Mark {
    std::uint32_t line{1};    ///< from 1
    std::uint32_t column{1};  ///< from 1, in code points
    std::uint32_t offset{0};  ///< from 0, in bytes

    friend bool operator==(const Mark&, const Mark&) = default;
};

/// What hostile or broken text may cost. Passing one is a fatal problem with the code "limit".
struct Limits {
    std::size_t size{64U << 20U};    ///< bytes of text; never above 4 GiB
    std::size_t depth{100};          ///< collections inside each other, counted through aliases; never above 500
    std::size_t nodes{4'000'000};    ///< of one document, counted through aliases: what a walk over the tree meets
    std::size_t documents{100'000};  ///< in one text
    std::size_t problems{100};       ///< that are not fatal; later ones are not recorded
};

/// Something wrong in the text. Codes: see the list in docs/definitions.md.
struct Problem {
    Mark at;
    std::uint32_t length{1};  ///< code points to mark from there on, in that line; at least 1
    std::string code;         ///< stable: "duplicate-key", "unterminated-quote"
    std::string message;
    std::string hint;  ///< what to do; may be empty
};

enum class Kind : std::uint8_t { scalar, sequence, mapping };
enum class Style : std::uint8_t { plain, single_quoted, double_quoted, literal, folded, block, flow };

/// A node of the tree. Lives in the arena of the ParseResult; immutable; refers to nothing in the parsed text.
/// An alias appears as a node of its own place that shares the children of what it stands for.
class Node {
public:
    Kind kind() const noexcept { return kind_; }
    Style style() const noexcept { return style_; }
    bool is_scalar() const noexcept { return kind_ == Kind::scalar; }
    bool is_sequence() const noexcept { return kind_ == Kind::sequence; }
    bool is_mapping() const noexcept { return kind_ == Kind::mapping; }
    bool is_alias() const noexcept { return alias_; }
    bool is_plain() const noexcept { return kind_ == Kind::scalar && style_ == Style::plain; }
    /// Plain, untagged and null by the core schema: empty, `~`, `null`, `Null`, `NULL`.
    bool is_null() const noexcept;

    /// Content of a scalar, escapes and folding resolved; empty for collections.
    std::string_view text() const noexcept { return text_; }
    /// Empty where there is none, "!" for the non-specific one, "!!int" for those of YAML, otherwise as resolved: "!number",
    /// "tag:example.org,2026:x".
    std::string_view tag() const noexcept { return tag_; }
    /// First character, an anchor or tag before it included.
    Mark start() const noexcept { return start_; }
    /// Behind the last character. A block collection ends where its last child ends.
    Mark end() const noexcept { return end_; }
    /// Code points from start to end where that is one line, otherwise 1: the length of a caret line.
    std::uint32_t length() const noexcept { return start_.line == end_.line && end_.column > start_.column ? end_.column - start_.column : 1; }
    /// A plain scalar that ` #` ended where no blank follows the '#': most likely a URL that was meant to go on. There is a problem
    /// "cut-by-comment" for it.
    bool is_cut() const noexcept { return cut_; }

    /// Items of a sequence, pairs of a mapping; 0 for a scalar.
    std::size_t size() const noexcept { return kind_ == Kind::mapping ? count_ / 2 : count_; }

    class Items {
    public:
        class iterator {
        public:
            using iterator_category = std::forward_iterator_tag;
            using value_type = Node;
            using difference_type = std::ptrdiff_t;
            using pointer = const Node*;
            using reference = const Node&;
            explicit iterator(const Node* node = nullptr) noexcept : node_{node} {}
            const Node& operator*() const noexcept { return *node_; }
            const Node* operator->() const noexcept { return node_; }
            iterator& operator++() noexcept {
                node_ = node_->next_;
                return *this;
            }
            iterator operator++(int) noexcept {
                iterator old{*this};
                ++*this;
                return old;
            }
            friend bool operator==(iterator, iterator) = default;

        private:
            const Node* node_;
        };
        iterator begin() const noexcept { return iterator{first_}; }
        iterator end() const noexcept { return iterator{}; }

    private:
        friend class Node;
        explicit Items(const Node* first) noexcept : first_{first} {}
        const Node* first_;
    };
    /// Children of a sequence in order; of a mapping key, value, key, value.
    Items items() const noexcept { return Items{first_}; }

    struct Entry {
        const Node& key;
        const Node& value;
    };
    class Entries {
    public:
        class iterator {
        public:
            using iterator_category = std::input_iterator_tag;
            using value_type = Entry;
            using difference_type = std::ptrdiff_t;
            using pointer = void;
            using reference = Entry;
            explicit iterator(const Node* key = nullptr) noexcept : key_{key} {}
            Entry operator*() const noexcept { return {*key_, *key_->next_}; }
            iterator& operator++() noexcept {
                key_ = key_->next_->next_;
                return *this;
            }
            iterator operator++(int) noexcept {
                iterator old{*this};
                ++*this;
                return old;
            }
            friend bool operator==(iterator, iterator) = default;

        private:
            const Node* key_;
        };
        iterator begin() const noexcept { return iterator{first_}; }
        iterator end() const noexcept { return iterator{}; }

    private:
        friend class Node;
        explicit Entries(const Node* first) noexcept : first_{first} {}
        const Node* first_;
    };
    /// Pairs of a mapping in order: `for (auto [key, value] : node.entries())`. Empty for other kinds.
    Entries entries() const noexcept { return Entries{kind_ == Kind::mapping ? first_ : nullptr}; }

    /// Value of the first pair whose key is a scalar with that text; null where there is none or this is no mapping.
    const Node* find(std::string_view key) const noexcept;

private:
    friend class Builder;
    friend class TreeMaker;
    std::string_view text_;
    std::string_view tag_;
    Node* first_{nullptr};
    Node* next_{nullptr};
    std::uint64_t weight_{1};  // nodes in this subtree, aliases counted in full
    Mark start_;
    Mark end_;
    std::uint32_t count_{0};   // children
    std::uint32_t height_{0};  // collections inside each other at and below this one
    Kind kind_{Kind::scalar};
    Style style_{Style::plain};
    bool alias_{false};
    bool open_{false};  // while its children are read
    bool cut_{false};
};

/// One document of a text.
struct Document {
    const Node* root;  ///< never null; an empty document has a plain empty scalar
};

/// What came out of a text. Movable; the nodes live as long as it does.
class ParseResult {
public:
    ParseResult();
    ParseResult(ParseResult&&) noexcept;
    ParseResult& operator=(ParseResult&&) noexcept;
    ~ParseResult();

    /// Documents that were read whole. A text of blanks and comments has none.
    std::vector<Document> documents;
    /// In the order they were found. Those that are not fatal leave a tree that can be used: of duplicate keys both are in it,
    /// an alias to nothing is an empty plain scalar.
    std::vector<Problem> problems;
    /// The last problem ended the reading; later documents are lost.
    bool fatal{false};

private:
    friend class Builder;
    friend class TreeMaker;
    struct Arena;
    std::unique_ptr<Arena> arena_;
};

/// Makes the tree of a text in another notation, for those who look for places in trees: documents that are maps of scalars and such maps.
class TreeMaker {
public:
    /// @param result  holds the nodes; must outlive this
    explicit TreeMaker(ParseResult& result);

    /// In double quotes to those who ask: text whatever it looks like. Keeps a copy of it.
    Node& scalar(std::string_view text, const Mark& start, const Mark& end);

    struct Mapping {
        Node* node{nullptr};
        Node* last{nullptr};
    };
    Mapping mapping(const Mark& start, const Mark& end);
    static void add(Mapping& mapping, Node& key, Node& value) noexcept;
    void document(const Mapping& root) { result_.documents.push_back({root.node}); }

private:
    ParseResult& result_;
};

/// Reads all documents of a text. Never throws for what is in the text.
/// @param text  UTF-8, with or without byte order mark; not needed after the call
ParseResult parse(std::string_view text, const Limits& limits = {});

/// How plain scalars become values.
enum class Dialect : std::uint8_t {
    /// Definitions: null, true and false, integers (decimal, 0x, 0o), floats, timestamps. A number that fits nothing, and one with a leading
    /// zero, is a problem.
    core,
    /// Message bodies: more digits than a double holds make a decimal; the words of the YAML of Qorus (durations, `@inf@`, `3.5n{128}`,
    /// `sqlnull`); text like `007` stays text.
    message,
};

/// The value of a node. Tags of YAML are honoured, others make a tagged value. Problems: "overflow", "octal-looking", "bad-tag-value",
/// "key-not-text", "duplicate-key" is left to parse() (the first one wins). With a problem the value is the scalar's text.
/// @param problems  may be null
Value to_value(const Node& node, std::vector<Problem>* problems = nullptr, Dialect dialect = Dialect::core);

/// A message body: exactly one document, or nothing, which is null.
/// @returns PARSE-ERROR with line and column; LIMIT-EXCEEDED
Result<Value> decode(std::string_view text, const Limits& limits = {});

/// How a value is written.
struct WriteOptions {
    /// Everything on one line: `{a: 1, b: [x, y]}`.
    bool flow{false};
    /// Text in double quotes always; otherwise plain where it reads back as the same text.
    bool quote_text{false};
    /// Text of several lines as a block scalar (`|`) where it can be; not in flow.
    bool block_text{false};
    /// Infinity and NaN as `!!float "@inf@"`, which Qorus reads, instead of `.inf`, which all others do. Not under a tag.
    bool qorus_floats{false};
    /// Columns before everything; the first line is not indented.
    int indent{0};
};

/// A scalar that reads back as this text; plain, or in double quotes where it must be.
std::string text_scalar(std::string_view text, bool always_quote = false);

/// Appends `value`. The output ends with a newline, with flow without one, and reads back equal in the dialect `message`.
/// @throws Error SERIALIZATION-ERROR for what YAML cannot hold: text that is not UTF-8, a year outside 0 to 9999
void append(std::string& out, const Value& value, const WriteOptions& options);

/// A message body in the canonical form: keys in their order, text in double quotes, tags as Qorus writes them. decode() of it equals `value`.
/// @throws Error SERIALIZATION-ERROR
std::string encode(const Value& value);

}  // namespace qconn::yaml
