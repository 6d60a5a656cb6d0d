// SPDX-License-Identifier: Apache-2.0
#include "cli/changes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <map>

#include <qconn/core/edit.hpp>
#include <qconn/core/secret_provider.hpp>

#include "cli/json.hpp"
#include "cli/prompt.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

const std::map<std::string, std::string Definition::*> k_texts{{"desc", &Definition::description},
                                                               {"url", &Definition::url},
                                                               {"display_name", &Definition::display_name},
                                                               {"short_desc", &Definition::short_description}};
const std::map<std::string, std::optional<bool> Definition::*> k_flags{
    {"enabled", &Definition::enabled}, {"monitor", &Definition::monitored}, {"locked", &Definition::locked}, {"debug_data", &Definition::debug_data}};
constexpr std::array<std::string_view, 6> k_url_parts{"scheme", "host", "port", "user", "password", "path"};

bool is_url_part(std::string_view word) { return std::find(k_url_parts.begin(), k_url_parts.end(), word) != k_url_parts.end(); }

/// A value of the option's type, where the text is one; otherwise the text itself, about which the check says what is wrong.
Value option_value(const OptionSpec* spec, const std::string& text) {
    const auto json_of = [&](auto is) {
        auto value = parse_json(text);
        return value && is(*value) ? *value : Value{text};
    };
    switch (spec ? spec->type : OptionType::any) {
        case OptionType::boolean: return text == "true" ? Value{true} : text == "false" ? Value{false} : Value{text};
        case OptionType::integer: {
            std::int64_t number = 0;
            const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
            return ec == std::errc{} && end == text.data() + text.size() ? Value{number} : Value{text};
        }
        case OptionType::number: return json_of([](const Value& v) { return v.is_number(); });
        case OptionType::map: return json_of([](const Value& v) { return v.is_map(); });
        case OptionType::list: return json_of([](const Value& v) { return v.is_list(); });
        case OptionType::any: return json_of([](const Value&) { return true; });
        case OptionType::string:
        case OptionType::data: break;
    }
    return text;
}

}  // namespace

std::pair<std::string, std::string> key_and_value(const std::string& word) {
    const auto equals = word.find('=');
    if (equals == std::string::npos || equals == 0) throw UsageError("'" + printable(word) + "' is no KEY=VALUE");
    return {word.substr(0, equals), word.substr(equals + 1)};
}

bool is_reference(std::string_view text) {
    const auto found = secret_references(text);
    return found.size() == 1 && found.front().prefix.size() + found.front().argument.size() + 4 == text.size();
}

const OptionSpec* Changes::spec(std::string_view name) const {
    const Scheme* const known = scheme();
    if (!known) return nullptr;
    for (const OptionSpec& one : known->options)
        if (one.name == name || std::find(one.aliases.begin(), one.aliases.end(), name) != one.aliases.end()) return &one;
    return nullptr;
}

/// The name under which an option stands in the definition, which may be another one of its names.
std::string Changes::written_name(std::string_view name) const {
    const OptionSpec* const found = spec(name);
    if (!found || definition_.options.contains(name)) return std::string{name};
    for (const auto& [written, value] : definition_.options)
        if (spec(written) == found) return written;
    return found->name;
}

Changes::Target Changes::target(const std::string& key) const {
    if (k_texts.count(key) != 0) return {Kind::text, key};
    if (k_flags.count(key) != 0) return {Kind::flag, key};
    if (key.starts_with("tags.") && key.size() > 5) return {Kind::tag, key.substr(5)};
    if (key.starts_with("url.") && is_url_part(key.substr(4))) return {Kind::url_part, key.substr(4)};
    const std::string name = written_name(key);
    if (is_url_part(key) && !definition_.options.contains(name)) {
        // A part that an option could be as well is the URL's where that has it.
        const auto url = Url::try_parse(definition_.url);
        const bool stands_there = url && ((key == "password" && url->password) || (key == "user" && url->username));
        if (!spec(key) || stands_there) return {Kind::url_part, key};
    }
    if (spec(key) || definition_.options.contains(key)) return {Kind::option, name};
    if (const auto dot = key.find('.'); dot != std::string::npos && dot + 1 < key.size()) {
        const std::string option = key.substr(0, dot);
        const OptionSpec* const found = spec(option);
        if (found && found->type == OptionType::map) return {Kind::member, written_name(option), key.substr(dot + 1)};
    }
    unknown(key);
}

void Changes::unknown(const std::string& key) const {
    std::vector<std::string> known;
    for (const auto& [name, member] : k_texts) known.push_back(name);
    for (const auto& [name, member] : k_flags) known.push_back(name);
    for (const std::string_view part : k_url_parts) known.emplace_back(part);
    if (scheme())
        for (const OptionSpec& one : scheme()->options) known.push_back(one.name);
    const std::string what =
        scheme() ? "the scheme '" + definition_.scheme() + "' has no option '" + printable(key) + "', and it is no key of a definition"
                 : "'" + printable(key) + "' is no key of a definition, and the options of its scheme are not known";
    throw UsageError(what + suggestion(key, known));
}

