// SPDX-License-Identifier: Apache-2.0
/// What a client is about, for its messages.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>

namespace qconn::net {

/// `reading "a.txt" at files.example:21`. A value type.
struct Job {
    std::string label;     ///< of the client
    std::string server;    ///< "files.example:21"
    std::string verb;      ///< "reading"
    std::string subject;   ///< what it is done to, as the caller gave it; may be empty
    std::string target{};  ///< what it is to become; may be empty

    /// `reading "a.txt" at files.example:21 failed: ` and what follows.
    std::string failed(std::string_view what) const;
};

/// An error of the layer below: the same error, with what was being done before its message.
Error in_job(const Job& job, Error error);

}  // namespace qconn::net
