// SPDX-License-Identifier: Apache-2.0
/// SmtpOptions checked, and made into what sessions and pings need.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <qconn/base/log.hpp>
#include <qconn/mail/smtp_options.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/runtime.hpp>

#include "mail/smtp_dialogue.hpp"
#include "net/dialogue_log.hpp"
#include "net/job.hpp"
#include "net/tls_context.hpp"

namespace qconn::mail {

/// What all sessions of a client have in common. Immutable, but for what was said once.
struct SmtpSettings {
    SmtpOptions options;
    Endpoint endpoint;                           ///< without TLS
    std::shared_ptr<const net::TlsContext> tls;  ///< null: none
    std::shared_ptr<const SmtpLoginPlan> login;
    std::string server;  ///< for messages
    Log log;
    std::shared_ptr<net::DialogueLog> dialogue;
    mutable std::atomic<bool> warned{false};  ///< that the password goes in clear

    std::size_t max_sessions() const noexcept { return options.max_sessions; }
    std::chrono::milliseconds idle_time() const noexcept { return options.idle_time; }
    net::Job job(std::string verb, std::string_view subject = {}) const { return {options.label, server, std::move(verb), std::string{subject}}; }
};

std::uint16_t port_of(const SmtpOptions& options) noexcept;
/// @throws Error SMTP-URL-ERROR, SMTPCLIENT-INVALID-AUTHENTICATION, SMTP-MESSAGE-ERROR
SmtpLoginPlan login_of(const SmtpOptions& options, SmtpDepth depth);
/// Without TLS.
Endpoint endpoint_of(const SmtpOptions& options);
/// @throws Error as login_of(); TLS-OPTION-ERROR
std::shared_ptr<const SmtpSettings> settings_of(SmtpOptions options, const Runtime& runtime);

}  // namespace qconn::mail
