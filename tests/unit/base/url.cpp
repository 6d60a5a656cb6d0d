// SPDX-License-Identifier: Apache-2.0
#include <qconn/base/url.hpp>

#include <optional>
#include <sstream>
#include <string>

#include "support/catch.hpp"

using qconn::Secret;
using qconn::Url;

namespace {

std::string password(const Url& url) { return url.password ? std::string{url.password->reveal()} : "(none)"; }
std::string user(const Url& url) { return url.username.value_or("(none)"); }

}  // namespace

TEST_CASE("a user name may hold '@' and a password nearly everything", "[base][url]") {
    const Url url = Url::parse("esmtptls://username@example.com:uWEb*4Z2!DW~Nr->UK~^?TrR$Y=@smtp.example.com:587");

    CHECK(url.scheme == "esmtptls");
    CHECK(user(url) == "username@example.com");
    CHECK(password(url) == "uWEb*4Z2!DW~Nr->UK~^?TrR$Y=");
    CHECK(url.host == "smtp.example.com");
    CHECK(url.port == 587);
    CHECK(url.path.empty());
}

TEST_CASE("slashes belong to the password up to the last '@'", "[base][url]") {
    const Url url = Url::parse("https://user:pass//X@host/path");

    CHECK(password(url) == "pass//X");
    CHECK(url.host == "host");
    CHECK(url.path == "/path");
}

TEST_CASE("a user name may hold a slash", "[base][url]") {
    const Url url = Url::parse("https://me@ex.com/token:abc@host/p");

    CHECK(user(url) == "me@ex.com/token");
    CHECK(password(url) == "abc");
    CHECK(url.host == "host");
    CHECK(url.path == "/p");
}

TEST_CASE("a user name with a slash and no password is told by the port that follows", "[base][url]") {
    const Url url = Url::parse("ftp://team/edi@host:21/in");

    CHECK(user(url) == "team/edi");
    CHECK_FALSE(url.password);
    CHECK(url.host == "host");
    CHECK(url.port == 21);
    CHECK(url.path == "/in");
}

TEST_CASE("the first colon parts user and password", "[base][url]") {
    const Url url = Url::parse("pop3s://user@example.com:se:cr:et@pop.host");

    CHECK(user(url) == "user@example.com");
    CHECK(password(url) == "se:cr:et");
    CHECK(url.host == "pop.host");
}

TEST_CASE("a password may hold '#', '?' and '@'", "[base][url]") {
    const Url url = Url::parse("rest://u:p#a?b@c@h:1/x");

    CHECK(password(url) == "p#a?b@c");
    CHECK(url.host == "h");
    CHECK(url.port == 1);
    CHECK(url.path == "/x");
}

TEST_CASE("a query without a path is the path", "[base][url]") {
    const Url url = Url::parse("https://host:1234?arg=true");

    CHECK(url.host == "host");
    CHECK(url.port == 1234);
    CHECK(url.path == "?arg=true");
}

TEST_CASE("a path keeps its colon", "[base][url]") {
    const Url url = Url::parse("https://host:8080/something:other");

    CHECK(url.port == 8080);
    CHECK(url.path == "/something:other");
    CHECK(Url::parse("rest://host/a@b").path == "/a@b");
}

TEST_CASE("schemes are lower case", "[base][url]") { CHECK(Url::parse("HTTPS://Host/Path").scheme == "https"); }

TEST_CASE("IPv6 addresses", "[base][url]") {
    CHECK(Url::parse("http://[::1]:8080/x").host == "::1");
    CHECK(Url::parse("http://[::1]:8080/x").port == 8080);
    CHECK(Url::parse("http://[fe80::1%25eth0]").is_ipv6);
    CHECK(Url::parse("qorus://::").host == "::");
    CHECK_FALSE(Url::parse("qorus://::").port);
    CHECK(Url::parse("http://[2001:db8::7]/").authority() == "[2001:db8::7]");
    CHECK(Url::parse("http://u:p@[::1]:81").port == 81);
}

