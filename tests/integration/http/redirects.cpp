// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <thread>

#include "http_fixture.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr Form k_forms[] = {Form::blocking, Form::asynchronous};

HttpRequest post(const std::string& path) {
    HttpRequest request;
    request.method = "POST";
    request.path = path;
    request.body = "some=data";
    request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}};
    return request;
}

std::string redirect(int status, const std::string& location) {
    return "HTTP/1.1 " + std::to_string(status) + " Moved\r\nLocation: " + location + "\r\nContent-Length: 4\r\n\r\ngone";
}
const std::string k_ok = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

}  // namespace

TEST_CASE("every redirect is followed with the method that its status asks for", "[http][integration]") {
    for (const Form form : k_forms) {
        HttpClient client{options(url(nginx()))};
        for (const int status : {301, 302, 303, 307, 308}) {
            INFO(status);
            const std::string path = "redirect/" + std::to_string(status);
            HttpRequest get;
            get.path = path;
            const HttpResponse got = call(client, form, get);
            CHECK(got.body.find("GET /echo") == 0);
            CHECK(got.info.redirects == 1);
            CHECK(got.info.url == url(nginx(), "/echo"));

            const HttpResponse posted = call(client, form, post(path));
            const bool repeats = status == 307 || status == 308;
            CHECK(posted.body.find(repeats ? "POST /echo" : "GET /echo") == 0);
            CHECK((posted.body.find("some=data") != std::string::npos) == repeats);
            CHECK((posted.body.find("Content-Type") != std::string::npos) == repeats);
        }
    }
}

TEST_CASE("redirects as Qorus follows them repeat method and body", "[http][integration]") {
    HttpOptions repeating = options(url(nginx()));
    repeating.redirects = RedirectMode::repeat;
    HttpClient client{repeating};
    for (const int status : {301, 302, 303, 307, 308}) {
        INFO(status);
        const HttpResponse posted = call(client, Form::blocking, post("redirect/" + std::to_string(status)));
        CHECK(posted.body.find("POST /echo") == 0);
        CHECK(posted.body.find("some=data") != std::string::npos);
    }
}

TEST_CASE("redirects that are not to be followed are the result", "[http][integration]") {
    HttpOptions none = options(url(nginx()));
    none.redirects = RedirectMode::none;
    HttpClient client{none};
    const HttpResponse response = client.get("redirect/302");
    CHECK(response.status == 302);
    CHECK(response.headers.get("Location").find("/echo") != std::string_view::npos);
}

TEST_CASE("a loop ends at the limit", "[http][integration]") {
    for (const Form form : k_forms) {
        HttpClient client{options(url(nginx()))};
        HttpRequest request;
        request.path = "redirect/loop";
        const Error error = failure(client, form, request);
        CHECK(error.name() == "HTTP-CLIENT-MAXIMUM-REDIRECTS-EXCEEDED");
        CHECK(error.phase() == Phase::redirect);
        CHECK(error.reason() == Reason::limit);
        REQUIRE(error.detail<HttpErrorDetail>() != nullptr);
        CHECK(error.detail<HttpErrorDetail>()->response.info.redirects == 5);

        HttpOptions strict = options(url(nginx()));
        strict.max_redirects = 0;
        HttpClient refusing{strict};
        request.path = "redirect/302";
        CHECK(failure(refusing, form, request).name() == "HTTP-CLIENT-MAXIMUM-REDIRECTS-EXCEEDED");
    }
}

TEST_CASE("a redirect without a usable Location is an error", "[http][integration]") {
    ScriptedServer without{"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n"};
    HttpClient first{options(without.url())};
    CHECK(failure(first, Form::blocking, {}).name() == "HTTP-CLIENT-REDIRECT-ERROR");

    for (const char* location : {"ftp://h/", "file:///etc/passwd", "javascript:x", "http://"}) {
        INFO(location);
        ScriptedServer odd{redirect(302, location)};
        HttpClient client{options(odd.url())};
        const Error error = failure(client, Form::blocking, {});
        CHECK(error.name() == "HTTP-CLIENT-REDIRECT-ERROR");
        CHECK(error.reason() == Reason::bad_answer);
    }
}

TEST_CASE("a relative Location is resolved", "[http][integration]") {
    ScriptedServer server{[](int, int request) { return std::optional{request == 0 ? redirect(302, "../up?x=1#frag") : k_ok}; }};
    HttpClient client{options(server.url() + "a/b/")};
    HttpRequest request;
    request.path = "c";
    const HttpResponse response = client.request(request);
    CHECK(response.body == "ok");
    CHECK(response.info.url == server.url() + "a/up?x=1");
    CHECK(server.received().find("GET /a/up?x=1 HTTP/1.1") != std::string::npos);
}

