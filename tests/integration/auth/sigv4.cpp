// SPDX-License-Identifier: Apache-2.0
// Requests signed for Amazon Web Services, against a verifier that is made of Amazon's own signer.
#include <array>
#include <string>
#include <thread>
#include <vector>

#include <qconn/http/sigv4.hpp>
#include <qconn/rest/rest_client.hpp>

#include "../http/http_fixture.hpp"
#include "net/ping_run.hpp"
#include "support/define.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

using Time = std::chrono::system_clock::time_point;

Server& verifier() {
    static Server server{"sigv4"};
    return server;
}

SigV4Options credentials(std::string service) {
    SigV4Options out;
    out.label = "cloud";
    out.key_id = k_user;
    out.secret = Secret{k_password};
    out.region = "eu-west-1";
    out.service = std::move(service);
    return out;
}

RestOptions signed_options(const SigV4Options& signature, std::function<Time()> clock = {}) {
    RestOptions out;
    out.label = "cloud";
    out.url = url(verifier());
    out.data = DataFormat::json;
    out.authenticator = sigv4_authenticator(signature, std::move(clock));
    return out;
}
RestOptions signed_options(std::string service = "sqs") { return signed_options(credentials(std::move(service))); }

/// The verifier's words where it refuses.
std::string verdict(RestClient& client, const RestCall& request) {
    try {
        const RestResponse response = client.call(request, Deadline{20s});
        return response.body["message"].is_null() ? "accepted" : "odd";
    } catch (const Error& error) {
        const auto* detail = error.detail<HttpErrorDetail>();
        return std::string{error.what()} + (detail != nullptr ? "\n" + detail->response.body : "");
    }
}

Error refusal(RestClient& client, const RestCall& request) {
    try {
        client.call(request, Deadline{20s});
    } catch (const Error& error) { return error; }
    FAIL("it was accepted");
    throw std::logic_error{"not reached"};
}

/// What botocore's presigner makes of it.
std::string presigned_there(const Value& asked) {
    RestOptions options;
    options.url = url(verifier());
    options.data = DataFormat::json;
    return std::string{RestClient{options}.post("presign", asked, Deadline{20s}).body.as_string()};
}

std::string query_value(std::string_view url, std::string_view name) {
    const std::size_t at = url.find(std::string{name} + '=');
    if (at == std::string_view::npos) return "(none)";
    const std::string_view rest = url.substr(at + name.size() + 1);
    return percent_decode(rest.substr(0, rest.find('&')));
}

Time read_stamp(const std::string& stamp) {
    const auto number = [&](std::size_t at, std::size_t digits) { return std::stoi(stamp.substr(at, digits)); };
    const std::chrono::year_month_day date{std::chrono::year{number(0, 4)}, std::chrono::month{static_cast<unsigned>(number(4, 2))},
                                           std::chrono::day{static_cast<unsigned>(number(6, 2))}};
    return std::chrono::sys_days{date} + std::chrono::hours{number(9, 2)} + std::chrono::minutes{number(11, 2)} + std::chrono::seconds{number(13, 2)};
}

}  // namespace

TEST_CASE("whatever path and query are asked for, botocore finds the same signature, by the general rules and by those of S3",
          "[sigv4][integration]") {
    for (const char* service : {"sqs", "s3"}) {
        RestClient client{signed_options(service)};
        for (const char* path : {"",
                                 "orders/17",
                                 "a b/\xC3\xA4\xE2\x82\xAC",
                                 "a/./b/../c//d/",
                                 "//a//",
                                 "../x/..",
                                 "a%20b%2Bc",
                                 "it's(1)*!/$&+,;=:@",
                                 "{x}|^`\\\"<>",
                                 "~user/-._",
                                 "100%25/%zz",
                                 "end/",
                                 "a#b",
                                 "?flag",
                                 "?b=2&a=1&a=&a=0&A",
                                 "?q=a%20b+c%2B%26",
                                 "?u=http://x/y?z='()!*,;@",
                                 "?\xC3\xA4=%c3%b6",
                                 "?a-b=1&a=2&a%2Db=0",
                                 "?a=b=c&&d",
                                 "x?=v",
                                 "x?a={1}|2"}) {
            INFO(service << " " << path);
            CHECK(verdict(client, {.path = path}) == "accepted");
        }
    }
}

