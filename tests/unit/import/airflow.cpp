// SPDX-License-Identifier: Apache-2.0
// Airflow: env files with URIs and JSON, exports in JSON and YAML.
#include "importing.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr std::string_view k_env = R"(# connections of the stage
AIRFLOW_UID=50000
AIRFLOW_CONN_MY_PROD_DB='postgresql://edi:p%40ss%2Fword@pg.example:6543/orders?sslmode=require'
export AIRFLOW_CONN_SHOP_API="http://api-user:s3cret@shop.example%2Fv2/https?Accept=application%2Fjson&X-Api-Key=Key-77&timeout=1.5"
AIRFLOW_CONN_FILES=sftp://edi:hunter2@files.example:2222/?key_file=~%2F.ssh%2Fid_ed25519&no_host_key_check=false
AIRFLOW_CONN_AWS_BATCH=google-cloud-platform://?project=x
AIRFLOW_CONN_JSON={"conn_type": "mysql", "login": "root", "password": "my-pw", "host": "db.example", "port": "3306", "schema": "shop", "extra": {"charset": "utf8mb4"}}
not a line
)";

constexpr std::string_view k_json = R"({
  "erp": {
    "conn_type": "http",
    "description": "The ERP \ud83d\ude80",
    "login": "robot",
    "password": "geheim",
    "host": "https://erp.example/base",
    "port": 8443,
    "schema": null,
    "extra": "{\"extra__http__verify\": false, \"headers\": {\"Accept-Language\": \"de\"}, \"Authorization\": \"Bearer t0ken\", \"retries\": {\"n\": 3}}"
  },
  "mail": {
    "conn_type": "smtp",
    "login": "m@example.com",
    "password": "mail:pw",
    "host": "smtp.example",
    "port": 587,
    "extra": {"disable_ssl": true, "from_email": "robot@example.com"}
  },
  "redis_default": {"conn_type": "redis", "host": "redis", "password": "r-secret"},
  "lake": {"conn_type": "fs", "extra": {"path": "/srv/lake"}}
}
)";

}  // namespace

TEST_CASE("Airflow URIs of an env file become definitions, decoded and with references for their secrets", "[import]") {
    const Imported imported = import_text("airflow", k_env);
    INFO(findings(imported));
    check_round_trip(imported);

    REQUIRE(imported.definitions.size() == 4);
    CHECK(definition(imported, "my_prod_db").url == "db://pgsql:edi/${env:MY_PROD_DB_PASSWORD}@orders%pg.example:6543");
    const Definition& shop = definition(imported, "shop_api");
    CHECK(shop.url == "https://api-user:${env:SHOP_API_PASSWORD}@shop.example/v2");
    CHECK(option(shop, "headers")["Accept"] == Value{"application/json"});
    CHECK(option(shop, "headers")["X-Api-Key"] == Value{"${env:SHOP_API_HEADER_X_API_KEY}"});
    CHECK(option(shop, "timeout") == Value{1500});
    const Definition& files = definition(imported, "files");
    CHECK(files.url == "sftp://edi:${env:FILES_PASSWORD}@files.example:2222");
    CHECK(option(files, "keyfile") == Value{"$HOME/.ssh/id_ed25519"});
    CHECK(definition(imported, "json").url == "db://mysql:root/${env:JSON_PASSWORD}@shop(utf8mb4)%db.example:3306");

    REQUIRE(imported.secrets.size() == 5);
    CHECK(imported.secrets.front().variable == "MY_PROD_DB_PASSWORD");
    CHECK(imported.secrets.front().value.reveal() == "p@ss/word");
}

TEST_CASE("what an Airflow env file has beside connections, and what they lose, is told with its line", "[import]") {
    const std::string told = findings(import_text("airflow", k_env));
    CHECK(has(told, "2:1 note other-variable: the variable 'AIRFLOW_UID' is no connection"));
    CHECK(has(told, "3:1 warning not-carried: the extra 'sslmode' is not carried over"));
    CHECK(has(told, "5:1 warning not-carried: the extra 'no_host_key_check' is not carried over"));
    CHECK(has(told, "6:1 warning no-equivalent: qconn has nothing for connections of the type 'google_cloud_platform'"));
    CHECK(has(told, "8:1 error bad-line"));
    CHECK(has(told, "unknown-scheme: this build has no scheme 'db'"));
}

TEST_CASE("an Airflow export in JSON has places, extras as text and as object, and characters beyond U+FFFF", "[import]") {
    const Imported imported = import_text("airflow", k_json);
    INFO(findings(imported));
    check_round_trip(imported);

    const Definition& erp = definition(imported, "erp");
#ifndef QCONN_WITHOUT_HTTP
    CHECK(erp.url == "https://robot:${env:ERP_PASSWORD}@erp.example:8443/base");
#endif
    CHECK(erp.description == "The ERP \xF0\x9F\x9A\x80");
    CHECK(option(erp, "ssl_verify_cert") == Value{false});
    CHECK(option(erp, "headers")["Accept-Language"] == Value{"de"});
    CHECK(option(erp, "headers")["Authorization"] == Value{"${env:ERP_HEADER_AUTHORIZATION}"});
    CHECK(definition(imported, "mail").url == "esmtptls://m@example.com:${env:MAIL_PASSWORD}@smtp.example:587");
    CHECK(option(definition(imported, "mail"), "from") == Value{"robot@example.com"});
    CHECK(definition(imported, "lake").url == "file:///srv/lake");
    CHECK(imported.definitions.size() == 3);

    const std::string told = findings(imported);
    CHECK(has(told, "10:5 warning not-carried: the extra 'retries' is not carried over"));
    CHECK(has(told, "20:21 warning no-equivalent: qconn has nothing for connections of the type 'redis'; 'redis_default' is left out"));
    CHECK(
        std::none_of(imported.secrets.begin(), imported.secrets.end(), [](const ImportedSecret& one) { return one.connection == "redis_default"; }));
}

