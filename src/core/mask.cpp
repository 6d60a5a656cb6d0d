// SPDX-License-Identifier: Apache-2.0
#include "core/mask.hpp"

#include <string>
#include <utility>

#include <qconn/base/secret.hpp>
#include <qconn/base/url.hpp>

#include "base/url_mask.hpp"
#include "core/catalogue_impl.hpp"
#include "core/parsed_source.hpp"
#include "core/secret_table.hpp"

namespace qconn::core {

namespace {

/// What may be shown of values, with the references that are known.
class Masker {
public:
    explicit Masker(const SecretTable& secrets) noexcept : secrets_{secrets} {}

    Value hidden(const Value& value) const {
        if (value.is_null()) return {};
        return value.is_string() && secrets_.is_reference(value.as_string()) ? value : Value{k_masked};
    }

    /// A URL, or what may be one or its path. References in it are single words meanwhile, so that nothing in them is taken for a part of it.
    std::string url(std::string_view text, bool user_is_name = false) const {
        const SecretTokens tokens = secrets_.tokens(text);
        return tokens.restore(mask_url(
            tokens.opaque(), [&](std::string_view value) { return secrets_.is_reference(tokens.restore(value)); }, user_is_name));
    }

    /// Only scalars and lists of texts of options that hold no secrets.
    Value open(const Value& value) const {
        switch (value.kind()) {
            case ValueKind::string: {
                const auto text = value.as_string();
                return text.find_first_of("@?") == std::string_view::npos && text.find("://") == std::string_view::npos ? value : Value{url(text)};
            }
            case ValueKind::list: {
                List out;
                for (const auto& v : value.as_list()) out.push_back(open(v));
                return out;
            }
            case ValueKind::map: {
                Map out;
                for (const auto& [key, v] : value.as_map()) out.set(key, hidden(v));
                return out;
            }
            case ValueKind::binary:
            case ValueKind::tagged: return hidden(value);
            default: return value;
        }
    }

    Value option(const OptionSpec* spec, const Value& value) const {
        const bool closed =
            !spec || spec->sensitive || spec->type == OptionType::any || spec->type == OptionType::data || !has_type(value, spec->type);
        return closed ? hidden(value) : open(value);
    }

private:
    const SecretTable& secrets_;
};

std::string unquoted_name(std::string_view name) {
    const std::string quoted = quoted_name(name);
    return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

Definition masked(const Definition& definition, const Scheme* scheme, const SecretTable& secrets) {
    const Masker masker{secrets};
    Definition out = definition;
    out.url = masker.url(definition.url, scheme != nullptr && scheme->user_is_name);
    out.options = {};
    for (const auto& [name, value] : definition.options) {
        const OptionSpec* spec = scheme ? scheme->option(name) : nullptr;
        out.options.set(spec ? name : unquoted_name(name), masker.option(spec, value));
    }
    out.other = {};
    for (const auto& [name, value] : definition.other) out.other.set(unquoted_name(name), masker.hidden(value));
    return out;
}

}  // namespace qconn::core
