// SPDX-License-Identifier: Apache-2.0
/// Tokens of a real OAuth 2 server (tests/servers/oauth.sh), by client credentials.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include <qconn/auth/oauth2.hpp>
#include <qconn/http/oauth2.hpp>

#include "support/server.hpp"

namespace qconn::test {

inline OAuth2Options grant_of(const Server& oauth) {
    OAuth2Options options;
    options.label = "tokens";
    options.grant = OAuth2Grant::client_credentials;
    options.client_id = k_user;
    options.client_secret = Secret{k_password};
    options.token_url = "http://" + oauth.address() + "/token";
    options.basic_auth = true;
    return options;
}

inline std::shared_ptr<TokenSource> source_of(OAuth2Options options) {
    HttpOptions http;
    http.url = options.token_url;
    return std::make_shared<TokenSource>(std::move(options), form_sender(http));
}

/// One that believes that it has a token, which the server has never given.
inline std::shared_ptr<TokenSource> with_stale_token(OAuth2Options options) {
    auto source = source_of(std::move(options));
    Token old;
    old.access = Secret{"long-forgotten"};
    source->resume(old);
    return source;
}

}  // namespace qconn::test
