// SPDX-License-Identifier: Apache-2.0
/// Certificates as text.
#pragma once

#include <chrono>
#include <string>

#include <qconn/net/tls.hpp>

#include "net/openssl_ptr.hpp"

namespace qconn::net {

TlsCertificate describe(X509* certificate);
/// "2026-11-22", in UTC.
std::string day(std::chrono::system_clock::time_point time);

}  // namespace qconn::net
