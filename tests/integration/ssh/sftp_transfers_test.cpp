// SPDX-License-Identifier: Apache-2.0
// Bytes to and from OpenSSH's sftp-server: parts, sources and sinks, resuming, many at once, large files.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "file/temporary_name.hpp"
#include "sftp_fixture.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

std::shared_ptr<ByteSink> into(std::string& text) {
    return function_sink([&text](std::string_view bytes) { text.append(bytes); });
}

std::shared_ptr<ByteSource> pieces_of(const std::string& text, std::size_t piece,
                                      std::shared_ptr<std::size_t> at = std::make_shared<std::size_t>(0)) {
    return function_source([&text, piece, at](char* to, std::size_t most) {
        const std::size_t size = std::min({piece, most, text.size() - *at});
        std::copy_n(text.data() + *at, size, to);
        *at += size;
        return size;
    });
}

struct Torn final : public ByteSource {
    explicit Torn(std::size_t g) : good{g} {}
    std::optional<std::uint64_t> size() const override { return 10'000'000; }
    std::size_t read(char* to, std::size_t most) override {
        if (done >= good) throw std::runtime_error{"the tape is torn"};
        std::fill_n(to, most, 'x');
        done += most;
        return most;
    }
    bool seek(std::uint64_t) override { return true; }
    std::size_t good;
    std::atomic<std::size_t> done{0};
};

struct Full final : public ByteSink {
    explicit Full(std::size_t g) : good{g} {}
    void write(std::string_view bytes) override {
        done += bytes.size();
        if (done >= good) throw make_error(Errc::limit, "the shelf is full");
    }
    std::size_t good;
    std::size_t done{0};
};

}  // namespace

TEST_CASE("a client that is destroyed, or told to stop, leaves nothing unfinished at the server", "[sftp][integration]") {
    Files files;
    files.dir.write("old", "old");
    Outcomes<std::uint64_t> outcomes;
    const auto endless = [] {
        return function_source([](char* to, std::size_t size) {
            std::fill_n(to, size, 'x');
            return size;
        });
    };
    for (const bool stops : {true, false}) {
        files->async_put("new", endless(), {}, {}, outcomes.callback());
        REQUIRE(wait_until([&] { return files.unfinished() == 1; }));
        if (stops) {
            files->stop();
            REQUIRE(outcomes.wait(1));
            CHECK(failure_of([&] { files->read("old"); }).name() == "CANCELLED");
        }
        files.client.reset();
        CHECK(files.unfinished() == 0);
        REQUIRE(outcomes.wait(1));
        CHECK(outcomes.results()[0].error().name() == "CANCELLED");
        outcomes.forget();
        files.client = sftp::make_sftp_client(files.server.source(), sftp_options(), files.runtime);
    }
    // The call has ended by its deadline, and tidies up yet.
    CHECK(failure_of([&] { files->put("new", *endless(), {}, 300ms); }).name() == "TIMEOUT");
    files.client.reset();
    CHECK(files.unfinished() == 0);
}