TEST_CASE("no credential goes to another origin, nor back again", "[http][integration]") {
    for (const Form form : k_forms) {
        std::string first_url;
        std::atomic<int> requests{0};  // of the first server, over all its connections
        ScriptedServer stranger{[&](int, int) { return std::optional{redirect(307, first_url + "back")}; }};
        ScriptedServer first{[&](int, int) { return std::optional{requests++ == 0 ? redirect(307, stranger.url() + "there") : k_ok}; }};
        first_url = first.url();

        HttpOptions secret = options(first.url());
        secret.username = "u";
        secret.password = Secret{"s3cret"};
        secret.headers = {{"X-Api-Key", "s3cret-key"}, {"X-Plain", "kept"}};
        HttpClient client{secret};
        HttpRequest request = post("");
        request.headers.add("Cookie", "session=s3cret");
        request.headers.add("Host", "virtual.example");
        CHECK(call(client, form, request).body == "ok");

        const std::string there = stranger.received();
        CHECK(there.find("POST /there") == 0);
        CHECK(there.find("some=data") != std::string::npos);
        CHECK(there.find("X-Plain: kept") != std::string::npos);
        CHECK(there.find("s3cret") == std::string::npos);
        CHECK(there.find("Authorization") == std::string::npos);
        CHECK(there.find("virtual.example") == std::string::npos);
        const std::string back = first.received().substr(first.received().find("/back"));
        CHECK(back.find("s3cret") == std::string::npos);
        CHECK(back.find("Authorization") == std::string::npos);
        CHECK(first.received().find("Authorization: Basic ") != std::string::npos);
    }
}

TEST_CASE("a redirect to TLS is another origin", "[http][integration]") {
    for (const Form form : k_forms) {
        HttpOptions secret = options("http://u:s3cret@" + nginx().address() + "/");
        secret.tls.ca_file = tls_file("ca.crt");
        HttpClient client{secret};
        HttpRequest request;
        request.path = "redirect/tls";
        const HttpResponse response = call(client, form, request);
        CHECK(response.info.url.find("https://") == 0);
        CHECK(response.body.find("GET /echo") == 0);
        CHECK(response.body.find("Authorization") == std::string::npos);
        CHECK(response.info.tls_info);
    }
}

TEST_CASE("a failure after a redirect is one of the redirect", "[http][integration]") {
    ScriptedServer server{redirect(302, "http://127.0.0.1:1/")};
    HttpClient client{options(server.url())};
    const Error error = failure(client, Form::blocking, {});
    CHECK(error.phase() == Phase::redirect);
    CHECK(error.reason() == Reason::refused);
    CHECK(error.message().find("redirected from") != std::string::npos);
}

TEST_CASE("a whole URL in a call gets credentials of its origin only", "[http][integration]") {
    ScriptedServer own{k_ok};
    ScriptedServer other{k_ok};
    HttpOptions secret = options(own.url() + "base");
    secret.token = Secret{"s3cret"};
    HttpClient client{secret};
    client.get(own.url() + "x?y");
    CHECK(own.received().find("GET /x?y HTTP/1.1") == 0);
    CHECK(own.received().find("Bearer s3cret") != std::string::npos);
    client.get(other.url() + "z");
    CHECK(other.received().find("GET /z ") == 0);
    CHECK(other.received().find("s3cret") == std::string::npos);
}

TEST_CASE("user info in a whole URL goes to the origin of that URL and nowhere else", "[http][integration]") {
    for (const Form form : k_forms) {
        std::string elsewhere;
        std::atomic<int> requests{0};
        ScriptedServer own{k_ok};
        ScriptedServer other{[&](int, int) { return std::optional{requests++ == 0 ? redirect(302, "/next") : redirect(302, elsewhere)}; }};
        ScriptedServer third{k_ok};
        elsewhere = third.url();
        HttpOptions secret = options(own.url());
        secret.username = "client";
        secret.password = Secret{"s3cret"};
        HttpClient client{secret};
        HttpRequest request;
        request.path = "http://edi:p%40ss@127.0.0.1:" + std::to_string(other.port()) + "/z";
        request.headers.add("X-Api-Key", "s3cret-key");
        request.headers.add("Authorization", "Bearer s3cret");
        const HttpResponse response = call(client, form, request);

        CHECK(response.info.url == third.url());
        const std::string there = other.received();
        CHECK(there.find("GET /z ") == 0);
        const std::string authorization = "Authorization: Basic ZWRpOnBAc3M=\r\n";
        CHECK(there.find(authorization) < there.find("GET /next "));
        CHECK(there.find(authorization, there.find("GET /next ")) != std::string::npos);
        CHECK(there.find("s3cret") == std::string::npos);
        CHECK(third.received().find("Authorization") == std::string::npos);

        // To the client's own origin it goes in the place of the client's, unless the call has a header of its own.
        request.path = "http://edi:p%40ss@127.0.0.1:" + std::to_string(own.port()) + "/1";
        request.headers = {};
        call(client, form, request);
        request.headers.add("Authorization", "Bearer own");
        call(client, form, request);
        const std::string here = own.received();
        CHECK(here.find(authorization) != std::string::npos);
        CHECK(here.find("Authorization: Bearer own\r\n") != std::string::npos);
        CHECK(here.find("Authorization: Basic Y2xpZW50") == std::string::npos);
    }
}
