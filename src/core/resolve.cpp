// SPDX-License-Identifier: Apache-2.0
// Catalogue::resolve: defaults, secrets and environment put into a checked definition.
#include <algorithm>
#include <exception>
#include <string>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>
#include <qconn/core/file_resolver.hpp>
#include <qconn/core/property_source.hpp>

#include "base/text.hpp"
#include "core/catalogue_impl.hpp"
#include "core/environment.hpp"
#include "core/secret_reader.hpp"

namespace qconn {

namespace {

/// Overwrites all texts of a value. They are ours: the const of the accessor is not that of the memory.
void wipe_value(Value& value) noexcept {
    switch (value.kind()) {
        case ValueKind::string:
        case ValueKind::decimal:
        case ValueKind::binary: {
            const auto bytes = value.kind() == ValueKind::decimal ? value.as_string() : value.as_bytes();
            volatile char* const data = const_cast<char*>(bytes.data());
            for (std::size_t i = 0; i < bytes.size(); ++i) data[i] = '\0';
            break;
        }
        case ValueKind::list:
            for (auto& v : value.as_list()) wipe_value(v);
            break;
        case ValueKind::map:
            for (auto& [key, v] : value.as_map()) wipe_value(v);
            break;
        default: break;
    }
}

/// Whether a text of the value is not what was written: Catalogue::check could not look at what it becomes.
bool is_known_at_use(const Value& value, bool environment) noexcept {
    switch (value.kind()) {
        case ValueKind::string:
            return core::may_have_references(value.as_string()) || (environment && value.as_string().find('$') != std::string_view::npos);
        case ValueKind::list: {
            const auto& list = value.as_list();
            return std::any_of(list.begin(), list.end(), [&](const Value& v) { return is_known_at_use(v, environment); });
        }
        case ValueKind::map: {
            const auto& map = value.as_map();
            return std::any_of(map.begin(), map.end(), [&](const auto& entry) { return is_known_at_use(entry.second, environment); });
        }
        default: return false;
    }
}

/// What is wrong with the value of an option, in words that show nothing of it; empty: nothing.
std::string problem_of(const OptionSpec& spec, const Value& value) {
    if (!core::has_type(value, spec.type)) return std::string{"is no "}.append(to_string(spec.type));
    if (spec.sensitive && value.is_string() && value.as_string().empty()) return "is empty";
    if (value.is_number() && ((spec.minimum && core::number_of(value) < *spec.minimum) || (spec.maximum && core::number_of(value) > *spec.maximum)))
        return "is out of range";
    if (!core::is_allowed(spec, value)) {
        std::string words;
        for (const auto& allowed : spec.allowed)
            words.append(words.empty() ? "" : ", ")
                .append(allowed.value.is_string() ? std::string{allowed.value.as_string()} : to_text(allowed.value));
        return "is none of: " + words;
    }
    if (spec.check) {
        // The words of the check may quote the value.
        std::string problem = spec.check(value);
        const bool bad = !problem.empty();
        wipe(problem);
        if (bad) return value.is_string() && value.as_string().empty() ? "is empty" : "cannot be used as its value";
    }
    return {};
}

class Resolver {
public:
    Resolver(const Definition& definition, const core::SecretTable& table, core::SecretReader& reader, const ResolveSources& sources)
        : definition_{definition},
          table_{table},
          reader_{reader},
          sources_{sources},
          directory_{core::directory_of(definition)},
          redaction_{reader.redaction()} {}

    Value value(const Value& in, bool environment, const std::string& what) {
        switch (in.kind()) {
            case ValueKind::string: {
                std::string text = this->text(in.as_string(), environment, what);
                Value out{text};
                wipe(text);
                return out;
            }
            case ValueKind::list: {
                List out;
                out.reserve(in.size());
                for (const auto& v : in.as_list()) out.push_back(value(v, environment, what));
                return out;
            }
            case ValueKind::map: {
                Map out;
                out.reserve(in.size());
                for (const auto& [key, v] : in.as_map()) out.set(key, value(v, environment, what));
                return out;
            }
            default: return in;
        }
    }

    /// The value of an option, which the table's rules hold for as for one that is written out.
    Value option(const OptionSpec& spec, const Value& in) {
        const std::string what = "the option '" + spec.name + "'";
        Value out = value(in, spec.environment, what);
        if (!is_known_at_use(in, spec.environment)) return out;
        const std::string problem = problem_of(spec, out);
        if (problem.empty()) return out;
        wipe_value(out);
        std::vector<core::SecretRef> references;
        core::collect_references(in, references);
        std::string sources;
        for (const auto& reference : references) sources.append(sources.empty() ? "" : ", ").append(table_.shown(reference));
        if (sources.empty()) sources = spec.environment ? "the environment" : "its text";
        throw make_error(Errc::secret,
                         "putting " + what + " of connection '" + definition_.name + "' together failed: what comes from " + sources + " " + problem)
            .with_phase(Phase::secret)
            .with_reason(Reason::bad_value)
            .with_connection(definition_.name);
    }

