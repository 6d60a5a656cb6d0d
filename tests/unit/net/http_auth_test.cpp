// SPDX-License-Identifier: Apache-2.0
#include <string>

#include "net/http_auth.hpp"
#include "support/catch.hpp"

using namespace qconn::net;

namespace {

std::string credentials(std::string_view challenge, std::string_view user, std::string_view password, const DigestUse& use) {
    const auto digest = best_digest(parse_challenges(challenge));
    REQUIRE(digest);
    return digest_credentials(*digest, user, password, use).value_or("none");
}

}  // namespace

TEST_CASE("the digests of RFC 7616, section 3.9.1", "[net][digest]") {
    const std::string common = R"(realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", )"
                               R"(opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")";
    const DigestUse use{"GET", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", 1};

    const auto md5 = credentials("Digest algorithm=MD5, " + common, "Mufasa", "Circle of Life", use);
    const auto sha256 = credentials("Digest algorithm=SHA-256, " + common, "Mufasa", "Circle of Life", use);

    CHECK(md5.find(R"(response="8ca523f5e9506fed4657c9700eebdbec")") != std::string::npos);
    CHECK(sha256.find(R"(response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")") != std::string::npos);
    CHECK(sha256 ==
          R"(Digest username="Mufasa", realm="http-auth@example.org", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", uri="/dir/index.html", )"
          R"(response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1", algorithm=SHA-256, )"
          R"(opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS", cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, nc=00000001)");
}

TEST_CASE("a digest as before RFC 2617 has neither qop nor a client's nonce", "[net][digest]") {
    // The example of RFC 2069, section 2.4, with the value from its errata.
    const auto made =
        credentials(R"(Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41")",
                    "Mufasa", "CircleOfLife", {"GET", "/dir/index.html", "x", 1});

    CHECK(made.find(R"(response="1949323746fe6a43ef61f9606e7febea")") != std::string::npos);
    CHECK(made.find("cnonce") == std::string::npos);
    CHECK(made.find("qop") == std::string::npos);
}

TEST_CASE("what is quoted in a digest can hold quotes", "[net][digest]") {
    const auto made = credentials(R"(Digest realm="a\"b\\c", nonce="n", qop=auth)", R"(j"o\e)", "x", {"CONNECT", "h:1", "c", 0x01020304});

    CHECK(made.find(R"(username="j\"o\\e", realm="a\"b\\c")") != std::string::npos);
    CHECK(made.find("nc=01020304") != std::string::npos);
}

TEST_CASE("several challenges may stand in one field", "[net][digest]") {
    const auto all =
        parse_challenges(R"(Negotiate, NTLM TlRMTQ==, Basic realm="a, b", Digest realm="r",nonce = "n" , qop="auth-int,auth",stale=TRUE)");

    REQUIRE(all.size() == 4);
    CHECK(all[0].scheme == "negotiate");
    CHECK(all[1].parameters.empty());
    CHECK(*all[2].find("realm") == "a, b");
    CHECK(*all[3].find("nonce") == "n");
    const auto digest = best_digest(all);
    REQUIRE(digest);
    CHECK(digest->stale);
    CHECK(digest->qop);
}

TEST_CASE("the strongest digest that can be answered is taken", "[net][digest]") {
    const auto strongest = [](std::string_view challenges) {
        const auto best = best_digest(parse_challenges(challenges));
        return best ? best->algorithm.value_or("unnamed") : "none";
    };
    CHECK(strongest(R"(Digest realm="r", nonce="n", algorithm=MD5, Digest realm="r", nonce="n", algorithm=SHA-256)") == "SHA-256");
    CHECK(strongest(R"(Digest realm="r", nonce="n", algorithm=sha-256-sess, Digest realm="r", nonce="n", algorithm=MD5)") == "sha-256-sess");
    CHECK(strongest(R"(Digest realm="r", nonce="n")") == "unnamed");
    CHECK(strongest(R"(Digest realm="r", nonce="n", algorithm=SHA-512-256)") == "none");
    CHECK(strongest(R"(Digest realm="r", nonce="n", qop="auth-int")") == "none");
    CHECK(strongest(R"(Digest realm="r")") == "none");
    CHECK(strongest(R"(Basic realm="r")") == "none");
}

TEST_CASE("rubbish in a challenge is no challenge", "[net][digest]") {
    for (const char* rubbish : {"", ",", "=", "\"", "a=b", "Digest realm=\"", "Digest realm=\"\\", "\x01\x02", ",,,=\"=,"}) {
        INFO(rubbish);
        CHECK_FALSE(best_digest(parse_challenges(rubbish)));
    }
}

TEST_CASE("each nonce of a client is another", "[net][digest]") {
    CHECK(make_client_nonce().size() == 32);
    CHECK(make_client_nonce() != make_client_nonce());
}