TEST_CASE("requests of every method are accepted, with bodies as they are sent", "[sigv4][integration]") {
    const Value order = Map{{"id", 17}, {"name", "H\xC3\xA4mmer"}, {"text", std::string(5000, 'x')}};
    for (const char* service : {"sqs", "s3"}) {
        RestOptions options = signed_options(service);
        for (const char* coding : {"", "gzip"}) {
            options.send_coding = coding;
            RestClient client{options};
            for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
                INFO(service << " " << method << " " << coding);
                CHECK(verdict(client, {.method = method, .path = "a", .body = order}) == "accepted");
                CHECK(verdict(client, {.method = method, .path = "a"}) == "accepted");
            }
            CHECK(client.call({.method = "HEAD", .path = "a"}).status == 200);
            CHECK(client.request({.method = "PUT", .path = "a", .body = std::string{"\0\xFF\r\n", 4}}).status == 200);
        }
    }
}

TEST_CASE("headers are signed as they arrive, but for those that a proxy may change", "[sigv4][integration]") {
    RestOptions options = signed_options();
    options.headers.add("X-Fixed", "  two   blanks ");
    RestClient client{options};
    RestCall call;
    call.method = "POST";
    call.path = "a";
    call.body = Map{{"a", 1}};
    call.headers = {
        {"X-Amz-Target", "Queue.Send"},     {"X-Many", "b"},         {"X-Many", "a"}, {"X-Empty", ""}, {"X-Tab", "a\tb"}, {"X-Umlaut", "\xC3\xA4"},
        {"X-Amz-Date", "20000101T000000Z"}, {"Content-Length", "99"}};

    const RestResponse response = client.call(call, Deadline{20s});

    CHECK(response.body["signed"] ==
          Value{List{"accept", "content-type", "host", "x-amz-date", "x-amz-target", "x-empty", "x-fixed", "x-many", "x-tab", "x-umlaut"}});
}

TEST_CASE("a host of one's own is the one that is signed", "[sigv4][integration]") {
    RestOptions options = signed_options();
    options.headers.set("Host", "sqs.eu-north-1.amazonaws.com");
    SigV4Options signature = credentials("");
    signature.region.clear();
    options.authenticator = sigv4_authenticator(signature);
    RestClient client{options};

    const RestResponse response = client.get("a", Deadline{20s});

    CHECK(response.body["service"] == Value{"sqs"});
    CHECK(response.body["region"] == Value{"eu-north-1"});
}

TEST_CASE("without region and service, in options or host, nothing is sent and the error says what to set", "[sigv4][integration]") {
    SigV4Options signature = credentials("");
    signature.region.clear();
    RestClient client{signed_options(signature)};

    const Error error = refusal(client, {.path = "a"});

    CHECK(error.name() == "AWSRESTCLIENT-ERROR");
    CHECK(error.connection() == "cloud");
    CHECK(has(error.what(), "region and service of the signature must be given (aws_region, aws_service)"));
}

TEST_CASE("a session token goes along and is signed", "[sigv4][integration]") {
    SigV4Options signature = credentials("s3");
    signature.session_token = Secret{"t0ken/+canary=="};
    RestClient client{signed_options(signature)};

    const RestResponse response = client.get("a", Deadline{20s});

    CHECK(has(response.body["canonical_request"].as_string(), "\nx-amz-security-token:t0ken/+canary==\n"));
}

TEST_CASE("a wrong secret and an unknown key are refused, and no error shows a secret", "[sigv4][integration]") {
    SigV4Options wrong = credentials("sqs");
    wrong.secret = Secret{"s3cr3t-canary"};
    SigV4Options unknown = credentials("sqs");
    unknown.key_id = "nobody";
    for (const SigV4Options& signature : {wrong, unknown}) {
        RestClient client{signed_options(signature)};

        const Error error = refusal(client, {.path = "a"});

        CHECK(error.name() == "HTTP-CLIENT-RECEIVE-ERROR");
        CHECK(error.phase() == Phase::auth);
        CHECK(error.reason() == Reason::permission);
        CHECK(has(error.what(), "403 Forbidden; these credentials may not do this"));
        CHECK_FALSE(has(error.what(), "canary"));
    }
}

TEST_CASE("requests behind a redirect within the origin are signed anew", "[sigv4][integration]") {
    RestClient client{signed_options()};

    for (const char* status : {"301", "302", "303", "307", "308"}) {
        const std::string path = "moved/" + std::string{status} + "/there/b%20c?z=1&a=2";
        INFO(status);
        CHECK(verdict(client, {.path = path}) == "accepted");
        const RestResponse posted = client.call({.method = "POST", .path = path, .body = Map{{"a", 1}}}, Deadline{20s});
        const bool repeated = posted.body["method"] == Value{"POST"};
        CHECK(repeated == (std::string_view{status} >= "307"));
        CHECK((posted.body["size"] == Value{0}) == !repeated);
        CHECK(has(posted.body["canonical_request"].as_string(), "/there/b%2520c\na=2&z=1\n"));
    }
}

