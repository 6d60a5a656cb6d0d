// SPDX-License-Identifier: Apache-2.0
/// Errors of the AMQP family, made in one place.
#pragma once

#include <string>
#include <string_view>

#include <qconn/amqp/amqp_error.hpp>
#include <qconn/base/error.hpp>

namespace qconn::amqp {

/// An Error of this family with its stable name, phase and reason.
Error amqp_error(AmqpErrc code, std::string message);
/// The same with what the peer said: its condition decides on the reason and on retryable(), and is the detail.
/// @param message  without the peer's words, which are put behind it
Error amqp_error(AmqpErrc code, std::string message, const AmqpCondition& condition);
/// "amqp:not-found (no queue 'x')", for messages.
std::string shown(const AmqpCondition& condition);

}  // namespace qconn::amqp
