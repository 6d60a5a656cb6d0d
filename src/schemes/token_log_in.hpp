// SPDX-License-Identifier: Apache-2.0
/// Tokens (OAuth 2) for log-ins that are no HTTP: of message brokers, of mail.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <utility>

#include <qconn/auth/oauth2.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/ping_plan.hpp>
#include <qconn/net/tls.hpp>

#include "schemes/convert.hpp"
#ifndef QCONN_WITHOUT_HTTP
#include "schemes/oauth2.hpp"
#endif

namespace qconn::schemes {

/// What asking the token server needs of the connection. A value type.
struct TokenLogIn {
    OAuth2Options oauth2;
    /// Of the log-in; used for grant password.
    std::string username;
    Secret password;
    TlsOptions tls;
    std::optional<Proxy> proxy;
};

#ifndef QCONN_WITHOUT_HTTP

/// What is wrong with the options oauth2_…, taken together; URLs must be whole ones there.
void check_token_log_in(const Definition& definition, Findings& findings);

/// Null where the definition names no grant. @note Thread-safe
std::shared_ptr<TokenSource> log_in_tokens(TokenSources& sources, const ResolvedDefinition& definition, TokenLogIn log_in, const Runtime& runtime);

/// Of a token that only a person can replace: when it ends. For PingPlan::credentials.
std::vector<Credential> tokens_ending(const TokenSource& source);

/// The plan with what tokens show. @param tokens  null: there are none
inline PingPlan with_credentials(PingPlan plan, std::shared_ptr<const TokenSource> tokens) {
    if (tokens) plan.credentials = [tokens = std::move(tokens)] { return tokens_ending(*tokens); };
    return plan;
}

#else  // token servers are asked over HTTP: there are no options for them, and no tokens but those that are given

struct TokenSources {};
inline void check_token_log_in(const Definition&, Findings&) {}
inline std::shared_ptr<TokenSource> log_in_tokens(TokenSources&, const ResolvedDefinition&, const TokenLogIn&, const Runtime&) { return nullptr; }
inline PingPlan with_credentials(PingPlan plan, const std::shared_ptr<const TokenSource>&) { return plan; }

#endif

}  // namespace qconn::schemes