TEST_CASE("an Airflow export in YAML keeps texts as they are written", "[import]") {
    const Imported imported = import_text("airflow", R"(first:
  conn_type: http
  host: a.example
  login: "007"
  password: 1.10
  extra: null
second: mysql://u@db.example/shop
third:
  - postgres://one.example/a
  - postgres://two.example/b
)",
                                          true);
    INFO(findings(imported));
    check_round_trip(imported);
    CHECK(definition(imported, "first").url == "http://007:1.10@a.example");
    CHECK(definition(imported, "second").url == "db://mysql:u@shop%db.example");
    CHECK(definition(imported, "third").url == "db://pgsql:@a%one.example");
    CHECK(definition(imported, "third-2").url == "db://pgsql:@b%two.example");
    CHECK(has(findings(imported), "8:1 note renamed: another connection is called 'third'; this one becomes 'third-2'"));
}

TEST_CASE("the whole extra of an Airflow URI may be JSON, and the host a URL of its own", "[import]") {
    const Imported imported = import_text("airflow", R"(
one=http://https://u:p@one.example:444/?__extra__=%7B%22max_redirects%22%3A+2%2C+%22proxies%22%3A+%7B%22https%22%3A+%22http%3A%2F%2Fpu%3App%40proxy%3A3128%22%7D%7D
two=aws://AKIA123:sec%2Fret@/?region_name=eu-central-1
three=jdbc://u:p@jdbc%3Asqlserver%3A%2F%2Fh%3Bx%3Dy
four=oracle://scott:tiger@ora.example:1521/scott?service_name=XEPDB1
five=oracle://scott:tiger@ora.example?sid=XE
six=http://six.example%2Fin%3Ftoken%3DS3cret%26a%3D1/
seven=jdbc://@jdbc%3Asqlserver%3A%2F%2Fh%3Buser%3Du%3Bpassword%3DS3cret/
)");
    INFO(findings(imported));
    check_round_trip(imported);
    const Definition& one = definition(imported, "one");
    CHECK(one.url == "https://u:${env:ONE_PASSWORD}@one.example:444");
    CHECK(option(one, "max_redirects") == Value{2});
    CHECK(option(one, "proxy") == Value{"http://pu:${env:ONE_PROXY_PASSWORD}@proxy:3128"});
    const Definition& two = definition(imported, "two");
    CHECK(two.url == "awsrests://sts.eu-central-1.amazonaws.com");
    CHECK(option(two, "aws_keyid") == Value{"AKIA123"});
    CHECK(option(two, "aws_secret") == Value{"${env:TWO_AWS_SECRET}"});
    CHECK(definition(imported, "three").url == "db://jdbc:u/${env:THREE_PASSWORD}@{url=sqlserver://h;x=y}");
    CHECK(definition(imported, "four").url == "db://oracle:scott/${env:FOUR_PASSWORD}@XEPDB1%ora.example:1521");
    CHECK(definition(imported, "five").url == "db://oracle:scott/${env:FIVE_PASSWORD}@XE%ora.example");
    CHECK(definition(imported, "six").url == "http://six.example/in?token=${env:SIX_PARAMETER_TOKEN}&a=1");
    CHECK(definition(imported, "seven").url == "db://jdbc:@{url=sqlserver://h;user=u;password=${env:SEVEN_PARAMETER_PASSWORD}}");
    CHECK(has(findings(imported), "5:1 warning not-carried: the field 'schema' is not carried over"));
}

TEST_CASE("no finding about Airflow connections shows a secret", "[import]") {
    for (const std::string_view text : {k_env, k_json}) {
        const std::string told = shown(import_text("airflow", text));
        for (const char* secret : {"p@ss", "p%40ss", "s3cret", "Key-77", "hunter2", "my-pw", "geheim", "t0ken", "mail:pw", "r-secret", "not a line"})
            CHECK_FALSE(has(told, secret));
    }
    CHECK_FALSE(has(shown(import_text("airflow", "x: {conn_type: 'S3cret!', extra: '{broken S3cret'}\ny: S3cret\nz: [[S3cret]]\n")), "S3cret"));
    CHECK_FALSE(has(shown(import_text("airflow", "{\"a\": \"S3cret\n")), "S3cret"));
}

TEST_CASE("passwords that a URL cannot hold become options, or the connection is left out and told of", "[import]") {
    const Imported imported = import_text("airflow", R"(
a=http://us%3Aer:pw@h.example
b=postgres://us%2Fer:pw@h.example/db
)",
                                          true);
    INFO(findings(imported));
    check_round_trip(imported);
#ifndef QCONN_WITHOUT_HTTP
    CHECK(definition(imported, "a").url == "http://h.example");
    CHECK(option(definition(imported, "a"), "username") == Value{"us:er"});
    CHECK(option(definition(imported, "a"), "password") == Value{"pw"});
#endif
    CHECK(has(findings(imported), "3:1 error unfit-url"));
    CHECK(std::none_of(imported.definitions.begin(), imported.definitions.end(), [](const Definition& one) { return one.name == "b"; }));
}

TEST_CASE("a relative path of an Airflow file connection is told of", "[import]") {
    const Imported imported = import_text("airflow", R"({"in": {"conn_type": "fs", "extra": {"path": "inbox"}}})");
    CHECK(definition(imported, "in").url == "file:///inbox");
    CHECK(has(findings(imported), "warning not-valid: the path is relative"));
    CHECK(findings(import_text("airflow", R"({"in": {"conn_type": "fs", "extra": {"path": "/inbox"}}})")).empty());
}
