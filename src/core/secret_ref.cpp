// SPDX-License-Identifier: Apache-2.0
#include "core/secret_ref.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <qconn/base/error.hpp>
#include <qconn/core/diagnostic.hpp>

#include "base/redaction.hpp"
#include "base/text.hpp"
#include "core/environment.hpp"

namespace qconn::core {

namespace {

constexpr auto npos = std::string_view::npos;

struct KindName {
    std::string_view name;
    SecretKind kind;
};
constexpr std::array<KindName, 3> k_kinds{{{"env", SecretKind::environment}, {"file", SecretKind::file}, {"cmd", SecretKind::command}}};

bool is_variable_name(std::string_view s) noexcept {
    if (s.empty() || text::is_digit(s[0])) return false;
    return std::all_of(s.begin(), s.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '_'; });
}

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

/// A word that looks as if it was meant to be a kind of reference: `${evn:X}`. Never shown, as it may be part of a password.
std::string_view kind_word(std::string_view s) noexcept {
    std::size_t n = 0;
    while (n < s.size() && text::is_alpha(s[n])) ++n;
    return n > 0 && n < s.size() && s[n] == ':' ? s.substr(0, n) : std::string_view{};
}

class File {
public:
    explicit File(int descriptor) noexcept : descriptor_{descriptor} {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    int get() const noexcept { return descriptor_; }

private:
    int descriptor_;
};

[[noreturn]] void fail(const SecretRef& reference, std::string_view connection, const std::string& why, Reason reason) {
    std::string message = "looking up the secret " + text::shorten(text::printable(reference.text()), 300);
    if (!connection.empty()) message.append(" of connection '").append(connection).append("'");
    message.append(" failed: ").append(why);
    throw make_error(Errc::secret, std::move(message)).with_phase(Phase::secret).with_reason(reason).with_connection(connection);
}

constexpr std::size_t k_block = 4096;

Secret read_file(const SecretRef& reference, std::string_view directory, std::string_view connection) {
    std::string path = reference.argument;
    if (!path.empty() && path[0] != '/' && !directory.empty()) path.insert(0, std::string{directory} + "/");
    if (path.find('\0') != std::string::npos) fail(reference, connection, "the path holds a NUL", Reason::bad_value);
    const auto refused = [&](const char* what, int error) {
        const Reason reason = error == ENOENT || error == ENOTDIR ? Reason::missing
                              : error == EACCES || error == EPERM ? Reason::permission
                                                                  : Reason::local;
        fail(reference, connection, std::string{what} + " \"" + text::printable(path) + "\": " + std::system_category().message(error), reason);
    };
    // Not blocking: a FIFO would wait for its writer without any deadline.
    const File file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)};
    if (file.get() < 0) refused("cannot open", errno);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) refused("cannot stat", errno);
    if (!S_ISREG(status.st_mode)) fail(reference, connection, "\"" + text::printable(path) + "\" is no regular file", Reason::bad_value);

    std::string content;
    content.reserve(std::clamp<std::size_t>(static_cast<std::size_t>(std::max<off_t>(status.st_size, 0)), k_block, k_max_secret_file) + k_block);
    std::string block(k_block, '\0');
    const auto wipe_all = [&] {
        wipe(block);
        wipe(content);
    };
    for (;;) {
        const ssize_t n = ::read(file.get(), block.data(), k_block);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) {
            const int error = errno;
            wipe_all();
            refused("cannot read", error);
        }
        if (n == 0) break;
        content.append(block.data(), static_cast<std::size_t>(n));
        if (content.size() > k_max_secret_file) {
            wipe_all();
            fail(reference, connection, "\"" + text::printable(path) + "\" is larger than " + std::to_string(k_max_secret_file) + " bytes",
                 Reason::limit);
        }
    }
    std::string_view text{content};
    if (text.ends_with('\n')) text.remove_suffix(1);
    if (text.ends_with('\r')) text.remove_suffix(1);
    Secret secret{text};
    wipe_all();
    return secret;
}

}  // namespace

