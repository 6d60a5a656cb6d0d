// SPDX-License-Identifier: Apache-2.0
// What servers refuse, and what this end refuses of them.
#include <sys/mount.h>
#include <sys/stat.h>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

Error refused(FtpOptions options) {
    return error_of([&] {
        FtpClient client{std::move(options)};
        client.connect(20s);
    });
}

}  // namespace

TEST_CASE("a wrong password is told with the server's words and shown nowhere", "[ftp][integration]") {
    for (const FtpTls security : {FtpTls::none, FtpTls::required, FtpTls::implicit}) {
        FtpOptions options = options_for(proftpd(), security);
        options.password = Secret{std::string{"wr0ng-pAssword"}};
        const Error error = refused(options);
        INFO(error.what());
        CHECK(error.name() == "FTP-LOGIN-ERROR");
        CHECK(error.reason() == Reason::denied);
        CHECK(error.phase() == Phase::auth);
        CHECK(has(error.message(), "530"));
        CHECK(has(error.message(), std::string{k_user} + "@127.0.0.1:"));
        CHECK(error.connection() == "files");
        CHECK_FALSE(has(error.what(), "wr0ng-pAssword"));
        CHECK(error.detail<FtpErrorDetail>()->reply.code == 530);
    }
}

TEST_CASE("a directory that is not there, and a port where nothing listens", "[ftp][integration]") {
    FtpOptions options = options_for(proftpd());
    options.path = "not here";
    CHECK(refused(options).name() == "FTP-CWD-ERROR");
    CHECK(refused(options).reason() == Reason::not_found);
    options.port = free_port();
    const Error error = refused(options);
    CHECK(error.reason() == Reason::refused);
    CHECK(error.phase() == Phase::connect);
    CHECK(error.connection() == "files");
}

TEST_CASE("certificates are checked before anything is said", "[ftp][integration]") {
    struct Sample {
        const char* kind;
        Reason reason;
    };
    for (const Sample& one :
         {Sample{"expired", Reason::certificate_expired}, Sample{"wrong", Reason::certificate_name}, Sample{"self", Reason::certificate_untrusted}}) {
        const Server server{"proftpd", {.environment = {std::string{"FTP_CERT="} + one.kind}}};
        for (const FtpTls security : {FtpTls::required, FtpTls::implicit}) {
            const Error error = refused(options_for(server, security));
            INFO(error.what());
            CHECK(error.reason() == one.reason);
            CHECK(error.phase() == Phase::tls);
        }
        FtpOptions lax = options_for(server, FtpTls::required);
        lax.tls.verify = false;
        FtpClient client{lax};
        client.write("x", "1");  // over a data connection with the same certificate
        CHECK(client.read("x") == "1");
    }
}

TEST_CASE("a server without TLS is refused, and never talked to in clear", "[ftp][integration]") {
    const Server server{"proftpd", {.environment = {"FTP_TLS=off"}}};
    const Error error = refused(options_for(server, FtpTls::required));
    CHECK(error.name() == "FTPS-AUTH-ERROR");
    CHECK(error.phase() == Phase::tls);
    ScriptedFtp scripted{[](const std::string& line) { return line == "AUTH TLS" ? std::string{"502 no\r\n"} : usual_reply(line); }};
    FtpOptions options = scripted.options();
    options.security = FtpTls::required;
    CHECK(refused(options).name() == "FTPS-AUTH-ERROR");
    CHECK(scripted.heard() == std::vector<std::string>{"AUTH TLS"});
}

TEST_CASE("where TLS begins at another moment, the error names the option for that", "[ftp][integration]") {
    FtpOptions options = options_for(proftpd(), FtpTls::required);
    options.security = FtpTls::implicit;  // on the port that begins in clear
    const Error early = refused(options);
    INFO(early.what());
    CHECK(early.reason() == Reason::handshake);
    CHECK(has(early.message(), "without implicit_tls"));

    options = options_for(proftpd(), FtpTls::implicit);
    options.security = FtpTls::required;  // and the other way round
    options.connect_timeout = 500ms;
    const Error late = refused(options);
    INFO(late.what());
    CHECK(late.reason() == Reason::timeout);
    CHECK(has(late.message(), "set the option implicit_tls"));
}

TEST_CASE("a server that wants TLS says so", "[ftp][integration]") {
    const Server server{"proftpd", {.environment = {"FTP_OPTIONS=TLSRequired on"}}};
    const Error error = refused(options_for(server));
    INFO(error.what());
    CHECK(error.name() == "FTP-LOGIN-ERROR");
    CHECK(has(error.message(), "use ftps"));
    FtpClient client{options_for(server, FtpTls::required)};
    client.write("x", "1");
    CHECK(client.read("x") == "1");
}

