// SPDX-License-Identifier: Apache-2.0
/// References to secrets in definitions: `${PREFIX:ARGUMENT}` (the prefix: a letter, then letters, digits, '-' and '_'), and `$${` for a literal
/// `${`. A reference is one opaque token. It is taken out of a text before anything else looks at that (the URL parser, the substitution of
/// environment variables, the grammar of an option) and its content is put in last, so that no content is ever read as anything but itself.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/base/value.hpp>

namespace qconn::core {

/// A file that is referred to, or the output of a command, may not be larger.
inline constexpr std::size_t k_max_secret_file = 1024 * 1024;

/// One reference.
struct SecretRef {
    /// `env`: says who provides it. Not known to be one that somebody provides.
    std::string prefix;
    /// The name, the path or the command.
    std::string argument;

    /// `${env:NAME}`: what stands in the definition. For messages see SecretTable::shown.
    std::string text() const;
};

/// What a text consists of.
struct SecretPiece {
    enum class Kind : std::uint8_t {
        text,     ///< as it stands
        literal,  ///< the `${` that was written `$${`; must not be taken for the start of anything
        reference,
    };
    Kind kind{Kind::text};
    std::string_view text;  ///< of the source
    SecretRef reference{};
};

/// A reference that is none. The message quotes nothing of the text, which may be secret itself.
struct SecretProblem {
    std::size_t offset{0};
    std::size_t length{1};
    std::string message;
    std::string hint;
};

struct SecretScan {
    /// In order. Views into the text that was scanned.
    std::vector<SecretPiece> pieces;
    std::vector<SecretProblem> problems;

    bool has_references() const noexcept;
};

/// Whether a text may hold references or `$${`: false for nearly all, at the price of one search.
inline bool may_have_references(std::string_view text) noexcept { return text.find("${") != std::string_view::npos; }

SecretScan scan_secrets(std::string_view text);
/// Whether a text begins as a reference does behind its `${`: `env:`.
bool names_secret_kind(std::string_view text) noexcept;
/// The references in a text, or in all strings of a list or map.
void collect_references(std::string_view text, std::vector<SecretRef>& out);
void collect_references(const Value& value, std::vector<SecretRef>& out);

/// A text whose references and literals are replaced by words of letters and digits that occur nowhere else in it, for a parser that must take
/// them as they are; restore() puts something in their places afterwards.
class SecretTokens {
public:
    /// @param counts  which references; empty: all
    explicit SecretTokens(std::string_view text, const std::function<bool(const SecretRef&)>& counts = {});

    const std::string& opaque() const noexcept { return opaque_; }
    bool empty() const noexcept { return tokens_.empty(); }
    /// The written forms back into a part of the text (`${env:X}`, `$${`).
    std::string restore(std::string_view part) const;
    Value restore_value(const Value& part) const;

private:
    std::string opaque_;
    std::string prefix_;
    std::vector<std::string> tokens_;  // as written
};

/// What a file or a command says, without one newline at its end.
std::string_view without_newline(std::string_view text) noexcept;

/// A text with everything in its place: `$NAME` and the like from the environment where `environment` is set, literals, then secrets.
/// The caller wipes it.
/// @param what  names the place in messages: "option 'password'"
/// @throws Error LIMIT-EXCEEDED where variables name themselves; what `read` throws
std::string resolve_text(std::string_view text, bool environment, std::string_view what, const std::function<Secret(const SecretRef&)>& read);

}  // namespace qconn::core
