// SPDX-License-Identifier: Apache-2.0
// Servers that die in the middle of it.
#include <thread>

#include "file/temporary_name.hpp"
#include "sftp_fixture.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

/// Calls the function once that many bytes have gone through.
class Fuse final : public ByteSource, public ByteSink {
public:
    Fuse(std::string_view text, std::uint64_t at, std::function<void()> blow) : text_{text}, at_{at}, blow_{std::move(blow)} {}
    std::optional<std::uint64_t> size() const override { return text_.size(); }
    std::size_t read(char* to, std::size_t most) override {
        const std::size_t size = std::min({most, text_.size() - place_, std::size_t{32'768}});
        std::copy_n(text_.data() + place_, size, to);
        place_ += size;
        burn();
        return size;
    }
    bool seek(std::uint64_t position) override {
        place_ = position;
        return true;
    }
    void write(std::string_view bytes) override {
        got.append(bytes);
        place_ += bytes.size();
        burn();
    }
    std::string got;

private:
    void burn() {
        if (place_ >= at_ && blow_) std::exchange(blow_, nullptr)();
    }
    std::string_view text_;
    std::uint64_t at_;
    std::function<void()> blow_;
    std::size_t place_{0};
};

}  // namespace

TEST_CASE("a server that is killed at any point of a transfer leaves no half file, and the client goes on", "[sftp][integration]") {
    Files files;
    const std::string old = some_text(100'000, 1);
    const std::string text = some_text(1'000'000, 2);
    files.dir.write("f", old);
    int broken = 0;
    for (int i = 0; i < 200; ++i) {
        INFO("round " << i);
        const std::uint64_t at = static_cast<std::uint64_t>(i) * 7919 * 41 % (text.size() + 100'000);
        const auto kill = [&] { files.server.kill(); };
        std::optional<Error> error;
        try {
            if (i % 2 == 0) {
                Fuse source{text, at, kill};
                PutOptions how;
                how.resume = i % 4 == 0;
                how.mode = WriteMode::replace;
                files->put("f", source, how);
                CHECK(files.read("f") == text);
                files.dir.write("f", old);
            } else {
                files.dir.write("g", text);
                Fuse sink{text, at, kill};
                files->get("g", sink);
                CHECK(sink.got == text);
            }
        } catch (const Error& e) { error = e; }
        if (error) {
            ++broken;
            INFO(error->what());
            CHECK(error->name() == "SFTP-SESSION");
            CHECK((error->reason() == Reason::reset || error->reason() == Reason::closed));
            CHECK(error->spoils_connection());
            CHECK(error->retryable());
            const std::string now = files.read("f");
            CHECK((now == old || (i % 2 == 0 && now == text)));
            files.dir.write("f", old);
        }
        // The next call has a new session.
        CHECK(files->stat("f").size == old.size());
        if (i % 4 == 0 && error) {
            PutOptions how;
            how.resume = true;
            files->put("f", *text_source(text), how);
            CHECK(files.read("f") == text);
            CHECK_FALSE(files.there(file::part_name("f")));
            files.dir.write("f", old);
        }
        for (const auto& entry : fs::directory_iterator{files.dir.path()}) {
            if (entry.path().filename().string().starts_with(".qconn-")) fs::remove(entry.path());
        }
    }
    CHECK(broken > 100);
    CHECK(files.server.started() > 100);
}

TEST_CASE("a server that dies at any moment fails what is in flight, and small files are old or new", "[sftp][integration]") {
    Files files;
    for (int i = 0; i < 60; ++i) {
        Outcomes<void> outcomes;
        constexpr int k_many = 30;
        for (int n = 0; n < k_many; ++n) {
            files.dir.write("f" + std::to_string(n), "old");
            files->async_write("f" + std::to_string(n), "newer", WriteMode::replace, 20s, outcomes.callback());
        }
        std::this_thread::sleep_for(std::chrono::microseconds{i * 50});
        files.server.kill();
        REQUIRE(outcomes.wait(k_many));
        for (const auto& one : outcomes.results()) {
            if (!one) CHECK(one.error().name() == "SFTP-SESSION");
        }
        for (int n = 0; n < k_many; ++n) {
            const std::string now = files.read("f" + std::to_string(n));
            CHECK((now == "old" || now == "newer"));
        }
        CHECK_FALSE(files->list().empty());
    }
}

TEST_CASE("an idle session that the server ends is replaced without an error", "[sftp][integration]") {
    Files files;
    files->write("a", "1");
    for (int i = 0; i < 5; ++i) {
        files.server.kill();
        // Also where the end has not been seen yet: nothing of the call had been sent.
        if (i % 2 == 0) std::this_thread::sleep_for(20ms);
        CHECK(files->read("a") == "1");
    }
    CHECK(files.server.started() == 6);
}