TEST_CASE("data connections take up the session of the control connection, with either version of TLS", "[ftp][integration]") {
    const Server vs{"vsftpd", {.environment = {"FTP_OPTIONS=require_ssl_reuse=YES"}}};
    for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
        for (const bool vsftpd : {false, true}) {
            INFO((vsftpd ? "vsftpd" : "ProFTPD") << (version == TlsVersion::tls1_2 ? " TLS 1.2" : " TLS 1.3"));
            FtpOptions options = options_for(vsftpd ? vs : proftpd(), FtpTls::required);
            options.tls.minimum = options.tls.maximum = version;
            if (vsftpd) {
                options.username.clear();
                options.password.reset();
                options.path = "/pub";
            }
            FtpClient client{options};
            FtpClient other{options};
            for (int i = 0; i < 5; ++i) {
                client.write("reuse", std::to_string(i));
                CHECK(client.read("reuse") == std::to_string(i));
                CHECK(other.read("reuse") == std::to_string(i));  // each its own session
            }
        }
    }
}

TEST_CASE("what the user may not do has reason permission", "[ftp][integration]") {
    FtpOptions options = options_for(FtpWay{""});
    const std::string folder = proftpd().directory() / ("home/" + options.path);
    FtpClient client{options};
    client.write("secret", "1");
    client.make_directory("locked");
    REQUIRE(::chmod((folder + "/secret").c_str(), 0) == 0);
    REQUIRE(::chmod((folder + "/locked").c_str(), 0500) == 0);
    CHECK(error_of([&] { client.read("secret"); }).reason() == Reason::permission);
    const Error error = error_of([&] { client.write("locked/x", "1"); });
    INFO(error.what());
    CHECK(error.reason() == Reason::permission);
    CHECK(client.list().size() == 2);
}

TEST_CASE("a full disk is told, nothing of the file stays, and the session can be used", "[ftp][integration]") {
    const Server vs{"vsftpd"};
    for (const bool vsftpd : {false, true}) {
        Server& server = vsftpd ? const_cast<Server&>(vs) : proftpd();
        const std::string small = server.directory() / (vsftpd ? "home/pub/small" : "home/small");
        REQUIRE(::mkdir(small.c_str(), 0755) == 0);
        if (::mount("none", small.c_str(), "tmpfs", 0, "size=256k,mode=777") != 0) {
            WARN("no right to mount a small file system: not tested");
            return;
        }
        FtpOptions options = options_for(server, FtpTls::required);
        options.path = "small";
        if (vsftpd) {
            options.username.clear();
            options.password.reset();
            options.path = "/pub/small";
        }
        {
            FtpClient client{options};
            client.write("old", "kept");
            for (int i = 0; i < 3; ++i) {
                const Error error = error_of([&] { client.write("old", std::string(1'000'000, 'x')); });
                INFO(error.what());
                CHECK(error.reason() == (vsftpd ? Reason::disk_full : Reason::status));  // ProFTPD says "Input/output error"
                CHECK(error.retryable());
            }
            CHECK(client.read("old") == "kept");
            CHECK(client.command("STAT").code / 100 == 2);
            client.write("new", std::string(200'000, 'y'));  // there is room: the parts have gone
            CHECK(client.stat("new").size == 200'000);
        }
        ::umount2(small.c_str(), MNT_DETACH);
    }
}

TEST_CASE("a quota that is used up is told, and nothing of the file stays", "[ftp][integration]") {
    const Server server{"proftpd", {.environment = {"FTP_QUOTA=300000"}}};
    FtpOptions options = options_for(server, FtpTls::required);
    FtpClient client{options};
    client.write("old", "kept");
    // Not by appending: ProFTPD removes a file with which that went too far.
    for (const WriteMode mode : {WriteMode::replace, WriteMode::create}) {
        const Error error = error_of([&] { client.write(mode == WriteMode::create ? "new" : "old", std::string(1'000'000, 'x'), mode); });
        INFO(error.what());
        CHECK(error.name() == "FTP-ERROR");
        CHECK(error.reason() == Reason::disk_full);
        CHECK(has(error.what(), "quota"));
    }
    CHECK(client.read("old") == "kept");
    CHECK(client.list().size() == 1);
    client.write("small", std::string(100'000, 'y'));  // there is room for that
    CHECK(client.stat("small").size == 100'000);
}
