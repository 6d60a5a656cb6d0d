// SPDX-License-Identifier: Apache-2.0
#include "core/catalogue_impl.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <qconn/base/error.hpp>
#include <qconn/core/module.hpp>
#include <qconn/core/monitoring.hpp>

#include "base/text.hpp"

namespace qconn {

namespace {

using core::SchemeEntry;

[[noreturn]] void refuse(const Scheme& scheme, const std::string& what) {
    const std::string name = scheme.names.empty() ? std::string{"without a name"} : "'" + text::printable(scheme.names.front()) + "'";
    throw Error{make_error_code(Errc::invalid_argument), "SCHEME-ERROR", "adding the scheme " + name + " to the catalogue failed: " + what}
        .with_reason(Reason::bad_value);
}

bool is_scheme_name(std::string_view s) noexcept {
    if (s.empty() || s[0] < 'a' || s[0] > 'z') return false;
    return std::all_of(s.begin(), s.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || text::is_digit(c) || c == '+' || c == '-' || c == '.' || c == '_'; });
}

bool is_option_name(std::string_view s) noexcept {
    return !s.empty() && s.size() <= 64 &&
           std::all_of(s.begin(), s.end(), [](char c) { return text::is_alpha(c) || text::is_digit(c) || c == '_' || c == '-' || c == '.'; });
}

/// What is wrong with a value of the table itself (default, example, allowed value); empty: nothing.
std::string table_value_problem(const OptionSpec& spec, const Value& value, bool among_allowed) {
    if (!core::has_type(value, spec.type)) return std::string{"is no "}.append(to_string(spec.type));
    if (value.is_number()) {
        if (spec.minimum && core::number_of(value) < *spec.minimum) return "is below the minimum";
        if (spec.maximum && core::number_of(value) > *spec.maximum) return "is above the maximum";
    }
    if (among_allowed && !core::is_allowed(spec, value)) return "is not among the allowed values";
    if (spec.check) {
        if (auto problem = spec.check(value); !problem.empty()) return "does not pass its own check: " + problem;
    }
    return {};
}

void check_option(const Scheme& scheme, const OptionSpec& spec) {
    const auto wrong = [&](const std::string& what) { refuse(scheme, "its option '" + text::printable(spec.name) + "' " + what); };
    if (!is_option_name(spec.name)) wrong("has no proper name");
    if (spec.minimum && spec.maximum && *spec.minimum > *spec.maximum) wrong("has a minimum above its maximum");
    const bool is_number = spec.type == OptionType::integer || spec.type == OptionType::number;
    if ((spec.minimum || spec.maximum) && !is_number) wrong("has limits and is no number");
    if (spec.unit != Unit::none && !is_number) wrong("has a unit and is no number");
    if (spec.environment && spec.type != OptionType::string && spec.type != OptionType::data) wrong("takes environment variables and is no string");
    if (spec.pairs_text && spec.type != OptionType::map && spec.type != OptionType::list) wrong("can be text of pairs and is neither map nor list");
    if ((spec.property || !spec.content.empty()) && spec.type != OptionType::string && spec.type != OptionType::data)
        wrong("has a property or a content option and is no string");
    if (spec.property && (spec.property->domain.empty() || spec.property->key.empty())) wrong("has a property without domain or key");
    if (!spec.content.empty() && !scheme.option(spec.content)) wrong("names a content option '" + spec.content + "' that is none of the scheme's");
    for (const auto& allowed : spec.allowed)
        if (auto problem = table_value_problem(spec, allowed.value, false); !problem.empty()) wrong("allows a value that " + problem);
    if (!spec.fallback.is_null())
        if (auto problem = table_value_problem(spec, spec.fallback, true); !problem.empty()) wrong("has a default that " + problem);
    if (!spec.example.is_null())
        if (auto problem = table_value_problem(spec, spec.example, true); !problem.empty()) wrong("has an example that " + problem);
}

std::shared_ptr<const SchemeEntry> make_entry(Scheme scheme) {
    auto entry = std::make_shared<SchemeEntry>();
    entry->scheme = std::move(scheme);
    const Scheme& s = entry->scheme;
    if (s.names.empty()) refuse(s, "it has no name");
    for (const auto& name : s.names) {
        if (!is_scheme_name(name))
            refuse(s, "'" + text::printable(name) + "' is no scheme name; one has lower-case letters, digits and '+', '-', '.', '_'");
        if (std::count(s.names.begin(), s.names.end(), name) != 1) refuse(s, "it has the name '" + name + "' twice");
    }
    for (const auto& [name, port] : s.default_ports)
        if (std::find(s.names.begin(), s.names.end(), name) == s.names.end())
            refuse(s, "it has a default port for '" + name + "', which is none of its names");
    if (!s.make_client || s.clients.empty()) refuse(s, "it has no client");
    if (!s.make_ping) refuse(s, "it has no ping");

    core::add_monitoring(entry->scheme);
    core::index_options(*entry);
    for (const auto& group : s.required) {
        if (group.alternatives.empty()) refuse(s, "a group of required options is empty");
        for (const auto& alternative : group.alternatives) {
            if (alternative.empty()) refuse(s, "an alternative of a group of required options is empty");
            for (const auto& name : alternative)
                if (name != "url.user" && name != "url.password" && !s.option(name))
                    refuse(s, "it requires the option '" + name + "', which it does not have");
        }
    }
    return entry;
}

}  // namespace

