// SPDX-License-Identifier: Apache-2.0
/// What replies of an SMTP server mean and hold.
#pragma once

#include <string>

#include <qconn/mail/smtp_client.hpp>
#include <qconn/net/reply.hpp>

namespace qconn::mail {

inline bool is_good(const Reply& reply) noexcept { return reply.code / 100 == 2; }
inline bool is_for_now(const Reply& reply) noexcept { return reply.code / 100 == 4; }

/// The enhanced status code at the beginning of a reply (RFC 2034): "5.1.1"; empty where there is none, or one of another class than the reply.
std::string enhanced_status(const Reply& reply);

/// What the reply to EHLO says; everything besides is kept.
/// @returns whether STARTTLS is among it
bool read_capabilities(const Reply& reply, SmtpServerInfo& info);

}  // namespace qconn::mail
