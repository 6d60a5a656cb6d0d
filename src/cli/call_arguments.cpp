// SPDX-License-Identifier: Apache-2.0
#include "cli/call_arguments.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <iostream>
#include <iterator>

#include <qconn/base/byte_stream.hpp>

#include "cli/describe.hpp"
#include "cli/json.hpp"
#include "cli/tool.hpp"

namespace qconn::cli {
namespace {

using Argument = OperationSpec::Argument;

bool is_name(std::string_view text) noexcept {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
    return !text.empty() && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; });
}

/// As the options of all operations are named.
bool is_option_name(std::string_view text) noexcept {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
    return !text.empty() && letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

/// A whole file; "-" is standard input. @throws Error SYSTEM-ERROR
std::string contents_of(const std::string& name) {
    if (name == "-") return {std::istreambuf_iterator<char>{std::cin}, {}};
    const auto source = file_source(name);
    std::string text;
    std::array<char, 65536> block{};
    for (std::size_t n = 1; n > 0;) {
        n = source->read(block.data(), block.size());
        text.append(block.data(), n);
    }
    return text;
}

/// Absent where the text is not of that type.
std::optional<Value> converted(const std::string& text, OptionType type) {
    switch (type) {
        case OptionType::boolean:
            if (text == "true") return Value{true};
            if (text == "false") return Value{false};
            return std::nullopt;
        case OptionType::integer: {
            std::int64_t number = 0;
            const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
            return Value{number};
        }
        case OptionType::number: {
            auto value = parse_json(text);
            return value && value->is_number() ? value : std::nullopt;
        }
        case OptionType::string: return Value{text};
        case OptionType::data: return Value::binary(text);
        case OptionType::map: {
            auto value = parse_json(text);
            return value && value->is_map() ? value : std::nullopt;
        }
        case OptionType::list: {
            auto value = parse_json(text);
            return value && value->is_list() ? value : std::nullopt;
        }
        case OptionType::any: {
            auto value = parse_json(text);
            return value ? value : Value{text};
        }
    }
    return std::nullopt;
}

class Binder {
public:
    explicit Binder(const OperationSpec& operation) : operation_{operation} {}

    void add(const CallWord& word) {
        if (const auto equals = word.text.find('='); !word.literal && equals != std::string::npos) {
            const std::string key = word.text.substr(0, equals);
            const auto field = std::find_if(operation_.fields.begin(), operation_.fields.end(), [&](const Argument& a) { return a.name == key; });
            if (field != operation_.fields.end()) return set(*field, {word.text.substr(equals + 1), false});
            if (operation_.free_fields && is_name(key)) return set({key, OptionType::any, false, {}}, {word.text.substr(equals + 1), false});
            // Otherwise a slip of the pen would become the name of a file.
            if (!operation_.fields.empty() && is_option_name(key)) refuse_option(key);
        }
        if (next_ == operation_.arguments.size()) {
            if (!operation_.rest) fail("'" + printable(word.text) + "' is one argument too many");
            rest_.push_back(value_of(*operation_.rest, word));
            return;
        }
        set(operation_.arguments[next_++], word);
    }

    Map take() {
        for (const auto* group : {&operation_.arguments, &operation_.fields}) {
            for (const Argument& argument : *group) {
                if (argument.required && !values_.contains(argument.name)) fail("the argument " + argument.name + " is missing");
            }
        }
        if (!rest_.empty()) values_.set(operation_.rest->name, std::move(rest_));
        return std::move(values_);
    }

private:
    void set(const Argument& argument, const CallWord& word) {
        if (!values_.insert(argument.name, value_of(argument, word))) fail("the argument " + argument.name + " is given twice");
    }
    Value value_of(const Argument& argument, const CallWord& word) const {
        if (argument.type == OptionType::data && !word.literal && word.text.starts_with('@')) return Value::binary(contents_of(word.text.substr(1)));
        auto value = converted(word.text, argument.type);
        if (!value) fail("the argument " + argument.name + " is no " + std::string{to_string(argument.type)} + ": '" + printable(word.text) + "'");
        return std::move(*value);
    }
    [[noreturn]] void refuse_option(const std::string& key) const {
        std::vector<std::string> known;
        for (const Argument& field : operation_.fields) known.push_back(field.name);
        fail("there is no option '" + key + "'" + suggestion(key, known) + "; a word with '=' that is none stands after '--'");
    }
    [[noreturn]] void fail(const std::string& what) const { throw UsageError(what + "; usage: " + usage(operation_)); }

    const OperationSpec& operation_;
    std::size_t next_{0};
    Map values_;
    List rest_;
};

}  // namespace

Map bind_arguments(const OperationSpec& operation, const std::vector<CallWord>& words) {
    Binder binder{operation};
    for (const CallWord& word : words) binder.add(word);
    return binder.take();
}

}  // namespace qconn::cli
