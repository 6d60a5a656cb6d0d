// SPDX-License-Identifier: Apache-2.0
#include <utility>

#include <qconn/eftl/eftl_message.hpp>

#include "base/json.hpp"
#include "base/text.hpp"
#include "eftl/eftl_error.hpp"

namespace qconn {

namespace {

constexpr std::size_t k_longest_text = 256;  // characters

std::string shown_field(std::string_view field) { return '"' + text::printable(text::shorten(std::string{field}, 60)) + '"'; }

[[noreturn]] void refuse_matcher(const std::string& what) { throw eftl::eftl_error(EftlErrc::matcher, "no server takes this matcher: " + what); }

}  // namespace

EftlMatcher& EftlMatcher::add(std::string_view field, Value value) {
    if (field.empty()) refuse_matcher("a condition has no field");
    if (!text::valid_utf8(field)) refuse_matcher("the name of a field is not UTF-8");
    if (!conditions_.insert(std::string{field}, std::move(value))) refuse_matcher("there are two conditions for the field " + shown_field(field));
    return *this;
}

EftlMatcher& EftlMatcher::equals(std::string_view field, std::string_view value) {
    if (!text::valid_utf8(value)) refuse_matcher("the text for the field " + shown_field(field) + " is not UTF-8");
    if (text::utf8_length(value) > k_longest_text) refuse_matcher("the text for the field " + shown_field(field) + " has more than 256 characters");
    return add(field, Value{value});
}

EftlMatcher& EftlMatcher::equals(std::string_view field, std::int64_t value) { return add(field, Value{static_cast<long long>(value)}); }
EftlMatcher& EftlMatcher::present(std::string_view field) { return add(field, Value{true}); }
EftlMatcher& EftlMatcher::absent(std::string_view field) { return add(field, Value{false}); }

std::string EftlMatcher::to_json() const { return conditions_.empty() ? std::string{} : json::encode(Value{conditions_}); }

EftlMatcher EftlMatcher::parse(std::string_view text) {
    const Result<Value> read = json::decode(text);
    if (!read) refuse_matcher(std::string{read.error().message()});
    if (!read->is_map()) refuse_matcher("it is " + std::string{to_string(read->kind())} + ", not a JSON object");
    EftlMatcher out;
    for (const auto& [field, value] : read->as_map()) {
        switch (value.kind()) {
            case ValueKind::string: out.equals(field, value.as_string()); break;
            case ValueKind::int64: out.equals(field, value.as_int64()); break;
            case ValueKind::boolean: value.as_bool() ? out.present(field) : out.absent(field); break;
            default:
                refuse_matcher("the condition for the field " + shown_field(field) + " is " + std::string{to_string(value.kind())} +
                               ": it must be a string, an integer, true (the field is there) or false");
        }
    }
    return out;
}

bool EftlMatcher::has_text_for(std::string_view field) const noexcept {
    const Value* const v = conditions_.find(field);
    return v != nullptr && v->is_string();
}

bool EftlMatcher::matches(const EftlMessage& message) const noexcept {
    for (const auto& [field, condition] : conditions_) {
        const Value* const there = message.fields().find(field);
        switch (condition.kind()) {
            case ValueKind::boolean:
                if (condition.as_bool() != (there != nullptr)) return false;
                break;
            default:
                if (there == nullptr || !(*there == condition)) return false;
        }
    }
    return true;
}

}  // namespace qconn
