// SPDX-License-Identifier: Apache-2.0
/// Codes of errors of AMQP connections.
#pragma once

#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <qconn/amqp/amqp_value.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>

namespace qconn {

/// What failed between a client and an AMQP peer. Reaching the peer at all is NetErrc's affair; a deadline that passed is TIMEOUT and a cancelled
/// call CANCELLED (Errc).
enum class AmqpErrc {
    connection = 1,   ///< AMQP-CONNECTION-ERROR: the peer speaks another protocol, refused the open, or closed the connection
    auth,             ///< AMQP-AUTH-ERROR: SASL failed, or no mechanism is common to both
    session,          ///< AMQP-SESSION-ERROR: the peer ended a session, or will not have one more
    link,             ///< AMQP-LINK-ERROR: the peer refused or detached a link, or a name is unknown, taken or of another kind
    redirect,         ///< AMQP-REDIRECT: the peer names another address (amqp:connection:redirect, amqp:link:redirect)
    delivery,         ///< AMQP-DELIVERY-ERROR: a message was rejected, released or modified
    unknown,          ///< AMQP-OUTCOME-UNKNOWN: the connection or link ended before the peer had said what became of a message that was sent
    too_large,        ///< AMQP-MESSAGE-TOO-LARGE: more bytes than the link takes; nothing was sent
    busy,             ///< AMQP-BUSY: as much as may wait to be sent waits already
    not_connected,    ///< AMQP-NOT-CONNECTED: there is no connection, and none is being made
    receive,          ///< AMQP-RECEIVE-ERROR: no message came, as the peer has none (after a drain), or what came is not to be had
    request_timeout,  ///< AMQP-REQUEST-REPLY-TIMEOUT: nobody replied in time
    transaction,      ///< AMQP-TRANSACTION-ERROR: the peer knows no such transaction, or could not commit it
    encode,           ///< AMQP-ENCODE-ERROR: a value that AMQP, or this place, cannot have
    decode,           ///< AMQP-DECODE-ERROR: bytes or JSON that are no value, no message
    protocol,         ///< AMQP-PROTOCOL-ERROR: the peer broke the protocol
    option,           ///< AMQP-OPTION-ERROR: options that cannot be used
};
QCONN_API const std::error_category& amqp_category() noexcept;
QCONN_API std::error_code make_error_code(AmqpErrc code) noexcept;
/// The stable name: "AMQP-LINK-ERROR".
QCONN_API std::string_view error_name(AmqpErrc code) noexcept;

/// An error as the protocol has it (part 2, 2.8.14). A value type.
struct AmqpCondition {
    std::string name{};         ///< "amqp:not-found"; empty: there is none
    std::string description{};  ///< the peer's words
    AmqpMap info{};             ///< keys are symbols
    friend bool operator==(const AmqpCondition&, const AmqpCondition&) = default;
};

/// The conditions of the specification (part 2, 2.8.15 to 2.8.18; part 4, 4.5.8).
namespace amqp_condition {
inline constexpr std::string_view k_internal_error = "amqp:internal-error";
inline constexpr std::string_view k_not_found = "amqp:not-found";
inline constexpr std::string_view k_unauthorized_access = "amqp:unauthorized-access";
inline constexpr std::string_view k_decode_error = "amqp:decode-error";
inline constexpr std::string_view k_resource_limit_exceeded = "amqp:resource-limit-exceeded";
inline constexpr std::string_view k_not_allowed = "amqp:not-allowed";
inline constexpr std::string_view k_invalid_field = "amqp:invalid-field";
inline constexpr std::string_view k_not_implemented = "amqp:not-implemented";
inline constexpr std::string_view k_resource_locked = "amqp:resource-locked";
inline constexpr std::string_view k_precondition_failed = "amqp:precondition-failed";
inline constexpr std::string_view k_resource_deleted = "amqp:resource-deleted";
inline constexpr std::string_view k_illegal_state = "amqp:illegal-state";
inline constexpr std::string_view k_frame_size_too_small = "amqp:frame-size-too-small";
inline constexpr std::string_view k_connection_forced = "amqp:connection:forced";
inline constexpr std::string_view k_framing_error = "amqp:connection:framing-error";
inline constexpr std::string_view k_connection_redirect = "amqp:connection:redirect";
inline constexpr std::string_view k_window_violation = "amqp:session:window-violation";
inline constexpr std::string_view k_errant_link = "amqp:session:errant-link";
inline constexpr std::string_view k_handle_in_use = "amqp:session:handle-in-use";
inline constexpr std::string_view k_unattached_handle = "amqp:session:unattached-handle";
inline constexpr std::string_view k_detach_forced = "amqp:link:detach-forced";
inline constexpr std::string_view k_transfer_limit_exceeded = "amqp:link:transfer-limit-exceeded";
inline constexpr std::string_view k_message_size_exceeded = "amqp:link:message-size-exceeded";
inline constexpr std::string_view k_link_redirect = "amqp:link:redirect";
inline constexpr std::string_view k_stolen = "amqp:link:stolen";
inline constexpr std::string_view k_unknown_transaction = "amqp:transaction:unknown-id";
inline constexpr std::string_view k_transaction_rollback = "amqp:transaction:rollback";
inline constexpr std::string_view k_transaction_timeout = "amqp:transaction:timeout";
}  // namespace amqp_condition

/// Detail of errors of this family for which the peer, or this side in its place, gave a condition.
class QCONN_API AmqpErrorDetail : public ErrorDetail {
public:
    explicit AmqpErrorDetail(AmqpCondition c) : condition{std::move(c)} {}
    ~AmqpErrorDetail() override;
    AmqpCondition condition;
};

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::AmqpErrc> : std::true_type {};
