// SPDX-License-Identifier: Apache-2.0
#include "core/secret_overlay.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/base/url.hpp>
#include <qconn/core/scheme.hpp>

#include "base/text.hpp"
#include "core/parsed_source.hpp"
#include "core/secret_places.hpp"
#include "core/secret_ref.hpp"
#include "core/whole_file.hpp"

namespace qconn {

namespace {

using core::overlay_key;
using core::overlay_reference;
using core::OverlayEntry;

constexpr std::string_view k_start = "${local:";

/// What became of an entry.
enum class Put { done, stands_there, no_place };

/// User or password of a URL. @param part  "user" or "password"
Put put_in_url(std::string& url, std::string_view part, const std::string& reference) {
    const core::SecretTokens tokens{url};
    const std::string& opaque = tokens.opaque();
    const auto before = Url::try_parse(opaque);
    const std::size_t scheme = opaque.find("://");
    if (!before || scheme == npos || before->host.empty()) return Put::no_place;
    const bool user = part == "user";
    if (user ? before->username.has_value() : before->password.has_value()) return Put::stands_there;
    if (!user && !before->username) return Put::no_place;
    // A word in its place, so that the parser says whether it came to stand where it should.
    std::string word = "qlocal";
    while (opaque.find(word) != npos) word += 'x';
    std::string text = opaque;
    if (user)
        text.insert(scheme + 3, word + "@");
    else
        text.insert(text.rfind('@'), ":" + word);
    auto wanted = *before;
    if (user)
        wanted.username = word;
    else
        wanted.password = Secret{word};
    const auto after = Url::try_parse(text);
    if (!after || !(*after == wanted)) return Put::no_place;
    text = tokens.restore(text);
    text.replace(text.find(word), word.size(), reference);
    url = std::move(text);
    return Put::done;
}

Put put_value(Map& map, const std::string& name, const std::string& reference) {
    if (map.contains(name)) return Put::stands_there;
    map.set(name, reference);
    return Put::done;
}

bool takes_text(const OptionSpec& spec) noexcept {
    return spec.type == OptionType::string || spec.type == OptionType::data || spec.type == OptionType::any;
}

/// Puts the entries of one connection into its definition.
class Completion {
public:
    Completion(Definition& definition, const Scheme& scheme, const std::string& file, Diagnostics& findings)
        : definition_{definition}, scheme_{scheme}, file_{file}, findings_{findings} {}

    /// Users before the passwords that need one; what is said to be of the URL decides where a plain `password` goes.
    void run(const std::vector<OverlayEntry>& entries) {
        const auto rank = [](const OverlayEntry& one) {
            return one.key == "user" || one.key.ends_with(".user") ? 0 : one.key == "url.password" ? 1 : 2;
        };
        for (int turn = 0; turn < 3; ++turn) {
            for (const OverlayEntry& one : entries) {
                if (rank(one) != turn) continue;
                url_password_given_ = url_password_given_ || one.key == "url.password";
                entry(one);
            }
        }
    }

private:
    void entry(const OverlayEntry& one) {
        const std::string reference = overlay_reference(one.key);
        const OptionSpec* const spec = core::spec_of(&scheme_, one.key);
        if (const auto part = url_part(one.key, spec); !part.empty()) return url(one, part, reference);
        if (spec) return option(one, *spec, reference);
        const auto dot = one.key.find('.');
        const OptionSpec* const whole = dot == npos ? nullptr : core::spec_of(&scheme_, one.key.substr(0, dot));
        if (!whole) return unknown(one);
        member(one, *whole, one.key.substr(dot + 1), reference);
    }

    std::string_view url_part(std::string_view key, const OptionSpec* spec) const {
        if (key == "url.user" || key == "url.password") return key.substr(4);
        if (key != "user" && key != "password") return {};
        if (!spec) return key;
        if (url_password_given_) return {};
        const core::SecretTokens tokens{definition_.url};
        const auto url = Url::try_parse(tokens.opaque());
        return url && url->username && !url->username->empty() ? key : std::string_view{};
    }

    void url(const OverlayEntry& one, std::string_view part, const std::string& reference) {
        if (definition_.url.find(reference) != npos) return;
        switch (put_in_url(definition_.url, part, reference)) {
            case Put::done: return;
            case Put::stands_there: return shadowed(one, "its URL has a " + std::string{part});
            case Put::no_place: break;
        }
        error(one, "the URL of connection " + core::quoted_name(definition_.name) + " has no place for a " + std::string{part},
              part == "password" ? "a password needs a user beside it: give 'url.user' too, or write the user in the definition" : "");
    }

    /// The option as it stands, by whichever of its names.
    Value* written(const OptionSpec& spec) {
        for (auto& [name, value] : definition_.options)
            if (core::spec_of(&scheme_, name) == &spec) return &value;
        return nullptr;
    }

