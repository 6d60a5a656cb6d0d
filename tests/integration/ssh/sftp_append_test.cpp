// SPDX-License-Identifier: Apache-2.0
// Appends that fail: their bytes are taken back, and those of others never.
#include <functional>
#include <string>

#include "sftp_fixture.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// One file, to which others append too.
class Appended {
public:
    /// Does what a WRITE does, counted from 1. @returns its status
    using Write = std::function<std::size_t(int number, std::string& file, const std::string& bytes)>;

    explicit Appended(Write write) : write_{std::move(write)} {}
    Appended(const Appended&) = delete;
    Appended& operator=(const Appended&) = delete;

    /// Appends, and ends with an error. @returns its message; what is left is in `file`
    std::string append(const std::string& text) {
        const Runtime runtime{RuntimeOptions{}};
        FakeServer server{runtime, [this](FakePeer& peer, int) { play(peer); }};
        const auto client = sftp::make_sftp_client(server.source(), sftp_options(), runtime);
        return failure_of([&] { client->write("f", text, WriteMode::append); }).what();
    }

    std::string file{"old"};

private:
    void play(FakePeer& peer) {
        if (!peer.greet()) return;
        int writes = 0;
        while (const auto request = peer.next()) {
            const std::size_t name = 4 + FakePeer::number(request->body);
            switch (request->type) {
                case 3: peer.handle(*request, "h"); break;
                case 17: peer.attrs(*request, file.size()); break;
                case 6: peer.status(*request, write_(++writes, file, request->body.substr(name + 12))); break;
                case 5: {
                    const auto [at, most] = FakePeer::range(*request);
                    at < file.size() ? peer.data(*request, file.substr(at, most)) : peer.status(*request, 1);
                    break;
                }
                case 9:  // SETSTAT of a size
                    file.resize(FakePeer::number(request->body, name + 8));
                    peer.status(*request, 0);
                    break;
                default: peer.status(*request, 0); break;
            }
        }
    }
    const Write write_;
};

constexpr std::size_t k_appended = 200'000;

}  // namespace

TEST_CASE("what an append that failed had stored is taken back, also a part of a WRITE", "[sftp][integration]") {
    const std::size_t part = GENERATE(0, 1, 1000);
    Appended appended{[part](int number, std::string& file, const std::string& bytes) {
        if (number > 2) return std::size_t{4};
        file += number == 1 ? bytes : bytes.substr(0, part);
        return std::size_t{number == 1 ? 0U : 4U};
    }};
    const std::string words = appended.append(some_text(k_appended));
    CHECK(appended.file == "old");
    CHECK_FALSE(has(words, "bytes before"));
}

TEST_CASE("an append that failed leaves what others have appended meanwhile", "[sftp][integration]") {
    const int after = GENERATE(1, 2);
    Appended appended{[after](int number, std::string& file, const std::string& bytes) {
        if (number == 1) file += bytes;
        if (number == after) file += "theirs";
        return std::size_t{number == 1 ? 0U : 4U};
    }};
    const std::string words = appended.append(some_text(k_appended));
    CHECK(appended.file.ends_with("theirs"));
    CHECK(has(words, "which had 3 bytes before"));
}