/// A secret as given, asked for, or read. @param value  as it stands on the command line
std::string Changes::secret(const std::string& key, const std::string& value) {
    if (value == "-") {
        const Secret read = read_secret("The new " + key + " of " + printable(definition_.name));
        return std::string{read.reveal()};
    }
    if (!is_reference(value) && !value.empty()) shown_secrets_.push_back(key);
    return value;
}

void Changes::set(const std::string& key, const std::string& value) {
    const Target target = this->target(key);
    switch (target.kind) {
        case Kind::text: return set_text(key, value);
        case Kind::flag: return set_flag(key, value);
        case Kind::tag: definition_.tags.set(target.name, value); return;
        case Kind::url_part: {
            const std::string given = target.name == "password" ? secret(key, value) : value;
            return set_url_part(target.name, &given);
        }
        case Kind::member: {
            Value& map = definition_.options[target.name];
            if (map.is_null()) map = Map{};
            if (!map.is_map()) throw UsageError("the option '" + target.name + "' is written as text; give the whole of it");
            const bool hidden = spec(target.name)->sensitive || value == "-";
            map.as_map().set(target.inner, hidden ? secret(key, value) : value);
            touched_.insert(target.name + "." + target.inner);
            return;
        }
        case Kind::option: {
            const OptionSpec* const found = spec(target.name);
            const bool hidden = found && found->sensitive;
            definition_.options.set(target.name, option_value(found, hidden ? secret(key, value) : value));
            touched_.insert(target.name);
            return;
        }
    }
}

void Changes::warn_of_shown_secrets() const {
    for (const std::string& key : shown_secrets_) {
        const std::string what = key == "url" ? "password" : printable(key);
        std::fprintf(stderr, "qconn: warning: the %s stood on the command line, where others can see it; %s=- reads it from standard input\n",
                     what.c_str(), what.c_str());
    }
}

void Changes::set_text(const std::string& key, const std::string& value) {
    definition_.*k_texts.at(key) = value;
    if (key != "url") return;
    touched_.insert("url");
    const auto url = Url::try_parse(value);
    if (!url || !url->password || url->password->empty()) return;
    touched_.insert("url.password");
    if (!is_reference(url->password->reveal())) shown_secrets_.push_back(key);
}

void Changes::set_flag(const std::string& key, const std::string& value) {
    if (value != "true" && value != "false") throw UsageError("'" + key + "' must be true or false, not '" + printable(value) + "'");
    definition_.*k_flags.at(key) = value == "true";
}

/// @param value  null: the part goes
void Changes::set_url_part(const std::string& part, const std::string* value) {
    const auto parsed = Url::try_parse(definition_.url);
    if (!parsed || parsed->reveal().size() != definition_.url.size())
        throw UsageError("the URL is not written so that its parts can be set one by one; set 'url'");
    Url url = *parsed;
    const auto refuse = [&](const char* why) { throw UsageError("'" + part + "' " + why); };
    if (part == "scheme") {
        if (!value || value->empty()) refuse("cannot go");
        url.scheme = *value;
    } else if (part == "host") {
        if (!value || value->empty()) refuse("cannot go");
        url.host = *value;
        url.is_ipv6 = value->find(':') != std::string::npos;
        url.is_socket = false;
    } else if (part == "port") {
        url.port.reset();
        if (value) {
            std::uint16_t port = 0;
            const auto [end, ec] = std::from_chars(value->data(), value->data() + value->size(), port);
            if (ec != std::errc{} || end != value->data() + value->size()) refuse("must be a number from 0 to 65535");
            url.port = port;
        }
    } else if (part == "user") {
        url.username = value ? std::optional{*value} : std::nullopt;
        if (!value) url.password.reset();
        touched_.insert("url.user");
    } else if (part == "password") {
        if (value && !url.username) refuse("needs a user name in the URL beside it; set 'user' first");
        url.password = value ? std::optional{Secret{*value}} : std::nullopt;
        touched_.insert("url.password");
    } else {
        url.path = value ? *value : std::string{};
        if (!url.path.empty() && url.path.front() != '/') url.path.insert(0, "/");
    }
    if (part == "user" && !value) touched_.insert("url.password");
    std::string text = url.reveal();
    const auto again = Url::try_parse(text);
    if (!again || !(*again == url)) refuse("cannot be that in a URL");
    definition_.url = std::move(text);
}

void Changes::take_away(const std::string& key, bool null) {
    const Target target = this->target(key);
    switch (target.kind) {
        case Kind::text:
            if (key == "url") throw UsageError("a connection needs its URL; set another one");
            (definition_.*k_texts.at(key)).clear();
            return;
        case Kind::flag: (definition_.*k_flags.at(key)).reset(); return;
        case Kind::tag: definition_.tags.erase(target.name); return;
        case Kind::url_part: return set_url_part(target.name, nullptr);
        case Kind::member:
            if (Value* map = definition_.options.find(target.name); map && map->is_map()) map->as_map().erase(target.inner);
            touched_.insert(target.name + "." + target.inner);
            return;
        case Kind::option:
            if (null)
                definition_.options.set(target.name, Value{});
            else
                definition_.options.erase(target.name);
            touched_.insert(target.name);
            return;
    }
}

void Changes::unset(const std::string& key) { take_away(key, true); }
void Changes::remove(const std::string& key) { take_away(key, false); }

}  // namespace qconn::cli
