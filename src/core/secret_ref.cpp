// SPDX-License-Identifier: Apache-2.0
#include "core/secret_ref.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/text.hpp"
#include "core/environment.hpp"

namespace qconn::core {

namespace {

/// The '}' for each '{' of a text; commands and paths may hold pairs of braces. Found in one pass: one for each "${" is quadratic where none is
/// closed.
class ClosingBraces {
public:
    explicit ClosingBraces(std::string_view s) : text_{s} {}

    /// @param open  where the '{' stands
    std::size_t of(std::size_t open) {
        if (!ready_) find_all();
        const auto found = pairs_.find(open);
        return found == pairs_.end() ? npos : found->second;
    }

private:
    void find_all() {
        ready_ = true;
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < text_.size(); ++i) {
            if (text_[i] == '{') open.push_back(i);
            if (text_[i] != '}' || open.empty()) continue;
            pairs_.emplace(open.back(), i);
            open.pop_back();
        }
    }

    std::string_view text_;
    std::unordered_map<std::size_t, std::size_t> pairs_;
    bool ready_{false};
};

/// The word before the ':' of `${vault:…`; empty: it is no reference.
std::string_view prefix_of(std::string_view s) noexcept {
    if (s.empty() || !text::is_alpha(s[0])) return {};
    std::size_t n = 1;
    while (n < s.size() && (text::is_alpha(s[n]) || text::is_digit(s[n]) || s[n] == '-' || s[n] == '_')) ++n;
    return n < s.size() && s[n] == ':' ? s.substr(0, n) : std::string_view{};
}

}  // namespace

std::string SecretRef::text() const { return std::string{"${"}.append(prefix).append(":").append(argument).append("}"); }

bool SecretScan::has_references() const noexcept {
    return std::any_of(pieces.begin(), pieces.end(), [](const SecretPiece& p) { return p.kind == SecretPiece::Kind::reference; });
}

SecretScan scan_secrets(std::string_view text) {
    SecretScan out;
    ClosingBraces closing{text};
    std::size_t begin = 0;  // of the text piece that is growing
    const auto flush = [&](std::size_t end) {
        if (end > begin) out.pieces.push_back({SecretPiece::Kind::text, text.substr(begin, end - begin), {}});
    };
    for (std::size_t at = text.find("${"); at != npos; at = text.find("${", at)) {
        if (at > begin && text[at - 1] == '$') {
            flush(at - 1);
            out.pieces.push_back({SecretPiece::Kind::literal, text.substr(at - 1, 3), {}});
            at += 2;
            begin = at;
            continue;
        }
        const auto prefix = prefix_of(text.substr(at + 2));
        if (prefix.empty()) {  // `${NAME}` is a matter of the environment where an option has that, and otherwise just text
            at += 2;
            continue;
        }
        const std::size_t argument = at + 2 + prefix.size() + 1;
        const std::size_t close = closing.of(at + 1);
        if (close == npos) {
            out.problems.push_back({at, argument - at, "the reference that begins here is not closed by a '}'", "write '$${' for a literal '${'"});
            at += 2;
            continue;
        }
        SecretRef reference{std::string{prefix}, std::string{text.substr(argument, close - argument)}};
        flush(at);
        out.pieces.push_back({SecretPiece::Kind::reference, text.substr(at, close + 1 - at), std::move(reference)});
        at = close + 1;
        begin = at;
    }
    flush(text.size());
    return out;
}

bool names_secret_kind(std::string_view text) noexcept { return !prefix_of(text).empty(); }

void collect_references(std::string_view text, std::vector<SecretRef>& out) {
    if (!may_have_references(text)) return;
    for (auto& piece : scan_secrets(text).pieces)
        if (piece.kind == SecretPiece::Kind::reference) out.push_back(std::move(piece.reference));
}

void collect_references(const Value& value, std::vector<SecretRef>& out) {
    switch (value.kind()) {
        case ValueKind::string: collect_references(value.as_string(), out); break;
        case ValueKind::list:
            for (const auto& v : value.as_list()) collect_references(v, out);
            break;
        case ValueKind::map:
            for (const auto& [key, v] : value.as_map()) collect_references(v, out);
            break;
        default: break;
    }
}

SecretTokens::SecretTokens(std::string_view text, const std::function<bool(const SecretRef&)>& counts) {
    if (!may_have_references(text)) {
        opaque_ = text;
        return;
    }
    // A word that the text does not hold: then no part of it can be taken for a token.
    prefix_ = "qref";
    for (unsigned n = 0; text.find(prefix_) != npos; ++n) prefix_ = "qref" + std::to_string(n) + "x";
    for (const auto& piece : scan_secrets(text).pieces) {
        if (piece.kind == SecretPiece::Kind::text || (piece.kind == SecretPiece::Kind::reference && counts && !counts(piece.reference))) {
            opaque_ += piece.text;
        } else {
            // A letter at the end, so that digits of the text that follow are not taken in.
            opaque_.append(prefix_).append(std::to_string(tokens_.size())).append("z");
            tokens_.emplace_back(piece.text);
        }
    }
}

std::string SecretTokens::restore(std::string_view part) const {
    if (tokens_.empty()) return std::string{part};
    std::string out;
    std::size_t at = 0;
    for (std::size_t found = part.find(prefix_); found != npos; found = part.find(prefix_, at)) {
        out += part.substr(at, found - at);
        std::size_t i = found + prefix_.size();
        std::size_t index = 0;
        while (i < part.size() && text::is_digit(part[i])) index = index * 10 + static_cast<std::size_t>(part[i++] - '0');
        if (i >= part.size() || part[i] != 'z' || index >= tokens_.size()) {
            out += part.substr(found, prefix_.size());
            at = found + prefix_.size();
            continue;
        }
        out += tokens_[index];
        at = i + 1;
    }
    return out.append(part.substr(at));
}

Value SecretTokens::restore_value(const Value& part) const {
    if (tokens_.empty()) return part;
    switch (part.kind()) {
        case ValueKind::string: return Value{restore(part.as_string())};
        case ValueKind::list: {
            List out;
            for (const auto& v : part.as_list()) out.push_back(restore_value(v));
            return Value{std::move(out)};
        }
        case ValueKind::map: {
            Map out;
            for (const auto& [key, v] : part.as_map()) out.set(restore(key), restore_value(v));
            return Value{std::move(out)};
        }
        default: return part;
    }
}

std::string_view without_newline(std::string_view text) noexcept {
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    return text;
}

std::string resolve_text(std::string_view text, bool environment, std::string_view what, const std::function<Secret(const SecretRef&)>& read) {
    if (!may_have_references(text)) return environment ? substitute_environment(text, what) : std::string{text};
    struct Part {
        std::string plain;
        Secret secret;
    };
    std::vector<Part> parts;
    std::size_t size = 0;
    for (const auto& piece : scan_secrets(text).pieces) {
        Part part;
        switch (piece.kind) {
            case SecretPiece::Kind::text: part.plain = environment ? substitute_environment(piece.text, what) : std::string{piece.text}; break;
            case SecretPiece::Kind::literal: part.plain = "${"; break;
            case SecretPiece::Kind::reference: part.secret = read(piece.reference); break;
        }
        size += part.plain.size() + part.secret.reveal().size();
        parts.push_back(std::move(part));
    }
    std::string out;
    out.reserve(size);  // growing would leave unwiped copies behind
    for (const auto& part : parts) out.append(part.plain).append(part.secret.reveal());
    return out;
}

}  // namespace qconn::core