    void option(const OverlayEntry& one, const OptionSpec& spec, const std::string& reference) {
        if (!spec.sensitive && !spec.property) return harmless(one);
        if (!takes_text(spec)) return error(one, "the option " + core::quoted_name(one.key) + " takes no text, so no secret can stand for it");
        const Value* const there = written(spec);
        if (there && there->is_string() && there->as_string() == reference) return;
        if (there) return shadowed(one, "it has the option " + core::quoted_name(one.key));
        definition_.options.set(spec.name, reference);
    }

    void member(const OverlayEntry& one, const OptionSpec& spec, const std::string& name, const std::string& reference) {
        Value* there = written(spec);
        if (spec.type == OptionType::string && there && there->is_string() && there->as_string().find("://") != npos &&
            (name == "user" || name == "password")) {
            std::string text{there->as_string()};
            if (text.find(reference) != npos) return;
            const Put put = put_in_url(text, name, reference);
            if (put == Put::stands_there) return shadowed(one, "the URL in its option " + core::quoted_name(spec.name) + " has a " + name);
            if (put == Put::done) {
                *there = Value{text};
                return;
            }
        }
        if (spec.type != OptionType::map)
            return error(one, "the option " + core::quoted_name(spec.name) + " has no place for " + core::quoted_name(name));
        if (!spec.sensitive && !core::names_secret_member(name)) return harmless(one);
        if (!there) {
            definition_.options.set(spec.name, spec.fallback.is_map() ? spec.fallback : Value{Map{}});
            there = definition_.options.find(spec.name);
        }
        if (there->is_string())
            if (auto map = core::map_of(&spec, there->as_string())) *there = Value{std::move(*map)};
        if (!there->is_map()) return shadowed(one, "its option " + core::quoted_name(spec.name) + " is no map");
        const Value* const before = there->as_map().find(name);
        if (before && before->is_string() && before->as_string() == reference) return;
        if (put_value(there->as_map(), name, reference) == Put::stands_there) shadowed(one, "it has " + core::quoted_name(one.key));
    }

    void unknown(const OverlayEntry& one) {
        std::vector<std::string> known{"url.user", "url.password"};
        for (const OptionSpec& spec : scheme_.options)
            if (spec.sensitive) known.push_back(spec.name);
        const std::string near = nearest(one.key, known);
        error(one,
              "the scheme '" + definition_.scheme() + "' of connection " + core::quoted_name(definition_.name) + " has no option " +
                  core::quoted_name(one.key),
              near.empty() ? "" : "did you mean '" + near + "'?");
    }
    void harmless(const OverlayEntry& one) {
        error(one, core::quoted_name(one.key) + " is no secret, and only secrets belong here", "write it into the definition");
    }
    void shadowed(const OverlayEntry& one, const std::string& what) {
        std::string where = definition_.file;
        if (!where.empty() && definition_.place.line > 0) where += ":" + std::to_string(definition_.place.line);
        add(Severity::warning, "secrets-unused", one,
            "this does not count: the definition of " + core::quoted_name(definition_.name) + (where.empty() ? "" : " (" + where + ")") +
                " says it itself, as " + what,
            "take one of them out");
    }
    void error(const OverlayEntry& one, std::string message, std::string hint = {}) {
        add(Severity::error, "secrets-entry", one, std::move(message), std::move(hint));
    }
    void add(Severity severity, std::string code, const OverlayEntry& one, std::string message, std::string hint) {
        const auto dot = one.key.rfind('.');  // what stands at the place may be the member alone
        const std::string_view last = std::string_view{one.key}.substr(dot == npos ? 0 : dot + 1);
        const std::string_view key = one.place.length == last.size() ? last : std::string_view{one.key};
        findings_.push_back(core::overlay_finding(severity, std::move(code), file_, one.place, std::move(message), std::move(hint), key));
        findings_.back().connection = definition_.name;
    }

