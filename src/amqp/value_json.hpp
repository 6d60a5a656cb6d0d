// SPDX-License-Identifier: Apache-2.0
/// Values as JSON: objects of "type" and "value", of described ones "descriptor" too. See AmqpValue::to_json().
#pragma once

#include <cstddef>
#include <string_view>

#include <qconn/amqp/amqp_value.hpp>

#include "base/json_text.hpp"

namespace qconn::amqp {

/// @param level  how many levels it is indented by, where the style is pretty
/// @throws Error SERIALIZATION-ERROR: a text is not UTF-8
void put_json(json::TextBuffer& out, const AmqpValue& value, const AmqpJsonStyle& style, std::size_t level = 0);

/// @throws Error AMQP-DECODE-ERROR with line and column
AmqpValue read_json(std::string_view json, const AmqpLimits& limits);

}  // namespace qconn::amqp
