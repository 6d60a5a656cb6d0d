// SPDX-License-Identifier: Apache-2.0
#include "monitor/exposition.hpp"

#include <array>
#include <charconv>

#include "monitor/valid_text.hpp"

namespace qconn::monitor {

namespace {

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : valid_text(text)) {
        if (c == '\\' || c == '"') out += '\\';
        if (c == '\n')
            out += "\\n";
        else
            out += c;
    }
}

}  // namespace

void Exposition::family(std::string_view name, MetricType type, std::string_view help) {
    name_ = name;
    ((text_ += "# HELP ") += name_) += ' ';
    (text_ += help) += "\n# TYPE ";
    (text_ += name_) += type == MetricType::gauge ? " gauge\n" : " counter\n";
}

void Exposition::head(std::initializer_list<Label> labels) {
    text_ += name_;
    char before = '{';
    for (const auto& [name, value] : labels) {
        text_ += before;
        (text_ += name) += "=\"";
        append_escaped(text_, value);
        text_ += '"';
        before = ',';
    }
    text_ += labels.size() == 0 ? " " : "} ";
}

void Exposition::sample(std::initializer_list<Label> labels, std::uint64_t value) {
    head(labels);
    (text_ += std::to_string(value)) += '\n';
}

void Exposition::sample(std::initializer_list<Label> labels, double value) {
    head(labels);
    std::array<char, 32> digits{};
    text_.append(digits.data(), std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr);
    text_ += '\n';
}

}  // namespace qconn::monitor
