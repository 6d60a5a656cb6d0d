// SPDX-License-Identifier: Apache-2.0
#include "eftl/eftl_error.hpp"

#include <array>
#include <memory>
#include <utility>

namespace qconn {

namespace {

struct EftlCode {
    std::string_view name;
    std::string_view words;
    Phase phase;
    Reason reason;
    bool retryable;
};
// In the order of EftlErrc, which begins with 1.
constexpr std::array<EftlCode, 19> k_eftl_codes{{
    {"EFTL-CONNECT-ERROR", "no server let this client in", Phase::protocol, Reason::closed, true},
    {"EFTL-LOGIN-ERROR", "the log-in was refused", Phase::auth, Reason::denied, false},
    {"EFTL-ALREADY-CONNECTED", "there is a connection already", Phase::none, Reason::exists, false},
    {"EFTL-NOT-CONNECTED", "there is no connection", Phase::none, Reason::missing, false},
    {"EFTL-DISCONNECTED", "the connection ended before the answer", Phase::protocol, Reason::closed, true},
    {"EFTL-PUBLISH-ERROR", "the server refused a message", Phase::protocol, Reason::status, false},
    {"EFTL-SUBSCRIBE-ERROR", "the server refused a subscription", Phase::protocol, Reason::status, false},
    {"EFTL-SUBSCRIPTION-ERROR", "the subscription cannot do that", Phase::none, Reason::bad_value, false},
    {"EFTL-REQUEST-ERROR", "the server refused a request", Phase::protocol, Reason::status, false},
    {"EFTL-REQUEST-TIMEOUT", "nobody replied in time", Phase::protocol, Reason::timeout, true},
    {"EFTL-REPLY-ERROR", "the server refused a reply", Phase::protocol, Reason::status, false},
    {"EFTL-MAP-ERROR", "the server refused an operation on a map", Phase::protocol, Reason::status, false},
    {"EFTL-MESSAGE-TOO-LARGE", "a message is larger than the server takes", Phase::none, Reason::limit, false},
    {"EFTL-UNSUPPORTED", "the server cannot do that", Phase::none, Reason::unsupported, false},
    {"EFTL-BUSY", "too much is in flight", Phase::none, Reason::limit, true},
    {"EFTL-MESSAGE-ERROR", "this cannot be in a message", Phase::none, Reason::bad_value, false},
    {"EFTL-MATCHER-ERROR", "no server takes this matcher", Phase::none, Reason::bad_value, false},
    {"EFTL-PROTOCOL-ERROR", "the server sent what is no eFTL", Phase::protocol, Reason::bad_answer, true},
    {"EFTL-OPTION-ERROR", "an option is wrong", Phase::none, Reason::bad_value, false},
}};

const EftlCode& eftl_code_of(int value) noexcept {
    const auto index = static_cast<std::size_t>(value) - 1;
    return k_eftl_codes[index < k_eftl_codes.size() ? index : 17];
}

class EftlCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn.eftl"; }
    std::string message(int value) const override { return std::string{eftl_code_of(value).words}; }
};

/// What the protocol's own numbers add.
Reason reason_of(int number, Reason otherwise) noexcept {
    switch (number) {
        case eftl_code::k_publish_denied:
        case eftl_code::k_subscribe_denied:
        case eftl_code::k_map_denied:
        case eftl_code::k_request_denied: return Reason::permission;
        default: return otherwise;
    }
}

bool may_be_tried_again(int number) noexcept {
    return number == eftl_code::k_failed || number == eftl_code::k_subscribe_failed || number == eftl_code::k_restart;
}

}  // namespace

const std::error_category& eftl_category() noexcept {
    static const EftlCategory category;
    return category;
}

std::error_code make_error_code(EftlErrc code) noexcept { return {static_cast<int>(code), eftl_category()}; }

std::string_view error_name(EftlErrc code) noexcept { return eftl_code_of(static_cast<int>(code)).name; }

EftlErrorDetail::~EftlErrorDetail() = default;

namespace eftl {

Error eftl_error(EftlErrc code, std::string message, int number, std::string_view words) {
    const EftlCode& known = eftl_code_of(static_cast<int>(code));
    Error error{code, known.name, std::move(message)};
    error.with_phase(known.phase).with_reason(reason_of(number, known.reason)).with_retryable(known.retryable || may_be_tried_again(number));
    if (number != 0) error.with_detail(std::make_shared<EftlErrorDetail>(number, std::string{words}));
    return error;
}

}  // namespace eftl
}  // namespace qconn
