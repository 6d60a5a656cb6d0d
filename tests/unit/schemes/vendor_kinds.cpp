// SPDX-License-Identifier: Apache-2.0
// What definitions of vendors' APIs say, and what is made of it. How the APIs are spoken with: tests/integration/vendors.
#include <string>
#include <string_view>
#include <utility>

#include <qconn/http/oauth2.hpp>
#include <qconn/rest/rest_client.hpp>

#include "rest/body.hpp"
#include "support/define.hpp"
#include "support/text.hpp"

using namespace qconn;
using test::define;
using test::has;

namespace {

std::shared_ptr<RestClient> client(std::string_view url, std::string_view options = {}) {
    const auto checked = define(url, options);
    INFO(checked.text());
    REQUIRE(checked.valid);
    return checked.client<RestClient>();
}

OAuth2Options log_in(std::string_view url, std::string_view options = {}) {
    const auto source = token_source(*client(url, options));
    REQUIRE(source != nullptr);
    return source->options();
}

}  // namespace

TEST_CASE("a kind of API says what is missing", "[schemes][vendors]") {
    struct Case {
        const char* url;
        const char* options;
        const char* says;
    };
    const Case cases[] = {
        {"sewiorests://h/api", "", "apikey"},
        {"sap4hanarests://h/api", "", "apikey"},
        {"sap4hanarests://h/api", "client_id: x", "client_secret"},
        {"sap4hanarests://h/api", "{apikey: x, client_id: y, client_secret: z}", "exclude each other"},
        {"billwerkrests://h", "", "client_id"},
        {"billwerkrests://h", "client_id: x", "client_secret"},
        {"cdsrests://h", "{client_id: x, client_secret: y}", "tenant"},
        {"cdsrests://h", "{client_id: x, client_secret: y, tenant: 'a/b'}", "one part of a path"},
        {"cdsrests://h", "{client_id: x, client_secret: y, tenant: t, scope: a, oauth2_scopes: [b]}", "say the same"},
        {"cdsrests://h", "{client_id: x, client_secret: y, tenant: t, api: nine}", "a version such as 9.2"},
        {"snrests://h", "", "username"},
        {"sfrests://u:p@h", "client_id: x", "client_secret"},
        {"sfrests://h", "{client_id: x, client_secret: y}", "username"},
        {"zeyosrests://u:p@h/test", "", "appsecret"},
        {"zeyosrests://u:p@h", "appsecret: x", "instance"},
        {"zeyosrests://h/test", "appsecret: x", "username"},
        {"zeyosrests://u:p@h/test", "{appsecret: x, oauth2_grant_type: authorization_code}", "password"},
    };
    for (const Case& one : cases) {
        const auto checked = define(one.url, one.options);
        INFO(one.url << ' ' << one.options << '\n' << checked.text());
        CHECK_FALSE(checked.valid);
        CHECK(has(checked.text(), one.says));
    }
}

TEST_CASE("what examples of the manual have otherwise is taken, and the usual way of writing it is told", "[schemes][vendors]") {
    for (const auto& [url, options] : {std::pair{"billwerkrests://h", "{client_id: x, name: jo, password: p}"},
                                       std::pair{"zeyosrests://h/test", "{appsecret: x, name: jo, password: p}"}}) {
        const auto checked = define(url, options);
        INFO(checked.text());
        CHECK(checked.valid);
        CHECK(has(checked.text(), "write 'username'"));
        CHECK(log_in(url, options).username == "jo");
    }
}

TEST_CASE("APIs that take JSON only say so, and compress what they are known to take compressed", "[schemes][vendors]") {
    for (const char* url : {"sewiorests://h", "cdsrests://h", "sfrests://u:p@h"}) {
        INFO(url);
        CHECK(has(define(url, "{data: yaml}").text(), "json"));
    }
    CHECK(client("sewiorest://h", "apikey: k")->options().send_coding == "gzip");
    CHECK(client("sewiorest://h", "{apikey: k, send_encoding: identity}")->options().send_coding.empty());
    CHECK(client("sap4hanarests://h", "apikey: k")->options().send_coding == "gzip");
    CHECK(client("sfrests://u:p@h", "{client_id: x, client_secret: y}")->options().send_coding == "gzip");
    CHECK(client("snrests://u:p@h")->options().send_coding.empty());
    CHECK(client("billwerkrest://h", "token: t")->rest_options().no_charset);
}

