// SPDX-License-Identifier: Apache-2.0
#include "schemes/convert.hpp"

#include <utility>

#include "base/json.hpp"
#include "base/text.hpp"
#include "core/secret_ref.hpp"

namespace qconn::schemes {

void Findings::add(Severity severity, std::string_view option, std::string code, std::string message, std::string hint) {
    Diagnostic finding;
    finding.severity = severity;
    finding.code = std::move(code);
    finding.place = place_of_ ? place_of_(option) : Place{};
    finding.message = std::move(message);
    finding.hint = std::move(hint);
    out_.push_back(std::move(finding));
}

Url url_of(const Definition& definition) {
    const core::SecretTokens tokens{definition.url};
    auto url = Url::try_parse(tokens.opaque());
    return url ? std::move(*url) : Url{};
}

bool is_set(const Definition& definition, std::string_view option) {
    const Value* value = definition.options.find(option);
    return value != nullptr && !value->is_null();
}

const Value& option_of(const ResolvedDefinition& definition, std::string_view option) {
    static const Value none;
    const Value* value = definition.options.find(option);
    return value != nullptr ? *value : none;
}

std::string scalar_text(const Value& value) {
    if (value.is_string() || value.kind() == ValueKind::decimal) return std::string{value.as_string()};
    if (value.is_binary()) return std::string{value.as_bytes()};
    return value.is_null() ? std::string{} : to_text(value);
}

Value text_or_bytes(std::string text) { return text::valid_utf8(text) ? Value{text} : Value::binary(text); }

std::string text_argument(const Map& arguments, std::string_view name) {
    const Value* value = arguments.find(name);
    return value != nullptr ? scalar_text(*value) : std::string{};
}

std::string body_argument(const Map& arguments, std::string_view name) {
    const Value* value = arguments.find(name);
    if (value == nullptr || value->is_null()) return {};
    return value->is_string() || value->is_binary() ? scalar_text(*value) : json::encode(*value);
}

}  // namespace qconn::schemes
