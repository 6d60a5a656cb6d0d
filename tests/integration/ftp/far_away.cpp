// SPDX-License-Identifier: Apache-2.0
// Servers behind proxies, and behind firewalls that forget a connection on which nothing is said.
#include <atomic>
#include <string>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

TEST_CASE("control and data connections go through the proxy", "[ftp][integration]") {
    const std::string login = std::string{k_user} + ':' + std::string{k_password} + '@';
    const Server http{"tinyproxy"};
    const Server socks{"danted"};  // MicroSocks ends both directions with the first of them, which may cut off what ends TLS
    const std::string text(3'000'000, 'p');
    for (const std::string& url : {"http://" + login + http.address(), "socks5h://" + socks.address()}) {
        for (const FtpWay& way : ftp_ways()) {
            if (way.mode == FtpDataMode::active) continue;
            INFO(url << ", " << (way.vsftpd ? "vsftpd, " : "ProFTPD, ") << way.name);
            FtpOptions options = options_for(way);
            options.proxy = Proxy::parse(url);
            FtpClient client{options};
            client.write("f", text);
            CHECK((client.read("f") == text));
            CHECK(client.list().size() == 1);
        }
        FtpOptions options = options_for(proftpd());
        options.proxy = Proxy::parse(url);
        options.data_mode = FtpDataMode::active;
        const Error error = error_of([&] { FtpClient{options}.list(); });
        CHECK(error.reason() == Reason::unsupported);
        CHECK(std::string{error.message()}.find("use passive") != std::string::npos);
        options.port = free_port();
        CHECK(error_of([&] { FtpClient{options}.list(); }).phase() == Phase::proxy);
    }
    // Three data connections to each of six, and their control connections.
    CHECK(count_in(socks.directory().read("log"), "tcp/connect [") >= 24);
}

TEST_CASE("the control connection is kept alive in transfers that last", "[ftp][integration]") {
    for (const bool vsftpd : {false, true}) {
        for (const FtpTls security : {FtpTls::none, FtpTls::required}) {
            INFO((vsftpd ? "vsftpd" : "ProFTPD") << (security == FtpTls::none ? "" : " with TLS"));
            std::atomic<int> kept{0};
            FtpOptions options = options_for(FtpWay{"", security, FtpDataMode::passive, vsftpd});
            options.noop_interval = 1ms;
            options.on_dialogue = [&](const DialogueLine& line) {
                if (line.text == "NOOP") ++kept;
            };
            FtpClient client{options};
            // Each way for as long as it takes.
            std::uint64_t sent = 0;
            const auto until_kept = function_source([&](char* to, std::size_t most) {
                constexpr std::uint64_t k_most = std::uint64_t{1} << 30U;
                if (kept >= 3 || sent > k_most) return std::size_t{0};
                sent += most;
                std::fill_n(to, most, 'x');
                return most;
            });
            const std::uint64_t size = client.put("long", *until_kept);
            CHECK(client.stat("long").size == size);
            CHECK(kept >= 3);
            kept = 0;
            for (int i = 0; i < 1000 && kept < 3; ++i) {
                std::uint64_t got = 0;
                const auto sink = function_sink([&](std::string_view bytes) { got += bytes.size(); });
                REQUIRE(client.get("long", *sink) == size);
                REQUIRE(got == size);
            }
            CHECK(kept >= 3);
            // The answers to NOOP are all behind it.
            CHECK(client.command("STAT").code / 100 == 2);
            client.remove("long");
            CHECK(client.list().empty());
        }
    }
}
