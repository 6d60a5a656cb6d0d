// SPDX-License-Identifier: Apache-2.0
// Dapr components.
#include "importing.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr std::string_view k_components = R"(apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: partner-api
spec:
  type: bindings.http
  version: v1
  metadata:
  - name: url
    value: "https://partner.example/api"
  - name: securityToken
    secretKeyRef:
      name: partner
      key: token
  - name: securityTokenHeader
    value: "Authorization: Bearer"
  - name: MTLSRootCA
    value: /etc/ssl/partner.pem
  - name: maxResponseBodySize
    value: 2Mi
  - name: errorIfNot2XX
    value: "false"
  - name: direction
    value: output
auth:
  secretStore: vault
scopes: [orders]
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: mail
spec:
  type: bindings.smtp
  version: v1
  metadata:
  - {name: host, value: smtp.example}
  - {name: port, value: 465}
  - {name: user, value: robot}
  - {name: password, value: m4il}
  - {name: emailFrom, value: robot@example.com}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: statestore
spec:
  type: state.postgresql
  version: v2
  initTimeout: 5m
  metadata:
  - name: connectionString
    value: "host=pg.example user=dapr password='p w' port=5432 dbname=state sslmode=verify-ca"
  - name: password
    envRef: PG_PASSWORD
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: events}
spec:
  type: pubsub.rabbitmq
  version: v1
  metadata:
  - name: connectionString
    value: amqp://guest:g%40st@mq.example:5672/shop%2Feu
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: cache}
spec:
  type: state.redis
  version: v1
  metadata:
  - {name: redisPassword, value: r3dis}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: hidden}
spec:
  type: bindings.mysql
  version: v1
  metadata:
  - name: url
    secretKeyRef: {name: mysql, key: url}
---
apiVersion: dapr.io/v1alpha1
kind: HTTPEndpoint
metadata:
  name: github
spec:
  baseUrl: https://api.github.com
  headers:
  - {name: Accept-Language, value: en-US}
  - name: Authorization
    secretKeyRef: {name: gh, key: token}
---
apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: bucket}
spec:
  type: bindings.aws.s3
  version: v1
  metadata:
  - {name: bucket, value: invoices}
  - {name: region, value: eu-west-1}
  - {name: accessKey, value: AKIA1}
  - {name: secretKey, value: aws-s3cret}
---
kind: Subscription
metadata: {name: x}
)";

}  // namespace

TEST_CASE("Dapr components become definitions of their kinds", "[import]") {
    const Imported imported = import_text("dapr", k_components);
    INFO(findings(imported));
    check_round_trip(imported);

    const Definition& partner = definition(imported, "partner-api");
    CHECK(partner.url == "https://partner.example/api");
    CHECK(option(partner, "headers")["Authorization"] == Value{"Bearer ${env:PARTNER_API_TOKEN}"});
    CHECK(option(partner, "ssl_ca_file") == Value{"/etc/ssl/partner.pem"});
    CHECK(option(partner, "max_body_size") == Value{2 * 1024 * 1024});
    CHECK(option(partner, "error_passthru") == Value{true});
    CHECK(definition(imported, "mail").url == "esmtps://robot:${env:MAIL_PASSWORD}@smtp.example:465");
    CHECK(option(definition(imported, "mail"), "from") == Value{"robot@example.com"});
    CHECK(definition(imported, "statestore").url == "db://pgsql:dapr/${env:PG_PASSWORD}@state%pg.example:5432");
    CHECK(definition(imported, "events").url == "amqp://guest:${env:EVENTS_PASSWORD}@mq.example:5672");
    CHECK(option(definition(imported, "events"), "virtual_host") == Value{"vhost:shop/eu"});
    const Definition& github = definition(imported, "github");
    CHECK(github.url == "https://api.github.com");
    CHECK(option(github, "headers")["Authorization"] == Value{"${env:GITHUB_HEADER_AUTHORIZATION}"});
    const Definition& bucket = definition(imported, "bucket");
    CHECK(bucket.url == "awsrests://invoices.s3.eu-west-1.amazonaws.com");
    CHECK(option(bucket, "aws_secret") == Value{"${env:BUCKET_AWS_SECRET}"});
    CHECK(imported.definitions.size() == 6);
}

TEST_CASE("where Dapr keeps a secret is told with the variable that takes its place", "[import]") {
    const Imported imported = import_text("dapr", k_components);
    const auto token =
        std::find_if(imported.secrets.begin(), imported.secrets.end(), [](const ImportedSecret& s) { return s.variable == "PARTNER_API_TOKEN"; });
    REQUIRE(token != imported.secrets.end());
    CHECK(token->kept == "the secret 'partner', key 'token', in the store 'vault'");
    CHECK(token->value.empty());
    CHECK(std::none_of(imported.secrets.begin(), imported.secrets.end(), [](const ImportedSecret& s) { return s.connection == "hidden"; }));
}

TEST_CASE("what Dapr components lose is told at its entry", "[import]") {
    const std::string told = findings(import_text("dapr", k_components));
    CHECK(has(told, "27:1 note not-carried: the scopes are not carried over"));
    CHECK(has(told, "50:3 note not-carried: the key 'initTimeout' of the spec is not carried over"));
    CHECK(has(told, "52:11 warning not-carried: the parameter 'sslmode' is not carried over"));
    CHECK(has(told, "52:11 warning not-carried: the parameter 'password' is not carried over"));
    CHECK(has(told, "61:9 warning other-protocol"));
    CHECK(has(told, "71:9 warning no-equivalent: qconn has nothing for components of the type 'state.redis'; 'cache' is left out"));
    CHECK(has(told, "83:11 error address-elsewhere"));
    CHECK(has(told, "109:7 note no-equivalent: a resource of the kind 'Subscription' is no connection"));
}

TEST_CASE("no finding about Dapr components shows a secret", "[import]") {
    const std::string told = shown(import_text("dapr", k_components));
    for (const char* secret : {"m4il", "p w", "g%40st", "g@st", "r3dis", "aws-s3cret"}) CHECK_FALSE(has(told, secret));
    CHECK_FALSE(has(shown(import_text("dapr", "kind: Component\nspec: {type: 'S3 cret', metadata: [S3cret, {name: 1}]}\n---\nS3cret\n")), "S3cret"));
}