    Definition& definition_;
    const Scheme& scheme_;
    const std::string& file_;
    Diagnostics& findings_;
    bool url_password_given_{false};
};

void strip_text(std::string& url) {
    for (std::size_t at = url.find(k_start); at != npos; at = url.find(k_start, at)) {
        const std::size_t end = url.find('}', at);
        if (end == npos) return;
        at -= at > 0 && url[at - 1] == ':' ? 1 : 0;
        url.erase(at, end + 1 - at);
    }
    if (const std::size_t empty = url.find("://@"); empty != npos) url.erase(empty + 3, 1);
}

}  // namespace

std::string core::overlay_reference(std::string_view key) { return std::string{k_start}.append(key).append("}"); }

std::string_view core::overlay_key(std::string_view text) noexcept {
    if (!text.starts_with(k_start) || text.find('}') != text.size() - 1) return {};
    return text.substr(k_start.size(), text.size() - k_start.size() - 1);
}

Map core::overlay_origins(const Definition& definition, const SecretOverlay::State& overlay) {
    const auto text = overlay.current();
    Map out;
    const auto add = [&](const std::string& what, std::string_view key) {
        const OverlayEntry* const entry = text->find(definition.name, key);
        out.set(what, overlay.path() + (entry ? ":" + std::to_string(entry->place.line) : ""));
    };
    const auto whole = [&](const std::string& what, const Value& value) {
        if (!value.is_string()) return;
        std::vector<SecretRef> references;
        collect_references(value.as_string(), references);
        for (const SecretRef& one : references)
            if (one.prefix == k_overlay_prefix) {
                const bool all = !overlay_key(value.as_string()).empty();
                add(all ? what : what + (one.argument.ends_with("user") ? ".user" : ".password"), one.argument);
            }
    };
    whole("url", Value{definition.url});
    for (const auto& [name, value] : definition.options) {
        if (!value.is_map()) {
            whole(name, value);
            continue;
        }
        for (const auto& [member, inner] : value.as_map()) whole(name + "." + member, inner);
    }
    return out;
}

std::shared_ptr<const core::OverlayText> SecretOverlay::State::current() const {
    const std::scoped_lock lock{mutex_};
    return text_;
}

std::uint64_t SecretOverlay::State::generation() const {
    const std::scoped_lock lock{mutex_};
    return generation_;
}

std::shared_ptr<const core::OverlayText> SecretOverlay::State::fresh() {
    const std::scoped_lock reading{read_mutex_};
    struct stat status {};
    if (stamp_ && ::stat(path_.c_str(), &status) == 0 && core::FileStamp::of(status) == *stamp_) return current();
    core::OverlayText text = read(stamp_);
    const std::scoped_lock lock{mutex_};
    if (!text.problems.empty()) text.connections = text_->connections;
    text_ = std::make_shared<const core::OverlayText>(std::move(text));
    ++generation_;
    return text_;
}

core::OverlayText SecretOverlay::State::read(std::optional<core::FileStamp>& stamp) const {
    stamp.reset();
    std::string content;
    struct stat status {};
    core::OverlayText out;
    const auto fail = [&](const std::string& message, std::string hint = {}) {
        out.problems.push_back(core::overlay_finding(Severity::error, "secrets-file", path_, {}, message, std::move(hint)));
    };
    if (const int problem = core::read_whole_file(path_, core::k_most_overlay_bytes, content, &status); problem != 0) {
        fail("the file of secrets cannot be read: " + core::file_problem(problem, core::k_most_overlay_bytes));
        return out;
    }
    if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        fail("the file of secrets can be read or changed by others than its owner, so it is not used", "run: chmod 600 " + text::printable(path_));
    } else {
        out = core::parse_overlay(content, path_);
        if (const auto seen = core::FileStamp::of(status); out.problems.empty() && seen.is_settled()) stamp = seen;
    }
    wipe(content);
    return out;
}

SecretOverlay::SecretOverlay(std::string path) : state_{std::make_shared<State>(std::move(path))} {}

const std::string& SecretOverlay::path() const noexcept { return state_->path(); }

Diagnostics SecretOverlay::read() const { return state_->fresh()->problems; }

void SecretOverlay::complete(Definition& definition, const Scheme* scheme, Diagnostics& findings) const {
    const auto text = state_->current();
    const auto found = text->connections.find(definition.name);
    if (found == text->connections.end() || !scheme) return;
    Diagnostics own = found->second.findings;
    Completion{definition, *scheme, path(), own}.run(found->second.entries);
    std::stable_sort(own.begin(), own.end(), [](const Diagnostic& a, const Diagnostic& b) { return a.place.line < b.place.line; });
    std::move(own.begin(), own.end(), std::back_inserter(findings));
}

void SecretOverlay::strip(Definition& definition) {
    strip_text(definition.url);
    Map options;
    for (auto& [name, value] : definition.options) {
        if (value.is_string() && !overlay_key(value.as_string()).empty()) continue;
        if (value.is_string() && value.as_string().find(k_start) != npos) {
            std::string text{value.as_string()};
            strip_text(text);
            value = Value{text};
        }
        if (value.is_map()) {
            Map members;
            bool any = false;
            for (auto& [member, inner] : value.as_map()) {
                if (inner.is_string() && !overlay_key(inner.as_string()).empty())
                    any = true;
                else
                    members.set(member, inner);
            }
            if (any && members.empty()) continue;
            value = Value{std::move(members)};
        }
        options.set(name, value);
    }
    definition.options = std::move(options);
}

SecretProvider SecretOverlay::provider() const {
    SecretProvider provider;
    provider.prefix = core::k_overlay_prefix;
    provider.read = [state = state_](const SecretRequest& request) -> SecretAnswer {
        const auto text = state->fresh();
        const auto fail = [&](const std::string& why, Reason reason) { throw make_error(Errc::secret, why).with_reason(reason); };
        if (!text->problems.empty()) fail(summary(text->problems.front()), Reason::bad_value);
        const OverlayEntry* const entry = text->find(request.connection, request.argument);
        if (!entry) fail("the file of secrets \"" + text::printable(state->path()) + "\" has no such entry for this connection", Reason::missing);
        return {entry->value, {}};
    };
    // A small file, and as every other of a definition: on the thread that needs it.
    provider.may_block = false;
    return provider;
}

}  // namespace qconn