std::string SecretRef::text() const {
    const auto* const entry = std::find_if(k_kinds.begin(), k_kinds.end(), [this](const KindName& k) { return k.kind == kind; });
    return std::string{"${"}.append(entry->name).append(":").append(argument).append("}");
}

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
        const auto inner = text.substr(at + 2);
        const auto word = kind_word(inner);
        const auto* const kind = std::find_if(k_kinds.begin(), k_kinds.end(), [&](const KindName& k) { return !word.empty() && k.name == word; });
        if (kind == k_kinds.end()) {
            // `${NAME}` is a matter of the environment where an option has that, and otherwise just text.
            if (!word.empty()) {
                static const std::vector<std::string> names{"env", "file", "cmd"};
                const std::string near = nearest(word, names);
                out.problems.push_back({at, 2 + word.size() + 1,
                                        "a '${' with a word and a ':' after it stands here, but the word is no kind of secret reference",
                                        near.empty() ? "references are ${env:NAME} and ${file:PATH}; write '$${' for a literal '${'"
                                                     : "did you mean '${" + near + ":'? Write '$${' for a literal '${'",
                                        true});
            }
            at += 2;
            continue;
        }
        const std::size_t argument = at + 2 + kind->name.size() + 1;
        const std::size_t close = closing.of(at + 1);
        const std::string opening = "${" + std::string{kind->name} + ":";
        if (close == npos) {
            out.problems.push_back({at, opening.size(), "the reference that begins with '" + opening + "' is not closed by a '}'",
                                    "write '$${' for a literal '${'", false});
            at += 2;
            continue;
        }
        SecretRef reference{kind->kind, std::string{text.substr(argument, close - argument)}};
        if (reference.kind == SecretKind::environment && !is_variable_name(reference.argument)) {
            out.problems.push_back({at, close + 1 - at, "what stands in '${env:…}' is no name of an environment variable",
                                    "a name has letters, digits and underscores, and does not begin with a digit", false});
        } else if (text::trim(reference.argument).empty()) {
            out.problems.push_back({at, close + 1 - at, "the reference '" + opening + "}' names nothing", {}, false});
        }
        flush(at);
        out.pieces.push_back({SecretPiece::Kind::reference, text.substr(at, close + 1 - at), std::move(reference)});
        at = close + 1;
        begin = at;
    }
    flush(text.size());
    return out;
}

bool names_secret_kind(std::string_view text) noexcept {
    const auto word = kind_word(text);
    return std::any_of(k_kinds.begin(), k_kinds.end(), [&](const KindName& k) { return k.name == word; });
}

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

SecretTokens::SecretTokens(std::string_view text) {
    if (!may_have_references(text)) {
        opaque_ = text;
        return;
    }
    // A word that the text does not hold: then no part of it can be taken for a token.
    prefix_ = "qref";
    for (unsigned n = 0; text.find(prefix_) != npos; ++n) prefix_ = "qref" + std::to_string(n) + "x";
    for (const auto& piece : scan_secrets(text).pieces) {
        if (piece.kind == SecretPiece::Kind::text) {
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

Secret read_secret(const SecretRef& reference, std::string_view directory, std::string_view connection) {
    switch (reference.kind) {
        case SecretKind::environment: {
            if (!is_variable_name(reference.argument))  // perhaps a password in a wrong place: not shown
                fail({SecretKind::environment, "…"}, connection, "what stands there is no name of an environment variable", Reason::bad_value);
            auto value = process_environment(reference.argument);
            if (!value) {
                fail(reference, connection,
                     "the environment of this process has no variable " + text::printable(reference.argument) + "; set it before the start",
                     Reason::missing);
            }
            Secret secret{*value};
            wipe(*value);
            return secret;
        }
        case SecretKind::file: return read_file(reference, directory, connection);
        case SecretKind::command: break;
    }
    fail(reference, connection, "command secrets are not enabled: this version does not run commands; use ${env:NAME} or ${file:PATH}",
         Reason::unsupported);
}

std::string resolve_text(std::string_view text, bool environment, std::string_view what, std::string_view directory, std::string_view connection,
                         Redaction* redaction) {
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
            case SecretPiece::Kind::reference:
                part.secret = read_secret(piece.reference, directory, connection);
                if (redaction) redaction->add(part.secret.reveal(), piece.reference.text());
                break;
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