TEST_CASE("keys of APIs are headers, which go nowhere else", "[schemes][vendors]") {
    CHECK(client("sewiorests://h", "apikey: 171555a8")->options().headers.get("X-ApiKey") == "171555a8");
    CHECK(client("sap4hanarests://h", "apikey: 171555a8")->options().headers.get("ApiKey") == "171555a8");
}

TEST_CASE("each kind knows where its tokens are, and how they are asked for", "[schemes][vendors]") {
    const OAuth2Options sap = log_in("sap4hanarests://h/s4hanacloud", "{client_id: x, client_secret: y}");
    CHECK(sap.grant == OAuth2Grant::client_credentials);
    CHECK(sap.token_url == "https://h/oauth2/apitoken/v1");
    CHECK(sap.basic_auth);

    const OAuth2Options billwerk = log_in("billwerkrests://h/api/v1", "{client_id: x, client_secret: y}");
    CHECK(billwerk.grant == OAuth2Grant::client_credentials);
    CHECK(billwerk.token_url == "https://h/oauth/token");
    CHECK(billwerk.basic_auth);
    const OAuth2Options person = log_in("billwerkrests://h/api/v1", "{client_id: x, name: jo, password: secret}");
    CHECK(person.grant == OAuth2Grant::password);
    CHECK(person.username == "jo");
    CHECK(person.public_client);
    CHECK_FALSE(person.basic_auth);

    const OAuth2Options cds = log_in("cdsrests://org.crm4.dynamics.com", "{client_id: x, client_secret: y, tenant: t}");
    CHECK(cds.grant == OAuth2Grant::client_credentials);
    CHECK(cds.token_url == "https://login.microsoftonline.com/t/oauth2/v2.0/token");
    CHECK(cds.auth_url == "https://login.microsoftonline.com/t/oauth2/v2.0/authorize");
    CHECK(cds.scopes == std::vector<std::string>{"https://org.crm4.dynamics.com/.default"});
    CHECK(log_in("cdsrests://h:99/x", "{client_id: x, client_secret: y, tenant: t}").scopes.front() == "https://h/.default");
    CHECK(log_in("cdsrests://h", "{client_id: x, client_secret: y, tenant: t, scope: s, oauth2_token_url: auto}").scopes.front() == "s");

    CHECK(log_in("cdsrests://h", "{client_id: x, client_secret: y, tenant: t, oauth2_grant_type: authorization_code}").scopes ==
          std::vector<std::string>{"https://h/.default", "offline_access"});

    CHECK(token_source(*client("snrests://u:p@h")) == nullptr);
    CHECK(client("snrests://u:p@h")->options().username == "u");
    const OAuth2Options now = log_in("snrests://u:p@h", "{client_id: x, client_secret: y}");
    CHECK(now.grant == OAuth2Grant::password);
    CHECK(now.token_url == "https://h/oauth_token.do");
    CHECK(log_in("snrests://h", "{client_id: x, client_secret: y}").grant == OAuth2Grant::authorization_code);
    CHECK(log_in("snrests://h", "{client_id: x, client_secret: y}").auth_url == "https://h/oauth_auth.do");

    const OAuth2Options salesforce = log_in("sfrests://u:p@test.salesforce.com/services/oauth2/token", "{client_id: x, client_secret: y}");
    CHECK(salesforce.grant == OAuth2Grant::password);
    CHECK(salesforce.token_url == "https://test.salesforce.com/services/oauth2/token");
    CHECK(salesforce.revoke_url == "https://test.salesforce.com/services/oauth2/revoke");
    CHECK(log_in("sfrests://u:p@h", "{client_id: x, client_secret: y, oauth_url_token: 'https://other/t'}").token_url == "https://other/t");

    const OAuth2Options zeyos = log_in("zeyosrests://u:p@cloud.zeyos.com/test", "{appsecret: x}");
    CHECK(zeyos.token_url == "https://cloud.zeyos.com/test/auth/v1/login");
    CHECK(zeyos.client_id.starts_with("qconn-"));
    CHECK(log_in("zeyosrests://u:p@h", "{appsecret: x, instance: one, identifier: me}").token_url == "https://h/one/auth/v1/login");
}

