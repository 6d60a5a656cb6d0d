// SPDX-License-Identifier: Apache-2.0
/// FtpOptions checked, and made into what sessions and pings need.
#pragma once

#include <memory>

#include <qconn/net/runtime.hpp>

#include "ftp/session.hpp"

namespace qconn::ftp {

inline constexpr std::string_view k_anonymous = "anonymous";
inline constexpr std::string_view k_anonymous_password = "qore@nohost.com";

std::uint16_t port_of(const FtpOptions& options) noexcept;
/// @throws Error FTP-URL-ERROR
LoginPlan login_of(const FtpOptions& options, LoginDepth depth);
/// Where its control connections go to; without TLS.
Endpoint endpoint_of(const FtpOptions& options);
/// @throws Error FTP-URL-ERROR, TLS-OPTION-ERROR
std::shared_ptr<const Settings> settings_of(FtpOptions options, const Runtime& runtime);

}  // namespace qconn::ftp
