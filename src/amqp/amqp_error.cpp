// SPDX-License-Identifier: Apache-2.0
#include "amqp/amqp_error.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/text.hpp"

namespace qconn {

namespace {

struct AmqpCode {
    std::string_view name;
    std::string_view words;
    Phase phase;
    Reason reason;
    bool retryable;
};
// In the order of AmqpErrc, which begins with 1.
constexpr std::array<AmqpCode, 17> k_amqp_codes{{
    {"AMQP-CONNECTION-ERROR", "the peer refused or closed the connection", Phase::protocol, Reason::closed, true},
    {"AMQP-AUTH-ERROR", "the log-in was refused", Phase::auth, Reason::denied, false},
    {"AMQP-SESSION-ERROR", "the peer ended the session", Phase::protocol, Reason::status, true},
    {"AMQP-LINK-ERROR", "the peer refused or detached the link", Phase::protocol, Reason::status, false},
    {"AMQP-REDIRECT", "the peer names another address", Phase::redirect, Reason::status, false},
    {"AMQP-DELIVERY-ERROR", "the message was not accepted", Phase::protocol, Reason::status, false},
    {"AMQP-OUTCOME-UNKNOWN", "the connection ended before the outcome was known", Phase::protocol, Reason::closed, true},
    {"AMQP-MESSAGE-TOO-LARGE", "a message is larger than the link takes", Phase::none, Reason::limit, false},
    {"AMQP-BUSY", "too much waits to be sent", Phase::none, Reason::limit, true},
    {"AMQP-NOT-CONNECTED", "there is no connection", Phase::none, Reason::missing, true},
    {"AMQP-RECEIVE-ERROR", "there was no message", Phase::protocol, Reason::not_found, true},
    {"AMQP-REQUEST-REPLY-TIMEOUT", "nobody replied in time", Phase::protocol, Reason::timeout, true},
    {"AMQP-TRANSACTION-ERROR", "the transaction failed", Phase::protocol, Reason::status, false},
    {"AMQP-ENCODE-ERROR", "this cannot be sent", Phase::none, Reason::bad_value, false},
    {"AMQP-DECODE-ERROR", "this is no AMQP", Phase::none, Reason::bad_answer, false},
    {"AMQP-PROTOCOL-ERROR", "the peer broke the protocol", Phase::protocol, Reason::bad_answer, true},
    {"AMQP-OPTION-ERROR", "an option is wrong", Phase::none, Reason::bad_value, false},
}};

const AmqpCode& amqp_code_of(int value) noexcept {
    const auto index = static_cast<std::size_t>(value) - 1;
    return k_amqp_codes[index < k_amqp_codes.size() ? index : 15];
}

class AmqpCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.amqp"; }
    std::string message(int value) const override { return std::string{amqp_code_of(value).words}; }
};

/// What a condition of the specification says of a failure.
struct Meaning {
    std::string_view condition;
    Reason reason;
    bool retryable;
};
constexpr std::array<Meaning, 15> k_meanings{{
    {amqp_condition::k_not_found, Reason::not_found, false},
    {amqp_condition::k_unauthorized_access, Reason::permission, false},
    {amqp_condition::k_not_allowed, Reason::permission, false},
    {amqp_condition::k_not_implemented, Reason::unsupported, false},
    {amqp_condition::k_resource_limit_exceeded, Reason::limit, true},
    {amqp_condition::k_message_size_exceeded, Reason::limit, false},
    {amqp_condition::k_transfer_limit_exceeded, Reason::limit, true},
    {amqp_condition::k_frame_size_too_small, Reason::limit, false},
    {amqp_condition::k_resource_locked, Reason::exists, true},
    {amqp_condition::k_resource_deleted, Reason::not_found, false},
    {amqp_condition::k_internal_error, Reason::status, true},
    {amqp_condition::k_connection_forced, Reason::closed, true},
    {amqp_condition::k_detach_forced, Reason::closed, true},
    {amqp_condition::k_decode_error, Reason::bad_answer, false},
    {amqp_condition::k_invalid_field, Reason::bad_value, false},
}};

}  // namespace

const std::error_category& amqp_category() noexcept {
    static const AmqpCategory category;
    return category;
}

std::error_code make_error_code(AmqpErrc code) noexcept { return {static_cast<int>(code), amqp_category()}; }

std::string_view error_name(AmqpErrc code) noexcept { return amqp_code_of(static_cast<int>(code)).name; }

AmqpErrorDetail::~AmqpErrorDetail() = default;

namespace amqp {

Error amqp_error(AmqpErrc code, std::string message) {
    const AmqpCode& known = amqp_code_of(static_cast<int>(code));
    Error error{code, known.name, std::move(message)};
    error.with_phase(known.phase).with_reason(known.reason).with_retryable(known.retryable);
    return error;
}

Error amqp_error(AmqpErrc code, std::string message, const AmqpCondition& condition) {
    if (condition.name.empty()) return amqp_error(code, std::move(message));
    Error error = amqp_error(code, std::move(message) + ": " + shown(condition));
    const auto* const found = std::find_if(k_meanings.begin(), k_meanings.end(), [&](const Meaning& one) { return one.condition == condition.name; });
    if (found != k_meanings.end()) error.with_reason(found->reason).with_retryable(found->retryable);
    error.with_detail(std::make_shared<AmqpErrorDetail>(condition));
    return error;
}

std::string shown(const AmqpCondition& condition) {
    std::string out = text::printable(text::shorten(condition.name, 100));
    if (!condition.description.empty()) out.append(" (").append(text::printable(text::shorten(condition.description, 300))).append(")");
    return out;
}

}  // namespace amqp
}  // namespace qconn