TEST_CASE("files of all sizes come and go whole, in both forms", "[sftp][integration]") {
    const Files files;
    for (const std::size_t size : {0U, 1U, 1000U, 32'768U, 32'769U, 131'072U, 131'073U, 262'144U, 6'000'001U}) {
        INFO(size);
        const std::string text = some_text(size, size + 1);
        std::uint64_t told = 0;
        PutOptions how;
        how.progress = [&](std::uint64_t done, std::optional<std::uint64_t> all) {
            CHECK(done > told);
            told = done;
            CHECK(all == size);
        };
        CHECK(files->put("up", *text_source(text), how) == size);
        CHECK(told == size);
        CHECK(files.read("up") == text);
        std::string got;
        told = 0;
        GetOptions get;
        get.progress = how.progress;
        CHECK(files->get("up", *into(got), get) == size);
        CHECK(got == text);
        CHECK(told == size);

        Outcomes<std::uint64_t> outcomes;
        told = 0;
        files->async_put("async", text_source(text), how, 20s, outcomes.callback());
        REQUIRE(outcomes.wait(1));
        CHECK(outcomes.results()[0].value() == size);
        CHECK(told == size);
        CHECK(files.read("async") == text);
        got.clear();
        files->async_get("async", into(got), {}, 20s, outcomes.callback());
        REQUIRE(outcomes.wait(2));
        CHECK(outcomes.results()[1].value() == size);
        CHECK(got == text);
        Outcomes<std::string> reads;
        files->async_read("up", 20s, reads.callback());
        REQUIRE(reads.wait(1));
        CHECK(reads.results()[0].value() == text);
        Outcomes<void> writes;
        files->async_write("up", text + "!", WriteMode::replace, 20s, writes.callback());
        REQUIRE(writes.wait(1));
        CHECK(files.read("up") == text + "!");
    }
    CHECK(files.unfinished() == 0);
    CHECK(files.server.started() == 1);
}

TEST_CASE("parts of a file are fetched", "[sftp][integration]") {
    const Files files;
    const std::string text = some_text(3'000'000);
    files.dir.write("f", text);
    for (const auto& [from, most] : std::vector<std::pair<std::uint64_t, std::uint64_t>>{{0, 10},
                                                                                         {1'000'000, 1'500'000},
                                                                                         {2'999'990, 100},
                                                                                         {2'999'999, 1},
                                                                                         {3'000'000, 5},
                                                                                         {4'000'000, 5},
                                                                                         {5, 0},
                                                                                         {1, std::numeric_limits<std::uint64_t>::max()},
                                                                                         {std::numeric_limits<std::uint64_t>::max() - 5, 100}}) {
        INFO(from << ' ' << most);
        std::string got;
        GetOptions how;
        how.from = from;
        how.most = most;
        const std::string expected = from < text.size() ? text.substr(from, most) : std::string{};
        CHECK(files->get("f", *into(got), how) == expected.size());
        CHECK(got == expected);
    }
}

TEST_CASE("sources that give little at once and of no known size are sent whole", "[sftp][integration]") {
    const Files files;
    const std::string text = some_text(500'000);
    for (const std::size_t piece : {1U, 777U, 1'000'000U}) {
        CHECK(files->put("a", *pieces_of(text, piece)) == text.size());
        CHECK(files.read("a") == text);
        Outcomes<std::uint64_t> outcomes;
        files->async_put("b", pieces_of(text, piece), {}, 20s, outcomes.callback());
        REQUIRE(outcomes.wait(1));
        CHECK(files.read("b") == text);
    }
}

TEST_CASE("what a source, a sink or a callback throws is the error of the call, and no more", "[sftp][integration]") {
    const Files files;
    files.dir.write("a", "old");
    files.dir.write("large", some_text(30'000'000));
    for (const std::size_t good : {0U, 1U, 1'000'000U, 5'000'000U}) {
        for (const auto mode : {WriteMode::replace, WriteMode::append}) {
            Torn torn{good};
            PutOptions how;
            how.mode = mode;
            const Error error = failure_of([&] { files->put("a", torn, how); });
            CHECK(error.name() == "SFTP-TRANSFER");
            CHECK(has(error.what(), "the tape is torn"));
            CHECK(files.read("a") == "old");
            CHECK(files.unfinished() == 0);
            Outcomes<std::uint64_t> outcomes;
            files->async_put("a", std::make_shared<Torn>(good), how, 20s, outcomes.callback());
            REQUIRE(outcomes.wait(1));
            CHECK(has(outcomes.results()[0].error().what(), "the tape is torn"));
            CHECK(files.read("a") == "old");
            CHECK(files.unfinished() == 0);
        }
        Full full{good};
        CHECK(failure_of([&] { files->get("large", full); }).name() == "LIMIT-EXCEEDED");
        Outcomes<std::uint64_t> outcomes;
        files->async_get("large", std::make_shared<Full>(good), {}, 20s, outcomes.callback());
        REQUIRE(outcomes.wait(1));
        CHECK(outcomes.results()[0].error().name() == "LIMIT-EXCEEDED");
    }
    CHECK(files->read("a") == "old");
    CHECK(files.server.started() == 1);
}

TEST_CASE("a slow sink holds the server up, not the memory", "[sftp][integration]") {
    SftpOptions options = sftp_options();
    options.window = 512 * 1024;
    const Files files{options};
    files.dir.write("large", some_text(30'000'000));
    std::atomic<bool> go{false};
    std::uint64_t got = 0;
    std::thread caller{[&] {
        const auto sink = function_sink([&](std::string_view bytes) {
            wait_until([&] { return go.load(); }, 20s);
            got += bytes.size();
        });
        files->get("large", *sink);
    }};
    // Others go on meanwhile.
    for (int i = 0; i < 20; ++i) files->write("small", "text");
    CHECK(files->read("small") == "text");
    go = true;
    caller.join();
    CHECK(got == 30'000'000);
}

TEST_CASE("a transfer that was cut off is gone on with, and ends with the same file", "[sftp][integration]") {
    SftpOptions options = sftp_options();
    options.window = 256 * 1024;
    const Files files{options};
    const std::string text = some_text(3'000'000);
    const std::string part = file::part_name("f");
    PutOptions how;
    how.resume = true;

    Torn torn{2'000'000};
    CHECK_THROWS_AS(files->put("f", torn, how), Error);
    CHECK_FALSE(files.there("f"));
    REQUIRE(files.there(part));
    CHECK(files->list().empty());

    // Of the part only the last of it, which was under way at once, is sent anew.
    files.dir.write(part, text.substr(0, 1'000'000));
    auto at = std::make_shared<std::uint64_t>(0);
    struct Seeking final : public ByteSource {
        explicit Seeking(const std::string& t) : text{t} {}
        std::optional<std::uint64_t> size() const override { return text.size(); }
        std::size_t read(char* to, std::size_t most) override {
            const std::size_t size = std::min(most, text.size() - place);
            std::copy_n(text.data() + place, size, to);
            place += size;
            count += size;
            return size;
        }
        bool seek(std::uint64_t position) override {
            place = position;
            return true;
        }
        const std::string& text;
        std::size_t place{0};
        std::size_t count{0};
    };
    Seeking source{text};
    std::uint64_t told = 0;
    how.progress = [&](std::uint64_t done, std::optional<std::uint64_t>) { told = done; };
    CHECK(files->put("f", source, how) == 2'000'000);
    CHECK(source.count == 2'000'000 + options.window);
    CHECK(told == text.size());
    CHECK(files.read("f") == text);
    CHECK_FALSE(files.there(part));

    // All of it was there.
    files.dir.write(part, text);
    Seeking again{text};
    CHECK(files->put("f", again, how) == 0);
    CHECK(files.read("f") == text);
    // More than the source has: from the beginning.
    files.dir.write(part, some_text(4'000'000, 9));
    Seeking anew{text};
    CHECK(files->put("f", anew, how) == text.size());
    CHECK(files.read("f") == text);
    // A source that can only be read from its beginning, and one that does not tell its size.
    files.dir.write(part, text.substr(0, 2'900'000));
    CHECK(files->put("f", *pieces_of(text, 10'000), how) == text.size());
    CHECK(files.read("f") == text);
    files.dir.write(part, text.substr(0, 100));
    CHECK(files->put("f", *pieces_of(text, 10'000), how) == text.size() - 100);
    CHECK(files.read("f") == text);
    // A hole in what was under way is written over.
    std::string holed = text.substr(0, 1'000'000);
    holed.replace(900'000, 50'000, std::string(50'000, '\0'));
    files.dir.write(part, holed);
    Seeking over{text};
    CHECK(files->put("f", over, how) == 2'000'000);
    CHECK(files.read("f") == text);

    // One at a time.
    Outcomes<std::uint64_t> outcomes;
    how.progress = {};
    for (int i = 0; i < 2; ++i) files->async_put("g", text_source(text), how, 20s, outcomes.callback());
    REQUIRE(outcomes.wait(2));
    for (const auto& one : outcomes.results()) {
        if (!one) CHECK(one.error().reason() == Reason::exists);
    }
    CHECK(files.read("g") == text);
}

TEST_CASE("many small files at once go over one session, and large ones beside them", "[sftp][integration]") {
    const Files files;
    Outcomes<void> writes;
    constexpr int k_many = 200;
    for (int i = 0; i < k_many; ++i)
        files->async_write("f" + std::to_string(i), some_text(1024, static_cast<std::uint64_t>(i) + 1), WriteMode::replace, 100s, writes.callback());
    const std::string large = some_text(3'000'000);
    std::atomic<int> whole{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) {
        threads.emplace_back([&, i] {
            const std::string name = "large" + std::to_string(i);
            files->put(name, *text_source(large));
            std::string got;
            files->get(name, *into(got));
            if (got == large) ++whole;
        });
    }
    REQUIRE(writes.wait(k_many));
    for (const auto& one : writes.results()) CHECK(one.has_value());
    for (auto& thread : threads) thread.join();
    CHECK(whole == 3);
    Outcomes<std::string> reads;
    for (int i = 0; i < k_many; ++i) files->async_read("f" + std::to_string(i), 100s, reads.callback());
    REQUIRE(reads.wait(k_many));
    for (const auto& one : reads.results()) CHECK(one.value().size() == 1024);
    CHECK(files->list("", "f*").size() == k_many);
    CHECK(files.unfinished() == 0);
    CHECK(files.server.started() == 1);
}

TEST_CASE("a sparse file of 5 GiB is read in little memory", "[sftp][integration]") {
    const Files files;
    const std::uint64_t size = std::uint64_t{5} << 30;
    {
        const net::UniqueFd fd{::open((files.dir / "sparse").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600)};
        REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(size)) == 0);
        REQUIRE(::pwrite(fd.get(), "mark", 4, static_cast<off_t>(size - 4)) == 4);
        REQUIRE(::pwrite(fd.get(), "here", 4, (off_t{4} << 30) + 1) == 4);
    }
    CHECK(files->stat("sparse").size == size);
    std::string got;
    GetOptions how;
    how.from = (std::uint64_t{4} << 30) + 1;
    how.most = 4;
    files->get("sparse", *into(got), how);
    CHECK(got == "here");

    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    std::uint64_t count = 0;
    std::string last;
    const auto sink = function_sink([&](std::string_view bytes) {
        count += bytes.size();
        last.append(bytes.substr(bytes.size() - std::min<std::size_t>(bytes.size(), 4)));
        if (last.size() > 4) last.erase(0, last.size() - 4);
    });
    // From before the border of 32 bits on.
    GetOptions behind;
    behind.from = (std::uint64_t{4} << 30) - (std::uint64_t{100} << 20);
    CHECK(files->get("sparse", *sink, behind) == size - behind.from);
    CHECK(count == size - behind.from);
    CHECK(last == "mark");
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_maxrss - before.ru_maxrss < 100 * 1024);  // KiB
    // What is appended to it stands behind it.
    files->write("sparse", "!", WriteMode::append);
    CHECK(files->stat("sparse").size == size + 1);
    how.from = size - 4;
    how.most = 100;
    got.clear();
    files->get("sparse", *into(got), how);
    CHECK(got == "mark!");
}

TEST_CASE("files without a size, and those that grow or shrink meanwhile, are read to their end", "[sftp][integration]") {
    const Files files;
    CHECK(has(files->read("/proc/self/status"), "sftp-server"));
    const std::string text = some_text(5'000'000);
    files.dir.write("log", text);
    std::string got;
    bool grown = false;
    const auto sink = function_sink([&](std::string_view bytes) {
        got += bytes;
        if (std::exchange(grown, true)) return;
        std::ofstream more{files.dir / "log", std::ios::app};
        more << "and more";
    });
    files->get("log", *sink);
    CHECK(got == text + "and more");
}

TEST_CASE("calls end with their deadline and when they are cancelled, and leave nothing", "[sftp][integration]") {
    const Files files;
    files.dir.write("old", "old");
    files.dir.write("large", some_text(30'000'000));
    CHECK(files->read("old") == "old");  // or the making of the session is what is cancelled
    for (int i = 0; i < 60; ++i) {
        Outcomes<std::uint64_t> outcomes;
        PutOptions how;
        how.mode = i % 2 == 0 ? WriteMode::replace : WriteMode::append;
        auto operation = files->async_put("old", std::make_shared<Torn>(std::size_t{1} << 40), how,
                                          i % 3 == 0 ? Deadline{std::chrono::milliseconds{i / 2}} : Deadline{20s}, outcomes.callback());
        std::this_thread::sleep_for(std::chrono::microseconds{i * 150});
        operation.cancel();
        REQUIRE(outcomes.wait(1));
        const Error error = outcomes.results()[0].error();
        CHECK((error.name() == "CANCELLED" || error.name() == "TIMEOUT"));
        CHECK(operation.done());
        CHECK(wait_until([&] { return files.read("old") == "old" && files.unfinished() == 0; }));
    }
    Outcomes<std::uint64_t> outcomes;
    std::string got;
    auto operation = files->async_get("large", into(got), {}, 20s, outcomes.callback());
    operation.cancel();
    operation.cancel();
    REQUIRE(outcomes.wait(1));
    CHECK(files->read("old") == "old");
    CHECK(files.server.started() == 1);
}

TEST_CASE("destroying a client ends its calls as cancelled at once, and tidies up", "[sftp][integration]") {
    Files files;
    for (int i = 0; i < 20; ++i) {
        Outcomes<std::uint64_t> outcomes;
        for (int n = 0; n < 4; ++n)
            files->async_put("f" + std::to_string(n), std::make_shared<Torn>(std::size_t{1} << 40), {}, 20s, outcomes.callback());
        std::optional<Error> blocking;
        Torn endless{std::size_t{1} << 40};
        std::thread caller{[&] {
            try {
                files.client->put("g", endless);
            } catch (const Error& error) { blocking = error; }
        }};
        REQUIRE(wait_until([&] { return endless.done > 0; }));
        std::this_thread::sleep_for(std::chrono::milliseconds{i});
        files.client.reset();
        REQUIRE(outcomes.wait(4));
        for (const auto& one : outcomes.results()) CHECK(one.error().name() == "CANCELLED");
        caller.join();
        REQUIRE(blocking);
        CHECK(blocking->name() == "CANCELLED");
        CHECK(wait_until([&] { return files.unfinished() == 0; }));
        files.client = sftp::make_sftp_client(files.server.source(), sftp_options(), files.runtime);
    }
    CHECK(files->list().empty());
}
