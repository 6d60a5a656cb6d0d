// SPDX-License-Identifier: Apache-2.0
// Servers that are not reached directly: jump hosts and proxies.
#include <memory>
#include <string>
#include <utility>

#include "integration/ssh/ssh_fixture.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

constexpr auto k_enough = 30s;

}  // namespace

TEST_CASE("a server is reached through a jump host, and through two", "[ssh][integration]") {
    const Server gate{"sshd", sshd_options()};
    const Server second{"sshd", sshd_options()};
    SshOptions options = options_for(shared_sshd());
    options.jump = std::make_shared<SshOptions>(options_with_key(gate, "rsa"));
    SshClient one{options};
    CHECK(one.run("whoami", k_enough).output == std::string{k_ssh_user} + "\n");
    CHECK(gate.log().find("direct-tcpip") == std::string::npos);  // refused ones are logged
    SshCommand large;
    large.command = "cat";
    const std::string text(5'000'000, 'y');
    large.input = text_source(text);
    CHECK((one.run(large, k_enough).output == text));

    SshOptions middle = options_with_key(second, "ed25519");
    middle.jump = std::make_shared<SshOptions>(options_with_key(gate, "rsa"));
    options.jump = std::make_shared<SshOptions>(middle);
    CHECK(SshClient{options}.run("echo two", k_enough).output == "two\n");
    CHECK(count_in(second.log(), "Accepted publickey") == 1);
}

TEST_CASE("what fails at the jump host, or behind it, says where", "[ssh][integration]") {
    const Server gate{"sshd", sshd_options()};
    SshOptions options = options_for(shared_sshd());
    SshOptions jump = options_for(gate);
    jump.password = Secret{"wrong"};
    options.jump = std::make_shared<SshOptions>(jump);
    Error error = error_of([&] { SshClient{options}.run("true", k_enough); });
    CHECK(error.name() == "SSH2CLIENT-AUTH-ERROR");
    CHECK(std::string{error.message()}.find("jump host") != std::string::npos);

    options.jump = std::make_shared<SshOptions>(options_for(gate));
    options.port = free_port();
    error = error_of([&] { SshClient{options}.run("true", k_enough); });
    CHECK(error.name() == "SSH-CHANNEL-ERROR");
    CHECK(std::string{error.message()}.find("the way to 127.0.0.1:") != std::string::npos);
}

TEST_CASE("a jump host that is killed ends the session behind it, and is dialled anew", "[ssh][integration]") {
    Server gate{"sshd", sshd_options()};
    SshOptions options = options_for(shared_sshd());
    options.jump = std::make_shared<SshOptions>(options_for(gate));
    SshClient client{options};
    CHECK(client.run("echo on", k_enough).output == "on\n");
    kill_all(gate);
    gate.start();
    CHECK(client.run("echo on", k_enough).output == "on\n");
}

TEST_CASE("proxies carry SSH", "[ssh][integration]") {
    const std::string login = std::string{k_user} + ':' + std::string{k_password} + '@';
    const Server http{"tinyproxy"};
    const Server socks{"microsocks"};
    for (const std::string& url : {"http://" + login + http.address(), "socks5h://" + login + socks.address()}) {
        CAPTURE(url);
        SshOptions options = options_for(shared_sshd());
        options.proxy = std::make_shared<const Proxy>(Proxy::parse(url));
        CHECK(SshClient{options}.run("echo by proxy", k_enough).output == "by proxy\n");
        options.port = free_port();
        CHECK(error_of([&] { SshClient{options}.run("true", k_enough); }).phase() == Phase::proxy);
    }
}
