// SPDX-License-Identifier: Apache-2.0
/// From answers and failures to Error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/mail/pop3_error.hpp>

#include "net/job.hpp"

namespace qconn::mail::pop3 {

std::string_view error_name(Pop3Errc code) noexcept;

/// "[IN-USE] somebody else": `IN-USE`. Empty: none.
std::string response_code_of(std::string_view answer);

/// What a refusal comes to by its response code, or by its words where it has none.
struct Meaning {
    Pop3Errc code{Pop3Errc::server};
    Reason reason{Reason::status};
    bool retryable{false};
};
/// @param in_clear  there is no TLS
Meaning meaning_of_login(std::string_view answer, bool in_clear);
/// Of a command after the log-in. @param message  it is about one
Meaning meaning_of(std::string_view answer, bool message);

/// `retrieving "3" at mail.example:110 failed: the server answered RETR with "no such message"`
/// @param answer  behind -ERR; masked already
Error refusal(const net::Job& job, std::string_view verb, std::string_view answer, const Meaning& meaning, Phase phase, std::uint32_t message = 0,
              std::string_view hint = {});
/// The same for what no answer says.
Error failure(const net::Job& job, Pop3Errc code, Reason reason, std::string_view what, Phase phase = Phase::protocol, std::uint32_t message = 0);

/// Throws what `work`, which is the caller's, throws, as an Error.
template <class Work>
auto of_caller(const net::Job& job, Work&& work) {
    try {
        return work();
    } catch (const Error&) { throw; } catch (const std::exception& thrown) {
        throw failure(job, Pop3Errc::server, Reason::local, thrown.what(), Phase::none);
    } catch (...) { throw failure(job, Pop3Errc::server, Reason::local, "what was given to the call threw no std::exception", Phase::none); }
}

}  // namespace qconn::mail::pop3
