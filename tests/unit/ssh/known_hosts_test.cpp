// SPDX-License-Identifier: Apache-2.0
#include "ssh/known_hosts.hpp"

#include <string>
#include <vector>

#include "support/catch.hpp"

using namespace qconn;
using namespace qconn::ssh;
using Verdict = HostKeyFinding::Verdict;

namespace {

// In the form that ssh-keygen writes.
constexpr std::string_view k_key = "AAAAC3NzaC1lZDI1NTE5AAAAIMcbTyrctF6eR5JIY7ZWhWLsM3rYnWGWRNQc5CN2oIhP";
constexpr std::string_view k_other = "AAAAC3NzaC1lZDI1NTE5AAAAIJvFkQ6VXvcVQ3nqYyQcL6Gzq2pFmMvC0yJq6m3jS1tY";

std::string line(std::string_view hosts, std::string_view key = k_key) {
    return std::string{hosts} + " ssh-ed25519 " + std::string{key} + " me@home\n";
}
HostKey key_of(std::string_view text) { return parse_known_hosts(line("x", text)).entries.at(0).key; }
std::vector<KnownHostsFile> file(const std::string& text) { return {{"known", parse_known_hosts(text)}}; }
Verdict verdict(const std::string& text, std::string_view name) { return find_host_key(file(text), name, key_of(k_key)).verdict; }

}  // namespace

TEST_CASE("a known server is one whose line has its name and its key", "[ssh]") {
    CHECK(verdict(line("files.example"), "files.example") == Verdict::match);
    CHECK(verdict(line("a,files.example,10.0.0.1"), "10.0.0.1") == Verdict::match);
    CHECK(verdict(line("Files.Example"), "files.example") == Verdict::match);
    CHECK(verdict(line("files.example"), "other.example") == Verdict::unknown);
    CHECK(verdict(line("files.example"), "[files.example]:2222") == Verdict::unknown);
    CHECK(verdict(line("[files.example]:2222"), "[files.example]:2222") == Verdict::match);
    CHECK(verdict("", "files.example") == Verdict::unknown);
}

TEST_CASE("the name of a server has its port, unless that is 22", "[ssh]") {
    CHECK(known_host_name("Files.Example", 22) == "files.example");
    CHECK(known_host_name("files.example", 2222) == "[files.example]:2222");
    CHECK(known_host_name("::1", 2222) == "[::1]:2222");
    CHECK(known_host_name("[::1]", 22) == "::1");
}

TEST_CASE("patterns match, and one with ! excludes", "[ssh]") {
    CHECK(matches_host("*.example", "files.example"));
    CHECK_FALSE(matches_host("*.example", "example"));
    CHECK(matches_host("f?les.*", "files.example"));
    CHECK_FALSE(matches_host("*.example,!files.example", "files.example"));
    CHECK_FALSE(matches_host("!files.example,*.example", "files.example"));
    CHECK(matches_host("*.example,!files.example", "web.example"));
    CHECK_FALSE(matches_host("!files.example", "web.example"));
    CHECK(matches_host("*", "anything"));
    CHECK_FALSE(matches_host("", ""));
    CHECK_FALSE(matches_host("***********************************************b", std::string(10'000, 'a')));
}

TEST_CASE("hashed names are found", "[ssh]") {
    // HMAC-SHA1 of "files.example", the key being the bytes 0 to 19.
    CHECK_FALSE(matches_host("|1|AAECAwQFBgcICQoLDA0ODxAREhM=|AAAAAAAAAAAAAAAAAAAAAAAAAAA=", "files.example"));
    CHECK(matches_host("|1|AAECAwQFBgcICQoLDA0ODxAREhM=|E+N2ulnEpFovEHCiITySaBJULSY=", "files.example"));
    CHECK_FALSE(matches_host("|1|AAECAwQFBgcICQoLDA0ODxAREhM=|E+N2ulnEpFovEHCiITySaBJULSY=", "web.example"));
    for (const char* broken : {"|", "|1|", "|1||", "|2|AAAA|AAAA", "|1|AAAA|AAAA", "|1|!|!", "|1|AAAA|AAAA|AAAA"})
        CHECK_FALSE(matches_host(broken, "files.example"));
}

TEST_CASE("another key of a known server is a change", "[ssh]") {
    const HostKeyFinding finding = find_host_key(file("# first\n" + line("files.example", k_other)), "files.example", key_of(k_key));
    CHECK(finding.verdict == Verdict::changed);
    CHECK(finding.places == std::vector<std::string>{"known:2"});
    REQUIRE(finding.keys.size() == 1);
    CHECK(finding.keys.front().blob == key_of(k_other).blob);
    // One line that fits is enough.
    CHECK(verdict(line("files.example", k_other) + line("files.example"), "files.example") == Verdict::match);
}

TEST_CASE("a revoked key is revoked, before and behind other lines, and no other key is", "[ssh]") {
    const std::string revoked = "@revoked " + line("*");
    CHECK(verdict(revoked + line("files.example"), "files.example") == Verdict::revoked);
    CHECK(verdict(line("files.example") + revoked, "files.example") == Verdict::revoked);
    CHECK(verdict("@revoked " + line("*", k_other) + line("files.example"), "files.example") == Verdict::match);
    CHECK(verdict("@revoked " + line("web.example"), "files.example") == Verdict::unknown);
}

TEST_CASE("lines that say nothing are skipped, with their reason", "[ssh]") {
    const KnownHosts all = parse_known_hosts("# a comment\n\n   \n@cert-authority *.example ssh-ed25519 " + std::string{k_key} +
                                             "\nfiles.example\nfiles.example 1024 65537 1234\nfiles.example ssh-ed25519 !!!\nfiles.example ssh-rsa " +
                                             std::string{k_key} + "\n@unknown x ssh-ed25519 " + std::string{k_key} + "\r\n\t" + line("last"));
    REQUIRE(all.entries.size() == 1);
    CHECK(all.entries.front().hosts == "last");
    CHECK(all.entries.front().line == 10);
    REQUIRE(all.skipped.size() == 6);
    CHECK(all.skipped[0].line == 4);
    CHECK(all.skipped[0].why.find("certificate authority") != std::string::npos);
    for (const SkippedLine& one : all.skipped) CHECK_FALSE(one.why.empty());
}

TEST_CASE("types of known keys come first when algorithms are offered, and none is lost", "[ssh]") {
    const std::vector<std::string> wanted{"ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256"};
    CHECK(prefer_known_types(wanted, {"ssh-rsa"}) == std::vector<std::string>{"rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519", "ecdsa-sha2-nistp256"});
    CHECK(prefer_known_types(wanted, {}) == wanted);
    const auto files = file(line("files.example") + "@revoked " + line("web.example"));
    CHECK(known_key_types(files, "files.example") == std::vector<std::string>{"ssh-ed25519"});
    CHECK(known_key_types(files, "web.example").empty());
}

TEST_CASE("a fingerprint is what ssh-keygen -lf shows, and a line can be read again", "[ssh]") {
    CHECK(fingerprint_of(key_of(k_key).blob) == "SHA256:hC1KMKf/0fxXzkPhZAKGmQG2A879+Pqt/0ZqJNSV7MI");
    const std::string written = known_hosts_line("[files.example]:2222", key_of(k_key));
    const KnownHosts again = parse_known_hosts(written);
    REQUIRE(again.entries.size() == 1);
    CHECK(again.entries.front().key.blob == key_of(k_key).blob);
}
