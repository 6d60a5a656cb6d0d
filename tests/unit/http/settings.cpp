// SPDX-License-Identifier: Apache-2.0
#include "http/settings.hpp"

#include <functional>

#include "http/exchange.hpp"
#include "net/http_auth.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::http;

namespace {

HttpOptions example() {
    HttpOptions options;
    options.label = "shop";
    options.url = "http://shop.example/v1";
    return options;
}

std::string name_of_error(const std::function<void(HttpOptions&)>& change) {
    HttpOptions options = example();
    change(options);
    try {
        const Settings settings{options, Runtime{}};
    } catch (const Error& error) {
        CHECK(error.message().find("s3cret") == std::string::npos);
        return std::string{error.name()};
    }
    return {};
}

}  // namespace

TEST_CASE("basic authorization is base64 of name and password", "[http]") {
    CHECK(net::basic_credentials("Aladdin", "open sesame") == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(net::basic_credentials("a", "") == "Basic YTo=");
    CHECK(net::basic_credentials("ab", "c") == "Basic YWI6Yw==");
    CHECK(net::basic_credentials("", "") == "Basic Og==");
}

TEST_CASE("name and password are taken together", "[http]") {
    const auto line = [](const std::function<void(HttpOptions&)>& change) {
        HttpOptions options = example();
        change(options);
        return std::string{Settings{options, Runtime{}}.authorization.reveal()};
    };
    CHECK(line([](HttpOptions&) {}).empty());
    CHECK(line([](HttpOptions& o) { o.url = "http://u:p@h/"; }) == net::basic_credentials("u", "p"));
    CHECK(line([](HttpOptions& o) { o.url = "http://u@h/"; }) == net::basic_credentials("u", ""));
    CHECK(line([](HttpOptions& o) {
              o.url = "http://u@h/";
              o.password = Secret{"x"};
          }) == net::basic_credentials("u", "x"));
    CHECK(line([](HttpOptions& o) {
              o.url = "http://u:p@h/";
              o.username = "n";
              o.password = Secret{"x"};
          }) == net::basic_credentials("n", "x"));
    CHECK(line([](HttpOptions& o) {
              o.url = "http://u:p@h/";
              o.username = "n";
          }) == net::basic_credentials("n", ""));
    CHECK(line([](HttpOptions& o) { o.token = Secret{"t"}; }) == "Bearer t");
    CHECK(line([](HttpOptions& o) {
              o.token = Secret{"t"};
              o.token_type = "Token";
          }) == "Token t");
}

TEST_CASE("options that cannot be are refused by name", "[http]") {
    CHECK(name_of_error([](HttpOptions& o) { o.url = "ftp://h/"; }) == "HTTP-CLIENT-URL-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.url = ""; }) == "HTTP-CLIENT-URL-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.url = "http://h:hi/"; }) == "HTTP-CLIENT-URL-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.password = Secret{"s3cret"}; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) {
              o.token = Secret{"s3cret"};
              o.username = "u";
          }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.token = Secret{"s3cret\n"}; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.http_version = "3"; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.accept_codings = {"lzma"}; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.send_coding = "lzma"; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.headers = {{"A b", "c"}}; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.headers = {{"A", "s3cret\r\nB: c"}}; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.max_redirects = -1; }) == "HTTP-CLIENT-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions& o) { o.tls.ca_file = "/nowhere/ca.pem"; }) == "TLS-OPTION-ERROR");
    CHECK(name_of_error([](HttpOptions&) {}).empty());
}

TEST_CASE("headers of a call win over those of the options, and those over the defaults", "[http]") {
    HttpOptions options = example();
    options.username = "u";
    options.headers = {{"X-Api-Key", "k"}, {"accept", "text/plain"}, {"X-Multi", "1"}, {"X-Multi", "2"}};
    const Settings settings{options, Runtime{}};

    const Headers plain = settings.headers_for({}, true, false);
    CHECK(plain.get("Accept") == "text/plain");
    CHECK(plain.get("Authorization") == net::basic_credentials("u", ""));
    CHECK(std::count_if(plain.begin(), plain.end(), [](const auto& f) { return f.first == "X-Multi"; }) == 2);

    const Headers own = settings.headers_for({{"ACCEPT", "*/*"}, {"x-multi", "3"}, {"authorization", "Mine"}, {"Content-Type", "a/b"}}, true, false);
    CHECK(own.get("Accept") == "*/*");
    CHECK(own.get("X-Multi") == "3");
    CHECK(own.get("Authorization") == "Mine");
    CHECK(own.find("Content-Type") == nullptr);
    CHECK(settings.headers_for({{"Content-Type", "a/b"}}, true, true).get("Content-Type") == "a/b");

    const Headers stranger = settings.headers_for({{"Cookie", "c"}, {"X-Other", "o"}, {"Host", "h"}}, false, false);
    CHECK(stranger.find("Authorization") == nullptr);
    CHECK(stranger.find("X-Api-Key") == nullptr);
    CHECK(stranger.find("Cookie") == nullptr);
    CHECK(stranger.find("Host") == nullptr);
    CHECK(stranger.get("X-Other") == "o");
}

TEST_CASE("a request that cannot be sent is refused before anything is connected", "[http]") {
    const auto settings = std::make_shared<const Settings>(example(), Runtime{});
    const auto refused = [&](const HttpRequest& request) {
        try {
            const Exchange exchange{settings, request, {}, {}};
        } catch (const Error& error) { return std::string{error.name()}; }
        return std::string{};
    };
    HttpRequest request;
    request.path = "/a\r\nX: y";
    CHECK(refused(request) == "HTTP-CLIENT-URL-ERROR");
    request.path = "http://h\nx/";
    CHECK(refused(request) == "HTTP-CLIENT-URL-ERROR");
    request.path = "/";
    request.headers = {{"X", "a\nb"}};
    CHECK(refused(request) == "HTTP-CLIENT-OPTION-ERROR");
    request.headers = {};
    request.method = "GET /x HTTP/1.1\r\n";
    CHECK(refused(request) == "HTTP-CLIENT-OPTION-ERROR");
    request.method = "CONNECT";
    CHECK(refused(request) == "HTTP-CLIENT-OPTION-ERROR");
    request.method = "HEAD";
    request.body = "x";
    CHECK(refused(request) == "HTTP-CLIENT-OPTION-ERROR");
    request.method = "get";
    CHECK(refused(request).empty());
}

TEST_CASE("what a server said is shown without the client's secrets", "[http]") {
    HttpOptions options = example();
    options.url = "http://u:s3cretpass@h/";
    const Settings settings{options, Runtime{}};

    const std::string line = net::basic_credentials("u", "s3cretpass");
    CHECK(settings.redact("got s3cretpass and " + line) == "got <masked> and Basic <masked>");
}

TEST_CASE("a reason phrase is shown without the client's secrets", "[http]") {
    HttpOptions options = example();
    options.url = "http://u:s3cretpass@h/";
    HttpResponse response;
    response.status = 500;
    response.reason = "no s3cretpass here";
    const Error error = status_error(Settings{options, Runtime{}}, response);
    CHECK(std::string{error.message()}.find("no <masked> here") != std::string::npos);
    CHECK(std::string{error.message()}.find("s3cretpass") == std::string::npos);
}
