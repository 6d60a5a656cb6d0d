// SPDX-License-Identifier: Apache-2.0
#include "core/mask.hpp"

#include <string>
#include <utility>

#include <qconn/base/secret.hpp>
#include <qconn/base/url.hpp>

#include "base/url_mask.hpp"
#include "core/catalogue_impl.hpp"
#include "core/parsed_source.hpp"
#include "core/secret_ref.hpp"

namespace qconn::core {

namespace {

bool is_reference(std::string_view text) {
    if (!may_have_references(text)) return false;
    const auto scan = scan_secrets(text);
    return scan.problems.empty() && scan.pieces.size() == 1 && scan.has_references();
}

Value hidden(const Value& value) {
    if (value.is_null()) return {};
    return value.is_string() && is_reference(value.as_string()) ? value : Value{k_masked};
}

/// A URL, or what may be one or its path. References in it are single words meanwhile, so that nothing in them is taken for a part of it.
std::string masked_url(std::string_view text) {
    const SecretTokens tokens{text};
    return tokens.restore(mask_url(tokens.opaque(), [&](std::string_view value) { return is_reference(tokens.restore(value)); }));
}

/// Only scalars and lists of texts of options that hold no secrets.
Value open(const Value& value) {
    switch (value.kind()) {
        case ValueKind::string: {
            const auto text = value.as_string();
            return text.find_first_of("@?") == std::string_view::npos && text.find("://") == std::string_view::npos ? value : Value{masked_url(text)};
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

std::string unquoted_name(std::string_view name) {
    const std::string quoted = quoted_name(name);
    return quoted.substr(1, quoted.size() - 2);
}

}  // namespace

Value masked_value(const OptionSpec* spec, const Value& value) {
    const bool closed = !spec || spec->sensitive || spec->type == OptionType::any || spec->type == OptionType::data || !has_type(value, spec->type);
    return closed ? hidden(value) : open(value);
}

Definition masked(const Definition& definition, const Scheme* scheme) {
    Definition out = definition;
    out.url = masked_url(definition.url);
    out.options = {};
    for (const auto& [name, value] : definition.options) {
        const OptionSpec* spec = scheme ? scheme->option(name) : nullptr;
        out.options.set(spec ? name : unquoted_name(name), masked_value(spec, value));
    }
    out.other = {};
    for (const auto& [name, value] : definition.other) out.other.set(unquoted_name(name), hidden(value));
    return out;
}

}  // namespace qconn::core
