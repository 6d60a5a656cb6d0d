// SPDX-License-Identifier: Apache-2.0
// `qconn doctor` on this machine, and on what a test makes of it.
#include <nlohmann/json.hpp>

#include "estate.hpp"
#include "support/catch.hpp"

using namespace qconn::test;
using nlohmann::json;

namespace {

json check_of(const Outcome& outcome, const std::string& name) {
    const json report = json::parse(outcome.out);
    for (const json& one : report["checks"])
        if (one["check"] == name) return one;
    return {};
}

}  // namespace

TEST_CASE("doctor tells of each check what was found, and the libraries with their versions", "[cli][integration]") {
    const Estate estate;
    estate.add("a", "file:///tmp");

    const Outcome text = estate.run({"doctor"});
    for (const char* part : {"libraries", "authorities", "resolver", "clock", "proxies", "open files", "local ports", "file watches", "state file",
                             "modules", "definitions   1 connection in 1 file"}) {
        CAPTURE(part, text.out);
        CHECK(has(text.out, part));
    }
    const json report = json::parse(estate.run({"doctor", "--json"}).out);
    CHECK(report["build"]["libraries"][0]["name"] == "OpenSSL");
    CHECK(report["build"]["libraries"][0]["version"].get<std::string>().starts_with("3."));
    CHECK(text.code == (report["health"] == "problem" ? 1 : 0));
    CHECK(has(estate.run({"doctor", "--format", "csv"}).out, "check,health,found,advice\r\nlibraries,"));
}

TEST_CASE("doctor ends with 1 for a problem and says what to do", "[cli][integration]") {
    const Estate estate;
    estate.add("a", "rest://127.0.0.1:1/", "options:\n  tiemout: 1\n");

    const Outcome broken = estate.run({"doctor", "--json"});
    CHECK(broken.code == 1);
    CHECK(check_of(broken, "definitions")["health"] == "problem");
    CHECK(has(check_of(broken, "definitions")["advice"].get<std::string>(), "qconn check"));

    const Outcome no_authorities = estate.run({"doctor", "--json"}, {"SSL_CERT_FILE=/no/such/file", "SSL_CERT_DIR=/no/such/directory"});
    CHECK(no_authorities.code == 1);
    CHECK(check_of(no_authorities, "authorities")["health"] == "problem");
    CHECK(has(check_of(no_authorities, "authorities")["found"].get<std::string>(), "/no/such/file"));

    CHECK(check_of(estate.run({"doctor", "--json", "--state", "no/where/state.json"}), "state file")["health"] == "problem");
    CHECK(check_of(estate.run({"doctor", "--json", "--module", "no-such"}), "modules")["health"] == "problem");
    CHECK(check_of(estate.run({"doctor", "--json"}, {"TZ=Europe/Nowhere"}), "clock")["health"] == "warning");
    const Outcome few =
        Process{{"/bin/sh", {"-c", "ulimit -n 40; exec " + std::string{QCONN_TOOL} + " doctor --json"}, {}, estate.directory.path()}}.finish();
    CHECK(check_of(few, "open files")["health"] == "problem");
}

TEST_CASE("doctor works without definitions and shows no password of a proxy", "[cli][integration]") {
    const TempDir empty;

    const Outcome outcome = run_qconn({"doctor", "--json"}, {"https_proxy=http://edi:C4nary-7f3a@127.0.0.1:1"}, empty.path());

    CHECK(check_of(outcome, "definitions")["health"] == "warning");
    CHECK(has(check_of(outcome, "proxies")["found"].get<std::string>(), "https_proxy=http://edi:<masked>@127.0.0.1:1"));
    CHECK_FALSE(has(outcome.out + outcome.err, "C4nary"));
}

TEST_CASE("doctor counts the system's authorities, each once, and names one that has expired", "[cli][integration]") {
    const TempDir directory;
    REQUIRE(Process{{"/bin/bash", {QCONN_TESTS_DIR "/servers/tls.sh", directory.path()}}}.finish().code == 0);
    const auto authorities = [&](const std::string& file) {
        return check_of(
            run_qconn({"doctor", "--json"}, {"SSL_CERT_FILE=" + directory / file, "SSL_CERT_DIR=" + directory / "hashed"}, directory.path()),
            "authorities");
    };

    const json good = authorities("hashed/ca.crt");
    CHECK(good["health"] == "ok");
    CHECK(has(good["found"].get<std::string>(), "1 certificate; 1 in "));
    const json one_expired = authorities("expired.crt");
    CHECK(one_expired["health"] == "warning");
    CHECK(has(one_expired["found"].get<std::string>(), "2 certificates; "));
    CHECK(has(one_expired["found"].get<std::string>(), "1 expired and not used: CN=localhost"));
    directory.write("damaged.pem", "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n");
    CHECK(has(authorities("damaged.pem")["found"].get<std::string>(), "damaged.pem: "));
}
