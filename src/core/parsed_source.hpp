// SPDX-License-Identifier: Apache-2.0
/// The text of a definition file with its tree: where everything stands, and what of it may be shown.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/core/definition.hpp>
#include <qconn/core/diagnostic.hpp>

#include "base/yaml.hpp"

namespace qconn {
struct OptionSpec;
struct Scheme;
}  // namespace qconn

namespace qconn::core {

/// One option as it is written.
struct OptionNode {
    const yaml::Node* key{nullptr};
    /// In the typed spelling the value inside it.
    const yaml::Node* value{nullptr};
    /// The name of the type in the typed spelling.
    const yaml::Node* type{nullptr};
};

/// A value in the typed spelling `{type: int, value: 30}`; otherwise the node itself.
OptionNode unwrap(const yaml::Node& key, const yaml::Node& value);

/// Whether text is one short word of letters, digits and `_ . + -`: such a thing in the place of a number or boolean is shown, anything else could
/// be the secret of the next line that was drawn in.
bool is_harmless_word(std::string_view text) noexcept;
/// A name for a message: quoted, and cut at the first character that is not one of names, as a secret may follow (`password:secret`).
std::string quoted_name(std::string_view name);

/// The form that a definition file is written in.
enum class Notation : std::uint8_t { yaml, legacy };

class ParsedSource {
public:
    struct Document {
        const yaml::Node* root{nullptr};
        const yaml::Node* url{nullptr};
        const yaml::Node* options_key{nullptr};
        const yaml::Node* options{nullptr};
        /// Definition::place, by which the definition is found again.
        Place place{};
        std::string name{};
        /// Errors were found while it was read.
        bool bad{false};
    };

    ParsedSource(std::string_view text, std::string_view file, const DefinitionLimits& limits);
    /// A text that is no YAML and has a tree all the same.
    ParsedSource(std::string_view text, std::string_view file, Notation notation, yaml::ParseResult tree);

    Notation notation() const noexcept { return notation_; }
    const std::string& file() const noexcept { return file_; }
    yaml::ParseResult& tree() noexcept { return tree_; }
    std::vector<Document>& documents() noexcept { return documents_; }
    const std::vector<Document>& documents() const noexcept { return documents_; }
    /// The document that a definition was read from; null where it comes from elsewhere.
    const Document* find(const Definition& definition) const noexcept;
    /// The document that a place is in; null where none is.
    Document* at(std::uint32_t line) noexcept;

    static Place place(const yaml::Node& node) noexcept { return {node.start().line, node.start().column, node.length()}; }
    /// The place of a part of a scalar's content, where that is found literally in the text; otherwise of the whole scalar.
    Place place_within(const yaml::Node& node, std::string_view part) const noexcept;

    /// Fills in file and the source line; in it only keys, the values of harmless keys, and those of options of `scheme` that hold no secrets.
    /// @param options  a map of options under another key than `options`; may be null
    void show(Diagnostic& diagnostic, const Scheme* scheme, const yaml::Node* options = nullptr) const;

private:
    std::string_view line(std::uint32_t number) const noexcept;

    std::string text_;
    std::string file_;
    Notation notation_{Notation::yaml};
    yaml::ParseResult tree_;
    std::vector<Document> documents_;
};

/// What the YAML reader found, worded so that nothing of a value is quoted.
/// @param root  of the document that it is in; may be null
Diagnostic finding(const yaml::Problem& problem, const yaml::Node* root);

}  // namespace qconn::core
