// SPDX-License-Identifier: Apache-2.0
// Each example, against a real server.
#include <csignal>

#include "estate.hpp"
#include "support/catch.hpp"
#include "support/server.hpp"

using namespace qconn::test;

namespace {

std::string example(std::string_view path) { return std::string{QCONN_EXAMPLES} + "/" + std::string{path}; }

Outcome run(std::string_view path, std::vector<std::string> arguments, const std::string& directory = {}) {
    return Process{{example(path), std::move(arguments), {}, directory}}.finish();
}

}  // namespace

TEST_CASE("hello, the program of the README: a typed client, a body as a value", "[examples][integration]") {
    Server nginx{"nginx", {.environment = {"NGINX_SERVER=location /orders/ { default_type application/json; }"}}};
    nginx.directory().write("www/orders/17", R"({"customer": {"name": "Ada"}})");
    const TempDir directory;
    directory.write("connections/shop-api.qconn.yaml",
                    "type: connection\nname: shop-api\ndesc: d\nurl: rest://" + nginx.address() + "\noptions:\n  timeout: 5000\n");

    const Outcome outcome = run("1_first_steps/hello", {}, directory.path());

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "Ada"));
}

TEST_CASE("definitions: findings with their places, the others work", "[examples][integration]") {
    const Estate estate;
    estate.add("good", "rest://edi:secret@shop.example/api");
    estate.add("bad", "rest://shop.example", "options:\n  tiemout: 1\n");

    const Outcome outcome = run("1_first_steps/definitions", {estate.directory.path()});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 1);
    CHECK(has(outcome.err, "bad.qconn.yaml:6:3"));
    CHECK(has(outcome.out, "good: RestClient at rest://edi:<masked>@shop.example/api"));
}

TEST_CASE("http: blocking, failing and asynchronous calls", "[examples][integration]") {
    Server nginx{"nginx"};

    const Outcome outcome = run("2_families/http", {"http://" + nginx.address()});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "200 text/plain: hello"));
    CHECK(has(outcome.out, "HTTP-CLIENT-RECEIVE-ERROR, the server said {\"status\":404}"));
    CHECK(has(outcome.out, "both at once: 200 200"));
}

TEST_CASE("rest: a value goes out and comes back", "[examples][integration]") {
    Server nginx{"nginx"};

    const Outcome outcome = run("2_families/rest", {"http://" + nginx.address(), "example.json"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "stored: 201"));
    CHECK(has(outcome.out, "2 of A-1, first tag new"));
    CHECK(has(outcome.out, "the same"));
}

TEST_CASE("s3: an object goes up, comes back, and has a link", "[examples][integration]") {
    Server verifier{"sigv4"};
    const TempDir directory;
    directory.write("7.csv", "a;b\n1;2\n");

    const Outcome outcome = Process{{example("2_families/s3"),
                                     {"http://" + verifier.address() + "/bucket", "eu-west-1", directory / "7.csv"},
                                     {"AWS_ACCESS_KEY_ID=" + std::string{k_user}, "AWS_SECRET_ACCESS_KEY=" + std::string{k_password}}}}
                                .finish();

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "put: 200\nget: 200\nby its link: 200\n");
}

#ifndef QCONN_WITHOUT_WEBSOCKET
TEST_CASE("live_feed: subscribes, follows a feed and ends", "[examples][integration]") {
    Server server{"websocket"};
    const Outcome outcome = run("2_families/live_feed", {"ws://" + server.address() + "/", "1", "hello"});
    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "hello\n");
    CHECK(has(outcome.err, "is connected"));
}
#endif

TEST_CASE("rpc: a call, and a batch of calls each with its own outcome", "[examples][integration]") {
    Server server{"jsonrpc"};

    const Outcome outcome = run("2_families/rpc", {"http://" + server.address()});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "40 + 2 = 42"));
    CHECK(has(outcome.out, "add: 3"));
    CHECK(has(outcome.out, "named: {\"sku\": \"A-1\", \"count\": 2}"));
    CHECK(has(outcome.out, "no.such.method: error -32601"));
    CHECK(has(outcome.out, "note: null"));
}

