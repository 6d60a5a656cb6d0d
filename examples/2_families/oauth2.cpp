// SPDX-License-Identifier: Apache-2.0
// A RestClient whose requests have tokens: one source gets them, keeps them, and gets new ones.
//
//     OAUTH2_CLIENT_SECRET=… oauth2 URL PATH TOKEN_URL CLIENT_ID
#include <cstdlib>
#include <iostream>
#include <qconn/http/oauth2.hpp>
#include <qconn/rest/rest_client.hpp>

using namespace std::chrono_literals;

int main(int argc, char** argv) {
    const char* secret = std::getenv("OAUTH2_CLIENT_SECRET");
    if (argc != 5 || secret == nullptr) {
        std::cerr << "usage: OAUTH2_CLIENT_SECRET=... oauth2 URL PATH TOKEN_URL CLIENT_ID\n";
        return 2;
    }
    try {
        qconn::RestOptions options;
        options.label = "orders";
        options.url = argv[1];

        qconn::OAuth2Options login;
        login.label = options.label;
        login.grant = qconn::OAuth2Grant::client_credentials;
        login.token_url = argv[3];
        login.client_id = argv[4];
        login.client_secret = qconn::Secret{secret};
        login.basic_auth = true;
        // Any number of clients, of any number of threads, can share one source: one log-in serves them all.
        const auto source = std::make_shared<qconn::TokenSource>(login, qconn::form_sender(options));
        source->on_token([](const qconn::Token& token) {
            std::cout << "a new token";
            if (token.lifetime) std::cout << ", good for " << std::chrono::duration_cast<std::chrono::seconds>(*token.lifetime).count() << " s";
            std::cout << '\n';
        });
        options.authenticator = qconn::oauth2_authenticator(source);
        qconn::RestClient client{options};

        const int first = client.get(argv[2], 10s).status;
        const int second = client.get(argv[2], 10s).status;
        std::cout << "first: " << first << ", second with the same token: " << second << '\n';
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';  // no secret in it, whatever the server repeats
        return 1;
    }
}
