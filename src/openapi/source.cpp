// SPDX-License-Identifier: Apache-2.0
#include "openapi/source.hpp"

#include <algorithm>
#include <utility>

#include <qconn/base/url.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "base/yaml.hpp"
#include "openapi/pointer.hpp"

namespace qconn::openapi {

namespace {

constexpr std::size_t k_most_faults = 100;
constexpr std::size_t k_longest_chain = 100;  // of references to references

/// Names of members are text whatever they look like (`200:`), and there are no points in time.
Value to_json_value(const yaml::Node& node) {
    if (node.is_mapping()) {
        Map map;
        for (const auto [key, value] : node.entries()) map.insert(std::string{key.text()}, to_json_value(value));
        return map;
    }
    if (node.is_sequence()) {
        List list;
        list.reserve(node.size());
        for (const yaml::Node& item : node.items()) list.push_back(to_json_value(item));
        return list;
    }
    std::vector<yaml::Problem> problems;
    Value value = yaml::to_value(node, &problems);
    const bool of_json = value.is_null() || value.is_bool() || value.is_number();
    return of_json && problems.empty() ? value : Value{node.text()};
}

/// A URL without its log-in. What follows the colon of a resource is its name.
std::string shown(const std::string& location) { return location.starts_with("resource:") ? location : mask_url(location); }

/// Whoever writes a document on the net must not choose which files of this machine are read, nor lead from https to where others can change things.
bool may_refer(std::string_view from, std::string_view to) {
    const std::string left = text::to_lower(from.substr(0, from.find(':')));
    const std::string right = text::to_lower(to.substr(0, to.find(':')));
    if (left == "https") return right == "https";
    return left != "http" || right == "http" || right == "https";
}

[[noreturn]] void throw_faults(std::vector<Fault> faults) {
    const Fault& first = faults.front();
    std::string message = "the API description" + (first.location.empty() ? "" : " '" + text::printable(first.location) + "'") + " cannot be used: ";
    if (first.line != 0) message += "line " + std::to_string(first.line) + ", column " + std::to_string(first.column) + ", ";
    message += "at " + (first.pointer.empty() ? std::string{"its root"} : text::printable(first.pointer)) + ": " + first.message;
    if (faults.size() > 1) message += " (and " + std::to_string(faults.size() - 1) + " more)";
    Error error{OpenApiErrc::document, "SWAGGER-SCHEMA-ERROR", std::move(message)};
    error.with_reason(Reason::bad_value).with_detail(std::make_shared<DocumentErrorDetail>(std::move(faults)));
    throw error;
}

const yaml::Node* node_at(const yaml::Node& root, std::string_view pointer) {
    const yaml::Node* at = &root;
    for (const std::string& step : steps_of(pointer).value_or(std::vector<std::string>{})) {
        const yaml::Node* next = at->find(step);
        if (at->is_sequence()) {
            std::size_t i = 0;
            for (const yaml::Node& item : at->items())
                if (std::to_string(i++) == step) next = &item;
        }
        if (next == nullptr) return at;  // of what is missing: where it would be
        at = next;
    }
    return at;
}

}  // namespace

Spot Spot::operator[](std::string_view key) const {
    const Value* member = value != nullptr && value->is_map() ? value->as_map().find(key) : nullptr;
    return {source, below(pointer, key), member};
}
Spot Spot::operator[](std::size_t index) const {
    const bool there = value != nullptr && value->is_list() && index < value->size();
    return {source, below(pointer, index), there ? &value->as_list()[index] : nullptr};
}
std::string Spot::name(const Source* main) const { return (source == main ? "" : shown(source->location)) + "#" + pointer; }

const Source& Sources::add_main(std::string_view text) { return add("", text); }

const Source& Sources::add_main(const Value& value) {
    auto source = std::make_unique<Source>();
    source->location = options_.location;
    source->root = value;
    return *(documents_[""] = std::move(source));
}

const Source& Sources::add(std::string key, std::string_view text) {
    auto source = std::make_unique<Source>();
    source->location = key.empty() ? options_.location : key;
    source->text = text;
    const Limits& limits = options_.limits;
    const auto broken = [&](std::string words, const yaml::Mark& at) {
        throw_faults({{shown(source->location), "", at.line, at.column, std::move(words)}});
    };
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    const bool braces = begin != std::string_view::npos && text[begin] == '{';
    std::optional<Error> json_error;
    if (braces || text.starts_with("\xEF\xBB\xBF{")) {
        json::Limits json{.size = limits.size, .depth = limits.depth, .values = limits.nodes, .last_member_wins = options_.lax};
        Result<Value> value = json::decode(text, json);
        if (value) {
            source->root = std::move(*value);
            return *(documents_[std::move(key)] = std::move(source));
        }
        if (value.error().reason() == Reason::limit) throw value.error();
        json_error = value.error();  // it may be YAML in flow style
    }
    const yaml::ParseResult parsed = yaml::parse(text, {.size = limits.size, .depth = limits.depth, .nodes = limits.nodes});
    for (const yaml::Problem& problem : parsed.problems) {
        if (problem.code == "limit") throw make_error(Errc::limit, "the API description cannot be read: " + problem.message);
        const bool harmless = options_.lax && !parsed.fatal && problem.code == "duplicate-key";
        if (harmless) continue;
        if (json_error) broken("it is no JSON: " + std::string{json_error->message()}, problem.at);
        broken("it is no YAML: " + problem.message, problem.at);
    }
    if (parsed.documents.size() != 1) broken(parsed.documents.empty() ? "it is empty" : "it holds several documents", {});
    source->root = to_json_value(*parsed.documents.front().root);
    return *(documents_[std::move(key)] = std::move(source));
}

Spot Sources::resolve(const Spot& spot, std::string_view reference) {
    Reference to = resolve_reference(spot.source->location, reference);
    const Source* source = nullptr;
    if (to.location == spot.source->location) {
        source = spot.source;
    } else if (to.location == options_.location) {
        source = &main();
    } else if (const auto known = documents_.find(to.location); known != documents_.end()) {
        source = known->second.get();
    } else {
        const std::string there = text::printable(shown(to.location));
        if (!may_refer(spot.source->location, to.location))
            fail(spot, "it refers to '" + there + "', which a document from " + spot.source->location.substr(0, spot.source->location.find(':')) +
                           ": must not");
        if (!options_.resolver) fail(spot, "it refers to another document, '" + there + "', which cannot be read here");
        if (documents_.size() > options_.limits.documents) {
            throw make_error(Errc::limit,
                             "the API description refers to more than " + std::to_string(options_.limits.documents) + " other documents");
        }
        std::string text;
        try {
            text = options_.resolver(to.location);
        } catch (const Error& error) { fail(spot, "it refers to '" + there + "', which cannot be read: " + error.what()); }
        source = &add(to.location, text);
    }
    Spot target{source, to.pointer, find_at(source->root, to.pointer)};
    if (target.value == nullptr) fail(spot, "it refers to '" + text::printable(std::string{reference}) + "', where nothing is");
    return target;
}

Spot Sources::follow(const Spot& spot) {
    Spot at = spot;
    for (std::size_t i = 0; at.value != nullptr && at.value->is_map(); ++i) {
        const Value* reference = at.value->as_map().find("$ref");
        if (reference == nullptr || !reference->is_string()) return at;
        if (i == k_longest_chain) fail(spot, "its reference leads to itself");
        at = resolve(at, reference->as_string());
    }
    return at;
}

void Sources::fail(const Spot& spot, std::string message) const {
    std::vector<Fault> faults{{spot.source->location, spot.pointer, 0, 0, std::move(message)}};
    find_places(faults);
    throw_faults(std::move(faults));
}

void Sources::fault(const Spot& spot, std::string message) {
    if (faults_.size() < k_most_faults) faults_.push_back({spot.source->location, spot.pointer, 0, 0, std::move(message)});
}

/// Documents are parsed once more, as nobody asks for places in good ones. JSON that YAML does not take has none.
void Sources::find_places(std::vector<Fault>& faults) const {
    for (const auto& [key, source] : documents_) {
        const auto is_here = [&](const Fault& fault) { return fault.location == source->location; };
        if (source->text.empty() || std::none_of(faults.begin(), faults.end(), is_here)) continue;
        const yaml::ParseResult parsed = yaml::parse(source->text, {.size = options_.limits.size, .nodes = options_.limits.nodes});
        if (parsed.documents.empty()) continue;
        for (Fault& fault : faults) {
            if (!is_here(fault)) continue;
            const yaml::Mark at = node_at(*parsed.documents.front().root, fault.pointer)->start();
            fault.line = at.line;
            fault.column = at.column;
        }
    }
    for (Fault& fault : faults) fault.location = shown(fault.location);
}

std::vector<Fault> Sources::finish() {
    if (faults_.empty()) return {};
    find_places(faults_);
    if (!options_.lax) throw_faults(std::exchange(faults_, {}));
    return std::exchange(faults_, {});
}

}  // namespace qconn::openapi
