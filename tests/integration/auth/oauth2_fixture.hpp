// SPDX-License-Identifier: Apache-2.0
/// Token servers, what they have logged, and a person with a browser.
#pragma once

#include <string>
#include <string_view>

#include <qconn/auth/oauth2.hpp>
#include <qconn/http/http_client.hpp>

#include "support/server.hpp"

namespace qconn::test {

/// oidc-provider, whose tokens live long; one for the test program.
Server& token_server();
/// oauth2-mock-server.
Server& token_mock();

/// Of the client that is known by HTTP Basic.
OAuth2Options oauth2_options(const Server& server);
/// A client of the server's resource whose tokens come from these options.
HttpOptions with_tokens(const Server& server, const OAuth2Options& options);

/// Tokens that the server has given to that client.
int tokens_given(const Server& server, std::string_view client = k_user);
int refusals(const Server& server);
/// Makes the server forget a token of that client.
void revoke(const Server& server, const Token& token, std::string_view client_id = k_user);

struct BackFromBrowser {
    std::string code;
    std::string state;
    /// Where it was sent back to.
    std::string url;
};
/// Goes where a person would be sent to, until the server sends it back to the application.
BackFromBrowser browse(const std::string& url);

}  // namespace qconn::test
