// SPDX-License-Identifier: Apache-2.0
#include "openapi/validate.hpp"

#include <algorithm>
#include <unordered_set>

#include "base/scalar_text.hpp"
#include "base/text.hpp"
#include "openapi/pointer.hpp"

namespace qconn::openapi {

namespace {

constexpr std::size_t k_deepest = 1'000;  // schemas inside each other, each a frame or two of the stack

std::uint8_t kinds_of(const Value& value) {
    switch (value.kind()) {
        case ValueKind::null: return k_null;
        case ValueKind::boolean: return k_boolean;
        case ValueKind::list: return k_array;
        case ValueKind::map: return k_object;
        case ValueKind::int64:
        case ValueKind::uint64: return k_integer | k_number;
        case ValueKind::float64:
        case ValueKind::decimal: {
            const auto number = to_decimal(value);
            if (!number) return 0;
            return number->is_integer() ? k_integer | k_number : k_number;
        }
        default: return k_string;  // sent as text
    }
}

std::string_view kind_name(std::uint8_t kinds) noexcept {
    for (const Types type : {k_integer, k_null, k_boolean, k_number, k_string, k_array, k_object})
        if ((kinds & type) != 0) return type_name(type);
    return "no value that JSON has";
}

std::string counted(std::size_t n, std::string_view one, std::string_view many) { return std::to_string(n) + " " + std::string{n == 1 ? one : many}; }

}  // namespace

void Check::finding(std::string instance, std::string schema, std::string message) {
    if (silent_ != 0 || findings_.size() == limits_.findings) return;
    Finding found{std::move(instance), std::move(schema), std::move(message)};
    // A schema that counts on two ways, as an heir's base and by itself, finds the same twice.
    if (std::find(findings_.begin(), findings_.end(), found) == findings_.end()) findings_.push_back(std::move(found));
}

bool Check::wrong(const Schema& schema, const std::string& instance, std::string message) {
    if (silent_ == 0) finding(instance, schema.name, std::move(message));
    return false;
}

bool Check::value(const Schema& given, const Value& value, const std::string& instance) {
    if (steps_-- == 0)
        throw make_error(Errc::limit, "checking against the API description takes more than " + std::to_string(limits_.steps) + " steps");
    if (depth_ == k_deepest)
        throw make_error(Errc::limit, "checking against the API description goes more than " + std::to_string(k_deepest) + " schemas deep");
    if (value.kind() == ValueKind::tagged) return this->value(given, value.untagged(), instance);
    ++depth_;
    const bool good = apply(resolved(given), value, instance);
    --depth_;
    return good;
}

bool Check::apply(const Schema& schema, const Value& value, const std::string& instance) {
    if (schema.file || (schema.nullable && value.is_null())) return true;
    if (!kind(schema, value, instance)) return false;
    bool good = true;
    if (schema.allowed && !schema.allowed->contains(canonical(value))) good = wrong(schema, instance, "is none of " + schema.allowed_words);
    const std::uint8_t kinds = kinds_of(value);
    if ((kinds & k_number) != 0) good = number(schema, value, instance) && good;
    if (kinds == k_string && value.kind() != ValueKind::binary) {
        const bool is_text = value.is_string();
        good = text(schema, is_text ? value.as_string() : text::scalar(value).value_or(""), instance) && good;
    }
    if (value.is_list()) good = list(schema, value.as_list(), instance) && good;
    if (value.is_map()) good = map(schema, value.as_map(), instance) && good;
    if (schema.discriminator && value.is_map() && std::find(chosen_.begin(), chosen_.end(), &value) == chosen_.end()) {
        return dispatch(schema, value, instance) && good;
    }
    return parts(schema, value, instance) && good;
}

bool Check::kind(const Schema& schema, const Value& value, const std::string& instance) {
    const std::uint8_t kinds = kinds_of(value);
    if (kinds == 0) return wrong(schema, instance, "is no value that JSON has");
    if (schema.types == 0 || (schema.types & kinds) != 0) return true;
    return wrong(schema, instance, "must be " + type_names(schema.types) + ", and is " + std::string{kind_name(kinds)});
}

bool Check::number(const Schema& schema, const Value& value, const std::string& instance) {
    bool good = true;
    const bool limited = schema.minimum || schema.maximum || schema.multiple_of;
    if (const auto number = limited ? to_decimal(value) : std::nullopt; number) {
        if (schema.minimum) {
            const int order = compare(*number, *schema.minimum);
            if (order < 0 || (order == 0 && schema.above_minimum))
                good = wrong(schema, instance, std::string{schema.above_minimum ? "must be above " : "must be at least "} + to_text(*schema.minimum));
        }
        if (schema.maximum) {
            const int order = compare(*number, *schema.maximum);
            if (order > 0 || (order == 0 && schema.below_maximum))
                good = wrong(schema, instance, std::string{schema.below_maximum ? "must be below " : "must be at most "} + to_text(*schema.maximum));
        }
        if (schema.multiple_of && !is_multiple(*number, *schema.multiple_of))
            good = wrong(schema, instance, "must be a multiple of " + to_text(*schema.multiple_of));
    }
    if (schema.format != nullptr && schema.format->number != nullptr && !schema.format->number(value))
        good = wrong(schema, instance, "is not " + std::string{schema.format->words});
    return good;
}

bool Check::text(const Schema& schema, std::string_view text, const std::string& instance) {
    bool good = true;
    if (schema.min_length || schema.max_length) {
        const std::size_t length = text::utf8_length(text);
        if (schema.min_length && length < *schema.min_length)
            good = wrong(schema, instance, "must have at least " + counted(*schema.min_length, "character", "characters"));
        if (schema.max_length && length > *schema.max_length)
            good = wrong(schema, instance, "must have at most " + counted(*schema.max_length, "character", "characters"));
    }
    if (schema.pattern) {
        const Pattern::Outcome outcome = schema.pattern->search(text, limits_.pattern_steps);
        if (outcome == Pattern::Outcome::none) good = wrong(schema, instance, "does not match the pattern " + schema.pattern_text);
        if (outcome == Pattern::Outcome::limit)
            good = wrong(schema, instance, "cannot be judged: matching the pattern " + schema.pattern_text + " takes too long");
    }
    if (schema.format != nullptr && schema.format->text != nullptr && !schema.format->text(text))
        good = wrong(schema, instance, "is not " + std::string{schema.format->words});
    return good;
}

bool Check::list(const Schema& schema, const List& list, const std::string& instance) {
    bool good = true;
    if (schema.min_items && list.size() < *schema.min_items)
        good = wrong(schema, instance, "must have at least " + counted(*schema.min_items, "item", "items"));
    if (schema.max_items && list.size() > *schema.max_items)
        good = wrong(schema, instance, "must have at most " + counted(*schema.max_items, "item", "items"));
    if (schema.unique_items) {
        std::unordered_set<std::string> seen;
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (seen.insert(canonical(list[i])).second) continue;
            good = wrong(schema, below(instance, i), "is in the list twice");
            break;
        }
    }
    if (schema.items == nullptr) return good;
    for (std::size_t i = 0; i < list.size(); ++i) good = value(*schema.items, list[i], below(instance, i)) && good;
    return good;
}

