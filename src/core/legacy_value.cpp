// SPDX-License-Identifier: Apache-2.0
#include "core/legacy_value.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <qconn/base/secret.hpp>

#include "base/text.hpp"
#include "core/secret_ref.hpp"

namespace qconn::core {

namespace {

/// `$NAME` or `${NAME}` at the beginning of a text.
struct Variable {
    std::string_view name;  // empty: none
    std::size_t size{0};
};

Variable leading_variable(std::string_view text) noexcept {
    const bool bracketed = text.starts_with("${");
    const auto rest = text.substr(bracketed ? 2 : 1);
    std::size_t n = 0;
    while (n < rest.size() && (text::is_alpha(rest[n]) || rest[n] == '_' || (n > 0 && text::is_digit(rest[n])))) ++n;
    if (n == 0 || (bracketed && (n == rest.size() || rest[n] != '}'))) return {};
    return {rest.substr(0, n), n + (bracketed ? 3 : 1)};
}

class Applier {
public:
    Applier(const LegacyText& value, LegacyUse use, const EnvironmentLookup& lookup) : value_{value}, use_{use}, lookup_{lookup} {}

    LegacyValue run() {
        const std::string_view text = value_.text;
        if (has_references()) find_references();
        std::size_t at = 0;
        for (const LegacyDollar& dollar : value_.dollars) {
            if (dollar.offset < at) continue;  // inside of what was taken
            append(text.substr(at, dollar.offset - at), false);
            at = dollar.offset + take(text.substr(dollar.offset), dollar);
        }
        append(text.substr(at), false);
        return std::move(out_);
    }

private:
    bool has_references() const noexcept { return use_ == LegacyUse::load || use_ == LegacyUse::convert; }

    /// And `$${` where the name of a kind follows: otherwise that is a '$' and a variable.
    void find_references() {
        const std::string_view text = value_.text;
        if (!may_have_references(text)) return;
        for (const SecretPiece& piece : scan_secrets(text).pieces) {
            const auto offset = static_cast<std::size_t>(piece.text.data() - text.data());
            if (piece.kind == SecretPiece::Kind::reference ||
                (piece.kind == SecretPiece::Kind::literal && names_secret_kind(text.substr(offset + piece.text.size()))))
                references_.emplace(offset, piece.text.size());
        }
    }

    /// @returns how much of the text it has taken
    std::size_t take(std::string_view text, const LegacyDollar& dollar) {
        if (dollar.literal) return append(text.substr(0, 1), true);
        if (const auto reference = references_.find(dollar.offset); reference != references_.end()) {
            const auto written = text.substr(0, reference->second);
            if (out_.text.ends_with('$') && written.starts_with("${")) out_.unsayable.push_back(place(dollar, written));
            return keep(written);
        }
        // A `\$` before it made a `$${` of the two.
        if (dollar.offset > 0 && references_.contains(dollar.offset - 1)) out_.unsayable.push_back(place(dollar, text.substr(0, 2)));
        const Variable variable = leading_variable(text);
        if (variable.name.empty()) return append(text.substr(0, 1), false);
        const Place place = this->place(dollar, text.substr(0, variable.size));
        out_.variables.push_back(place);
        if (use_ == LegacyUse::written) return append(text.substr(0, 1), false);
        if (use_ == LegacyUse::convert) {
            if (out_.text.ends_with('$')) out_.unsayable.push_back(place);
            keep(std::string{"${env:"}.append(variable.name).append("}"));
            return variable.size;
        }
        if (auto found = lookup_(std::string{variable.name})) {
            append(*found, true);
            wipe(*found);
        } else {
            out_.unset.push_back(place);
        }
        foreign_ = true;  // also behind nothing: `$$EMPTY{env:X}`
        return variable.size;
    }
    static Place place(const LegacyDollar& dollar, std::string_view written) noexcept {
        return {dollar.at.line, dollar.at.column, static_cast<std::uint32_t>(text::utf8_length(written))};
    }

    std::size_t keep(std::string_view text) {
        out_.text += text;
        foreign_ = false;
        return text.size();
    }
    /// @param foreign  the text must not be taken for a part of a reference
    std::size_t append(std::string_view text, bool foreign) {
        for (const char c : text) {
            if (c == '{' && has_references() && (foreign || foreign_) && out_.text.ends_with('$')) out_.text += '$';
            out_.text += c;
            foreign_ = foreign;
        }
        return text.size();
    }

    const LegacyText& value_;
    const LegacyUse use_;
    const EnvironmentLookup& lookup_;
    std::unordered_map<std::size_t, std::size_t> references_;  // where they begin, and how long they are
    LegacyValue out_;
    bool foreign_{false};  // what was appended last
};

}  // namespace

LegacyValue apply(const LegacyText& value, LegacyUse use, const EnvironmentLookup& lookup) { return Applier{value, use, lookup}.run(); }

}  // namespace qconn::core