    /// The value of an option that the definition does not give; null where nobody has one.
    Value property(const OptionSpec& spec) {
        const OptionProperty& from = *spec.property;
        const std::string name = property_text(from);
        std::optional<Secret> secret;
        if (auto value = core::process_environment(variable_of(from)); value && !value->empty()) {
            secret.emplace(*value);
            wipe(*value);
        } else if (sources_.properties) {
            const auto fail = [&](std::string_view why, Reason reason) {
                throw make_error(Errc::secret,
                                 "looking up the property " + name + " of connection '" + definition_.name + "' failed: " + std::string{why})
                    .with_phase(Phase::secret)
                    .with_reason(reason)
                    .with_connection(definition_.name);
            };
            try {
                secret = sources_.properties->lookup(from.domain, from.key);
            } catch (const Error& error) { fail(error.message(), error.reason()); } catch (const std::exception& error) {
                fail(error.what(), Reason::local);
            }
        }
        if (!secret) return {};
        redaction_.add(secret->reveal(), "${property:" + name + "}");
        Value out{secret->reveal()};
        if (const std::string problem = problem_of(spec, out); !problem.empty()) {
            wipe_value(out);
            throw make_error(Errc::secret, "putting the option '" + spec.name + "' of connection '" + definition_.name +
                                               "' together failed: what the property " + name + " has " + problem)
                .with_phase(Phase::secret)
                .with_reason(Reason::bad_value)
                .with_connection(definition_.name);
        }
        return out;
    }

    /// A file that an option names by URL: by its path, or its content in the option that takes that.
    void file(const OptionSpec& spec, const Scheme& scheme, Map& options) {
        const Value* named = options.find(spec.name);
        if (!named || !named->is_string()) return;
        const std::string reference{named->as_string()};
        const std::string kind = reference_scheme(reference);
        if (kind.empty()) return;
        if (kind == "file") {
            options.set(spec.name, reference_path(reference, directory_));
            return;
        }
        const std::string what = "the option '" + spec.name + "' of connection '" + definition_.name + "'";
        const auto refuse = [&](const std::string& why, Reason reason) {
            throw Error{make_error_code(Errc::invalid_argument), "FILE-REFERENCE-ERROR", what + " cannot be used: " + why}
                .with_phase(Phase::secret)
                .with_reason(reason)
                .with_connection(definition_.name);
        };
        if (kind == "http") refuse("over http: anybody on the way could read and change the file; use https:", Reason::unsupported);
        const Value* given = definition_.options.find(spec.content);
        if (given && !given->is_null())
            refuse("what its URL leads to would take the place of '" + spec.content + "', which is there too; remove one of them", Reason::bad_value);
        try {
            std::string content = sources_.files ? sources_.files->read(reference, directory_, reader_.deadline())
                                                 : builtin_file_resolver().read(reference, directory_, reader_.deadline());
            options.erase(spec.name);
            options.set(spec.content, Value{content});
            if (const OptionSpec* target = scheme.option(spec.content); target && target->sensitive)
                redaction_.add(content, redaction_.apply(mask_url(reference)));
            wipe(content);
        } catch (const Error& error) {
            // What references in the URL were resolved to is not known to others yet.
            throw Error{error.code(), error.name(), redaction_.apply(what + ": " + std::string{error.message()})}
                .with_phase(Phase::secret)
                .with_reason(error.reason())
                .with_retryable(error.retryable())
                .with_connection(definition_.name);
        }
    }

    /// Refuses where an option is missing that a property could have given; Catalogue::check has seen to the others.
    void require(const Scheme& scheme, const ResolvedDefinition& out) const {
        const auto is_met = [&](const std::string& name) {
            if (name == "url.user") return out.url.username && !out.url.username->empty();
            if (name == "url.password") return out.url.password && !out.url.password->empty();
            return out.options.contains(name);
        };
        for (const RequiredOptions& group : scheme.required) {
            std::string wanted;
            bool met = false;
            for (const auto& names : group.alternatives) {
                met = met || std::all_of(names.begin(), names.end(), is_met);
                for (const auto& name : names) {
                    const OptionSpec* spec = scheme.option(name);
                    if (!spec || !spec->property || is_met(name)) continue;
                    wanted.append(wanted.empty() ? "" : ", ")
                        .append("'" + name + "' (property ")
                        .append(property_text(*spec->property))
                        .append(", variable ");
                    wanted.append(variable_of(*spec->property)).append(")");
                }
            }
            if (met || wanted.empty()) continue;
            throw make_error(Errc::secret, "connection '" + definition_.name +
                                               "' needs options that neither its definition, nor the environment, nor a "
                                               "source of properties has: " +
                                               wanted)
                .with_phase(Phase::secret)
                .with_reason(Reason::missing)
                .with_connection(definition_.name);
        }
    }

