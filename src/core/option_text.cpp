// SPDX-License-Identifier: Apache-2.0
#include "core/option_text.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.hpp"
#include "core/secret_ref.hpp"

namespace qconn::core {

std::optional<bool> boolean_word(std::string_view word) noexcept {
    static constexpr std::array<std::pair<std::string_view, bool>, 16> k_words{{{"true", true},
                                                                                {"false", false},
                                                                                {"yes", true},
                                                                                {"no", false},
                                                                                {"on", true},
                                                                                {"off", false},
                                                                                {"y", true},
                                                                                {"n", false},
                                                                                {"1", true},
                                                                                {"0", false},
                                                                                {"enable", true},
                                                                                {"disable", false},
                                                                                {"enabled", true},
                                                                                {"disabled", false},
                                                                                {"t", true},
                                                                                {"f", false}}};
    const auto* const found = std::find_if(k_words.begin(), k_words.end(), [&](const auto& entry) { return text::iequals(entry.first, word); });
    if (found == k_words.end()) return std::nullopt;
    return found->second;
}

std::optional<bool> legacy_boolean_word(std::string_view word) noexcept {
    if (text::iequals(word, "t")) return std::nullopt;
    if (!word.empty() && std::all_of(word.begin(), word.end(), text::is_digit)) return word.find_first_not_of('0') != std::string_view::npos;
    return boolean_word(word);
}

std::optional<Value> structured_text(std::string_view text, bool map, bool as_texts) {
    const auto trimmed = text::trim(text);
    if (trimmed.empty()) return map ? Value{Map{}} : Value{List{}};
    const SecretTokens tokens{trimmed};
    const auto tree = yaml::parse(tokens.opaque(), {.size = 1024 * 1024, .depth = 64, .nodes = 100'000, .documents = 1});
    if (tree.fatal || !tree.problems.empty() || tree.documents.size() != 1) return std::nullopt;
    const yaml::Node& root = *tree.documents.front().root;
    if (map ? !root.is_mapping() : !root.is_sequence()) return std::nullopt;
    if (map && as_texts) return tokens.restore_value(Value{text_map(root)});
    std::vector<yaml::Problem> problems;
    const Value value = yaml::to_value(root, &problems);
    if (!problems.empty()) return std::nullopt;
    return tokens.restore_value(value);
}

Map text_map(const yaml::Node& node) {
    Map out;
    out.reserve(node.size());
    for (const auto [key, value] : node.entries()) {
        if (!key.is_scalar()) continue;
        if (value.is_plain() && !value.is_null() && value.tag().empty())
            out.insert(std::string{key.text()}, Value{value.text()});
        else
            out.insert(std::string{key.text()}, yaml::to_value(value));
    }
    return out;
}

Wording value_wording(std::string_view code) noexcept {
    if (code == "octal-looking")
        return {"a number with a leading 0 is octal to some readers and decimal to others", "leave the 0 out, or put quotes around it"};
    if (code == "overflow") return {"this number is too large", "put quotes around it if it is meant as text"};
    if (code == "bad-tag-value") return {"the value does not fit its tag", {}};
    if (code == "key-not-text") return {"a key must be text", {}};
    return {"this value cannot be read", {}};
}

}  // namespace qconn::core
