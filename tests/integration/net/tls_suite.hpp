// SPDX-License-Identifier: Apache-2.0
/// Every field of TlsOptions against real servers: each check fails where the field is ignored. The same for whatever makes the connection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include <qconn/base/error.hpp>
#include <qconn/net/tls.hpp>

namespace qconn::test {

/// What came of one request over TLS.
struct TlsOutcome {
    bool ok{false};
    Reason reason{Reason::none};
    /// Of the error; empty where it is ok.
    std::string message;
    TlsInfo info;
};

/// A client with certain options; each call makes a new connection and requests a path.
using TlsClient = std::function<TlsOutcome(const std::string& host, std::uint16_t port, const std::string& path)>;
using MakeTlsClient = std::function<TlsClient(const TlsOptions& options)>;

/// To be called from one TEST_CASE; has a SECTION for each field.
void check_every_tls_field(const MakeTlsClient& make);

}  // namespace qconn::test
