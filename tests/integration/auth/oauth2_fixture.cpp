// SPDX-License-Identifier: Apache-2.0
#include "oauth2_fixture.hpp"

#include <qconn/base/url.hpp>
#include <qconn/http/oauth2.hpp>

#include "base/form.hpp"
#include "support/catch.hpp"

namespace qconn::test {

namespace {

int count_lines(const std::string& text, const std::string& line) {
    int count = 0;
    for (std::size_t at = text.find(line); at != std::string::npos; at = text.find(line, at + 1)) ++count;
    return count;
}

}  // namespace

Server& token_server() {
    static Server server{"oauth"};
    return server;
}

Server& token_mock() {
    static Server server{"oauthmock"};
    return server;
}

OAuth2Options oauth2_options(const Server& server) {
    OAuth2Options options;
    options.label = "shop";
    options.grant = OAuth2Grant::client_credentials;
    options.client_id = k_user;
    options.client_secret = Secret{k_password};
    options.basic_auth = true;
    options.token_url = "http://" + server.address() + "/token";
    options.scopes = {"read"};
    return options;
}

HttpOptions with_tokens(const Server& server, const OAuth2Options& options) {
    HttpOptions http;
    http.label = options.label;
    http.url = "http://" + server.address() + "/";
    http.authenticator = oauth2_authenticator(std::make_shared<TokenSource>(options, form_sender(http)));
    return http;
}

int tokens_given(const Server& server, std::string_view client) { return count_lines(server.log(), "grant.success " + std::string{client} + " \n"); }

int refusals(const Server& server) { return count_lines(server.log(), "grant.error "); }

void revoke(const Server& server, const Token& token, std::string_view client_id) {
    HttpOptions options;
    options.url = "http://" + server.address() + "/";
    Map fields{{"token", token.access.reveal()}};
    if (client_id == k_user) {
        options.username = k_user;
        options.password = Secret{k_password};
    } else {
        fields.set("client_id", client_id);
        fields.set("client_secret", k_password);
    }
    HttpClient client{options};
    client.post("token/revocation", form::encode(Value{std::move(fields)}), "application/x-www-form-urlencoded", Deadline{std::chrono::seconds{20}});
}

BackFromBrowser browse(const std::string& url) {
    HttpOptions options;
    options.url = url;
    options.redirects = RedirectMode::none;
    options.tls.ca_file = tls_file("ca.crt");
    HttpClient client{options};
    const Url place = Url::parse(url);
    const std::string origin = place.scheme + "://" + place.authority();
    Map cookies;
    std::string next = url;
    for (int hops = 0; hops < 10; ++hops) {
        HttpRequest request;
        request.path = next;
        std::string jar;
        for (const auto& [name, value] : cookies) jar.append(jar.empty() ? "" : "; ").append(name).append("=").append(value.as_string());
        if (!jar.empty()) request.headers.set("Cookie", jar);
        const HttpResponse answer = client.request(request, Deadline{std::chrono::seconds{20}});
        for (const auto& [name, value] : answer.headers) {
            if (name != "Set-Cookie" && name != "set-cookie") continue;
            const std::string pair = value.substr(0, value.find(';'));
            cookies.set(pair.substr(0, pair.find('=')), pair.substr(pair.find('=') + 1));
        }
        next = answer.headers.get("Location");
        INFO(answer.status << " " << answer.body);
        REQUIRE_FALSE(next.empty());
        if (next.starts_with("/")) next = origin + next;
        if (next.starts_with(origin + "/")) continue;
        const Value query = form::decode(next.substr(next.find('?') + 1)).value();
        const Value* code = query.as_map().find("code");  // not where it was refused
        return {code ? std::string{code->as_string()} : std::string{}, std::string{query["state"].as_string()}, next};
    }
    FAIL("the server sends the browser in a circle");
    return {};
}

}  // namespace qconn::test