TEST_CASE("UNIX sockets are written percent-encoded", "[base][url]") {
    const Url url = Url::parse("http://socket=%2Frun%2Fapp.sock/status");

    CHECK(url.is_socket);
    CHECK(url.host == "/run/app.sock");
    CHECK(url.path == "/status");
    CHECK(url.reveal() == "http://socket=%2Frun%2Fapp.sock/status");
}

TEST_CASE("a nested URL takes the outer scheme", "[base][url]") {
    const Url url = Url::parse("sap4hanarests://https://sandbox.api.sap.com/s4hanacloud/sap/opu/odata/sap");

    CHECK(url.scheme == "sap4hanarests");
    CHECK(url.host == "sandbox.api.sap.com");
    CHECK(url.path == "/s4hanacloud/sap/opu/odata/sap");
    CHECK(Url::parse("sap4hanarests://sandbox.api.sap.com/s4hanacloud").host == "sandbox.api.sap.com");
}

TEST_CASE("paths alone", "[base][url]") {
    CHECK(Url::parse("a/b").path == "a/b");
    CHECK(Url::parse("a/b").host.empty());
    CHECK(Url::parse("/var/data").path == "/var/data");
    CHECK(Url::parse("just-a-host").host == "just-a-host");
}

TEST_CASE("file URLs", "[base][url]") {
    CHECK(Url::parse("file:///c:/dir").path == "c:/dir");
    CHECK(Url::parse("file:///var/data").path == "/var/data");
    CHECK(Url::parse("file://data/x").host == "data");
    CHECK(Url::parse("file://\\\\server\\share").path == "\\\\server\\share");
    CHECK(Url::parse("file:////server/share").path == "//server/share");
    CHECK(Url::parse("file://$OMQ_DIR/user/csv").host == "$OMQ_DIR");
}

TEST_CASE("nothing is percent-decoded", "[base][url]") {
    const Url url = Url::parse("http://us%40er:p%3Aw@host/a%20b");

    CHECK(user(url) == "us%40er");
    CHECK(password(url) == "p%3Aw");
    CHECK(url.path == "/a%20b");
}

TEST_CASE("line ends at the end are dropped", "[base][url]") { CHECK(Url::parse("http://host/x\r\n").path == "/x"); }

TEST_CASE("what cannot be a URL is refused", "[base][url]") {
    for (const char* bad : {"scheme://user@host:hi/", "http://localhost:65536", "http://h:", "", " ", "http://a:b:1/", "http://[::1/x",
                            "http://[::1]x", "http://[nonsense]/", "http://h:99999999999999999999/", "http://h\001ost/", "sap://http://h:/x"}) {
        CAPTURE(bad);
        const auto result = Url::try_parse(bad);
        REQUIRE_FALSE(result);
        CHECK(result.error().name() == "PARSE-URL-ERROR");
        CHECK(result.error().code() == qconn::Errc::parse_url);
    }
}

TEST_CASE("masked forms show no password", "[base][url]") {
    CHECK(Url::parse("rests://user:s3cret@host:8080/path").masked() == "rests://user:<masked>@host:8080/path");
    CHECK(Url::parse("rests://user@host/").masked() == "rests://user@host");
    CHECK(Url::parse("rests://user:s3cret@host:8080/path").reveal() == "rests://user:s3cret@host:8080/path");
}

