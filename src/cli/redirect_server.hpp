// SPDX-License-Identifier: Apache-2.0
/// Listens on this machine for a browser that comes back from a log-in (RFC 8252 section 7.3).
#pragma once

#include <cstdint>
#include <string>

#include <qconn/base/deadline.hpp>

#include "cli/live.hpp"
#include "cli/redirect.hpp"

namespace qconn::cli {

class RedirectServer {
public:
    /// @throws Error SYSTEM-ERROR where it cannot listen there
    explicit RedirectServer(RedirectPlace place);

    /// Where the browser is to come back to.
    std::string url() const { return place_.url(port_); }
    /// Answers whoever comes, until one brings what a log-in with that state ends with.
    /// @throws Error TIMEOUT; CANCELLED at a signal
    Redirected wait(const std::string& state, Signals& signals, Deadline until);

private:
    RedirectPlace place_;
    Descriptor fd_;
    std::uint16_t port_;
};

}  // namespace qconn::cli