TEST_CASE("the base path of an API follows the path of the URL, once", "[schemes][vendors]") {
    const char* const cds = "{client_id: x, client_secret: y, tenant: t, api: '9.1'}";
    CHECK(client("cdsrests://h", cds)->options().url == "https://h/api/data/v9.1");
    CHECK(client("cdsrests://h/", cds)->options().url == "https://h/api/data/v9.1");
    CHECK(client("cdsrests://h/gate", cds)->options().url == "https://h/gate/api/data/v9.1");
    CHECK(client("cdsrests://h/api/data/v9.1/", cds)->options().url == "https://h/api/data/v9.1");
    CHECK(client("snrests://u:p@h")->options().url == "https://h/api/now");
    CHECK(client("snrests://u:p@h", "api: x_acme")->options().url == "https://h/api/x_acme");
    CHECK(client("zeyosrests://u:p@h", "{appsecret: x, instance: one}")->options().url == "https://h/one");
    CHECK(client("zeyosrests://u:p@h/one/api/v1", "{appsecret: x}")->options().url == "https://h/one/api/v1");
}

TEST_CASE("a URL within a URL, as the manual of S/4HANA connections has it", "[schemes][vendors]") {
    CHECK(client("sap4hanarests://https://sandbox.api.sap.com/s4hanacloud", "apikey: k")->options().url == "https://sandbox.api.sap.com/s4hanacloud");
}

TEST_CASE("requests to Amazon Web Services are signed with the key of the definition, for what the host tells or the options", "[schemes][vendors]") {
    const char* const key = "aws_keyid: AKIDEXAMPLE\naws_secret: s3cr3t\n";
    const auto authorization = [&](std::string_view url, const std::string& more = {}) {
        const auto made = client(url, key + more);
        const Headers none;
        const std::string asked = made->options().url + "/a//b";
        const Headers headers = made->options().authenticator->current()->headers_for({"GET", asked, Url::parse(asked).authority(), none, {}});
        return std::string{headers.get("Authorization")} + (headers.find("X-Amz-Content-Sha256") != nullptr ? " s3" : "") +
               (headers.find("X-Amz-Security-Token") != nullptr ? " token" : "");
    };

    CHECK(has(authorization("awsrests://sqs.eu-west-1.amazonaws.com"), "/eu-west-1/sqs/aws4_request, "));
    CHECK(has(authorization("awsrests://sqs.eu-west-1.amazonaws.com", "aws_region: us-east-1"), "/us-east-1/sqs/aws4_request, "));
    CHECK(has(authorization("awsrests://h", "aws_region: r\naws_service: s\naws_token: t"),
              "/r/s/aws4_request, SignedHeaders=host;x-amz-date;x-amz-security-token"));
    CHECK(authorization("awsrests://s3.eu-west-1.amazonaws.com").ends_with(" s3"));
    CHECK_FALSE(authorization("awsrests://s3.eu-west-1.amazonaws.com", "aws_s3: false").ends_with(" s3"));
    CHECK(authorization("awsrests://h", "aws_region: r\naws_service: minio\naws_s3: true").ends_with(" s3"));
}

