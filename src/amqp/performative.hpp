// SPDX-License-Identifier: Apache-2.0
/// What the frames of AMQP 1.0 hold (part 2 of the specification, 2.7; SASL: part 5, 5.3.3), as views of the buffer that they came in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "amqp/wire.hpp"

namespace qconn::amqp {

/// Descriptors of the performatives and of what is in them.
enum class Descriptor : std::uint8_t {
    none = 0x00,
    open = 0x10,
    begin = 0x11,
    attach = 0x12,
    flow = 0x13,
    transfer = 0x14,
    disposition = 0x15,
    detach = 0x16,
    end = 0x17,
    close = 0x18,
    error = 0x1d,
    received = 0x23,
    accepted = 0x24,
    rejected = 0x25,
    released = 0x26,
    modified = 0x27,
    source = 0x28,
    target = 0x29,
    coordinator = 0x30,
    declare = 0x31,
    discharge = 0x32,
    declared = 0x33,
    transactional_state = 0x34,
    sasl_mechanisms = 0x40,
    sasl_init = 0x41,
    sasl_challenge = 0x42,
    sasl_response = 0x43,
    sasl_outcome = 0x44,
};
/// "attach"; for messages and the frame log.
std::string_view to_string(Descriptor descriptor) noexcept;

/// Which fields were there, by their index; and what all performatives have in common.
struct Composite {
    std::uint32_t present{0};
    bool has(unsigned index) const noexcept { return (present >> index & 1U) != 0; }
};

constexpr std::uint32_t k_uint_max = std::numeric_limits<std::uint32_t>::max();

// Defaults are the specification's.

struct Open : Composite {
    enum Index : unsigned {
        i_container_id,
        i_hostname,
        i_max_frame_size,
        i_channel_max,
        i_idle_time_out,
        i_outgoing_locales,
        i_incoming_locales,
        i_offered_capabilities,
        i_desired_capabilities,
        i_properties
    };
    std::string_view container_id;
    std::string_view hostname;
    std::uint32_t max_frame_size{k_uint_max};
    std::uint16_t channel_max{0xffff};
    std::uint32_t idle_time_out{0};  ///< milliseconds
    Raw offered_capabilities;
    Raw desired_capabilities;
    Raw properties;
};
struct Begin : Composite {
    enum Index : unsigned { i_remote_channel, i_next_outgoing_id, i_incoming_window, i_outgoing_window, i_handle_max };
    std::uint16_t remote_channel{0};
    std::uint32_t next_outgoing_id{0};
    std::uint32_t incoming_window{0};
    std::uint32_t outgoing_window{0};
    std::uint32_t handle_max{k_uint_max};
};
struct Attach : Composite {
    enum Index : unsigned {
        i_name,
        i_handle,
        i_role,
        i_snd_settle_mode,
        i_rcv_settle_mode,
        i_source,
        i_target,
        i_unsettled,
        i_incomplete_unsettled,
        i_initial_delivery_count,
        i_max_message_size,
        i_offered_capabilities,
        i_desired_capabilities,
        i_properties
    };
    std::string_view name;
    std::uint32_t handle{0};
    bool receiver{false};  ///< role
    std::uint8_t snd_settle_mode{2};
    std::uint8_t rcv_settle_mode{0};
    Raw source;
    Raw target;
    std::uint32_t initial_delivery_count{0};
    std::uint64_t max_message_size{0};
    Raw offered_capabilities;
    Raw desired_capabilities;
    Raw properties;
};
struct Flow : Composite {
    enum Index : unsigned {
        i_next_incoming_id,
        i_incoming_window,
        i_next_outgoing_id,
        i_outgoing_window,
        i_handle,
        i_delivery_count,
        i_link_credit,
        i_available,
        i_drain,
        i_echo
    };
    std::uint32_t next_incoming_id{0};
    std::uint32_t incoming_window{0};
    std::uint32_t next_outgoing_id{0};
    std::uint32_t outgoing_window{0};
    std::uint32_t handle{0};
    std::uint32_t delivery_count{0};
    std::uint32_t link_credit{0};
    std::uint32_t available{0};
    bool drain{false};
    bool echo{false};
};
struct Transfer : Composite {
    enum Index : unsigned {
        i_handle,
        i_delivery_id,
        i_delivery_tag,
        i_message_format,
        i_settled,
        i_more,
        i_rcv_settle_mode,
        i_state,
        i_resume,
        i_aborted,
        i_batchable
    };
    std::uint32_t handle{0};
    std::uint32_t delivery_id{0};
    std::string_view delivery_tag;
    std::uint32_t message_format{0};
    bool settled{false};
    bool more{false};
    Raw state;
    bool resume{false};
    bool aborted{false};
};
struct Disposition : Composite {
    enum Index : unsigned { i_role, i_first, i_last, i_settled, i_state, i_batchable };
    bool receiver{false};  ///< role: of the side that it comes from
    std::uint32_t first{0};
    std::uint32_t last{0};  ///< as first where it was absent
    bool settled{false};
    Raw state;
};
struct Detach : Composite {
    enum Index : unsigned { i_handle, i_closed, i_error };
    std::uint32_t handle{0};
    bool closed{false};
    Raw error;
};
/// end and close.
struct Ending : Composite {
    enum Index : unsigned { i_error };
    Raw error;
};
struct SaslMechanisms : Composite {
    enum Index : unsigned { i_mechanisms };
    Raw mechanisms;
    /// Whether that mechanism is among them.
    bool offers(std::string_view name) const noexcept;
    /// "PLAIN, EXTERNAL", for messages.
    std::string shown() const;
};
struct SaslChallenge : Composite {
    enum Index : unsigned { i_challenge };
    std::string_view challenge;
};
struct SaslOutcome : Composite {
    enum Index : unsigned { i_code, i_additional_data };
    std::uint8_t code{0};
    std::string_view additional_data;
};

/// A delivery state (part 3, 3.4; part 4, 4.5.8).
struct Rejected : Composite {
    enum Index : unsigned { i_error };
    Raw error;
};
struct Modified : Composite {
    enum Index : unsigned { i_delivery_failed, i_undeliverable_here, i_message_annotations };
    bool delivery_failed{false};
    bool undeliverable_here{false};
    Raw message_annotations;
};
struct ErrorFields : Composite {
    enum Index : unsigned { i_condition, i_description, i_info };
    std::string_view condition;
    std::string_view description;
    Raw info;
};
struct Declared : Composite {
    enum Index : unsigned { i_txn_id };
    std::string_view txn_id;
};
struct TransactionalState : Composite {
    enum Index : unsigned { i_txn_id, i_outcome };
    std::string_view txn_id;
    Raw outcome;
};
struct TerminusFields : Composite {
    enum Index : unsigned { i_address, i_durable, i_expiry_policy, i_timeout, i_dynamic };
    std::string_view address;
    std::uint32_t durable{0};
    std::string_view expiry_policy;
    std::uint32_t timeout{0};
    bool dynamic{false};
};

/// What it is, with its fields still to be read. none: no composite of the specification.
inline Descriptor descriptor_of(const Raw& raw) noexcept {
    const std::uint64_t code = descriptor_code(raw.descriptor);
    return code <= 0xff ? static_cast<Descriptor>(code) : Descriptor::none;
}

// Reads the fields of a list. Null: all is well. Else what is wrong: a field of another type, a mandatory one that is absent, more fields than there
// are. Fields that this side has no use for are read over.

const char* parse(const Raw& raw, Open& out) noexcept;
const char* parse(const Raw& raw, Begin& out) noexcept;
const char* parse(const Raw& raw, Attach& out) noexcept;
const char* parse(const Raw& raw, Flow& out) noexcept;
const char* parse(const Raw& raw, Transfer& out) noexcept;
const char* parse(const Raw& raw, Disposition& out) noexcept;
const char* parse(const Raw& raw, Detach& out) noexcept;
const char* parse(const Raw& raw, Ending& out) noexcept;
const char* parse(const Raw& raw, SaslMechanisms& out) noexcept;
const char* parse(const Raw& raw, SaslChallenge& out) noexcept;
const char* parse(const Raw& raw, SaslOutcome& out) noexcept;
const char* parse(const Raw& raw, Rejected& out) noexcept;
const char* parse(const Raw& raw, Modified& out) noexcept;
const char* parse(const Raw& raw, ErrorFields& out) noexcept;
const char* parse(const Raw& raw, Declared& out) noexcept;
const char* parse(const Raw& raw, TransactionalState& out) noexcept;
const char* parse(const Raw& raw, TerminusFields& out) noexcept;

}  // namespace qconn::amqp