TEST_CASE("openapi: operations by name, wrong calls told before they are sent", "[examples][integration]") {
    Server nginx{"nginx"};

    const Outcome outcome = run("2_families/openapi", {"http://" + nginx.address()});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "putOrder: PUT /order-{id}.json"));
    CHECK(has(outcome.out, "count: 2"));
    CHECK(has(outcome.out, "/body/count must be at least 1"));
}

TEST_CASE("oauth2: one token for all requests", "[examples][integration]") {
    Server oauth{"oauth"};
    const auto ask = [&](const std::string& secret) {
        const std::string start = "http://" + oauth.address();
        return Process{
            {example("2_families/oauth2"), {start, "resource", start + "/token", std::string{k_user}}, {"OAUTH2_CLIENT_SECRET=" + secret}, {}}}
            .finish();
    };

    const Outcome good = ask(std::string{k_password});
    INFO(good.out + good.err);
    CHECK(good.code == 0);
    CHECK(good.out == "a new token, good for 600 s\nfirst: 200, second with the same token: 200\n");
    const Outcome wrong = ask("Wr0ng-canary");
    CHECK(wrong.code == 1);
    CHECK(has(wrong.err, "REST-LOGIN-ERROR"));
    CHECK_FALSE(has(wrong.err, "canary"));
}

TEST_CASE("vault: a secret from a program's own provider", "[examples][integration]") {
    Server nginx{"nginx",
                 {.environment = {"NGINX_SERVER=location /v1/ { default_type application/json; if ($http_x_vault_token != root) { return 403; } }"}}};
    const std::string name = "example-user";
    nginx.directory().write("www/v1/secret/data/shop", R"({"data": {"data": {"user": ")" + name + R"("}}})");
    const Estate estate;
    estate.add("shop", "rest://" + nginx.address() + "/hello.txt", "options:\n  headers: {X-User: '${vault:secret/shop#user}'}\n");
    const auto vault = [&](const std::string& token) {
        return Process{
            {example("2_families/vault"), {estate.directory.path(), "shop"}, {"VAULT_ADDR=http://" + nginx.address(), "VAULT_TOKEN=" + token}, {}}}
            .finish();
    };

    const Outcome good = vault("root");
    INFO(good.out + good.err);
    CHECK(good.code == 0);
    CHECK(has(good.out, "shop is up"));
    const Outcome refused = vault("other");
    CAPTURE(refused.err);
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "${vault:secret/shop#user}"));
}

