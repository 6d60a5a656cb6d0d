// SPDX-License-Identifier: Apache-2.0
#include "http/target.hpp"

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::http;

TEST_CASE("base path and path are joined with one slash", "[http][target]") {
    struct Case {
        std::string base, path, joined;
    };
    for (const Case& one : {Case{"", "", "/"}, Case{"", "a", "/a"}, Case{"", "/a", "/a"}, Case{"/", "a", "/a"}, Case{"/", "/a", "/a"},
                            Case{"/v1", "a/b", "/v1/a/b"}, Case{"/v1/", "/a", "/v1/a"}, Case{"/v1", "", "/v1"}, Case{"/v1/", "", "/v1/"},
                            Case{"/v1", "?q=1", "/v1?q=1"}, Case{"", "?q=1", "/?q=1"}, Case{"/v1?key=k", "a", "/v1/a?key=k"},
                            Case{"/v1?key=k", "a?b=c", "/v1/a?b=c&key=k"}, Case{"/v1?key=k", "", "/v1?key=k"}, Case{"/v1", "a//b", "/v1/a//b"}}) {
        INFO(one.base << " + " << one.path);
        CHECK(join_paths(one.base, one.path) == one.joined);
    }
}

TEST_CASE("paths are encoded where they must be, and as the options say", "[http][target]") {
    CHECK(encode_path("/a b\t", {}) == "/a%20b%09");
    CHECK(encode_path("/\xC3\xA4", {}) == "/%C3%A4");
    CHECK(encode_path("/a#b", {}) == "/a%23b");
    CHECK(encode_path("/a%20b?x=y&z", {}) == "/a%20b?x=y&z");
    CHECK(encode_path("/a{b}", {"{}", false}) == "/a%7Bb%7D");
    CHECK(encode_path("/a~b", {}) == "/a~b");
    for (const char c : std::string{"{}|\\^~[]`"}) CHECK_THROWS_AS(encode_path(std::string{"/a"} + c, {{}, true}), Error);
    CHECK(encode_path("/a%7B", {{}, true}) == "/a%7B");
    CHECK_THROWS_AS(encode_path("/a\r\nHost: evil", {}), Error);
    CHECK_THROWS_AS(encode_path("/a\nb", {{}, true}), Error);
}

TEST_CASE("a whole URL is taken apart as RFC 3986 has it", "[http][target]") {
    UserInfo user;
    const Target one = parse_target("HTTPS://us%65r:pa@s%73@Shop.Example:8443/p?a=b@c#frag", &user);
    CHECK(one.tls);
    CHECK(one.host == "shop.example");
    CHECK(one.port == 8443);
    CHECK(one.path == "/p?a=b@c");
    CHECK(user.username == "user");
    CHECK(user.password.reveal() == "pa@ss");
    CHECK(one.url() == "https://shop.example:8443/p?a=b@c");
    CHECK(one.shown() == "https://shop.example:8443/p?…");

    const Target v6 = parse_target("http://[::1]?x");
    CHECK(v6.host == "::1");
    CHECK(v6.port == 80);
    CHECK(v6.url() == "http://[::1]/?x");
    CHECK(parse_target("http://h:80").authority() == "h");

    for (const char* wrong : {"ftp://h/", "http://", "http:///x", "http://h:0/", "http://h:65536/", "http://h:x/", "http://[::1/", "http://[::1]x/",
                              "http://a b/", "http://h\r\n/"}) {
        INFO(wrong);
        CHECK_THROWS_AS(parse_target(wrong), Error);
    }
    CHECK(is_whole_url("http://x"));
    CHECK_FALSE(is_whole_url("/a?u=http://x"));
    CHECK_FALSE(is_whole_url("a/b://c"));
}

