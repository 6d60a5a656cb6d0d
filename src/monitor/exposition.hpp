// SPDX-License-Identifier: Apache-2.0
/// Prometheus' text format 0.0.4.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace qconn::monitor {

enum class MetricType { gauge, counter };

/// Writes families of samples. The names of metrics and labels must be such; values of labels may be any text.
class Exposition {
public:
    using Label = std::pair<std::string_view, std::string_view>;

    /// The samples that follow belong to it.
    void family(std::string_view name, MetricType type, std::string_view help);
    void sample(std::initializer_list<Label> labels, std::uint64_t value);
    void sample(std::initializer_list<Label> labels, double value);
    std::string take() { return std::move(text_); }

private:
    void head(std::initializer_list<Label> labels);

    std::string text_;
    std::string name_;
};

}  // namespace qconn::monitor