bool Check::map(const Schema& schema, const Map& map, const std::string& instance) {
    bool good = true;
    if (schema.min_properties && map.size() < *schema.min_properties)
        good = wrong(schema, instance, "must have at least " + counted(*schema.min_properties, "member", "members"));
    if (schema.max_properties && map.size() > *schema.max_properties)
        good = wrong(schema, instance, "must have at most " + counted(*schema.max_properties, "member", "members"));
    const bool request = direction_ == Direction::request;
    const auto one_way = [&](const Schema& member) { return request ? member.read_only : member.write_only; };
    for (const std::string& name : schema.required) {
        if (map.contains(name)) continue;
        const Schema* member = member_of(schema, name);
        if (member != nullptr && one_way(resolved(*member))) continue;
        good = wrong(schema, instance, "lacks \"" + text::printable(name) + "\"");
    }
    for (const auto& [name, member] : map) {
        const std::string where = below(instance, name);
        if (const auto known = schema.properties.find(name); known != schema.properties.end()) {
            if (!lax_ && one_way(resolved(*known->second)))
                good = wrong(*known->second, where, request ? "is only for answers" : "is only for requests");
            good = value(*known->second, member, where) && good;
        } else if (schema.additional != nullptr) {
            good = value(*schema.additional, member, where) && good;
        } else if (!schema.further_properties) {
            good = wrong(schema, where, "is not a member that is known here");
        }
    }
    return good;
}

bool Check::silently(const Schema& schema, const Value& value, const std::string& instance) {
    ++silent_;
    const bool good = this->value(schema, value, instance);
    --silent_;
    return good;
}

bool Check::parts(const Schema& schema, const Value& value, const std::string& instance) {
    bool good = true;
    for (const Schema* part : schema.all_of) good = this->value(*part, value, instance) && good;
    const auto fitting = [&](const std::vector<const Schema*>& group, std::size_t enough) {
        std::size_t fit = 0;
        for (auto part = group.begin(); part != group.end() && fit < enough; ++part)
            if (silently(**part, value, instance)) ++fit;
        return fit;
    };
    if (schema.any_of.size() == 1) {
        good = this->value(*schema.any_of.front(), value, instance) && good;
    } else if (!schema.any_of.empty() && fitting(schema.any_of, 1) == 0) {
        good = wrong(schema, instance, "fits none of the alternatives in anyOf");
    }
    if (schema.one_of.size() == 1) {
        good = this->value(*schema.one_of.front(), value, instance) && good;
    } else if (!schema.one_of.empty()) {
        const std::size_t fit = fitting(schema.one_of, 2);
        if (fit == 0) good = wrong(schema, instance, "fits none of the alternatives in oneOf");
        if (fit > 1) good = wrong(schema, instance, "fits several of the alternatives in oneOf");
    }
    if (schema.none_of != nullptr && silently(*schema.none_of, value, instance)) good = wrong(schema, instance, "fits what it must not");
    return good;
}

/// The schema that the member names counts for all of the value; it is made of this one, or one of its alternatives.
bool Check::dispatch(const Schema& schema, const Value& value, const std::string& instance) {
    const Discriminator& by = *schema.discriminator;
    const Value* name = value.as_map().find(by.property);
    if (name == nullptr || !name->is_string()) return wrong(schema, instance, "lacks \"" + by.property + "\", which says what it is");
    const auto found = by.schemas.find(std::string{name->as_string()});
    if (found == by.schemas.end()) {
        if (by.schemas.empty()) return parts(schema, value, instance);
        std::string names;
        for (const auto& [known, target] : by.schemas) (names += names.empty() ? "" : ", ") += known;
        return wrong(schema, below(instance, by.property), "names no schema; there are " + text::printable(text::shorten(names, 200)));
    }
    chosen_.push_back(&value);
    // Of the alternatives one is chosen; of heirs, the rest of this schema counts as well.
    bool good = true;
    if (schema.one_of.empty() && schema.any_of.empty()) good = parts(schema, value, instance);
    if (&resolved(*found->second) != &schema) good = this->value(*found->second, value, instance) && good;
    chosen_.pop_back();
    return good;
}

}  // namespace qconn::openapi
