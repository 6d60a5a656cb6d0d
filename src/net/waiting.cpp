// SPDX-License-Identifier: Apache-2.0
#include "net/waiting.hpp"

namespace qconn::net {

Error stopped(bool cancelled, std::string_view what, std::string_view trouble) {
    std::string message{what};
    message += cancelled ? " was cancelled" : " failed: the deadline has passed before the peer had answered";
    if (!cancelled && !trouble.empty()) message.append("; there is no connection: ").append(trouble);
    Error error = make_error(cancelled ? Errc::cancelled : Errc::timeout, std::move(message));
    error.with_phase(Phase::protocol);
    if (!cancelled) error.with_retryable(true);
    return error;
}

}  // namespace qconn::net