TEST_CASE("a clock that is wrong is what the error says, and each request is signed with the time that it is", "[sigv4][integration]") {
    auto offset = std::make_shared<std::chrono::minutes>(0);
    RestClient client{signed_options(credentials("sqs"), [offset] { return std::chrono::system_clock::now() + *offset; })};
    CHECK(verdict(client, {.path = "a"}) == "accepted");

    *offset = -90min;
    const std::string behind = refusal(client, {.path = "a"}).what();
    *offset = 7min;
    const std::string ahead = refusal(client, {.path = "a"}).what();
    *offset = 3min;
    const bool tolerated = verdict(client, {.path = "a"}) == "accepted";

    CHECK((has(behind, "the clock of this machine is 90 minutes behind the server's") || has(behind, "is 89 minutes behind the server's")));
    CHECK((has(ahead, "the clock of this machine is 7 minutes ahead of the server's") || has(ahead, "is 6 minutes ahead of the server's")));
    CHECK(has(ahead, "set the clock"));
    CHECK(tolerated);
}

TEST_CASE("signed URLs are those of botocore's presigner", "[sigv4][integration]") {
    const std::array<Value, 4> asked{Value{Map{{"method", "GET"},
                                               {"url", "https://s3.eu-west-1.amazonaws.com/bucket/a%20b//%C3%A4.txt"},
                                               {"service", "s3"},
                                               {"region", "eu-west-1"},
                                               {"expires", 60}}},
                                     Value{Map{{"method", "PUT"},
                                               {"url", "http://127.0.0.1:81/b?x=1&a=%2F"},
                                               {"service", "s3"},
                                               {"region", "us-east-1"},
                                               {"expires", 604800},
                                               {"token", "a/b+c="}}},
                                     Value{Map{{"method", "GET"},
                                               {"url", "https://sts.amazonaws.com/x/../y%20z?Action=GetCallerIdentity"},
                                               {"service", "sts"},
                                               {"region", "us-east-1"},
                                               {"expires", 900}}},
                                     Value{Map{{"method", "GET"},
                                               {"url", "https://h/"},
                                               {"service", "sts"},
                                               {"region", "us-east-1"},
                                               {"expires", 1},
                                               {"headers", Map{{"X-K8s-Aws-Id", "house"}}}}}};
    for (const Value& one : asked) {
        const std::string theirs = presigned_there(one);
        SigV4Options signature = credentials(std::string{one["service"].as_string()});
        signature.region = one["region"].as_string();
        if (one["token"].is_string()) signature.session_token = Secret{one["token"].as_string()};
        std::vector<SigV4Field> headers;
        if (one["headers"].is_map()) headers.emplace_back("X-K8s-Aws-Id", "house");

        const std::string ours =
            SigV4Signer{signature}.presign({one["method"].as_string(), one["url"].as_string(), {}, headers},
                                           std::chrono::seconds{one["expires"].as_int64()}, read_stamp(query_value(theirs, "X-Amz-Date")));

        CHECK(ours == theirs);
    }
}

TEST_CASE("whoever has a signed URL can use it until it expires", "[sigv4][integration]") {
    const SigV4Signer signer{credentials("s3")};
    const std::string target = url(verifier(), "/bucket/a%20b.txt?versionId=2");
    HttpClient client{options(url(verifier()))};

    CHECK(client.request({.path = signer.presign({"GET", target}, 60s)}).status == 200);
    CHECK(client.request({.method = "PUT", .path = signer.presign({"PUT", target}, 60s), .body = "anything"}).status == 200);
    CHECK(has(failure(client, Form::blocking, {.method = "PUT", .path = signer.presign({"GET", target}, 60s)}).what(), "403"));
    const Error late = failure(client, Form::blocking, {.path = signer.presign({"GET", target}, 60s, std::chrono::system_clock::now() - 2min)});
    CHECK(has(late.detail<HttpErrorDetail>()->response.body, "Request has expired"));
    CHECK_FALSE(has(late.what(), "X-Amz-Signature"));
}

TEST_CASE("a proxy on the way does not break a signature", "[sigv4][integration]") {
    const Server squid{"squid", {.environment = {"PROXY_AUTH=none"}}};
    RestOptions options = signed_options("s3");
    options.headers.set("Cache-Control", "no-cache");
    options.proxy = Proxy{};
    options.proxy->host = "127.0.0.1";
    options.proxy->port = squid.port();
    RestClient client{options};

    CHECK(verdict(client, {.path = "a%20b/c?z=1&a=2"}) == "accepted");
    CHECK(verdict(client, {.method = "PUT", .path = "a", .body = Map{{"a", 1}}}) == "accepted");
    CHECK(has(squid.directory().read("access.log"), "/a%20b/c"));
}

