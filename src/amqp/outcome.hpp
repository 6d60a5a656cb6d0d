// SPDX-License-Identifier: Apache-2.0
/// Outcomes and conditions, to and from the wire.
#pragma once

#include <string>

#include <qconn/amqp/amqp_error.hpp>
#include <qconn/amqp/amqp_options.hpp>

#include "amqp/performative.hpp"

namespace qconn::amqp {

void put_condition(std::string& to, const AmqpCondition& why);
/// Empty where it is none.
AmqpCondition condition_of(const Raw& raw);
/// Empty where it is none that can be read.
AmqpMap map_of(const Raw& raw);
/// What becomes of a message whose handler threw.
AmqpOutcome not_handled();
AmqpOutcome outcome_of(Descriptor kind, const Raw& state);

}  // namespace qconn::amqp
