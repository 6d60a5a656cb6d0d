// SPDX-License-Identifier: Apache-2.0
/// Requests of a client signed for Amazon Web Services.
#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <qconn/auth/sigv4.hpp>
#include <qconn/http/authenticator.hpp>

namespace qconn {

/// Signs each request when it is sent, those behind a redirect within the origin too. Many clients can share it.
/// @param clock  null: that of this machine
/// @throws Error AWSRESTCLIENT-ERROR as SigV4Signer's constructor; calls fail with it where region and service are not known
QCONN_API std::shared_ptr<HttpAuthenticator> sigv4_authenticator(SigV4Options options,
                                                                 std::function<std::chrono::system_clock::time_point()> clock = {});

}  // namespace qconn