std::string_view to_string(Sharing sharing) noexcept {
    switch (sharing) {
        case Sharing::parallel: return "parallel";
        case Sharing::multiplexed: return "multiplexed";
        case Sharing::serialised: return "serialised";
        case Sharing::exclusive: break;
    }
    return "exclusive";
}

const OptionSpec* Scheme::option(std::string_view name) const noexcept {
    const auto found = std::find_if(options.begin(), options.end(), [name](const OptionSpec& s) { return s.name == name; });
    return found == options.end() ? nullptr : &*found;
}

namespace core {

void add_monitoring(Scheme& scheme) {
    for (const OptionSpec& spec : monitoring_options().specs()) {
        const OptionSpec* there = scheme.option(spec.name);
        if (there && there->monitoring) return;  // of a catalogue already
        if (there) refuse(scheme, "its option '" + spec.name + "' is one that every connection has, for the monitor");
        scheme.options.push_back(spec);
        scheme.options.back().monitoring = true;
    }
}

void index_options(SchemeEntry& entry) {
    const Scheme& s = entry.scheme;
    entry.options.reserve(s.options.size() * 2);
    for (const auto& spec : s.options) {
        check_option(s, spec);
        if (!entry.options.emplace(spec.name, core::KnownOption{&spec, false}).second) refuse(s, "it has the option '" + spec.name + "' twice");
        entry.option_names.push_back(spec.name);
    }
    for (const auto& spec : s.options) {
        for (const auto& alias : spec.aliases) {
            if (!is_option_name(alias)) refuse(s, "its option '" + spec.name + "' has an alias that is no proper name");
            if (!entry.options.emplace(alias, core::KnownOption{&spec, true}).second)
                refuse(s, "the alias '" + alias + "' of its option '" + spec.name + "' is another option's name");
        }
    }
}

bool has_type(const Value& value, OptionType type) noexcept {
    switch (type) {
        case OptionType::boolean: return value.is_bool();
        case OptionType::integer: return value.is_integer();
        case OptionType::number: return value.is_integer() || (value.kind() == ValueKind::float64 && std::isfinite(value.as_double()));
        case OptionType::string: return value.is_string();
        case OptionType::map: return value.is_map();
        case OptionType::list: return value.is_list();
        case OptionType::data: return value.is_string() || value.is_binary();
        case OptionType::any: break;
    }
    return true;
}

double number_of(const Value& value) noexcept {
    switch (value.kind()) {
        case ValueKind::int64: return static_cast<double>(value.as_int64());
        case ValueKind::uint64: return static_cast<double>(value.as_uint64());
        case ValueKind::float64: return value.as_double();
        default: return 0;
    }
}

bool is_allowed(const OptionSpec& spec, const Value& value) noexcept {
    return spec.allowed.empty() || std::any_of(spec.allowed.begin(), spec.allowed.end(), [&](const AllowedValue& a) { return a.value == value; });
}

}  // namespace core

Catalogue::Catalogue() : impl_{std::make_shared<Impl>()} {}
Catalogue::Catalogue(const Catalogue&) = default;
Catalogue& Catalogue::operator=(const Catalogue&) = default;
Catalogue::~Catalogue() = default;

void Catalogue::add(Scheme scheme) {
    const auto entry = make_entry(std::move(scheme));
    for (const auto& name : entry->scheme.names) {
        const auto* known = impl_->find(name);
        if (!known) continue;
        const auto& module = known->scheme.module;
        refuse(entry->scheme,
               "the scheme '" + name + "' is known already" +
                   (module ? ", from the module '" + text::printable(module->name) + "' (" + text::printable(module->path) + ")" : std::string{}));
    }
    auto changed = std::make_shared<Impl>(*impl_);  // copies of this catalogue keep what they have
    changed->entries.push_back(entry);
    for (const auto& name : entry->scheme.names) {
        changed->by_name.emplace(name, entry.get());
        changed->names.push_back(name);
    }
    impl_ = std::move(changed);
}

Catalogue Catalogue::with_defaults(const Map& defaults) const {
    Catalogue out;
    out.impl_->secrets = impl_->secrets;
    for (const auto& entry : impl_->entries) {
        Scheme scheme = entry->scheme;
        for (OptionSpec& spec : scheme.options)
            if (const Value* value = defaults.find(spec.name)) spec.fallback = *value;
        out.add(std::move(scheme));
    }
    return out;
}

void Catalogue::add(SecretProvider provider) {
    auto changed = std::make_shared<Impl>(*impl_);
    changed->secrets.add(std::move(provider));
    impl_ = std::move(changed);
}

const core::SecretTable& Catalogue::secrets() const noexcept { return impl_->secrets; }

const Scheme* Catalogue::find(std::string_view name) const noexcept {
    const auto* entry = impl_->find(name);
    return entry ? &entry->scheme : nullptr;
}

std::vector<const Scheme*> Catalogue::schemes() const {
    std::vector<const Scheme*> out;
    out.reserve(impl_->entries.size());
    for (const auto& entry : impl_->entries) out.push_back(&entry->scheme);
    return out;
}

std::vector<std::string> Catalogue::names() const { return impl_->names; }

}  // namespace qconn
