// SPDX-License-Identifier: Apache-2.0
// Log-ins by tokens: of an OAuth 2 server, which Dovecot asks whether they are good.
#ifndef QCONN_WITHOUT_HTTP
#include <qconn/base/secret.hpp>

#include "integration/mail/pop3_fixture.hpp"
#include "support/catch.hpp"
#include "support/token_grant.hpp"

using namespace qconn;
using namespace qconn::test;

TEST_CASE("Dovecot lets in who has a token of the server that it asks", "[mail][integration]") {
    const Server oauth{"oauth"};
    Server dovecot{"dovecot", {.environment = {"POP3_OAUTH=" + oauth.address()}}};
    Mailbox box{dovecot};
    box.fill(2, 100);
    Pop3Options options = box.options();
    options.password.reset();

    SECTION("one that it gets") {
        options.tokens = source_of(grant_of(oauth));
        CHECK(Pop3Client{options}.stat().messages == 2);
    }
    SECTION("one that is refused is replaced") {
        options.tokens = with_stale_token(grant_of(oauth));
        CHECK(Pop3Client{options}.stat().messages == 2);
        CHECK(options.tokens->last()->access.reveal() != "long-forgotten");
    }
    SECTION("one that is given and wrong is refused, and not shown") {
        options.token = Secret{"canary-of-a-token"};
        const Error error = error_of([&] { Pop3Client{options}.stat(); });
        CHECK(error.code() == Pop3Errc::auth);
        CHECK(error.reason() == Reason::denied);
        CHECK(error.message().find("canary") == std::string_view::npos);
    }
    SECTION("a token for another user is refused") {
        options.username = "somebody";
        options.tokens = source_of(grant_of(oauth));
        CHECK(error_of([&] { Pop3Client{options}.stat(); }).code() == Pop3Errc::auth);
    }
}
#endif
