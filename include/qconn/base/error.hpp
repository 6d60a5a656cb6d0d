// SPDX-License-Identifier: Apache-2.0
/// The one exception of the library, and what a caller can decide on from it.
#pragma once

#include <cstdint>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <qconn/base/export.hpp>

namespace qconn {

/// How far an attempt to use a connection had come.
enum class Phase : std::uint8_t {
    none,      ///< not about a remote end: wrong arguments, a definition's fault
    secret,    ///< looking up a secret that the definition refers to
    resolve,   ///< name to addresses
    connect,   ///< opening the transport
    proxy,     ///< talking to a proxy
    tls,       ///< handshake and verification
    auth,      ///< log-in
    protocol,  ///< the family's own dialogue
    head,      ///< waiting for the head of an answer
    body,      ///< receiving the body of an answer
    redirect,  ///< following a redirection
};

/// Why an attempt failed; a short list to count and to decide on. The system's and the peer's own words are in the message.
enum class Reason : std::uint8_t {
    none,
    refused,       ///< nothing listens there
    timeout,       ///< no answer in time
    reset,         ///< the peer or the network cut the connection
    closed,        ///< the peer closed before it had answered
    unreachable,   ///< no route to the host or network
    unknown_host,  ///< the name has no address
    resolver,      ///< the name service itself failed
    certificate_expired,
    certificate_untrusted,
    certificate_name,     ///< valid, but for another host
    certificate_pin,      ///< not the pinned one
    certificate_revoked,  ///< on its authority's list of revoked ones, or hard checks found no list
    handshake,            ///< TLS failed for another reason
    denied,               ///< credentials refused
    permission,           ///< known, but not allowed
    not_found,
    exists,
    bad_answer,  ///< what came back is not the protocol
    status,      ///< a well-formed answer that reports a failure
    limit,       ///< a limit on size, depth, count or expansion
    missing,     ///< something needed is not there: a secret, an option
    bad_value,   ///< an argument, option or definition is wrong
    cancelled,   ///< by the caller, or its client was destroyed
    local,       ///< this machine: descriptors, ports, memory, disk
    disk_full,
    unsupported,
};

QCONN_API std::string_view to_string(Phase phase) noexcept;
QCONN_API std::string_view to_string(Reason reason) noexcept;

/// Codes of errors that belong to no family. Each family has an enum of its own beside this one.
enum class Errc {
    value_type = 1,    ///< VALUE-TYPE-ERROR: a value has another kind than was asked for
    value_range,       ///< VALUE-RANGE-ERROR: a number does not fit
    value_key,         ///< VALUE-KEY-ERROR: a map has no such key
    parse,             ///< PARSE-ERROR: text is not of its format
    serialize,         ///< SERIALIZATION-ERROR: a value cannot be written in a format
    parse_url,         ///< PARSE-URL-ERROR
    timeout,           ///< TIMEOUT: the deadline of a call has passed
    cancelled,         ///< CANCELLED
    limit,             ///< LIMIT-EXCEEDED
    system,            ///< SYSTEM-ERROR: the operating system refused
    invalid_argument,  ///< INVALID-ARGUMENT
    secret,            ///< SECRET-ERROR: a secret that a definition refers to cannot be had
    fork,              ///< FORK-ERROR: the process was forked after the runtime had started
};
QCONN_API const std::error_category& base_category() noexcept;
QCONN_API std::error_code make_error_code(Errc code) noexcept;

/// Typed facts that go with an error; a family derives its own (see HttpErrorDetail). Immutable once thrown.
class QCONN_API ErrorDetail {
public:
    virtual ~ErrorDetail();
};

/// The exception that every blocking call throws and every asynchronous one delivers. Copies share their state and are cheap.
/// what() is "NAME: sentence"; no part of it holds a secret.
/// @note Immutable apart from the with_ functions, which are for the code that makes it; copies are safe in many threads.
class QCONN_API Error : public std::exception {
public:
    /// @param name     stable name, for example "REST-RESPONSE-ERROR"
    /// @param message  what was tried, on what, what came back, what to do; without the name
    Error(std::error_code code, std::string_view name, std::string message);
    Error(const Error&) noexcept = default;
    Error& operator=(const Error&) noexcept = default;
    ~Error() override;

    const char* what() const noexcept override;
    std::error_code code() const noexcept;
    std::string_view name() const noexcept;
    std::string_view message() const noexcept;
    /// Name of the connection, or the label of the client; empty where it is not about one.
    std::string_view connection() const noexcept;
    Phase phase() const noexcept;
    Reason reason() const noexcept;
    /// Whether the same call may succeed if it is repeated later without any change.
    bool retryable() const noexcept;
    /// Whether the transport cannot be used any more (a client dials anew by itself).
    bool spoils_connection() const noexcept;
    /// The family's facts, where they are of that type; otherwise null. Lives as long as this error or a copy of it.
    template <class T>
    const T* detail() const noexcept {
        return dynamic_cast<const T*>(detail_base());
    }

    // For the code that makes the error. Each changes this object only, never a copy.
    Error& with_phase(Phase phase) &;
    Error& with_reason(Reason reason) &;
    /// What secret references of that connection were resolved to is replaced by the references in name and message, as in a later prefix.
    Error& with_connection(std::string_view name) &;
    Error& with_retryable(bool yes) &;
    Error& with_spoils_connection(bool yes) &;
    Error& with_detail(std::shared_ptr<const ErrorDetail> detail) &;
    /// Puts `prefix` before the message.
    Error& with_prefix(std::string_view prefix) &;
    Error&& with_phase(Phase phase) && { return std::move(with_phase(phase)); }
    Error&& with_reason(Reason reason) && { return std::move(with_reason(reason)); }
    Error&& with_connection(std::string_view name) && { return std::move(with_connection(name)); }
    Error&& with_retryable(bool yes) && { return std::move(with_retryable(yes)); }
    Error&& with_spoils_connection(bool yes) && { return std::move(with_spoils_connection(yes)); }
    Error&& with_detail(std::shared_ptr<const ErrorDetail> detail) && { return std::move(with_detail(std::move(detail))); }

private:
    struct State;
    State& own();
    const ErrorDetail* detail_base() const noexcept;

    std::shared_ptr<State> state_;
};

/// An Error of the base category with the name documented at the code and the phase and reason that go with it.
QCONN_API Error make_error(Errc code, std::string message);

}  // namespace qconn

template <>
struct std::is_error_code_enum<qconn::Errc> : std::true_type {};
