// SPDX-License-Identifier: Apache-2.0
#include "import/fields.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "core/option_text.hpp"

namespace qconn::importing {
namespace {

struct UnitName {
    std::string_view name;
    double milliseconds;
};
constexpr std::array<UnitName, 6> k_units{{{"ms", 1}, {"s", 1e3}, {"m", 6e4}, {"h", 3.6e6}, {"us", 1e-3}, {"ns", 1e-6}}};

/// "30", "1.5", "1m30s"; absent for anything else and for more than a month.
std::optional<double> milliseconds(std::string_view text) {
    double total = 0;
    text = text::trim(text);
    if (text.empty()) return std::nullopt;
    while (!text.empty()) {
        double number = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
        if (problem != std::errc{} || number < 0) return std::nullopt;
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        std::size_t letters = 0;
        while (letters < text.size() && text::is_alpha(text[letters])) ++letters;
        const std::string_view unit = letters == 0 ? "s" : text.substr(0, letters);
        const auto* const known = std::find_if(k_units.begin(), k_units.end(), [&](const UnitName& one) { return one.name == unit; });
        if (known == k_units.end() || (letters == 0 && !text.empty())) return std::nullopt;
        total += number * known->milliseconds;
        text.remove_prefix(letters);
    }
    return total <= 31 * 24 * 3.6e6 ? std::optional{total} : std::nullopt;
}

bool is_nothing(const Value& value) noexcept {
    return value.is_null() || ((value.is_string() || value.is_map() || value.is_list()) && value.size() == 0);
}

}  // namespace

std::optional<std::string> text_of(const Value& value) { return text::scalar(value); }

void Fields::add(Field field) {
    if (!is_nothing(field.value) || !field.kept.empty() || !field.variable.empty()) fields_.push_back(std::move(field));
}

const Field* Fields::find(Names names) const noexcept {
    for (const std::string_view name : names) {
        for (const Field& field : fields_)
            if (text::iequals(field.key, name)) return &field;
    }
    return nullptr;
}

const Field* Fields::take(Names names) {
    const Field* found = find(names);
    for (Field& field : fields_) {
        if (&field == found) field.taken = true;
        // The same in other words, or once more: of no account where it says the same, and told of where it does not.
        const bool named = std::any_of(names.begin(), names.end(), [&](std::string_view name) { return text::iequals(field.key, name); });
        if (named && found != nullptr && field.value == found->value && field.kept == found->kept) field.taken = true;
    }
    return found;
}

std::string Fields::raw(Names names) {
    const Field* field = take(names);
    if (field == nullptr || !field->kept.empty() || !field->variable.empty()) return {};
    auto text = text_of(field->value);
    if (!text) bad(*field, "a text");
    return text.value_or(std::string{});
}

std::string Fields::text(Names names) {
    const Field* field = find(names);
    if (field == nullptr || (field->kept.empty() && field->variable.empty())) return literal(raw(names));
    take(names);
    return run_.secret_elsewhere(connection_, field->key, field->kept, field->variable);
}

std::optional<std::string> Fields::secret(Names names, std::string_view what) {
    const Field* field = take(names);
    if (field == nullptr) return std::nullopt;
    if (!field->kept.empty() || !field->variable.empty()) return run_.secret_elsewhere(connection_, what, field->kept, field->variable);
    const auto text = text_of(field->value);
    if (!text) {
        bad(*field, "a text");
        return std::nullopt;
    }
    return run_.secret(connection_, what, *text);
}

std::optional<bool> Fields::flag(Names names) {
    const Field* field = take(names);
    if (field == nullptr) return std::nullopt;
    if (field->value.is_bool()) return field->value.as_bool();
    const auto text = text_of(field->value);
    const auto word = text ? core::boolean_word(*text) : std::nullopt;
    if (!word) bad(*field, "true or false");
    return word;
}

std::optional<std::int64_t> Fields::number(Names names, std::int64_t least, std::int64_t most) {
    const Field* field = take(names);
    if (field == nullptr) return std::nullopt;
    const std::string text{text::trim(text_of(field->value).value_or(std::string{}))};
    std::int64_t number = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (problem == std::errc{} && end == text.data() + text.size() && !text.empty() && number >= least && number <= most) return number;
    bad(*field, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
    return std::nullopt;
}

std::optional<std::uint16_t> Fields::port(Names names) {
    const auto number = this->number(names, 0, 65'535);
    return number && *number > 0 ? std::optional{static_cast<std::uint16_t>(*number)} : std::nullopt;
}

std::optional<std::int64_t> Fields::seconds(Names names) {
    const Field* field = take(names);
    if (field == nullptr) return std::nullopt;
    const auto text = text_of(field->value);
    const auto time = text ? milliseconds(*text) : std::nullopt;
    if (!time) bad(*field, "a time in seconds");
    return time ? std::optional{static_cast<std::int64_t>(std::ceil(*time))} : std::nullopt;
}

void Fields::drop(Names names) {
    for (Field& field : fields_) {
        if (std::any_of(names.begin(), names.end(), [&](std::string_view name) { return text::iequals(field.key, name); })) field.taken = true;
    }
}

std::vector<Field*> Fields::rest() {
    std::vector<Field*> rest;
    for (Field& field : fields_)
        if (!field.taken) rest.push_back(&field);
    return rest;
}

void Fields::tell(Field& field, Severity severity, std::string hint) {
    field.taken = true;
    const std::string message = what_ + quoted(field.key) + " is not carried over";
    if (severity == Severity::note)
        run_.note("not-carried", field.place, message, std::move(hint), connection_);
    else
        run_.warning("not-carried", field.place, message, std::move(hint), connection_);
}

void Fields::tell_rest() {
    for (Field* field : rest()) tell(*field);
}

void Fields::bad(const Field& field, std::string_view expected) {
    run_.warning("bad-value", field.place, what_ + quoted(field.key) + " is not carried over: it is not " + std::string{expected}, {}, connection_);
}

}  // namespace qconn::importing
