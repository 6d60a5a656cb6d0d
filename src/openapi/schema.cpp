// SPDX-License-Identifier: Apache-2.0
#include "openapi/schema.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "base/json.hpp"
#include "base/text.hpp"
#include "openapi/pointer.hpp"

namespace qconn::openapi {

namespace {

struct NamedType {
    std::string_view name;
    std::uint8_t types;
};
constexpr std::array<NamedType, 7> k_types{{{"null", k_null},
                                            {"boolean", k_boolean},
                                            {"integer", k_integer},
                                            {"number", k_number},
                                            {"string", k_string},
                                            {"array", k_array},
                                            {"object", k_object}}};

std::uint8_t find_type(std::string_view name) noexcept {
    const auto* found = std::find_if(k_types.begin(), k_types.end(), [name](const NamedType& t) { return t.name == name; });
    return found == k_types.end() ? std::uint8_t{0} : found->types;
}

constexpr int k_deepest_question = 32;

std::uint8_t types_of(const Schema& given, int depth) {
    const Schema& schema = resolved(given);
    if (schema.types != 0 || depth == k_deepest_question) return schema.types;
    for (const Schema* part : schema.all_of)
        if (const std::uint8_t types = types_of(*part, depth + 1)) return types;
    for (const auto* group : {&schema.one_of, &schema.any_of}) {
        std::uint8_t all = 0;
        for (const Schema* part : *group) {
            const std::uint8_t types = types_of(*part, depth + 1);
            if (types == 0) return 0;
            all |= types;
        }
        if (all != 0) return all;
    }
    return schema.properties.empty() ? std::uint8_t{0} : std::uint8_t{k_object};
}

const Schema* member_of(const Schema& given, std::string_view name, int depth) {
    const Schema& schema = resolved(given);
    if (const auto found = schema.properties.find(name); found != schema.properties.end()) return found->second;
    if (depth == k_deepest_question) return nullptr;
    for (const auto* group : {&schema.all_of, &schema.one_of, &schema.any_of}) {
        for (const Schema* part : *group)
            if (const Schema* found = member_of(*part, name, depth + 1)) return found;
    }
    return schema.additional;
}

/// Values as JSON, for people.
std::string words_of(const List& values) {
    constexpr std::size_t k_longest = 200;
    std::string words;
    for (const Value& value : values) (words += words.empty() ? "" : ", ") += json::encode(value, false, json::Unfit::as_text);
    return text::printable(text::shorten(words, k_longest));
}

}  // namespace

std::string_view type_name(Types type) noexcept {
    const auto* found = std::find_if(k_types.begin(), k_types.end(), [type](const NamedType& t) { return t.types == type; });
    return found == k_types.end() ? std::string_view{} : found->name;
}

std::string type_names(std::uint8_t types) {
    std::string names;
    for (const NamedType& type : k_types)
        if ((types & type.types) != 0) (names += names.empty() ? "" : " or ") += type.name;
    return names;
}

const Schema& resolved(const Schema& schema) noexcept {
    const Schema* at = &schema;
    while (at->target != nullptr) at = at->target;
    return *at;
}

std::uint8_t types_of(const Schema& schema) { return types_of(schema, 0); }
const Schema* member_of(const Schema& schema, std::string_view name) { return member_of(schema, name, 0); }

const Schema* Schemas::at(const Spot& spot) {
    const auto [found, is_new] = known_.try_emplace({spot.source, spot.pointer}, nullptr);
    if (!is_new) return found->second;
    if (schemas_.size() == sources_.options().limits.schemas) {
        throw make_error(Errc::limit, "the API description uses more than " + std::to_string(schemas_.size()) + " schemas");
    }
    found->second = &schemas_.emplace_back();
    found->second->name = spot.name(&sources_.main());
    spots_.push_back(spot);
    return found->second;
}

std::deque<Schema> Schemas::take() {
    for (std::size_t i = 0; i < schemas_.size(); ++i) fill(schemas_[i], Spot{spots_[i]});
    check_circles();
    return std::move(schemas_);
}

/// Nothing but a step into a value keeps the check of `a`, which is all of `b`, which is all of `a`, from going round for ever.
void Schemas::check_circles() const {
    enum class State : std::uint8_t { fresh, open, done };
    struct Visit {
        const Schema* schema;
        std::vector<const Schema*> next;
    };
    std::unordered_map<const Schema*, State> states;
    const auto visit_of = [](const Schema* schema) {
        Visit visit{schema, {}};
        for (const auto* group : {&schema->all_of, &schema->one_of, &schema->any_of})
            visit.next.insert(visit.next.end(), group->begin(), group->end());
        for (const Schema* part : {schema->target, schema->none_of})
            if (part != nullptr) visit.next.push_back(part);
        return visit;
    };
    for (std::size_t i = 0; i < schemas_.size(); ++i) {
        if (states[&schemas_[i]] != State::fresh) continue;
        std::vector<Visit> path{visit_of(&schemas_[i])};
        states[&schemas_[i]] = State::open;
        while (!path.empty()) {
            if (path.back().next.empty()) {
                states[path.back().schema] = State::done;
                path.pop_back();
                continue;
            }
            const Schema* next = path.back().next.back();
            path.back().next.pop_back();
            State& state = states[next];
            if (state == State::open) sources_.fail(spots_[i], "the schema is made of itself, through " + next->name);
            if (state == State::done) continue;
            state = State::open;
            path.push_back(visit_of(next));
        }
    }
}

void Schemas::fill(Schema& schema, const Spot& spot) {
    if (spot.value != nullptr && spot.value->is_bool() && dialect_ == Dialect::openapi3) {
        sources_.fault(spot, "a schema must be a map");
        return;
    }
    if (spot.value == nullptr || !spot.value->is_map()) sources_.fail(spot, "a schema must be a map");
    if (const Value* reference = spot.value->as_map().find("$ref")) {
        if (!reference->is_string()) sources_.fail(spot, "$ref must be text");
        schema.target = at(sources_.resolve(spot, reference->as_string()));
        return;
    }
    fill_types(schema, spot);
    fill_limits(schema, spot);
    fill_object(schema, spot);
    fill_parts(schema, spot);
    if (dialect_ != Dialect::draft4) fill_discriminator(schema, spot);
}

void Schemas::fill_types(Schema& schema, const Spot& spot) {
    const auto add = [&](const Spot& at) {
        const std::string_view name = at.value->is_string() ? at.value->as_string() : std::string_view{};
        if (name == "file" && dialect_ == Dialect::swagger2) {
            schema.file = true;
            return;
        }
        const std::uint8_t type = find_type(name);
        if (type == 0 || (type == k_null && dialect_ != Dialect::draft4)) sources_.fault(at, "there is no such type");
        schema.types |= type;
    };
    if (const Spot type = spot["type"]; type.value != nullptr) {
        if (type.value->is_list()) {
            if (dialect_ != Dialect::draft4) sources_.fault(type, "a schema can have one type only");
            for (std::size_t i = 0; i < type.value->size(); ++i) add(type[i]);
        } else {
            add(type);
        }
    }
    schema.nullable = flag(spot["nullable"]) || flag(spot["x-nullable"]);
    schema.read_only = flag(spot["readOnly"]);
    schema.write_only = flag(spot["writeOnly"]);
    if (const Spot format = spot["format"]; format && format.value->is_string()) schema.format = find_format(format.value->as_string());
    for (const char* word : {"enum", "const"}) {
        const Spot allowed = spot[word];
        if (allowed.value == nullptr || (word == std::string_view{"const"} && dialect_ == Dialect::draft4)) continue;
        const bool is_list = word == std::string_view{"enum"};
        if (is_list && (!allowed.value->is_list() || allowed.value->size() == 0)) {
            sources_.fault(allowed, "enum must be a list with at least one value");
            continue;
        }
        const List values = is_list ? allowed.value->as_list() : List{*allowed.value};
        schema.allowed.emplace();
        for (const Value& value : values) schema.allowed->insert(canonical(value));
        schema.allowed_words = words_of(values);
    }
}

void Schemas::fill_limits(Schema& schema, const Spot& spot) {
    schema.minimum = number(spot["minimum"]);
    schema.maximum = number(spot["maximum"]);
    schema.multiple_of = number(spot["multipleOf"]);
    if (schema.multiple_of &&
        (schema.multiple_of->negative || schema.multiple_of->digits.empty() || schema.multiple_of->digits.size() > k_divisor_digits)) {
        sources_.fault(spot["multipleOf"], "multipleOf must be above zero, with at most " + std::to_string(k_divisor_digits) + " digits");
        schema.multiple_of.reset();
    }
    schema.above_minimum = exclusive(spot["exclusiveMinimum"], schema.minimum, 1);
    schema.below_maximum = exclusive(spot["exclusiveMaximum"], schema.maximum, -1);
    schema.min_length = count(spot["minLength"]);
    schema.max_length = count(spot["maxLength"]);
    schema.min_items = count(spot["minItems"]);
    schema.max_items = count(spot["maxItems"]);
    schema.min_properties = count(spot["minProperties"]);
    schema.max_properties = count(spot["maxProperties"]);
    schema.unique_items = flag(spot["uniqueItems"]);
    if (const Spot pattern = spot["pattern"]; pattern) {
        std::string problem = "it must be text";
        if (pattern.value->is_string()) schema.pattern = Pattern::compile(pattern.value->as_string(), problem);
        if (schema.pattern)
            schema.pattern_text = text::printable(text::shorten(pattern.value->as_string(), 100));
        else
            sources_.fault(pattern, "the pattern is no regular expression: " + problem);
    }
}

void Schemas::fill_object(Schema& schema, const Spot& spot) {
    const bool parameter = dialect_ == Dialect::swagger2 && spot["in"].value != nullptr && spot["in"].value->is_string();
    if (const Spot required = spot["required"]; required.value != nullptr && !parameter) {
        if (required.value->is_list()) {
            for (const Value& name : required.value->as_list())
                if (name.is_string()) schema.required.emplace_back(name.as_string());
        } else {
            sources_.fault(required, "required must be a list of names");
        }
    }
    if (const Spot properties = spot["properties"]; properties) {
        if (!properties.value->is_map()) sources_.fail(properties, "properties must be a map of schemas");
        for (const auto& [name, value] : properties.value->as_map()) schema.properties.emplace(name, at(properties[name]));
    }
    if (const Spot additional = spot["additionalProperties"]; additional.value != nullptr) {
        if (additional.value->is_bool())
            schema.further_properties = additional.value->as_bool();
        else if (additional.value->is_map())
            schema.additional = at(additional);
        else
            sources_.fault(additional, "additionalProperties must be a schema, true or false");
    }
    if (const Spot items = spot["items"]; items) schema.items = at(items);
    if (dialect_ != Dialect::draft4 && (schema.types & k_array) != 0 && schema.items == nullptr) sources_.fault(spot, "an array needs items");
}

std::vector<const Schema*> Schemas::list(const Spot& spot) {
    std::vector<const Schema*> all;
    if (spot.value == nullptr) return all;
    if (!spot.value->is_list() || spot.value->size() == 0) {
        sources_.fault(spot, "it must be a list of schemas");
        return all;
    }
    for (std::size_t i = 0; i < spot.value->size(); ++i) all.push_back(at(spot[i]));
    return all;
}

void Schemas::fill_parts(Schema& schema, const Spot& spot) {
    schema.all_of = list(spot["allOf"]);
    schema.one_of = list(spot["oneOf"]);
    schema.any_of = list(spot["anyOf"]);
    if (const Spot none = spot["not"]; none) schema.none_of = at(none);
}

/// What names a schema means: its heirs, which are all of it and more, and itself; or the alternatives beside the discriminator. 3.0 may name others.
void Schemas::fill_discriminator(Schema& schema, const Spot& spot) {
    const Spot given = spot["discriminator"];
    if (!given) return;
    const bool map = given.value->is_map();
    const Spot property = map ? given["propertyName"] : given;
    if (map == (dialect_ == Dialect::swagger2) || property.value == nullptr || !property.value->is_string()) {
        sources_.fault(given, map ? "a discriminator is the name of a member here" : "a discriminator must be a map with propertyName");
        return;
    }
    Discriminator discriminator{std::string{property.value->as_string()}, {}};
    const auto last_step = [](std::string_view reference) { return std::string{reference.substr(reference.rfind('/') + 1)}; };
    for (const char* word : {"oneOf", "anyOf"}) {
        const Spot alternatives = spot[word];
        for (std::size_t i = 0; alternatives && i < alternatives.value->size(); ++i) {
            const Value& reference = alternatives[i].value != nullptr ? (*alternatives[i].value)["$ref"] : Value{};
            if (reference.is_string()) discriminator.schemas.emplace(last_step(reference.as_string()), at(alternatives[i]));
        }
    }
    if (schema.one_of.empty() && schema.any_of.empty()) add_heirs(discriminator, spot);
    if (const Spot mapping = map ? given["mapping"] : Spot{}; mapping && mapping.value->is_map()) {
        for (const auto& [name, target] : mapping.value->as_map()) {
            if (!target.is_string()) continue;
            const std::string_view reference = target.as_string();
            const bool is_name = reference.find_first_of("/#.") == std::string_view::npos;
            const std::string whole = is_name ? "#/components/schemas/" + std::string{reference} : std::string{reference};
            discriminator.schemas.insert_or_assign(name, at(sources_.resolve(mapping[name], whole)));
        }
    }
    schema.discriminator = std::move(discriminator);
}

void Schemas::add_heirs(Discriminator& discriminator, const Spot& base) {
    const std::string folder = dialect_ == Dialect::swagger2 ? "/definitions" : "/components/schemas";
    Spot all{base.source, folder, find_at(base.source->root, folder)};
    if (!all || !all.value->is_map() || !base.pointer.starts_with(folder + "/")) return;
    std::vector<std::string> found{base.pointer};
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const auto& [name, value] : all.value->as_map()) {
            const Spot heir = all[name];
            const Spot parts = heir["allOf"];
            if (std::find(found.begin(), found.end(), heir.pointer) != found.end() || !parts || !parts.value->is_list()) continue;
            for (const Value& part : parts.value->as_list()) {
                const Value& reference = part["$ref"];
                if (!reference.is_string()) continue;
                const Reference to = resolve_reference(base.source->location, reference.as_string());
                if (to.location != base.source->location || to.pointer != found[i]) continue;
                found.push_back(heir.pointer);
                break;
            }
        }
    }
    for (const std::string& pointer : found) {
        discriminator.schemas.emplace(steps_of(pointer)->back(), at({base.source, pointer, find_at(base.source->root, pointer)}));
    }
}

