// SPDX-License-Identifier: Apache-2.0
// What the doctor makes of facts.
#include "cli/health.hpp"
#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::cli;
using namespace std::chrono_literals;

namespace {

bool says(const Finding& finding, std::string_view text) { return (finding.found + " | " + finding.advice).find(text) != std::string::npos; }

BuildInfo build(LibraryInfo library) { return {"1.0", "g++", {std::move(library)}}; }

SystemTrust trust(std::size_t certificates, std::size_t expired) {
    SystemTrust found;
    found.places = {{"/etc/ca.pem", false, certificates, {}}};
    found.certificates = certificates;
    found.expired.resize(expired, {"CN=Old", "", {}, {}, {}, "", ""});
    return found;
}

constexpr std::chrono::system_clock::time_point k_now{std::chrono::seconds{1'780'000'000}};  // 2026

}  // namespace

TEST_CASE("a library that lacks something is a warning, one without TLS a problem", "[cli]") {
    CHECK(judge_libraries(build({"libcurl", "7.88.1", "7.88.1", {"HTTP2"}, {}})).health == Health::ok);
    const Finding http2 = judge_libraries(build({"libcurl", "7.88.1", "7.88.1", {}, {"HTTP2", "IPv6"}}));
    CHECK(http2.health == Health::warning);
    CHECK(says(http2, "without HTTP2, IPv6"));
    CHECK(judge_libraries(build({"libcurl", "7.88.1", "7.88.1", {}, {"OpenSSL"}})).health == Health::problem);
}

TEST_CASE("a library of another minor version than the headers is told", "[cli]") {
    CHECK(judge_libraries(build({"OpenSSL", "3.0.19", "3.0.15", {}, {}})).health == Health::ok);
    const Finding other = judge_libraries(build({"OpenSSL", "3.2.0", "3.0.15", {}, {}}));
    CHECK(other.health == Health::warning);
    CHECK(says(other, "built with 3.0.15"));
}

TEST_CASE("no authorities are a problem, many expired ones a warning, all of them too", "[cli]") {
    CHECK(judge_trust(trust(140, 0)).health == Health::ok);
    // What distributions carry along needs nobody.
    CHECK(judge_trust(trust(140, 2)).health == Health::ok);
    CHECK(judge_trust(trust(140, 2)).advice.empty());
    CHECK(says(judge_trust(trust(140, 2)), "2 expired and not used: CN=Old and others"));
    CHECK(judge_trust(trust(140, 15)).health == Health::warning);
    CHECK(judge_trust(trust(2, 2)).health == Health::problem);
    const Finding none = judge_trust(trust(0, 0));
    CHECK(none.health == Health::problem);
    CHECK(says(none, "/etc/ca.pem"));
    CHECK(says(none, "ca-certificates"));
}

TEST_CASE("resolv.conf is read as the C library reads it", "[cli]") {
    CHECK(nameservers("# nameserver 9.9.9.9\nnameserver 10.0.0.1\nsearch x\nnameserver\tfe80::1%eth0 # a\nnameserver\nnameserverx 1\n") ==
          std::vector<std::string>{"10.0.0.1", "fe80::1%eth0"});
}

TEST_CASE("a resolver that is slow is a warning, one that finds no localhost or hangs a problem", "[cli]") {
    CHECK(judge_resolver({"nameserver 10.0.0.1\n", 1ms, {}}).health == Health::ok);
    CHECK(judge_resolver({"nameserver 10.0.0.1\n", 3s, {}}).health == Health::warning);
    CHECK(judge_resolver({"search x\n", 1ms, {}}).health == Health::warning);
    CHECK(judge_resolver({std::nullopt, 1ms, {}}).health == Health::warning);
    CHECK(judge_resolver({"nameserver 10.0.0.1\n", 1ms, "Name or service not known"}).health == Health::problem);
    CHECK(judge_resolver({"nameserver 10.0.0.1\n", std::nullopt, {}}).health == Health::problem);
}

TEST_CASE("proxies of the environment are shown without passwords, also where they are wrong", "[cli]") {
    const Finding good =
        judge_proxies({{"https_proxy", "http://edi:Hidden-1@proxy:3128"}, {"all_proxy", "edi:Hidden-2@proxy"}, {"no_proxy", "localhost"}});
    CHECK(good.health == Health::ok);
    CHECK(says(good, "https_proxy=http://edi:<masked>@proxy:3128"));
    CHECK(says(good, "no_proxy=localhost"));
    CHECK_FALSE(says(good, "Hidden"));

    const Finding wrong = judge_proxies({{"https_proxy", "gopher://edi:Hidden-3@proxy"}});
    CHECK(wrong.health == Health::warning);
    CHECK(says(wrong, "Correct https_proxy"));
    CHECK_FALSE(says(wrong, "Hidden"));
    CHECK(judge_proxies({{"HTTP_PROXY", "http://proxy"}}).health == Health::warning);
    CHECK(judge_proxies({{"HTTP_PROXY", "http://proxy"}, {"http_proxy", "http://proxy"}}).health == Health::ok);
    CHECK(judge_proxies({}).health == Health::ok);
}

TEST_CASE("a clock that cannot be right is a problem, one that jumps or an unknown zone a warning", "[cli]") {
    CHECK(judge_clock({k_now, 1ms, true, "CET, UTC+01:00", {}}).health == Health::ok);
    CHECK(judge_clock({k_now, 1ms, false, "CET, UTC+01:00", {}}).health == Health::ok);
    CHECK(judge_clock({std::chrono::system_clock::time_point{}, 0ms, {}, "UTC", {}}).health == Health::problem);
    CHECK(judge_clock({k_now, -2s, {}, "UTC", {}}).health == Health::warning);
    CHECK(judge_clock({k_now, 0s, {}, "UTC", "Europe/Nowhere"}).health == Health::warning);
}

TEST_CASE("limits are judged by the number of connections", "[cli]") {
    CHECK(judge_files(1024, 4096, 100).health == Health::ok);
    const Finding soft = judge_files(1024, 4096, 1000);
    CHECK(soft.health == Health::warning);
    CHECK(says(soft, "ulimit -n 2064"));
    CHECK(says(judge_files(1024, 1024, 1000), "hard limit"));
    CHECK(judge_files(32, 4096, 0).health == Health::problem);
    CHECK(says(judge_files(UINT64_MAX, UINT64_MAX, 1), "unlimited"));

    CHECK(judge_ports("32768\t60999\n", 1000).health == Health::ok);
    CHECK(judge_ports("32768\t33000\n", 1000).health == Health::warning);
    CHECK(judge_ports("2\t1\n", 0).health == Health::problem);
    CHECK(judge_ports("no numbers", 0).health == Health::ok);
    CHECK(judge_ports(std::nullopt, 0).health == Health::ok);
}

TEST_CASE("watches that are refused are a warning, a state file that cannot be kept a problem", "[cli]") {
    CHECK(judge_watches({8192, 128, 3, {}}).health == Health::ok);
    CHECK(judge_watches({8192, 128, 3, "/x: No space left on device"}).health == Health::warning);

    CHECK(judge_state({}).health == Health::ok);
    CHECK(judge_state({"s.json", false, {}, {}}).health == Health::ok);
    CHECK(judge_state({"s.json", true, "no JSON is in it", {}}).health == Health::problem);
    CHECK(judge_state({"s.json", true, {}, "its directory cannot be written to"}).health == Health::problem);
}
