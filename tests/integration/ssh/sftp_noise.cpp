// SPDX-License-Identifier: Apache-2.0
// A server of SFTP that writes to its standard error: OpenSSH throws that of a subsystem away, others send it. Here it is a command's.
#include <qconn/ssh/sftp_client.hpp>

#include "integration/ssh/ssh_fixture.hpp"
#include "ssh/sessions.hpp"
#include "ssh/sftp_factory.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Channels with a command in place of the subsystem.
class CommandSource final : public ssh::ChannelSource {
public:
    CommandSource(std::shared_ptr<ssh::Sessions> sessions, std::string command) : sessions_{std::move(sessions)}, command_{std::move(command)} {}
    ~CommandSource() override { sessions_->close(); }
    net::Loop& loop() const noexcept override { return sessions_->loop(); }
    std::string peer() const override { return sessions_->peer(); }
    Operation open_subsystem(std::string, Deadline deadline, Opened callback) override {
        ssh::Purpose purpose;
        purpose.kind = ssh::Purpose::Kind::command;
        purpose.what = command_;
        return sessions_->open(std::move(purpose), deadline,
                               [callback = std::move(callback)](Result<std::unique_ptr<ssh::SessionChannel>> result) mutable {
                                   if (!result) return callback(Result<std::unique_ptr<ssh::Channel>>{result.error()});
                                   callback(Result<std::unique_ptr<ssh::Channel>>{std::unique_ptr<ssh::Channel>{std::move(*result)}});
                               });
    }

private:
    const std::shared_ptr<ssh::Sessions> sessions_;
    const std::string command_;
};

/// A client whose server is started by that command.
struct Noisy {
    Runtime runtime{RuntimeOptions{}};
    std::unique_ptr<SftpClient> client;
    explicit Noisy(const std::string& command) {
        SftpOptions options;
        options.label = "drop";
        options.path = shared_sshd().directory() / "home";
        options.timeout = 20s;
        const auto sessions = ssh::Sessions::make(options_with_key(shared_sshd(), "ed25519"), runtime);
        client = sftp::make_sftp_client(std::make_shared<CommandSource>(sessions, command), options, runtime);
    }
};

}  // namespace

TEST_CASE("what a server of SFTP writes to its standard error holds nothing up", "[sftp][ssh][integration]") {
    // A word at first; as much as no window holds, beside the transfer.
    const std::string noise = GENERATE("echo noise >&2;", "head -c 20000000 /dev/zero >&2 &");
    const Noisy noisy{noise + " exec /usr/lib/openssh/sftp-server"};
    const std::string text(30'000'000, 'x');
    noisy.client->write("noise", text, WriteMode::replace, 60s);
    CHECK(noisy.client->stat("noise", 60s).size == text.size());
    CHECK((noisy.client->read("noise", 60s) == text));
    noisy.client->remove("noise", 60s);
}

TEST_CASE("what a server of SFTP said before it ended is told", "[sftp][ssh][integration]") {
    const std::string long_winded = std::string(500, 'x');
    const Noisy noisy{"echo " + long_winded + " no server here >&2; exit 1"};
    const Error error = error_of([&] { noisy.client->check(60s); });
    CHECK(error.name() == "SFTP-SESSION");
    CHECK(has(error.what(), "x no server here\""));
    CHECK(count_in(error.what(), std::string(100, 'x')) >= 1);
    CHECK_FALSE(has(error.what(), long_winded));
}