TEST_CASE("what an API says of a refusal and what is known of it here are both in the error", "[sigv4][integration]") {
    RestOptions options = signed_options(credentials("sqs"), [] { return std::chrono::system_clock::now() - 20min; });
    options.fault_of = [](const Value& body) { return RestFault{"Refused", std::string{body["message"].as_string()}}; };
    RestClient client{options};

    const Error error = refusal(client, {.path = "a"});

    CHECK(error.name() == "Refused");
    CHECK(has(error.what(), "Signature expired: "));
    CHECK(has(error.what(), " minutes behind the server's"));
}

TEST_CASE("a connection to Amazon Web Services signs its calls and its pings", "[sigv4][integration]") {
    const std::string at = "awsrests://" + verifier().address2() + "/queues";
    const auto lines = [](std::string_view secret) {
        return "aws_keyid: " + std::string{k_user} + "\naws_secret: " + std::string{secret} +
               "\naws_region: eu-west-1\naws_service: sqs\nssl_ca_file: " + tls_file("ca.crt") + "\n";
    };
    const auto ping = [](const Checked& checked, PingDepth depth) {
        return net::run_ping_blocking(Runtime{}, checked.ping(depth), checked.definition.name, Deadline{20s}, true);
    };
    const Checked good = define(at, lines(k_password) + "aws_token: t0ken");
    const Checked bad = define(at, lines("s3cr3t-canary"));
    INFO(good.text() << bad.text());
    REQUIRE((good.valid && bad.valid));

    const RestResponse answer = good.client<RestClient>()->post("orders/a%20b?z=1&a=2", Map{{"id", 17}}, Deadline{20s});
    CHECK(has(answer.body["canonical_request"].as_string(),
              "POST\n/queues/orders/a%2520b\na=2&z=1\naccept:application/json\ncontent-type:application/json"));
    CHECK(has(answer.body["canonical_request"].as_string(), "\nx-amz-security-token:t0ken\n"));

    RestCall typed{.method = "POST", .path = "", .body = Map{{"QueueUrl", "q"}}};
    typed.headers = {{"Content-Type", "application/x-amz-json-1.0"}, {"X-Amz-Target", "AmazonSQS.SendMessage"}};
    CHECK(good.client<RestClient>()->call(typed, Deadline{20s}).body["service"] == Value{"sqs"});

    const auto refused = bad.client<RestClient>();
    const Error error = refusal(*refused, {.path = "a"});
    CHECK(error.name() == "REST-RESPONSE-ERROR");
    CHECK(error.phase() == Phase::auth);
    CHECK(has(error.what(), "The request signature we calculated does not match"));
    CHECK_FALSE(has(error.what(), "canary"));

    for (const PingDepth depth : {PingDepth::standard, PingDepth::auth, PingDepth::full}) CHECK(ping(good, depth).ok);
    CHECK(ping(bad, PingDepth::standard).ok);  // connects only
    const PingResult login = ping(bad, PingDepth::auth);
    REQUIRE(login.error);
    CHECK(login.error->phase() == Phase::auth);
    const Checked asked = define(at, lines("s3cr3t-canary") + "ping_method: GET\nping_path: health");
    CHECK_FALSE(ping(asked, PingDepth::standard).ok);
    CHECK(ping(define(at, lines(k_password) + "ping_method: GET\nping_path: health"), PingDepth::standard).ok);
}

TEST_CASE("many threads can sign with one authenticator", "[sigv4][integration]") {
    RestClient client{signed_options("s3")};
    std::vector<std::thread> threads;
    std::atomic<int> accepted{0};

    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int i = 0; i < 10; ++i) {
                if (verdict(client, {.path = std::to_string(t) + "/" + std::to_string(i)}) == "accepted") ++accepted;
            }
        });
    }
    for (std::thread& thread : threads) thread.join();

    CHECK(accepted == 40);
}

TEST_CASE("a body that is streamed goes to S3 without its hash, over TLS only", "[auth][sigv4][integration]") {
    HttpOptions options;
    options.label = "cloud";
    options.url = "https://" + verifier().address2();
    options.tls.ca_file = tls_file("ca.crt");
    options.authenticator = sigv4_authenticator(credentials("s3"));
    const TempDir dir;
    dir.write("large", std::string(300'000, 'x'));
    HttpRequest request{.method = "PUT", .path = "bucket/large", .body_from = file_source(dir / "large")};
    CHECK(HttpClient{options}.request(request, 20s).status == 200);

    HttpOptions plain = options;
    plain.url = url(verifier());
    HttpClient in_clear{plain};
    CHECK(test::failure(in_clear, Form::blocking, request).message().find("TLS") != std::string_view::npos);
    options.authenticator = sigv4_authenticator(credentials("sqs"));
    HttpClient general{options};
    CHECK(test::failure(general, Form::asynchronous, request).message().find("as a whole") != std::string_view::npos);
}