TEST_CASE("text that may be a URL is masked without being understood", "[base][url]") {
    CHECK(qconn::mask_url("x://u:p/@h:hi/") == "x://u:<masked>@h:hi/");
    CHECK(qconn::mask_url("x://token@h") == "x://<masked>@h");
    CHECK(qconn::mask_url("u:p@h") == "u:<masked>@h");
    CHECK(qconn::mask_url("x://h/p") == "x://h/p");
    CHECK(qconn::mask_url("x://user:pass-without-at") == "x://user:<masked>");
    CHECK(qconn::mask_url("x://h:80/p") == "x://h:80/p");
    CHECK(qconn::mask_url("x://user:pass:/p") == "x://user:<masked>");
    CHECK(qconn::mask_url("x://user:pass:80") == "x://user:<masked>");
    CHECK(qconn::mask_url("x://fe80::1/p") == "x://fe80::1/p");
    CHECK(qconn::mask_url("x://2001:db8:0:0:0:0:0:1/p") == "x://2001:db8:0:0:0:0:0:1/p");
    CHECK(qconn::mask_url("x://cafe:beef:80/p") == "x://cafe:<masked>");
}

TEST_CASE("masked forms show no query value that is named like a credential", "[base][url]") {
    for (const char* name : {"api_key", "apikey", "API-Key", "key", "token", "access_token", "client_secret", "password", "pwd", "sig",
                             "X-Amz-Signature", "auth", "code", "api%5Fkey"}) {
        CAPTURE(name);
        const std::string query = std::string{"?a=1&"} + name + "=";
        CHECK(Url::parse("rests://h/p" + query + "canary@x&b=2").masked() == "rests://h/p" + query + "<masked>&b=2");
        CHECK(qconn::mask_url("rests://h/p" + query + "canary&b=2") == "rests://h/p" + query + "<masked>&b=2");
        CHECK(qconn::mask_url("rests://h/p" + query + "x@canary").find("canary") == std::string::npos);
    }
    CHECK(Url::parse("rests://h/p?postcode=1&page=2").masked() == "rests://h/p?postcode=1&page=2");
    CHECK(qconn::mask_url("rests://h/p?a=1;token=canary") == "rests://h/p?a=1;token=<masked>");
    CHECK(Url::parse("rests://h/p?token=shown").reveal() == "rests://h/p?token=shown");
}

TEST_CASE("what looks like a part of a URL inside a password is masked with it", "[base][url]") {
    for (const char* text :
         {"r\x90st://us:canary://x@h", "u:x://canary@h", "http://u:1234/canary?key=canary@h", "http://u:canary?token=x@h", "a://b://u:x:canary@h"}) {
        CAPTURE(text);
        CHECK(qconn::mask_url(text).find("canary") == std::string::npos);
        CHECK(Url::parse(text).masked().find("canary") == std::string::npos);
    }
}

TEST_CASE("a URL that was taken apart is the same when it is put together", "[base][url]") {
    for (const char* text : {"ws://u:p@/::p/u", "file:///c:/x", "file:////server/share", "file:////:/x", "dir://http://h/x", "soap://file:///c:/x",
                             "file://x:///c:/x"}) {
        CAPTURE(text);
        const Url url = Url::parse(text);
        CHECK(Url::parse(url.reveal()) == url);
    }
}

TEST_CASE("an error about a URL shows no password", "[base][url]") {
    for (const char* bad : {"http://user:canary@host:port/", "http://user:canary", "http://user:canary:x@host:1:2/"}) {
        CAPTURE(bad);
        const auto result = Url::try_parse(bad);
        REQUIRE_FALSE(result);
        CHECK(std::string{result.error().what()}.find("canary") == std::string::npos);
    }
}

TEST_CASE("a list of URLs is split at every pipe", "[base][url]") {
    const auto parts = qconn::split_urls("ws://a:8585 | ws://b:8585");

    REQUIRE(parts.size() == 2);
    CHECK(parts[0] == "ws://a:8585");
    CHECK(parts[1] == "ws://b:8585");
}

TEST_CASE("percent coding", "[base][url]") {
    CHECK(qconn::percent_decode("%41b%2") == "Ab%2");
    CHECK(qconn::percent_decode("%zz%20") == "%zz ");
    CHECK(qconn::percent_encode("a b/c~é") == "a%20b%2Fc~%C3%A9");
    CHECK(qconn::percent_encode("/a/b c", "/") == "/a/b%20c");
}
