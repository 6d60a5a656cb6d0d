// SPDX-License-Identifier: Apache-2.0
/// Values against schemas.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/value.hpp>
#include <qconn/openapi/document.hpp>

#include "openapi/schema.hpp"

namespace qconn::openapi {

/// One check: where its findings go, and what it may cost.
class Check {
public:
    enum class Direction : std::uint8_t { request, response };
    /// @param lax  read-only members may be sent, write-only ones may come
    Check(const Limits& limits, Direction direction, bool lax) : limits_{limits}, direction_{direction}, lax_{lax}, steps_{limits.steps} {}

    /// Whether `value`, which is at `instance`, is what the schema says; what is not is a finding.
    /// @throws Error LIMIT-EXCEEDED
    bool value(const Schema& schema, const Value& value, const std::string& instance);
    void finding(std::string instance, std::string schema, std::string message);

    std::vector<Finding> take() { return std::move(findings_); }

private:
    bool apply(const Schema& schema, const Value& value, const std::string& instance);
    bool dispatch(const Schema& schema, const Value& value, const std::string& instance);
    bool kind(const Schema& schema, const Value& value, const std::string& instance);
    bool number(const Schema& schema, const Value& value, const std::string& instance);
    bool text(const Schema& schema, std::string_view text, const std::string& instance);
    bool list(const Schema& schema, const List& list, const std::string& instance);
    bool map(const Schema& schema, const Map& map, const std::string& instance);
    bool parts(const Schema& schema, const Value& value, const std::string& instance);
    bool silently(const Schema& schema, const Value& value, const std::string& instance);
    bool wrong(const Schema& schema, const std::string& instance, std::string message);

    const Limits& limits_;
    Direction direction_;
    bool lax_;
    std::size_t steps_;
    std::size_t depth_{0};
    std::size_t silent_{0};
    /// Values whose schema a discriminator has chosen.
    std::vector<const Value*> chosen_;
    std::vector<Finding> findings_;
};

}  // namespace qconn::openapi