TEST_CASE("what a connection to Amazon Web Services lacks, or has too much of, is said", "[schemes][vendors]") {
    struct Case {
        const char* url;
        const char* options;
        const char* says;
    };
    const Case cases[] = {
        {"awsrests://sqs.eu-west-1.amazonaws.com", "", "aws_keyid"},
        {"awsrests://sqs.eu-west-1.amazonaws.com", "aws_keyid: x", "aws_secret"},
        {"awsrests://iam.amazonaws.com", "{aws_keyid: x, aws_secret: y, aws_service: iam}", "'aws_region' is missing"},
        {"awsrests://iam.amazonaws.com", "{aws_keyid: x, aws_secret: y, aws_region: us-east-1}", "'aws_service' is missing"},
        {"awsrests://u:p@sqs.eu-west-1.amazonaws.com", "{aws_keyid: x, aws_secret: y}", "user and password in the URL"},
        {"awsrests://sqs.eu-west-1.amazonaws.com", "{aws_keyid: x, aws_secret: y, data: xml}", "json"},
        {"awsrests://sqs.eu-west-1.amazonaws.com", "{aws_keyid: x, aws_secret: y, token: t}", "no option 'token'"},
    };
    for (const Case& one : cases) {
        const auto checked = define(one.url, one.options);
        INFO(one.url << ' ' << one.options << '\n' << checked.text());
        CHECK_FALSE(checked.valid);
        CHECK(has(checked.text(), one.says));
    }
    const auto from_manual = define("awsrests://sqs.eu-west-1.amazonaws.com", "{client_id: AKIDEXAMPLE, client_secret: y}");
    CHECK(from_manual.valid);
    CHECK(has(from_manual.text(), "write 'aws_keyid'"));
    CHECK(has(from_manual.text(), "write 'aws_secret'"));
    CHECK(from_manual.client<RestClient>() != nullptr);
    CHECK(define("awsrests://${env:AWS_HOST}", "{aws_keyid: x, aws_secret: y}").valid);
    const auto late = define("awsrests://${env:QCONN_AWS_LOGIN}@sqs.eu-west-1.amazonaws.com", "{aws_keyid: x, aws_secret: y}");
    INFO(late.text());
    CHECK_FALSE(late.valid);
}

TEST_CASE("the errors of Amazon's services are read in every form that they have", "[schemes][vendors]") {
    const auto fault_of = client("awsrests://sqs.eu-west-1.amazonaws.com", "{aws_keyid: x, aws_secret: y}")->rest_options().fault_of;
    const auto said = [&](const Value& body) {
        const auto fault = fault_of(body);
        return fault ? fault->name + '|' + fault->message : "none";
    };
    const auto said_in_xml = [&](const std::string& before, const std::string& behind) {
        const std::string text = before + "<Error><Code>NoSuchKey</Code><Message>It is not there.</Message></Error>" + behind;
        return said(rest::decode_body("<?xml version=\"1.0\"?>\n" + text, "application/xml", ""));
    };

    CHECK(said(Map{{"__type", "com.amazon.coral.service#AccessDeniedException"}, {"Message", "no"}}) == "AccessDeniedException|no");
    CHECK(said(Map{{"__type", "ThrottlingException:http://internal.amazon.com/coral/"}, {"message", "slower"}}) == "ThrottlingException|slower");
    CHECK(said(Map{{"message", "Forbidden"}}) == "|Forbidden");
    CHECK(said(Map{{"code", "BadRequest"}, {"message", "odd"}}) == "BadRequest|odd");
    CHECK(said_in_xml("", "") == "NoSuchKey|It is not there.");
    CHECK(said_in_xml("<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">", "<RequestId>1</RequestId></ErrorResponse>") ==
          "NoSuchKey|It is not there.");
    CHECK(said_in_xml("<Response><Errors>", "</Errors><RequestID>1</RequestID></Response>") == "NoSuchKey|It is not there.");
    CHECK(said(Map{{"other", 1}}) == "none");
    CHECK(said("text") == "none");
    CHECK(said(Value{}) == "none");
}
