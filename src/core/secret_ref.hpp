// SPDX-License-Identifier: Apache-2.0
/// References to secrets in definitions: `${env:NAME}`, `${file:PATH}`, `${cmd:COMMAND}`, and `$${` for a literal `${`.
/// A reference is one opaque token. It is taken out of a text before anything else looks at that (the URL parser, the substitution of
/// environment variables, the grammar of an option) and its content is put in last, so that no content is ever read as anything but itself.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/secret.hpp>
#include <qconn/base/value.hpp>

namespace qconn {
class Redaction;
}

namespace qconn::core {

/// A file that is referred to may not be larger.
inline constexpr std::size_t k_max_secret_file = 1024 * 1024;

enum class SecretKind : std::uint8_t { environment, file, command };

/// One reference.
struct SecretRef {
    SecretKind kind{SecretKind::environment};
    /// The name, the path or the command.
    std::string argument;

    /// `${env:NAME}`: what stands in the definition, and in messages.
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
    /// The text can be used as it stands, though it hardly means that.
    bool only_a_warning{false};
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
    explicit SecretTokens(std::string_view text);

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

/// The secret that a reference names. Reads it anew each time.
/// @param directory  that a relative path counts from; empty: the working directory
/// @throws Error SECRET-ERROR (phase secret) naming the reference and why it cannot be had; never any content
Secret read_secret(const SecretRef& reference, std::string_view directory, std::string_view connection);

/// A text with everything in its place: `$NAME` and the like from the environment where `environment` is set, literals, then secrets.
/// The caller wipes it.
/// @param what  names the place in messages: "option 'password'"
/// @param redaction  gets what was read for each reference; may be null
/// @throws Error SECRET-ERROR; LIMIT-EXCEEDED where variables name themselves
std::string resolve_text(std::string_view text, bool environment, std::string_view what, std::string_view directory, std::string_view connection,
                         Redaction* redaction = nullptr);

}  // namespace qconn::core
