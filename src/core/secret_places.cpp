// SPDX-License-Identifier: Apache-2.0
#include "core/secret_places.hpp"

#include <algorithm>
#include <utility>

#include <qconn/core/scheme.hpp>

#include "base/text.hpp"
#include "base/url_mask.hpp"
#include "core/option_text.hpp"
#include "core/pairs.hpp"
#include "core/secret_ref.hpp"

namespace qconn::core {

const OptionSpec* spec_of(const Scheme* scheme, std::string_view name) {
    if (!scheme) return nullptr;
    for (const OptionSpec& spec : scheme->options)
        if (spec.name == name || std::find(spec.aliases.begin(), spec.aliases.end(), name) != spec.aliases.end()) return &spec;
    return nullptr;
}

bool names_secret_member(std::string_view name) { return names_credential(name) || text::iequals(name, "cookie"); }

std::optional<Map> map_of(const OptionSpec* spec, std::string_view text) {
    if (!spec || spec->type != OptionType::map) return std::nullopt;
    if (auto map = structured_text(text, true, spec->pairs_text); map && map->is_map()) return std::move(map->as_map());
    const SecretTokens tokens{text};
    const auto pairs = parse_pairs(tokens.opaque(), {.typed = false});
    if (!spec->pairs_text || pairs.problem || !pairs.value.is_map()) return std::nullopt;
    return tokens.restore_value(pairs.value).as_map();
}

}  // namespace qconn::core
