// SPDX-License-Identifier: Apache-2.0
// Signature Version 4: the vectors that AWS publishes, and what they say nothing of.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <qconn/auth/sigv4.hpp>

#include "auth/sigv4_canonical.hpp"
#include "base/json.hpp"
#include "base/text.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::auth;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;
using Fields = std::vector<SigV4Field>;

const fs::path k_suites = fs::path{QCONN_TESTS_DIR} / "data/aws-sigv4";
constexpr SigV4Signer::Time k_vector_time{std::chrono::sys_days{std::chrono::year{2015} / 8 / 30} + 12h + 36min};
constexpr SigV4Signer::Time k_s3_time{std::chrono::sys_days{std::chrono::year{2013} / 5 / 24}};
constexpr std::string_view k_canary = "s3cr3t-canary";

std::string read_file(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    if (!in) throw std::runtime_error{"there is no " + path.string()};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// A request as the suites write it down: not encoded, headers in several lines.
struct Written {
    explicit Written(std::string_view file) {
        const std::size_t end = std::min(file.find("\n\n"), file.size());
        if (end != file.size()) body = file.substr(end + 2);
        for (const std::string_view line : text::split(file.substr(0, end), '\n')) {
            if (method.empty()) {
                method = line.substr(0, line.find(' '));
                url = "https://example.amazonaws.com" + std::string{line.substr(method.size() + 1, line.rfind(' ') - method.size() - 1)};
            } else if (line.empty()) {
                break;  // the last line of a file
            } else if (text::is_space(line.front())) {
                fields.back().second.append("\n").append(line);
            } else {
                fields.emplace_back(line.substr(0, line.find(':')), line.substr(line.find(':') + 1));
            }
        }
    }
    SigV4Request request() const { return {method, url, {}, fields, body}; }

    std::string method;
    std::string url;
    Fields fields;
    std::string body;
};

SigV4Options vector_options(std::string_view token = {}) {
    SigV4Options options;
    options.label = "aws";
    options.key_id = "AKIDEXAMPLE";
    options.secret = Secret{"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"};
    options.session_token = Secret{token};
    options.region = "us-east-1";
    options.service = "service";
    return options;
}

std::string value_of(const Fields& fields, std::string_view name) {
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const SigV4Field& field) { return text::iequals(field.first, name); });
    return found != fields.end() ? found->second : "(none)";
}

std::string after(std::string_view text, std::string_view mark) {
    const std::size_t at = text.find(mark);
    return at == npos ? "(none)" : std::string{text.substr(at + mark.size())};
}

std::vector<std::string> sorted_query(std::string_view url) {
    std::vector<std::string> out;
    for (const std::string_view pair : text::split(split_url(url).query, '&')) out.emplace_back(pair);
    std::sort(out.begin(), out.end());
    return out;
}

std::string canonical(const Written& written, std::string_view query, const Fields& fields, SigV4Rules rules) {
    return canonical_request(written.method, canonical_path(split_url(written.url).path, rules), canonical_query(query), canonical_headers(fields),
                             sha256_hex(written.body));
}

template <class Work>
std::string error_of(Work work) {
    try {
        work();
    } catch (const Error& error) {
        CHECK(error.name() == "AWSRESTCLIENT-ERROR");
        CHECK(error.phase() == Phase::auth);
        return std::string{error.message()};
    }
    return "nothing was thrown";
}

/// Of the example bucket in Amazon's manual of S3.
SigV4Options s3_options() {
    SigV4Options options;
    options.key_id = "AKIAIOSFODNN7EXAMPLE";
    options.secret = Secret{"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"};
    options.region = "us-east-1";
    options.service = "s3";
    return options;
}

}  // namespace