std::optional<std::size_t> Schemas::count(const Spot& spot) {
    if (spot.value == nullptr) return std::nullopt;
    const auto number = to_decimal(*spot.value);
    if (!number || number->negative || !number->is_integer()) {
        sources_.fault(spot, "it must be a whole number from 0 on");
        return std::nullopt;
    }
    constexpr std::size_t k_digits = 18;
    const std::string digits = to_text(*number);
    return digits.size() > k_digits || digits.find('e') != std::string::npos ? SIZE_MAX : static_cast<std::size_t>(std::stoull(digits));
}

bool Schemas::flag(const Spot& spot) {
    if (spot.value == nullptr) return false;
    if (!spot.value->is_bool()) sources_.fault(spot, "it must be true or false");
    return spot.value->is_bool() && spot.value->as_bool();
}

/// A number here is of later drafts; FastAPI once wrote it into documents of OpenAPI 3.0.
bool Schemas::exclusive(const Spot& spot, std::optional<Decimal>& limit, int inwards) {
    const auto own = spot.value != nullptr ? to_decimal(*spot.value) : std::nullopt;
    if (!own) return flag(spot);
    sources_.fault(spot, "it must be true or false; lax takes the number as the limit");
    if (limit && compare(*limit, *own) * inwards > 0) return false;
    limit = own;
    return true;
}

std::optional<Decimal> Schemas::number(const Spot& spot) {
    if (spot.value == nullptr) return std::nullopt;
    auto number = to_decimal(*spot.value);
    if (!number) sources_.fault(spot, "it must be a number");
    return number;
}

}  // namespace qconn::openapi
