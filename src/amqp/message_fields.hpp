// SPDX-License-Identifier: Apache-2.0
/// Header and properties of a message: their fields, of and to bytes.
#pragma once

#include <string>
#include <string_view>

#include <qconn/amqp/amqp_message.hpp>

#include "amqp/wire.hpp"

namespace qconn::amqp {

/// @throws Error AMQP-ENCODE-ERROR
void put_header(std::string& to, const AmqpHeader& header);
void put_properties(std::string& to, const AmqpProperties& properties);

/// Strings are taken where symbols should be and the other way round, and fields behind those of the specification are passed over.
/// @param message  what the list is a part of, for offsets
/// @throws Error AMQP-DECODE-ERROR
AmqpHeader read_header(const Raw& list, std::string_view message);
AmqpProperties read_properties(const Raw& list, std::string_view message);

}  // namespace qconn::amqp
