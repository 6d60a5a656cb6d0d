// SPDX-License-Identifier: Apache-2.0
/// Pop3Options checked, and made into what sessions and pings need.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/mail/pop3_options.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/runtime.hpp>

#include "mail/pop3_dialogue.hpp"
#include "net/dialogue_log.hpp"
#include "net/tls_context.hpp"

namespace qconn::mail::pop3 {

/// What all sessions of a client have in common. Immutable.
struct Settings {
    Pop3Options options;
    Endpoint endpoint;                           ///< without TLS
    std::shared_ptr<const net::TlsContext> tls;  ///< null: none
    std::shared_ptr<const LoginPlan> login;
    std::string server;  ///< for messages
    std::shared_ptr<net::DialogueLog> dialogue;

    net::Job job(std::string_view verb, std::string_view subject = {}) const {
        return {options.label, server, std::string{verb}, std::string{subject}};
    }
};

/// @throws Error POP3-URL-ERROR, POP3-CONFIG-ERROR
LoginPlan login_of(const Pop3Options& options, LoginDepth depth);
Endpoint endpoint_of(const Pop3Options& options);
/// @throws Error likewise, and TLS-OPTION-ERROR
std::shared_ptr<const Settings> settings_of(Pop3Options options, const Runtime& runtime);

}  // namespace qconn::mail::pop3