TEST_CASE("the vectors of AWS: canonical request, string to sign and signature are theirs, in headers and in the query", "[sigv4]") {
    constexpr std::string_view k_scope = "20150830/us-east-1/service/aws4_request";
    int vectors = 0;
    for (const auto& entry : fs::directory_iterator{k_suites / "aws-signing-test-suite"}) {
        const fs::path& folder = entry.path();
        INFO(folder.filename().string());
        const Value context = json::decode(read_file(folder / "context.json")).value();
        REQUIRE(context["timestamp"].as_string() == "2015-08-30T12:36:00Z");
        const SigV4Rules rules = context["normalize"].as_bool() ? SigV4Rules::general : SigV4Rules::s3;
        const Value& given_token = context["credentials"]["token"];
        const std::string token{given_token.is_string() ? given_token.as_string() : std::string_view{}};
        const bool omit_token = context["omit_session_token"].is_bool() && context["omit_session_token"].as_bool();
        Written written{read_file(folder / "request.txt")};
        const Fields as_written = written.fields;
        // Where the token is added after signing the signature is that of none.
        const SigV4Signer signer{vector_options(omit_token ? std::string_view{} : token)};

        if (context["sign_body"].as_bool()) written.fields.emplace_back("x-amz-content-sha256", sha256_hex(written.body));
        Fields sent = written.fields;
        sent.emplace_back("X-Amz-Date", "20150830T123600Z");
        if (!token.empty() && !omit_token) sent.emplace_back("X-Amz-Security-Token", token);
        const std::string in_headers = canonical(written, split_url(written.url).query, sent, rules);
        CHECK(in_headers == read_file(folder / "header-canonical-request.txt"));
        CHECK(string_to_sign("20150830T123600Z", k_scope, in_headers) == read_file(folder / "header-string-to-sign.txt"));
        if (rules == SigV4Rules::general) {  // those of S3 want a further header
            const std::string expected = read_file(folder / "header-signed-request.txt");
            const std::string authorization = value_of(signer.sign(written.request(), k_vector_time), "Authorization");
            CHECK(authorization == value_of(Written{expected}.fields, "Authorization"));
            CHECK(authorization.ends_with(read_file(folder / "header-signature.txt")));
        }

        written.fields = as_written;
        SigV4Options options = vector_options(omit_token ? std::string_view{} : token);
        options.rules = SigV4Rules::general;
        const std::string presigned = SigV4Signer{options}.presign(written.request(), 3600s, k_vector_time);
        const std::string_view query = split_url(presigned).query;
        const std::string in_query = canonical(written, query.substr(0, query.find("&X-Amz-Signature=")), as_written, rules);
        CHECK(in_query == read_file(folder / "query-canonical-request.txt"));
        CHECK(string_to_sign("20150830T123600Z", k_scope, in_query) == read_file(folder / "query-string-to-sign.txt"));
        if (rules == SigV4Rules::general) {
            CHECK(after(presigned, "X-Amz-Signature=") == read_file(folder / "query-signature.txt"));
            if (!omit_token) CHECK(sorted_query(presigned) == sorted_query(Written{read_file(folder / "query-signed-request.txt")}.url));
        }
        ++vectors;
    }
    CHECK(vectors == 38);
}

TEST_CASE("the older vectors of AWS too", "[sigv4]") {
    int vectors = 0;
    for (const auto& entry : fs::recursive_directory_iterator{k_suites / "aws-sig-v4-test-suite"}) {
        fs::path file = entry.path();
        if (file.extension() != ".req") continue;
        INFO(file.filename().string());
        const Written written{read_file(file)};
        const std::string authorization = read_file(file.replace_extension(".authz"));
        std::string token;
        Fields sent = written.fields;
        if (authorization.find("x-amz-security-token") != npos && value_of(sent, "X-Amz-Security-Token") == "(none)") {
            token = value_of(Written{read_file(file.replace_extension(".sreq"))}.fields, "X-Amz-Security-Token");
            sent.emplace_back("X-Amz-Security-Token", token);
        }

        const std::string made = canonical(written, split_url(written.url).query, sent, SigV4Rules::general);

        CHECK(made == read_file(file.replace_extension(".creq")));
        ++vectors;
        if (file.stem() == "post-x-www-form-urlencoded" || file.stem() == "post-x-www-form-urlencoded-parameters")
            continue;  // the rest of these files is of another canonical request than theirs
        CHECK(string_to_sign("20150830T123600Z", "20150830/us-east-1/service/aws4_request", made) == read_file(file.replace_extension(".sts")));
        CHECK(value_of(SigV4Signer{vector_options(token)}.sign(written.request(), k_vector_time), "Authorization") == authorization);
    }
    CHECK(vectors == 33);
}

