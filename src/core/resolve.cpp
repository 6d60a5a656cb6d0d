// SPDX-License-Identifier: Apache-2.0
// Catalogue::resolve: defaults, secrets and environment put into a checked definition.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <qconn/base/error.hpp>

#include "base/redaction.hpp"
#include "base/text.hpp"
#include "core/catalogue_impl.hpp"
#include "core/secret_ref.hpp"

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
    explicit Resolver(const Definition& definition) : definition_{definition} {
        const auto slash = definition.file.rfind('/');
        if (slash != std::string::npos) directory_ = definition.file.substr(0, slash);
    }

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
        for (const auto& reference : references)
            sources.append(sources.empty() ? "" : ", ").append(text::shorten(text::printable(reference.text()), 300));
        if (sources.empty()) sources = spec.environment ? "the environment" : "its text";
        throw make_error(Errc::secret,
                         "putting " + what + " of connection '" + definition_.name + "' together failed: what comes from " + sources + " " + problem)
            .with_phase(Phase::secret)
            .with_reason(Reason::bad_value)
            .with_connection(definition_.name);
    }

    Url url(bool environment) {
        const core::SecretTokens tokens{definition_.url};
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

    /// Everything that was read for references.
    Redaction take_redaction() noexcept { return std::move(redaction_); }

private:
    std::string text(std::string_view in, bool environment, const std::string& what) {
        try {
            return core::resolve_text(in, environment, what, directory_, definition_.name, &redaction_);
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

    const Definition& definition_;
    std::string directory_;
    Redaction redaction_;
};

}  // namespace

ResolvedDefinition::~ResolvedDefinition() {
    if (url.username) wipe(*url.username);
    wipe(url.host);
    wipe(url.path);
    for (auto& [key, value] : options) wipe_value(value);
}

ResolvedDefinition Catalogue::resolve(const Definition& definition) const {
    const core::SchemeEntry* entry = impl_->find(definition.scheme());
    if (!entry) {
        throw Error{make_error_code(Errc::invalid_argument), "SCHEME-ERROR",
                    "resolving the definition of connection '" + definition.name + "' failed: this build has no scheme '" +
                        text::printable(definition.scheme()) + "'"}
            .with_reason(Reason::unsupported)
            .with_connection(definition.name);
    }
    Resolver resolver{definition};
    ResolvedDefinition out;
    out.name = definition.name;
    out.scheme = definition.scheme();
    out.url = resolver.url(entry->scheme.url_environment);
    out.options.reserve(entry->scheme.options.size());
    for (const auto& spec : entry->scheme.options) {
        const Value* given = definition.options.find(spec.name);
        const Value& value = given ? *given : spec.fallback;
        if (!value.is_null()) out.options.insert(spec.name, resolver.option(spec, value));
    }
    out.redaction = publish(out.name, resolver.take_redaction());
    return out;
}

}  // namespace qconn
