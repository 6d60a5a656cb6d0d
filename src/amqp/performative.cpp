// SPDX-License-Identifier: Apache-2.0
#include "amqp/performative.hpp"

#include <array>
#include <cstring>
#include <type_traits>

namespace qconn::amqp {

namespace {

enum class Kind : std::uint8_t { unused, boolean, ubyte, ushort, uint, ulong, string, symbol, binary, any };

/// One field of a composite type: where it goes, and whether it must be there.
struct Field {
    const char* name;
    Kind kind;
    std::size_t offset;
    bool mandatory;
    const char* wrong;    // what is said where it is of another type
    const char* missing;  // or absent
};

#define QCONN_FIELD(type, member, kind, mandatory) \
    Field { #member, Kind::kind, offsetof(type, member), mandatory, "the field " #member " is of another type", "the field " #member " is missing" }
#define QCONN_UNUSED(label) \
    Field { #label, Kind::unused, 0, false, "", "" }

// offsetof of types with a base of their own is conditionally supported; g++ and clang do.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"

constexpr std::array k_open{QCONN_FIELD(Open, container_id, string, true),
                            QCONN_FIELD(Open, hostname, string, false),
                            QCONN_FIELD(Open, max_frame_size, uint, false),
                            QCONN_FIELD(Open, channel_max, ushort, false),
                            QCONN_FIELD(Open, idle_time_out, uint, false),
                            QCONN_UNUSED(outgoing_locales),
                            QCONN_UNUSED(incoming_locales),
                            QCONN_FIELD(Open, offered_capabilities, any, false),
                            QCONN_FIELD(Open, desired_capabilities, any, false),
                            QCONN_FIELD(Open, properties, any, false)};
constexpr std::array k_begin{QCONN_FIELD(Begin, remote_channel, ushort, false),
                             QCONN_FIELD(Begin, next_outgoing_id, uint, true),
                             QCONN_FIELD(Begin, incoming_window, uint, true),
                             QCONN_FIELD(Begin, outgoing_window, uint, true),
                             QCONN_FIELD(Begin, handle_max, uint, false),
                             QCONN_UNUSED(offered_capabilities),
                             QCONN_UNUSED(desired_capabilities),
                             QCONN_UNUSED(properties)};
constexpr std::array k_attach{QCONN_FIELD(Attach, name, string, true),
                              QCONN_FIELD(Attach, handle, uint, false),  // mandatory, but some peers leave out a zero
                              QCONN_FIELD(Attach, receiver, boolean, false),
                              QCONN_FIELD(Attach, snd_settle_mode, ubyte, false),
                              QCONN_FIELD(Attach, rcv_settle_mode, ubyte, false),
                              QCONN_FIELD(Attach, source, any, false),
                              QCONN_FIELD(Attach, target, any, false),
                              QCONN_UNUSED(unsettled),
                              QCONN_UNUSED(incomplete_unsettled),
                              QCONN_FIELD(Attach, initial_delivery_count, uint, false),
                              QCONN_FIELD(Attach, max_message_size, ulong, false),
                              QCONN_FIELD(Attach, offered_capabilities, any, false),
                              QCONN_FIELD(Attach, desired_capabilities, any, false),
                              QCONN_FIELD(Attach, properties, any, false)};
constexpr std::array k_flow{QCONN_FIELD(Flow, next_incoming_id, uint, false),
                            QCONN_FIELD(Flow, incoming_window, uint, true),
                            QCONN_FIELD(Flow, next_outgoing_id, uint, true),
                            QCONN_FIELD(Flow, outgoing_window, uint, true),
                            QCONN_FIELD(Flow, handle, uint, false),
                            QCONN_FIELD(Flow, delivery_count, uint, false),
                            QCONN_FIELD(Flow, link_credit, uint, false),
                            QCONN_FIELD(Flow, available, uint, false),
                            QCONN_FIELD(Flow, drain, boolean, false),
                            QCONN_FIELD(Flow, echo, boolean, false),
                            QCONN_UNUSED(properties)};
constexpr std::array k_transfer{QCONN_FIELD(Transfer, handle, uint, false),  // as in attach
                                QCONN_FIELD(Transfer, delivery_id, uint, false),    QCONN_FIELD(Transfer, delivery_tag, binary, false),
                                QCONN_FIELD(Transfer, message_format, uint, false), QCONN_FIELD(Transfer, settled, boolean, false),
                                QCONN_FIELD(Transfer, more, boolean, false),        QCONN_UNUSED(rcv_settle_mode),
                                QCONN_FIELD(Transfer, state, any, false),           QCONN_FIELD(Transfer, resume, boolean, false),
                                QCONN_FIELD(Transfer, aborted, boolean, false),     QCONN_UNUSED(batchable)};
constexpr std::array k_disposition{QCONN_FIELD(Disposition, receiver, boolean, false),  // as in attach
                                   QCONN_FIELD(Disposition, first, uint, false),
                                   QCONN_FIELD(Disposition, last, uint, false),
                                   QCONN_FIELD(Disposition, settled, boolean, false),
                                   QCONN_FIELD(Disposition, state, any, false),
                                   QCONN_UNUSED(batchable)};
constexpr std::array k_detach{QCONN_FIELD(Detach, handle, uint, false), QCONN_FIELD(Detach, closed, boolean, false),
                              QCONN_FIELD(Detach, error, any, false)};
constexpr std::array k_ending{QCONN_FIELD(Ending, error, any, false)};
constexpr std::array k_sasl_mechanisms{QCONN_FIELD(SaslMechanisms, mechanisms, any, true)};
constexpr std::array k_sasl_challenge{QCONN_FIELD(SaslChallenge, challenge, binary, true)};
constexpr std::array k_sasl_outcome{QCONN_FIELD(SaslOutcome, code, ubyte, true), QCONN_FIELD(SaslOutcome, additional_data, binary, false)};
constexpr std::array k_rejected{QCONN_FIELD(Rejected, error, any, false)};
constexpr std::array k_modified{QCONN_FIELD(Modified, delivery_failed, boolean, false), QCONN_FIELD(Modified, undeliverable_here, boolean, false),
                                QCONN_FIELD(Modified, message_annotations, any, false)};
constexpr std::array k_error{QCONN_FIELD(ErrorFields, condition, symbol, true), QCONN_FIELD(ErrorFields, description, string, false),
                             QCONN_FIELD(ErrorFields, info, any, false)};
constexpr std::array k_declared{QCONN_FIELD(Declared, txn_id, binary, true)};
constexpr std::array k_transactional_state{QCONN_FIELD(TransactionalState, txn_id, binary, true),
                                           QCONN_FIELD(TransactionalState, outcome, any, false)};
// A source has fields of its own behind these, a target its capabilities.
constexpr std::array k_terminus{QCONN_FIELD(TerminusFields, address, string, false),
                                QCONN_FIELD(TerminusFields, durable, uint, false),
                                QCONN_FIELD(TerminusFields, expiry_policy, symbol, false),
                                QCONN_FIELD(TerminusFields, timeout, uint, false),
                                QCONN_FIELD(TerminusFields, dynamic, boolean, false),
                                QCONN_UNUSED(dynamic_node_properties),
                                QCONN_UNUSED(distribution_mode),
                                QCONN_UNUSED(filter),
                                QCONN_UNUSED(default_outcome),
                                QCONN_UNUSED(outcomes),
                                QCONN_UNUSED(capabilities)};

#pragma GCC diagnostic pop

template <class T>
T& at(void* base, std::size_t offset) noexcept {
    return *reinterpret_cast<T*>(static_cast<char*>(base) + offset);
}

bool assign(const Field& field, const Raw& raw, void* out) noexcept {
    switch (field.kind) {
        case Kind::unused: return true;
        case Kind::boolean: return get_boolean(raw, at<bool>(out, field.offset));
        case Kind::ubyte: return get_ubyte(raw, at<std::uint8_t>(out, field.offset));
        case Kind::ushort: return get_ushort(raw, at<std::uint16_t>(out, field.offset));
        case Kind::uint: return get_uint(raw, at<std::uint32_t>(out, field.offset));
        case Kind::ulong: return get_ulong(raw, at<std::uint64_t>(out, field.offset));
        case Kind::string: return get_text(raw, code::k_str8, at<std::string_view>(out, field.offset));
        case Kind::symbol: return get_text(raw, code::k_sym8, at<std::string_view>(out, field.offset));
        case Kind::binary: return get_text(raw, code::k_vbin8, at<std::string_view>(out, field.offset));
        case Kind::any: at<Raw>(out, field.offset) = raw; return true;
    }
    return false;
}

template <std::size_t N, class T>
const char* parse_fields(const std::array<Field, N>& fields, const Raw& raw, T& out) noexcept {
    if (!raw.is_list()) return "it is no list";
    Reader reader{raw.body};
    Raw item;
    std::uint32_t present = 0;
    for (std::uint32_t i = 0; i < raw.count; ++i) {
        if (i >= N) return "it has more fields than there are";
        if (reader.at_end()) return "a field is cut off";
        if (!reader.read(item)) return reader.fault();
        if (item.is_null()) continue;
        if (!assign(fields[i], item, &out)) return fields[i].wrong;
        present |= 1U << i;
    }
    if (!reader.at_end()) return "it has more bytes than fields";
    for (std::size_t i = 0; i < N; ++i)
        if (fields[i].mandatory && (present >> i & 1U) == 0) return fields[i].missing;
    out.present = present;
    return nullptr;
}

/// Calls with the name of each mechanism: one symbol, or an array of them. False: it is neither.
template <class Call>
bool each_mechanism(const Raw& raw, Call&& call) noexcept {
    std::string_view one;
    if (get_text(raw, code::k_sym8, one)) {
        call(one);
        return true;
    }
    if (!raw.is_array()) return false;
    Reader reader{raw.body};
    if (raw.count == 0) return true;
    Raw element;
    if (!reader.read_constructor(element)) return false;
    const std::uint8_t code = element.code;
    for (std::uint32_t i = 0; i < raw.count; ++i) {
        if (!reader.read_body(code, element) || !get_text(element, code::k_sym8, one)) return false;
        call(one);
    }
    return true;
}

}  // namespace

std::string_view to_string(Descriptor descriptor) noexcept {
    switch (descriptor) {
        case Descriptor::none: break;
        case Descriptor::open: return "open";
        case Descriptor::begin: return "begin";
        case Descriptor::attach: return "attach";
        case Descriptor::flow: return "flow";
        case Descriptor::transfer: return "transfer";
        case Descriptor::disposition: return "disposition";
        case Descriptor::detach: return "detach";
        case Descriptor::end: return "end";
        case Descriptor::close: return "close";
        case Descriptor::error: return "error";
        case Descriptor::received: return "received";
        case Descriptor::accepted: return "accepted";
        case Descriptor::rejected: return "rejected";
        case Descriptor::released: return "released";
        case Descriptor::modified: return "modified";
        case Descriptor::source: return "source";
        case Descriptor::target: return "target";
        case Descriptor::coordinator: return "coordinator";
        case Descriptor::declare: return "declare";
        case Descriptor::discharge: return "discharge";
        case Descriptor::declared: return "declared";
        case Descriptor::transactional_state: return "transactional-state";
        case Descriptor::sasl_mechanisms: return "sasl-mechanisms";
        case Descriptor::sasl_init: return "sasl-init";
        case Descriptor::sasl_challenge: return "sasl-challenge";
        case Descriptor::sasl_response: return "sasl-response";
        case Descriptor::sasl_outcome: return "sasl-outcome";
    }
    return "?";
}

bool SaslMechanisms::offers(std::string_view name) const noexcept {
    bool found = false;
    each_mechanism(mechanisms, [&](std::string_view one) { found = found || one == name; });
    return found;
}

std::string SaslMechanisms::shown() const {
    std::string out;
    each_mechanism(mechanisms, [&](std::string_view one) {
        if (!out.empty()) out += ", ";
        out += one;
    });
    return out.empty() ? "none" : out;
}

const char* parse(const Raw& raw, Open& out) noexcept { return parse_fields(k_open, raw, out); }
const char* parse(const Raw& raw, Begin& out) noexcept { return parse_fields(k_begin, raw, out); }
const char* parse(const Raw& raw, Attach& out) noexcept { return parse_fields(k_attach, raw, out); }
const char* parse(const Raw& raw, Flow& out) noexcept { return parse_fields(k_flow, raw, out); }
const char* parse(const Raw& raw, Transfer& out) noexcept { return parse_fields(k_transfer, raw, out); }
const char* parse(const Raw& raw, Disposition& out) noexcept {
    const char* const wrong = parse_fields(k_disposition, raw, out);
    if (wrong == nullptr && !out.has(Disposition::i_last)) out.last = out.first;
    return wrong;
}
const char* parse(const Raw& raw, Detach& out) noexcept { return parse_fields(k_detach, raw, out); }
const char* parse(const Raw& raw, Ending& out) noexcept { return parse_fields(k_ending, raw, out); }
const char* parse(const Raw& raw, SaslMechanisms& out) noexcept { return parse_fields(k_sasl_mechanisms, raw, out); }
const char* parse(const Raw& raw, SaslChallenge& out) noexcept { return parse_fields(k_sasl_challenge, raw, out); }
const char* parse(const Raw& raw, SaslOutcome& out) noexcept { return parse_fields(k_sasl_outcome, raw, out); }
const char* parse(const Raw& raw, Rejected& out) noexcept { return parse_fields(k_rejected, raw, out); }
const char* parse(const Raw& raw, Modified& out) noexcept { return parse_fields(k_modified, raw, out); }
const char* parse(const Raw& raw, ErrorFields& out) noexcept { return parse_fields(k_error, raw, out); }
const char* parse(const Raw& raw, Declared& out) noexcept { return parse_fields(k_declared, raw, out); }
const char* parse(const Raw& raw, TransactionalState& out) noexcept { return parse_fields(k_transactional_state, raw, out); }
const char* parse(const Raw& raw, TerminusFields& out) noexcept { return parse_fields(k_terminus, raw, out); }

}  // namespace qconn::amqp