TEST_CASE("the examples of Amazon's manual of S3 are signed as there", "[sigv4]") {
    const SigV4Signer signer{s3_options()};
    const std::string bucket = "https://examplebucket.s3.amazonaws.com/";
    const Fields range{{"Range", "bytes=0-9"}};
    const Fields put{{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}};
    const auto signature = [&](const SigV4Request& request) {
        return after(value_of(signer.sign(request, k_s3_time), "Authorization"), "Signature=");
    };

    CHECK(signature({"GET", bucket + "test.txt", {}, range}) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    CHECK(signature({"PUT", bucket + "test%24file.text", {}, put, "Welcome to Amazon S3."}) ==
          "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    CHECK(signature({"GET", bucket + "?lifecycle"}) == "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    CHECK(signature({"GET", bucket + "?max-keys=2&prefix=J"}) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
    CHECK(signer.presign({"GET", bucket + "test.txt"}, 86400s, k_s3_time) ==
          bucket +
              "test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
              "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
              "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404");
}

TEST_CASE("paths: normalised and encoded once more, or for S3 the object's, encoded once", "[sigv4]") {
    const auto general = [](std::string_view path) { return canonical_path(path, SigV4Rules::general); };
    const auto s3 = [](std::string_view path) { return canonical_path(path, SigV4Rules::s3); };

    CHECK(general("") == "/");
    CHECK(general("/a%20b/%C3%A4%2Fc") == "/a%2520b/%25C3%25A4%252Fc");
    CHECK(general("//a/./b/../..//c/") == "/c/");
    CHECK(general("/../..") == "/");
    CHECK(general("/a/..") == "/");
    CHECK(general("/a/../") == "/");
    CHECK(general("/a:b(c)~-._") == "/a%3Ab%28c%29~-._");
    CHECK(s3("") == "/");
    CHECK(s3("/my-object//example/../photo.user") == "/my-object//example/../photo.user");
    CHECK(s3("/a%20b/%c3%a4+(1)") == "/a%20b/%C3%A4%2B%281%29");
    CHECK(s3("/100%") == "/100%25");
    CHECK(s3("/\xC3\xA4") == "/%C3%A4");
}

TEST_CASE("queries: sorted as they are encoded, by name and then by value", "[sigv4]") {
    CHECK(canonical_query("") == "");
    CHECK(canonical_query("b=2&a=1") == "a=1&b=2");
    CHECK(canonical_query("a=2&a=1&a=&a") == "a=&a=&a=1&a=2");
    CHECK(canonical_query("flag&&x") == "flag=&x=");
    CHECK(canonical_query("a-b=1&a=2&a%2Db=0&A=3") == "A=3&a=2&a-b=0&a-b=1");
    CHECK(canonical_query("k=a=b&k=%3d") == "k=%3D&k=a%3Db");
    CHECK(canonical_query("k=a+b%20c%2B") == "k=a%20b%20c%2B");
    CHECK(canonical_query("u=a/b?c:d@e,f'") == "u=a%2Fb%3Fc%3Ad%40e%2Cf%27");
    CHECK(canonical_query("\xC3\xA4=\xE2\x82\xAC") == "%C3%A4=%E2%82%AC");
    CHECK(canonical_query("=v&%ZZ=1") == "=v&%25ZZ=1");
}

TEST_CASE("headers: in lower case, sorted, trimmed and squeezed, those of one name joined", "[sigv4]") {
    const Fields fields{{"X-B", "  a   b\t c "}, {"host", "h"}, {"x-a", ""}, {"X-b", "2"}, {"X-A", "1"}};

    const CanonicalHeaders made = canonical_headers(fields);

    CHECK(made.lines == "host:h\nx-a:,1\nx-b:a b c,2\n");
    CHECK(made.names == "host;x-a;x-b");
}

TEST_CASE("what a proxy may change is not signed, all else is", "[sigv4]") {
    Fields fields{{"Accept", "*/*"}, {"Content-Type", "text/plain"}, {"X-Amz-Target", "A.B"}, {"X-Mine", "1"}};
    for (const char* name : {"User-Agent", "Accept-Encoding", "Connection", "Keep-Alive", "Via", "X-Forwarded-For", "Expect", "Cache-Control",
                             "Authorization", "Proxy-Authorization", "Transfer-Encoding", "X-Amzn-Trace-Id"}) {
        fields.emplace_back(name, "x");
    }

    const Fields made = SigV4Signer{vector_options()}.sign({"GET", "https://h/", {}, fields}, k_vector_time);

    CHECK(value_of(made, "Authorization").find("SignedHeaders=accept;content-type;host;x-amz-date;x-amz-target;x-mine,") != npos);
}

TEST_CASE("what is replaced by the signer is signed as it replaces it", "[sigv4]") {
    const SigV4Signer signer{vector_options("token")};
    const Fields stale{{"x-amz-date", "20000101T000000Z"}, {"X-Amz-Security-Token", "old"}, {"Host", "h"}};
    const Fields none{{"Host", "h"}};

    CHECK(signer.sign({"GET", "https://other/", "another", stale}, k_vector_time) == signer.sign({"GET", "https://h/", {}, none}, k_vector_time));
    CHECK(value_of(signer.sign({"GET", "https://h/", {}, stale}, k_vector_time), "X-Amz-Security-Token") == "token");
}

TEST_CASE("S3 is told the hash of the body, or the word that the caller has for it", "[sigv4]") {
    const SigV4Signer signer{s3_options()};
    const Fields unsigned_body{{"X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD"}};

    CHECK(value_of(signer.sign({"PUT", "https://h/a", {}, {}, "abc"}), "X-Amz-Content-Sha256") == sha256_hex("abc"));
    CHECK(value_of(signer.sign({"PUT", "https://h/a", {}, unsigned_body, "abc"}), "X-Amz-Content-Sha256") == "UNSIGNED-PAYLOAD");
    SigV4Options general = s3_options();
    general.rules = SigV4Rules::general;
    CHECK(value_of(SigV4Signer{general}.sign({"PUT", "https://h/a", {}, {}, "abc"}), "X-Amz-Content-Sha256") == "(none)");
}

TEST_CASE("the key of a day is another one the next day, and the same when the day comes again", "[sigv4]") {
    const SigV4Signer signer{vector_options()};
    const SigV4Request request{"GET", "https://h/"};

    const Fields first = signer.sign(request, k_vector_time);
    const Fields next = signer.sign(request, k_vector_time + 24h);

    CHECK(value_of(next, "Authorization").find("Credential=AKIDEXAMPLE/20150831/us-east-1") != npos);
    CHECK(next == SigV4Signer{vector_options()}.sign(request, k_vector_time + 24h));
    CHECK(signer.sign(request, k_vector_time) == first);
}

TEST_CASE("region and service come from the host where the options have none", "[sigv4]") {
    CHECK(aws_place("sqs.eu-west-1.amazonaws.com") == AwsPlace{"sqs", "eu-west-1"});
    CHECK(aws_place("SQS.EU-West-1.AmazonAWS.com:8443") == AwsPlace{"sqs", "eu-west-1"});
    for (const char* host : {"iam.amazonaws.com", "bucket.s3.eu-west-1.amazonaws.com", "sqs.eu-west-1.amazonaws.com.cn", ".eu-west-1.amazonaws.com",
                             "sqs.eu-west-1.example.com", "", "localhost:80"}) {
        CHECK_FALSE(aws_place(host));
    }
    SigV4Options options = vector_options();
    options.region.clear();
    options.service.clear();
    const SigV4Signer signer{options};
    const Fields made = signer.sign({"GET", "https://s3.eu-west-1.amazonaws.com/a"}, k_vector_time);
    CHECK(value_of(made, "Authorization").find("/20150830/eu-west-1/s3/aws4_request") != npos);
    CHECK(value_of(made, "X-Amz-Content-Sha256") != "(none)");

    const std::string error = error_of([&] { signer.sign({"GET", "https://iam.amazonaws.com/"}); });
    CHECK(error.find("\"iam.amazonaws.com\" is not of the form <service>.<region>.amazonaws.com") != npos);
    CHECK(error.find("aws_region, aws_service") != npos);
}

TEST_CASE("a signed URL keeps the query, has the token, and lives for a second to seven days", "[sigv4]") {
    const SigV4Signer signer{vector_options("a/token=")};

    const std::string url = signer.presign({"GET", "https://user:pass@h:8443/a%20b?z=1&flag"}, 60s, k_vector_time);

    CHECK(url.starts_with("https://h:8443/a%20b?z=1&flag&X-Amz-Algorithm=AWS4-HMAC-SHA256&"));
    CHECK(url.find("&X-Amz-Security-Token=a%2Ftoken%3D&X-Amz-Signature=") != npos);
    CHECK(error_of([&] { signer.presign({"GET", url}, 60s); }) == "the URL is signed already");
    for (const auto expires : {0s, -1s, 604'801s})
        CHECK(error_of([&] { signer.presign({"GET", "https://h/"}, expires); }).find("seven days") != npos);
    CHECK_NOTHROW(signer.presign({"GET", "https://h"}, 604'800s));
}

TEST_CASE("credentials that cannot be right are refused without being shown", "[sigv4]") {
    const auto error_with = [](auto change) {
        SigV4Options options = vector_options();
        change(options);
        std::string error = error_of([&] { SigV4Signer{options}; });
        CHECK(error.find(k_canary) == npos);
        return error;
    };
    const std::string canary{k_canary};

    CHECK(error_with([](SigV4Options& o) { o.key_id.clear(); }).find("aws_keyid") != npos);
    CHECK(error_with([](SigV4Options& o) { o.secret = Secret{}; }).find("aws_secret") != npos);
    CHECK(error_with([&](SigV4Options& o) { o.key_id = canary + "\r\nX: y"; }).find("aws_keyid") != npos);
    CHECK(error_with([&](SigV4Options& o) { o.secret = Secret{canary + "\n"}; }).find("copied whole") != npos);
    CHECK(error_with([&](SigV4Options& o) { o.session_token = Secret{canary + "\r\n"}; }).find("aws_token") != npos);
    CHECK(error_with([](SigV4Options& o) { o.region = "eu/west"; }).find("aws_region") != npos);
    CHECK(error_with([](SigV4Options& o) { o.service = "s q s"; }).find("aws_service") != npos);
}

TEST_CASE("secret and token are taken out of what a server says", "[sigv4]") {
    SigV4Options options = vector_options("t0ken-canary");
    options.secret = Secret{k_canary};
    const SigV4Signer signer{options};

    CHECK(signer.redact("no s3cr3t-canary, no t0ken-canary for AKIDEXAMPLE") == "no <masked>, no <masked> for AKIDEXAMPLE");
}