    Url url(bool environment) {
        const core::SecretTokens tokens = table_.tokens(definition_.url);
        auto parsed = Url::try_parse(tokens.opaque());
        if (!parsed) {
            throw Error{parsed.error().code(), parsed.error().name(), tokens.restore(parsed.error().message())}
                .with_reason(Reason::bad_value)
                .with_connection(definition_.name);
        }
        Url out = std::move(*parsed);
        const auto put = [&](std::string& part, bool with_environment, const char* what) {
            std::string whole = text(tokens.restore(part), with_environment, what);
            part = whole;
            wipe(whole);
        };
        put(out.host, environment, "the host of the URL");
        put(out.path, environment, "the path of the URL");
        check(out.host, "host");
        check(out.path, "path");
        if (out.username) put(*out.username, false, "the user of the URL");
        if (out.password) {
            std::string whole = text(tokens.restore(out.password->reveal()), false, "the password of the URL");
            out.password = Secret{whole};
            wipe(whole);
        }
        return out;
    }

private:
    std::string text(std::string_view in, bool environment, const std::string& what) {
        try {
            return core::resolve_text(in, environment, what, [this](const core::SecretRef& reference) { return reader_.read(reference); });
        } catch (Error& e) {
            if (e.connection().empty()) e.with_connection(definition_.name);
            throw;
        }
    }
    /// What came in with a secret or a variable could write lines of its own into a request.
    void check(std::string_view part, const char* what) const {
        if (std::none_of(part.begin(), part.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) return;
        throw make_error(Errc::secret, std::string{"putting the "} + what + " of the URL of connection '" + definition_.name +
                                           "' together failed: what a secret or an environment variable put into it holds a control character")
            .with_phase(Phase::secret)
            .with_reason(Reason::bad_value)
            .with_connection(definition_.name);
    }

    static std::string property_text(const OptionProperty& property) { return property.domain + "/" + property.key; }
    /// QCONN_PROPERTY_SALESFORCE_COM_USERNAME.
    static std::string variable_of(const OptionProperty& property) {
        std::string name = "QCONN_PROPERTY_" + property.domain + "_" + property.key;
        for (char& c : name) c = !text::is_alpha(c) && !text::is_digit(c) ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
        return name;
    }

    const Definition& definition_;
    const core::SecretTable& table_;
    core::SecretReader& reader_;
    const ResolveSources& sources_;
    const std::string directory_;
    Redaction& redaction_;
};

}  // namespace

ResolvedDefinition::~ResolvedDefinition() {
    if (url.username) wipe(*url.username);
    wipe(url.host);
    wipe(url.path);
    for (auto& [key, value] : options) wipe_value(value);
}

ResolvedDefinition Catalogue::resolve(const Definition& definition, const ResolveSources& sources) const {
    core::SecretReader reader{impl_->secrets, definition};
    return resolve(definition, reader, sources);
}

ResolvedDefinition Catalogue::resolve(const Definition& definition, core::SecretReader& reader, const ResolveSources& sources) const {
    const core::SchemeEntry* entry = impl_->find(definition.scheme());
    if (!entry) {
        throw Error{make_error_code(Errc::invalid_argument), "SCHEME-ERROR",
                    "resolving the definition of connection '" + definition.name + "' failed: this build has no scheme '" +
                        text::printable(definition.scheme()) + "'"}
            .with_reason(Reason::unsupported)
            .with_connection(definition.name);
    }
    Resolver resolver{definition, impl_->secrets, reader, sources};
    ResolvedDefinition out;
    out.name = definition.name;
    out.scheme = definition.scheme();
    out.url = resolver.url(entry->scheme.url_environment);
    out.options.reserve(entry->scheme.options.size());
    for (const auto& spec : entry->scheme.options) {
        const Value* given = definition.options.find(spec.name);
        if (!given && spec.property) {
            if (Value found = resolver.property(spec); !found.is_null()) {
                out.options.insert(spec.name, std::move(found));
                continue;
            }
        }
        const Value& value = given ? *given : spec.fallback;
        if (!value.is_null()) out.options.insert(spec.name, resolver.option(spec, value));
    }
    resolver.require(entry->scheme, out);
    for (const auto& spec : entry->scheme.options)
        if (!spec.content.empty()) resolver.file(spec, entry->scheme, out.options);
    out.redaction = publish(out.name, std::move(reader.redaction()));
    out.read_file = [files = sources.files, directory = core::directory_of(definition), deadline = reader.deadline()](const std::string& reference) {
        return files ? files->read(reference, directory, deadline) : builtin_file_resolver().read(reference, directory, deadline);
    };
    return out;
}

}  // namespace qconn
