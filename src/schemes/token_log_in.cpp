// SPDX-License-Identifier: Apache-2.0
#include "schemes/token_log_in.hpp"

#include <chrono>
#include <string_view>
#include <utility>

#include <qconn/http/oauth2.hpp>

#include "auth/token_end.hpp"
#include "http/target.hpp"

namespace qconn::schemes {

void check_token_log_in(const Definition& definition, Findings& findings) {
    OAuth2Defaults defaults;
    defaults.user_beside = true;
    check_oauth2(definition, defaults, findings);
    for (const char* name : {"oauth2_token_url", "oauth2_auth_url", "oauth2_alt_token_url"}) {
        const Value* const url = definition.options.find(name);
        if (url != nullptr && url->is_string() && !http::is_whole_url(url->as_string()))
            findings.error(name, "bad-value", std::string{"'"} + name + "' must be a whole URL here",
                           "this connection is no HTTP, whose host a path could be of");
    }
}

std::shared_ptr<TokenSource> log_in_tokens(TokenSources& sources, const ResolvedDefinition& definition, TokenLogIn log_in, const Runtime& runtime) {
    if (log_in.oauth2.grant == OAuth2Grant::none) return nullptr;
    HttpOptions http;
    http.label = definition.name;
    http.url = log_in.oauth2.token_url;
    http.tls = std::move(log_in.tls);
    http.proxy = std::move(log_in.proxy);
    if (log_in.oauth2.grant == OAuth2Grant::password) {
        log_in.oauth2.username = std::move(log_in.username);
        log_in.oauth2.password = std::move(log_in.password);
    }
    log_in.oauth2.label = definition.name;
    return sources.get(
        definition, log_in.oauth2, [&http, &runtime] { return form_sender(http, runtime); }, runtime);
}

std::vector<Credential> tokens_ending(const TokenSource& source) {
    const TokenPtr last = source.last();
    const auto end = auth::ending_token(source.options(), last.get(), Clock::now(), std::chrono::system_clock::now());
    return end ? std::vector{*end} : std::vector<Credential>{};
}

}  // namespace qconn::schemes
