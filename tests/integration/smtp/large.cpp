// SPDX-License-Identifier: Apache-2.0
// Attachments that are larger than what may be in memory.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "fixture.hpp"
#include "mail/body_encoding.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Of this process, in KiB; 0: not to be had.
long resident() {
    const std::string status = read_file("/proc/self/status");
    const std::size_t at = status.find("VmRSS:");
    return at == std::string::npos ? 0 : std::strtol(status.c_str() + at + 6, nullptr, 10);
}

}  // namespace

TEST_CASE("a file of any size goes out in flat memory", "[smtp][integration]") {
    const std::uint64_t size = (std::getenv("QCONN_LONG") != nullptr ? std::uint64_t{1024} : std::uint64_t{64}) * 1024 * 1024;
    const TempDir directory;
    const std::string path = directory.write("large.bin", "");
    {
        const std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen(path.c_str(), "wb"), std::fclose};
        const std::string block(1024 * 1024, 'q');
        for (std::uint64_t written = 0; written < size; written += block.size())
            REQUIRE(std::fwrite(block.data(), 1, block.size(), file.get()) == block.size());
    }
    const ScriptedSmtp server{usual_reply};
    SmtpClient client{server.options()};
    MailMessage message = message_to("jane@example.com", "large");
    client.send(message, {}, 20s);  // what is there once is there
    const std::uint64_t before_bytes = server.content_bytes();
    message.attachments = {MailAttachment::file(path)};
    const long before = resident();
    const SmtpReceipt receipt = client.send(message, {}, 600s);
    const long grown = resident() - before;
    INFO("grown by " << grown << " KiB");
    CHECK(receipt.bytes > mail::base64_lines_size(size));
    CHECK(receipt.bytes == server.content_bytes() - before_bytes);
    CHECK(grown < 24 * 1024);
}
