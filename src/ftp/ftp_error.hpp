// SPDX-License-Identifier: Apache-2.0
/// From replies and failures to Error.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/ftp/ftp_client.hpp>

#include "ftp/task.hpp"

namespace qconn::ftp {

std::string_view error_name(FtpErrc code) noexcept;

/// What a reply that refuses stands for, by its code and, where that says little, by the server's words.
/// @param otherwise  what 550 and 450 mean where the words say nothing
Reason reason_of(const FtpReply& reply, Reason otherwise) noexcept;

/// `reading "a.txt" at files.example:21 failed: the server answered RETR with "550 No such file"; check the path`
/// @param verb  the command without its arguments
Error refusal(const Job& job, std::string_view verb, const FtpReply& reply, Reason otherwise = Reason::status, FtpErrc code = FtpErrc::failed);
/// The same for what no reply says.
Error failure(const Job& job, FtpErrc code, Reason reason, std::string_view what, Phase phase = Phase::protocol);

/// Throws what `work`, which is the caller's, throws, as an Error.
template <class Work>
auto of_caller(const Job& job, Work&& work) {
    try {
        return work();
    } catch (const Error&) { throw; } catch (const std::exception& thrown) {
        throw failure(job, FtpErrc::failed, Reason::local, thrown.what(), Phase::none);
    } catch (...) { throw failure(job, FtpErrc::failed, Reason::local, "what was given to the call threw no std::exception", Phase::none); }
}

}  // namespace qconn::ftp
