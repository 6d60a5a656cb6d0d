// SPDX-License-Identifier: Apache-2.0
// Documentation from the option tables.
#include <algorithm>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>

#include <qconn/core/scheme.hpp>

#include "core/option_tables.hpp"

namespace qconn {

namespace {

std::string default_text(const OptionSpec& spec) {
    if (spec.fallback.is_null()) return spec.fallback_text;
    std::string out = spec.fallback.is_string() ? std::string{spec.fallback.as_string()} : to_text(spec.fallback);
    if (out.empty()) out = "empty";
    return out;
}

std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') out += '\\';
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

}  // namespace

std::string Catalogue::options_markdown(const Scheme& scheme) const {
    std::vector<OptionSpec> own;
    std::copy_if(scheme.options.begin(), scheme.options.end(), std::back_inserter(own), [](const OptionSpec& spec) { return !spec.monitoring; });
    return core::options_markdown(own);
}

std::string core::options_markdown(const std::vector<OptionSpec>& options) {
    std::string out = "| option | type | default | meaning |\n| --- | --- | --- | --- |\n";
    for (const auto& spec : options) {
        out.append("| `").append(spec.name).append("` | ").append(to_string(spec.type));
        if (spec.unit != Unit::none) out.append(", ").append(to_string(spec.unit));
        out.append(" | ");
        if (const auto fallback = default_text(spec); fallback.empty())
            out += "–";
        else if (spec.fallback.is_null())
            out += cell(fallback);
        else
            out.append("`").append(cell(fallback)).append("`");
        out.append(" | ").append(cell(spec.help));
        const auto sentence = [&out](const std::string& text) {
            out.append(out.ends_with(". ") ? "" : out.ends_with('.') ? " " : ". ").append(text).append(".");
        };
        if (spec.minimum || spec.maximum) {
            const auto number = [](double d) {
                return to_text(d == static_cast<double>(static_cast<std::int64_t>(d)) ? Value{static_cast<long long>(d)} : Value{d});
            };
            if (spec.minimum && spec.maximum)
                sentence("From " + number(*spec.minimum) + " to " + number(*spec.maximum));
            else
                sentence(spec.minimum ? "At least " + number(*spec.minimum) : "At most " + number(*spec.maximum));
        }
        if (!spec.allowed.empty()) {
            std::string list;
            for (const auto& allowed : spec.allowed) {
                list.append(list.empty() ? "" : ", ")
                    .append("`")
                    .append(cell(allowed.value.is_string() ? allowed.value.as_string() : to_text(allowed.value)))
                    .append("`");
                if (!allowed.help.empty()) list.append(" (").append(cell(allowed.help)).append(")");
            }
            sentence("One of " + list);
        }
        if (!spec.example.is_null())
            sentence("Example: `" + cell(spec.example.is_string() ? std::string{spec.example.as_string()} : to_text(spec.example)) + "`");
        if (spec.sensitive) sentence("Sensitive");
        if (spec.property) sentence("From the property `" + spec.property->domain + "/" + spec.property->key + "` where it is not given");
        if (!spec.content.empty()) sentence("Also a URL: `https:`, `resource:` or `file:`");
        if (spec.environment) sentence("`$NAME` is replaced from the environment");
        if (spec.pairs_text) sentence("Also as text: `key=value, key2=value2`");
        if (!spec.aliases.empty()) {
            std::string list;
            for (const auto& alias : spec.aliases) list.append(list.empty() ? "`" : ", `").append(alias).append("`");
            sentence("Also called " + list);
        }
        out += " |\n";
    }
    return out;
}

}  // namespace qconn
