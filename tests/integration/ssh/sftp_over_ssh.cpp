// SPDX-License-Identifier: Apache-2.0
// SFTP over OpenSSH's sshd: trees with large files, and servers that allow few channels.
#include <algorithm>
#include <chrono>

#include <qconn/core/scheme.hpp>
#include <qconn/file/tree.hpp>
#include <qconn/ssh/sftp_client.hpp>

#include "integration/ssh/ssh_fixture.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;

namespace {

constexpr int k_files = 6;
constexpr std::size_t k_size = 5'000'000;

}  // namespace

TEST_CASE("a tree with large files goes and comes over the channels that sshd allows", "[sftp][ssh][integration]") {
    const std::string allowed = GENERATE("1", "3", "10");
    const Server server{"sshd", sshd_options({"SSHD_OPTIONS=MaxSessions " + allowed})};
    SftpOptions options;
    options.ssh = options_with_key(server, "ed25519");
    SftpClient client{options};
    const TempDir here;
    for (int i = 0; i < k_files; ++i) here.write("from/f" + std::to_string(i), std::string(k_size, static_cast<char>('a' + i)));
    here.write("from/small", "small");
    const TreeReport up = put_tree(client, here / "from", "tree");
    CHECK(up.files == k_files + 1);
    const TreeReport down = get_tree(client, "tree", here / "back");
    CHECK(down.bytes == k_files * k_size + 5);
    for (int i = 0; i < k_files; ++i) {
        const std::string name = "/f" + std::to_string(i);
        CHECK((here.read("from" + name) == here.read("back" + name)));
    }
    // One connection, whatever it allows.
    CHECK(count_in(server.log(), "Accepted publickey") == 1);
    const std::size_t channels = count_in(server.log(), "Starting session: subsystem 'sftp'");
    INFO(server.log());
    if (allowed == "1")
        CHECK(channels == 1);
    else
        CHECK(channels > 1);
    remove_tree(client, "tree");
}

TEST_CASE("the operation session tells what was agreed on, whatever the session is for", "[sftp][ssh][integration]") {
    const Scheme* const scheme = builtin_catalogue().find("sftp");
    REQUIRE(scheme != nullptr);
    const auto operation =
        std::find_if(scheme->operations.begin(), scheme->operations.end(), [](const OperationSpec& one) { return one.name == "session"; });
    REQUIRE(operation != scheme->operations.end());
    SftpOptions options;
    options.ssh = options_with_key(shared_sshd(), "ed25519");
    SftpClient client{options};
    const Value told = operation->run(client, {}, std::chrono::seconds{20});
    CHECK(told["user"] == Value{std::string{k_ssh_user}});
    CHECK(told["login"].as_string().starts_with("publickey"));
    CHECK(told["fingerprint"].as_string().starts_with("SHA256:"));
}