TEST_CASE("files: through a named connection", "[examples][integration]") {
    const Estate estate;
    const TempDir inbox;
    estate.add("inbox", "file://" + inbox.path());

    const Outcome outcome = run("2_families/files", {estate.directory.path(), "inbox"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(has(outcome.out, "order.done, 9 bytes: 17 x A-1"));
}

TEST_CASE("pick_up: each file is handed over once, also where a run died in between", "[examples][integration]") {
    const Estate estate;
    const TempDir partner;
    const TempDir here;
    estate.add("partner", "file://" + partner.path());
    for (const char* name : {"a.csv", "b.csv", "note.txt"}) partner.write(name, name);
    const auto pick_up = [&] { return run("2_families/pick_up", {estate.directory.path(), "partner", here.path()}); };

    const Outcome first = pick_up();
    INFO(first.out + first.err);
    CHECK(first.out == "handed over a.csv\nhanded over b.csv\n2 files\n");
    CHECK(here.read("inbox/a.csv") == "a.csv");
    CHECK(partner.read("done/b.csv") == "b.csv");
    CHECK(partner.read("note.txt") == "note.txt");

    // It died after the hand-over, before the partner's file was put away.
    std::filesystem::rename(partner / "done/a.csv", partner / "taken/a.csv");
    // It died while it fetched, and between the line in the ledger and the hand-over.
    partner.write("taken/c.csv", "the whole of c");
    here.write("staging/.qconn-0c3242549bb810cb.part", "the whole");
    std::filesystem::rename(here / "inbox/b.csv", here / "staging/b.csv");
    std::filesystem::rename(partner / "done/b.csv", partner / "taken/b.csv");
    const Outcome second = pick_up();
    INFO(second.out + second.err);
    CHECK(second.out == "handed over b.csv\nhanded over c.csv\n2 files\n");
    CHECK(here.read("inbox/c.csv") == "the whole of c");
    CHECK(pick_up().out == "0 files\n");
}

TEST_CASE("mailbox_to_queue: attachments go into the queue once, also where a run died before its commit", "[examples][integration]") {
    const Server dovecot{"dovecot"};
    const Estate estate;
    const TempDir queue;
    estate.add("orders", "pop3://qconntest:Passw0rd-1@" + dovecot.address());
    const auto deliver = [&](const std::string& name, const std::string& text) {
        const std::string path = dovecot.directory().write("mail/qconntest/tmp/" + name, text);
        std::filesystem::permissions(path, std::filesystem::perms{0666});
        std::filesystem::rename(path, dovecot.directory() / ("mail/qconntest/new/" + name));
    };
    const std::string order =
        "From: Anna <anna@example.com>\nSubject: Order\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nAs attached.\n--b\n"
        "Content-Type: text/csv\nContent-Disposition: attachment; filename=order.csv\nContent-Transfer-Encoding: base64\n\nYTtiCg==\n--b--\n";
    deliver("1700000001.a", order);
    deliver("1700000002.b", "Subject: hello\n\nno order\n");
    const auto run_once = [&] { return run("2_families/mailbox_to_queue", {estate.directory.path(), "orders", queue.path()}); };

    const Outcome first = run_once();
    INFO(first.out + first.err);
    CHECK(has(first.out, "queued order.csv of anna@example.com"));
    CHECK(has(first.out, "1 taken, 1 left, 0 removed"));
    std::string uid = queue.read("ledger");
    uid.pop_back();
    CHECK(queue.read(uid + "-1") == "a;b\n");

    // It died between the line in the ledger and the commit: the server still has that mail.
    deliver("1700000003.c", order);
    const Outcome listed = estate.run({"call", "orders", "uidl", "--json"});
    const std::size_t at = listed.out.rfind("\"uid\"");
    REQUIRE(at != std::string::npos);
    const std::size_t from = listed.out.find('"', at + 6) + 1;
    queue.write("ledger", uid + "\n" + listed.out.substr(from, listed.out.find('"', from) - from) + "\n");
    const Outcome second = run_once();
    INFO(listed.out + second.out + second.err);
    CHECK(has(second.out, "0 taken, 1 left, 1 removed"));
}

TEST_CASE("report_by_mail: a report goes out, and what became of it is told", "[examples][integration]") {
    const Server server{"aiosmtp"};
    const Estate estate;
    const TempDir here;
    here.write("november.csv", "1;2\n");
    estate.add("outgoing-mail", "smtptls://qconntest:Passw0rd-1@" + server.address(),
               "options:\n  from: Reports <reports@example.com>\n  ssl_ca_file: " + tls_file("ca.crt") + "\n");
    const auto report = [&](const std::string& to) {
        return run("2_families/report_by_mail", {estate.directory.path(), "outgoing-mail", to, here / "november.csv"});
    };

    const Outcome sent = report("Jörg <j@x.example>, reject@y.example");
    INFO(sent.out + sent.err);
    CHECK(sent.code == 0);
    CHECK(has(sent.out, "j@x.example: accepted"));
    CHECK(has(sent.out, "reject@y.example: refused"));
    CHECK(has(sent.out, "kept as 1"));
    CHECK(has(server.directory().read("mail/1.eml"), "filename=november.csv"));
    const Outcome later = report("defer@x.example");
    CHECK(later.code == 1);
    CHECK(has(later.err, "once more in 100 ms"));
    const Outcome never = report("reject@x.example");
    CHECK(never.code == 1);
    CHECK_FALSE(has(never.err, "once more"));
}

#ifndef QCONN_WITHOUT_SSH
TEST_CASE("mirror: a directory and its copy by SFTP", "[examples][integration]") {
    const Server sshd{"sshd"};
    const Estate estate;
    const TempDir here;
    estate.add("www", "sftp://qconnssh:Passw0rd-1@" + sshd.address(),
               "options:\n  known_hosts: " + sshd.directory() / "known_hosts" + "\n  path: site\n");
    here.write("index.html", "hello");
    here.write("css/a b.css", "style");
    const auto mirror = [&] { return run("2_families/mirror", {estate.directory.path(), "www", here.path()}); };

    const Outcome first = mirror();
    INFO(first.out + first.err);
    CHECK(has(first.out, "2 sent, 0 unchanged, 0 removed"));
    CHECK(sshd.directory().read("home/site/css/a b.css") == "style");
    std::filesystem::remove(here / "index.html");
    CHECK(has(mirror().out, "0 sent, 1 unchanged, 1 removed"));
    CHECK(sshd.directory().read("home/site/index.html").empty());
}

TEST_CASE("remote_command: words reach a command on another machine as they are", "[examples][integration]") {
    const Server sshd{"sshd"};
    const Estate estate;
    estate.add("host", "ssh://qconnssh:Passw0rd-1@" + sshd.address(), "options:\n  known_hosts: " + sshd.directory() / "known_hosts" + "\n");

    const Outcome outcome = run("2_families/remote_command", {estate.directory.path(), "host", "printf", "%s|", "one two", "$HOME", "it's"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "one two|$HOME|it's|");
    CHECK(run("2_families/remote_command", {estate.directory.path(), "host", "sh", "-c", "exit 7"}).code == 7);
}
#endif

#ifndef QCONN_WITHOUT_TELNET
TEST_CASE("switch_configuration: a switch is configured, and its answers are looked at", "[examples][integration]") {
    const Server device{"device"};
    const Estate estate;
    estate.add("core", "telnet://qconntest:Passw0rd-1@" + device.address());

    const Outcome good = run("2_families/switch_configuration", {estate.directory.path(), "core", "s3cret-enable", "hostname switch", "printf done"});
    INFO(good.out + good.err);
    CHECK(good.code == 0);
    CHECK(good.out == "switch(config)# hostname switch\nswitch(config)# printf done\ndone\n");

    const Outcome refused = run("2_families/switch_configuration", {estate.directory.path(), "core", "s3cret-enable", "no such line", "printf done"});
    CHECK(refused.code == 1);
    CHECK(has(refused.err, "the switch refused \"no such line\": % Unknown command: no such line"));
    const Outcome denied = run("2_families/switch_configuration", {estate.directory.path(), "core", "wrong", "printf done"});
    CHECK(denied.code == 1);
    CHECK(has(denied.err, "the switch does not let us in: switch>"));

    const auto by_tool = estate.run({"call", "core", "run", "show version", "printf x"});
    INFO(by_tool.out + by_tool.err);
    CHECK(by_tool.code == 0);
    CHECK(has(by_tool.out, "Version 12.2"));
    CHECK(estate.run({"ping", "core", "--depth", "full"}).code == 0);
}
#endif

TEST_CASE("amqp_worker: works off a queue, and rejects what it cannot use", "[examples][integration]") {
    const Server server{"rhea"};
    const Estate estate;
    estate.add("bus", "amqp://qconntest:Passw0rd-1@" + server.address());
    for (const char* word : {"7", "seven", "12"}) CHECK(estate.run({"call", "bus", "send", "numbers", word}).code == 0);

    const Outcome outcome = run("2_families/amqp_worker", {estate.directory.path(), "bus", "numbers", "3"});

    INFO(outcome.out + outcome.err + server.log());
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "49\n144\n");
    CHECK(has(server.log(), "example:no-number"));
    CHECK(has(server.log(), "a whole number was expected"));
}

TEST_CASE("amqp_request_reply: one side adds for those who ask", "[examples][integration]") {
    const Server server{"rhea"};
    const Estate estate;
    estate.add("bus", "amqp://qconntest:Passw0rd-1@" + server.address());
    Process serves{{example("2_families/amqp_request_reply"), {estate.directory.path(), "bus", "serve", "adding", "1"}, {}, {}}};
    REQUIRE(serves.wait_for("ready"));

    const Outcome asked = run("2_families/amqp_request_reply", {estate.directory.path(), "bus", "ask", "adding", "40", "2"});

    INFO(asked.out + asked.err);
    CHECK(asked.out == "42\n");
    CHECK(serves.finish().code == 0);
}

TEST_CASE("amqp_fetch: takes what is there, and no more", "[examples][integration]") {
    const Server server{"proton"};
    const Estate estate;
    estate.add("bus", "amqp://" + server.address());
    for (const char* word : {"one", "two"}) CHECK(estate.run({"call", "bus", "send", "inbox", word}).code == 0);

    const Outcome outcome = run("2_families/amqp_fetch", {estate.directory.path(), "bus", "inbox"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "one\ntwo\n2 in all\n");
}

TEST_CASE("amqp_transaction: moves a queue batch by batch, each wholly", "[examples][integration]") {
    const Server server{"amqpraw"};
    const Estate estate;
    estate.add("bus", "amqp://" + server.address());
    for (const char* word : {"one", "two", "three"}) CHECK(estate.run({"call", "bus", "send", "here", word}).code == 0);

    const Outcome outcome = run("2_families/amqp_transaction", {estate.directory.path(), "bus", "here", "there", "2"});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.out == "moved 2\nmoved 1\n");
    CHECK(run("2_families/amqp_fetch", {estate.directory.path(), "bus", "here"}).out == "0 in all\n");
    CHECK(run("2_families/amqp_fetch", {estate.directory.path(), "bus", "there"}).out == "one\ntwo\nthree\n3 in all\n");
}

#ifndef QCONN_WITHOUT_WEBSOCKET
TEST_CASE("eftl_request: one side adds for those who ask", "[examples][integration]") {
    const Server server{"eftl"};
    const Estate estate;
    estate.add("bus", "eftl://qconntest:Passw0rd-1@" + server.address() + "/channel");
    Process serves{{example("2_families/eftl_request"), {estate.directory.path(), "bus", "serve", "1"}, {}, {}}};
    REQUIRE(serves.wait_for("ready"));

    const Outcome asked = run("2_families/eftl_request", {estate.directory.path(), "bus", "ask", "40", "2"});

    INFO(asked.out + asked.err);
    CHECK(asked.out == "42\n");
    CHECK(serves.finish().code == 0);
}

TEST_CASE("eftl_subscriber: what comes while it does not run is kept for it, and the tool publishes", "[examples][integration]") {
    const Server server{"eftl"};
    const Estate estate;
    estate.add("bus", "eftl://qconntest:Passw0rd-1@" + server.address() + "/channel?clientId=reader");
    estate.add("writer", "eftl://qconntest:Passw0rd-1@" + server.address() + "/channel");
    const auto publish = [&](const char* id) {
        return Process{{QCONN_TOOL, {"--dir", estate.directory.path(), "call", "writer", "publish", "type=order", std::string{"id="} + id}, {}, {}}}
            .finish();
    };
    const auto subscriber = [&] {
        return Launch{example("2_families/eftl_subscriber"), {estate.directory.path(), "bus", "orders", R"({"type":"order"})", "1"}, {}, {}};
    };
    {
        Process first{subscriber()};
        // It is there when the server has its durable: until then messages find nobody.
        CHECK(Process{{QCONN_TOOL, {"--dir", estate.directory.path(), "call", "writer", "map-set", "m", "k", "a=1"}, {}, {}}}.finish().code == 0);
        for (int i = 0; i < 50 && !first.wait_for("order", std::chrono::milliseconds{200}); ++i) publish("1");
        CHECK(first.finish().code == 0);
    }
    const Outcome published = publish("2");
    INFO(published.out + published.err);
    CHECK(published.code == 0);
    CHECK(has(Process{subscriber()}.finish().out, "order"));
}
#endif

TEST_CASE("own_tests: the tests of a program, as the page on testing shows them", "[examples][integration]") {
    Server nginx{"nginx"};

    const Outcome outcome = run("4_tests/own_tests", {std::to_string(nginx.port())});

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK(outcome.out == "all tests passed\n");
}

TEST_CASE("supervised_services: stopped with the server, started again when it is back", "[examples][integration]") {
    Server nginx{"nginx"};
    const Estate estate;
    estate.add("shop", "http://" + nginx.address());
    estate.add("files", "file://" + estate.directory.path());
    Process process{{example("3_whole_programs/supervised_services"), {estate.directory.path(), "shop", "files"}, {}, {}}};
    REQUIRE(process.wait_for("event: shop up"));

    nginx.kill();
    CHECK(process.wait_for("service of shop stopped"));
    CHECK(process.wait_for("event: shop down: "));
    const std::string before = process.take();
    nginx.start();
    CHECK(process.wait_for("service of shop started"));
    process.signal(SIGTERM);
    const Outcome outcome = process.finish();

    INFO(outcome.out + outcome.err);
    CHECK(outcome.code == 0);
    CHECK_FALSE(has(before + outcome.out, "service of files stopped"));
}
