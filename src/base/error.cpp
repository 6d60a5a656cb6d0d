// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/error.hpp>

#include <array>
#include <utility>

#include "base/redaction.hpp"

namespace qconn {

struct Error::State {
    std::error_code code;
    std::string what;  // NAME: message
    std::size_t name_size;
    std::string connection;
    std::shared_ptr<const ErrorDetail> detail;
    Phase phase{Phase::none};
    Reason reason{Reason::none};
    bool retryable{false};
    bool spoils{false};
};

namespace {

constexpr std::array<std::string_view, 11> k_phases{"none", "secret",   "resolve", "connect", "proxy",   "tls",
                                                    "auth", "protocol", "head",    "body",    "redirect"};
constexpr std::array<std::string_view, 27> k_reasons{"none",
                                                     "refused",
                                                     "timeout",
                                                     "reset",
                                                     "closed",
                                                     "unreachable",
                                                     "unknown-host",
                                                     "resolver",
                                                     "certificate-expired",
                                                     "certificate-untrusted",
                                                     "certificate-name",
                                                     "certificate-pin",
                                                     "certificate-revoked",
                                                     "handshake",
                                                     "denied",
                                                     "permission",
                                                     "not-found",
                                                     "exists",
                                                     "bad-answer",
                                                     "status",
                                                     "limit",
                                                     "missing",
                                                     "bad-value",
                                                     "cancelled",
                                                     "local",
                                                     "disk-full",
                                                     "unsupported"};
static_assert(k_phases.size() == static_cast<std::size_t>(Phase::redirect) + 1);
static_assert(k_reasons.size() == static_cast<std::size_t>(Reason::unsupported) + 1);

/// What is fixed for a code of the base category.
struct Row {
    Errc code;
    const char* name;
    const char* text;
    Phase phase;
    Reason reason;
    bool retryable;
};
constexpr Row k_rows[]{
    {Errc::value_type, "VALUE-TYPE-ERROR", "a value has another kind than was asked for", Phase::none, Reason::bad_value, false},
    {Errc::value_range, "VALUE-RANGE-ERROR", "a number does not fit", Phase::none, Reason::bad_value, false},
    {Errc::value_key, "VALUE-KEY-ERROR", "no such key", Phase::none, Reason::bad_value, false},
    {Errc::parse, "PARSE-ERROR", "the text is not of its format", Phase::none, Reason::bad_value, false},
    {Errc::serialize, "SERIALIZATION-ERROR", "the value cannot be written in this format", Phase::none, Reason::bad_value, false},
    {Errc::parse_url, "PARSE-URL-ERROR", "the URL cannot be read", Phase::none, Reason::bad_value, false},
    {Errc::timeout, "TIMEOUT", "the deadline has passed", Phase::none, Reason::timeout, true},
    {Errc::cancelled, "CANCELLED", "cancelled", Phase::none, Reason::cancelled, false},
    {Errc::limit, "LIMIT-EXCEEDED", "a limit was exceeded", Phase::none, Reason::limit, false},
    {Errc::system, "SYSTEM-ERROR", "the operating system refused", Phase::none, Reason::local, true},
    {Errc::invalid_argument, "INVALID-ARGUMENT", "an argument is wrong", Phase::none, Reason::bad_value, false},
    {Errc::secret, "SECRET-ERROR", "a secret cannot be had", Phase::secret, Reason::missing, true},
    {Errc::fork, "FORK-ERROR", "the process was forked after the runtime had started", Phase::none, Reason::local, false},
};

const Row* row(int code) noexcept {
    for (const Row& r : k_rows)
        if (static_cast<int>(r.code) == code) return &r;
    return nullptr;
}

class BaseCategory final : public std::error_category {
public:
    const char* name() const noexcept override { return "qconn"; }
    std::string message(int code) const override {
        const Row* r = row(code);
        return r ? r->text : "unknown error";
    }
};

}  // namespace

std::string_view to_string(Phase phase) noexcept { return k_phases[static_cast<std::size_t>(phase)]; }
std::string_view to_string(Reason reason) noexcept { return k_reasons[static_cast<std::size_t>(reason)]; }

const std::error_category& base_category() noexcept {
    static const BaseCategory category;
    return category;
}

std::error_code make_error_code(Errc code) noexcept { return {static_cast<int>(code), base_category()}; }

ErrorDetail::~ErrorDetail() = default;

Error::Error(std::error_code code, std::string_view name, std::string message) : state_{std::make_shared<State>()} {
    state_->code = code;
    state_->name_size = name.size();
    state_->what.reserve(name.size() + 2 + message.size());
    state_->what.append(name).append(": ").append(message);
}

Error::~Error() = default;

const char* Error::what() const noexcept { return state_->what.c_str(); }
std::error_code Error::code() const noexcept { return state_->code; }
std::string_view Error::name() const noexcept { return std::string_view{state_->what}.substr(0, state_->name_size); }
std::string_view Error::message() const noexcept { return std::string_view{state_->what}.substr(state_->name_size + 2); }
std::string_view Error::connection() const noexcept { return state_->connection; }
Phase Error::phase() const noexcept { return state_->phase; }
Reason Error::reason() const noexcept { return state_->reason; }
bool Error::retryable() const noexcept { return state_->retryable; }
bool Error::spoils_connection() const noexcept { return state_->spoils; }
const ErrorDetail* Error::detail_base() const noexcept { return state_->detail.get(); }

// Copies share their state; the first change after a copy parts them, so that what was thrown never changes.
Error::State& Error::own() {
    if (state_.use_count() > 1) state_ = std::make_shared<State>(*state_);
    return *state_;
}

Error& Error::with_phase(Phase phase) & {
    own().phase = phase;
    return *this;
}
Error& Error::with_reason(Reason reason) & {
    own().reason = reason;
    return *this;
}
// All errors about a connection come by here: what was read for its secret references goes out of their texts.
Error& Error::with_connection(std::string_view name) & {
    State& s = own();
    s.connection = name;
    const std::string title = redacted(name, s.what.substr(0, s.name_size));
    s.what = title + ": " + redacted(name, s.what.substr(s.name_size + 2));
    s.name_size = title.size();
    return *this;
}
Error& Error::with_retryable(bool yes) & {
    own().retryable = yes;
    return *this;
}
Error& Error::with_spoils_connection(bool yes) & {
    own().spoils = yes;
    return *this;
}
Error& Error::with_detail(std::shared_ptr<const ErrorDetail> detail) & {
    own().detail = std::move(detail);
    return *this;
}
Error& Error::with_prefix(std::string_view prefix) & {
    State& s = own();
    s.what.insert(s.name_size + 2, redacted(s.connection, std::string{prefix}));
    return *this;
}

Error make_error(Errc code, std::string message) {
    const Row& r = *row(static_cast<int>(code));
    Error error{code, r.name, std::move(message)};
    error.with_phase(r.phase).with_reason(r.reason).with_retryable(r.retryable);
    return error;
}

}  // namespace qconn