TEST_CASE("a Location leads where RFC 3986 section 5.4 says", "[http][target]") {
    const Target base = parse_target("http://a/b/c/d;p?q");
    struct Case {
        const char* location;
        const char* url;
    };
    for (const Case& one : {Case{"g", "http://a/b/c/g"},
                            Case{"./g", "http://a/b/c/g"},
                            Case{"g/", "http://a/b/c/g/"},
                            Case{"/g", "http://a/g"},
                            Case{"//g", "http://g/"},
                            Case{"?y", "http://a/b/c/d;p?y"},
                            Case{"g?y", "http://a/b/c/g?y"},
                            Case{"#s", "http://a/b/c/d;p?q"},
                            Case{"g#s", "http://a/b/c/g"},
                            Case{";x", "http://a/b/c/;x"},
                            Case{"", "http://a/b/c/d;p?q"},
                            Case{".", "http://a/b/c/"},
                            Case{"./", "http://a/b/c/"},
                            Case{"..", "http://a/b/"},
                            Case{"../", "http://a/b/"},
                            Case{"../g", "http://a/b/g"},
                            Case{"../..", "http://a/"},
                            Case{"../../g", "http://a/g"},
                            Case{"../../../g", "http://a/g"},
                            Case{"/./g", "http://a/g"},
                            Case{"/../g", "http://a/g"},
                            Case{"g.", "http://a/b/c/g."},
                            Case{"..g", "http://a/b/c/..g"},
                            Case{"./../g", "http://a/b/g"},
                            Case{"g/./h", "http://a/b/c/g/h"},
                            Case{"g/../h", "http://a/b/c/h"},
                            Case{"g?y/../x", "http://a/b/c/g?y/../x"},
                            Case{"https://x:444/y z", "https://x:444/y%20z"},
                            Case{" /g ", "http://a/g"}}) {
        INFO(one.location);
        CHECK(resolve_location(base, one.location).url() == one.url);
    }
    for (const char* wrong : {"ftp://x/", "javascript:alert(1)", "mailto:a@b", "http://", "http:g"}) {
        INFO(wrong);
        CHECK_THROWS_AS(resolve_location(base, wrong), Error);
    }
}

TEST_CASE("a redirect of a UNIX socket to its own name stays on the socket", "[http][target]") {
    Target base;
    base.host = "localhost";
    base.socket = "/run/app.sock";

    CHECK(resolve_location(base, "/x").same_origin(base));
    CHECK(resolve_location(base, "http://localhost/x").same_origin(base));
    CHECK_FALSE(resolve_location(base, "http://localhost:81/x").same_origin(base));
    CHECK_FALSE(resolve_location(base, "https://localhost/x").same_origin(base));
}

TEST_CASE("an origin is scheme, host and port", "[http][target]") {
    const Target base = parse_target("https://h/");
    CHECK(base.same_origin(parse_target("https://H:443/x")));
    CHECK_FALSE(base.same_origin(parse_target("http://h:443/")));
    CHECK_FALSE(base.same_origin(parse_target("https://h:444/")));
    CHECK_FALSE(base.same_origin(parse_target("https://sub.h/")));
}

TEST_CASE("which redirects are followed, and with which method", "[http][redirect]") {
    struct Case {
        int status;
        const char* method;
        bool follow, to_get;
    };
    for (const Case& one : {Case{301, "POST", true, true}, Case{302, "POST", true, true}, Case{303, "POST", true, true}, Case{303, "PUT", true, true},
                            Case{303, "HEAD", true, false}, Case{301, "PUT", true, false}, Case{301, "GET", true, false},
                            Case{307, "POST", true, false}, Case{308, "POST", true, false}, Case{300, "GET", false, false},
                            Case{304, "GET", false, false}, Case{305, "GET", false, false}, Case{200, "GET", false, false}}) {
        INFO(one.status << " " << one.method);
        const RedirectStep step = redirect_rule(RedirectMode::standard, one.status, one.method);
        CHECK(step.follow == one.follow);
        CHECK(step.to_get == one.to_get);
    }
    for (const int status : {300, 301, 302, 303, 305, 307, 308}) {
        const RedirectStep step = redirect_rule(RedirectMode::repeat, status, "POST");
        CHECK(step.follow);
        CHECK_FALSE(step.to_get);
        CHECK_FALSE(redirect_rule(RedirectMode::none, status, "GET").follow);
    }
    CHECK_FALSE(redirect_rule(RedirectMode::repeat, 304, "GET").follow);
    CHECK_FALSE(redirect_rule(RedirectMode::repeat, 404, "GET").follow);
}

TEST_CASE("headers that are credentials, or describe a body", "[http][redirect]") {
    for (const char* name : {"Authorization", "authorization", "Proxy-Authorization", "Cookie", "X-API-Key", "X-Auth-Token", "X-Amz-Security-Token",
                             "apikey", "X-CSRF"}) {
        INFO(name);
        CHECK(is_credential_header(name));
    }
    for (const char* name : {"Accept", "User-Agent", "Content-Type", "X-Request-Id"}) CHECK_FALSE(is_credential_header(name));
    CHECK(is_body_header("Content-Type"));
    CHECK(is_body_header("content-encoding"));
    CHECK_FALSE(is_body_header("Accept"));
}
