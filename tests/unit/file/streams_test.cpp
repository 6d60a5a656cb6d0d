// SPDX-License-Identifier: Apache-2.0
// Files that are not held in memory: fetched, sent, gone on with.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <functional>
#include <future>
#include <stdexcept>
#include <string>
#include <vector>

#include <qconn/file/file_client.hpp>

#include "file/temporary_name.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"

using namespace qconn;
using qconn::test::TempDir;
using namespace std::chrono_literals;

namespace {

FileClient client_of(const TempDir& dir) { return FileClient{FileOptions{.label = "drop", .path = dir.path()}}; }

std::string numbers(std::size_t size) {
    std::string data(size, '\0');
    for (std::size_t i = 0; i < size; ++i) data[i] = static_cast<char>(i * 7 + i / 251);
    return data;
}

Error error_from(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    FAIL("no Error was thrown");
    std::abort();
}

template <class T>
T outcome(const std::function<Operation(Callback<T>)>& start) {
    std::promise<Result<T>> promise;
    auto future = promise.get_future();
    start([&](Result<T> result) { promise.set_value(std::move(result)); });
    return future.get().value();
}

/// Ends with an exception after so many bytes.
class Torn final : public ByteSource {
public:
    Torn(std::string data, std::size_t after) : data_{std::move(data)}, after_{after} {}
    std::optional<std::uint64_t> size() const override { return data_.size(); }
    std::size_t read(char* to, std::size_t most) override {
        if (at_ >= after_) throw std::runtime_error{"the tape is torn"};
        const std::size_t count = std::min(most, after_ - at_);
        data_.copy(to, count, at_);
        at_ += count;
        return count;
    }
    bool seek(std::uint64_t position) override {
        at_ = static_cast<std::size_t>(position);
        return true;
    }

private:
    std::string data_;
    std::size_t after_;
    std::size_t at_{0};
};

std::vector<std::string> all_names(const TempDir& dir) {
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator{dir.path()}) names.push_back(entry.path().filename());
    return names;
}

}  // namespace

TEST_CASE("a file goes to a sink in order, whole or a range of it, and progress counts from its beginning", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    const std::string data = numbers(600'000);
    dir.write("a.bin", data);

    std::string got;
    std::vector<std::uint64_t> seen;
    const auto sink = function_sink([&](std::string_view bytes) { got += bytes; });
    const auto progress = [&](std::uint64_t done, std::optional<std::uint64_t> all) {
        CHECK(all == data.size());
        seen.push_back(done);
    };
    CHECK(files.get("a.bin", *sink, {.progress = progress}) == data.size());
    CHECK(got == data);
    CHECK(seen.back() == data.size());
    CHECK(std::is_sorted(seen.begin(), seen.end()));

    got.clear();
    CHECK(files.get("a.bin", *sink, {.from = 599'990, .progress = progress}) == 10);
    CHECK(got == data.substr(599'990));
    got.clear();
    CHECK(files.get("a.bin", *sink, {.from = 5, .most = 300'000}) == 300'000);
    CHECK(got == data.substr(5, 300'000));
    CHECK(files.get("a.bin", *sink, {.from = 700'000}) == 0);

    got.clear();
    const auto asynchronously =
        outcome<std::uint64_t>([&](Callback<std::uint64_t> callback) { return files.async_get("a.bin", sink, {}, 10s, std::move(callback)); });
    CHECK(asynchronously == data.size());
    CHECK(got == data);
}

TEST_CASE("what a source has becomes a file at once, with the attributes that are wanted, or nothing does", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    const std::string data = numbers(600'000);
    const auto then = std::chrono::system_clock::time_point{1'000'000'000s + 250ms};
    const auto source = text_source(data);

    CHECK(files.put("a.bin", *source, {.attributes = {.mode = 0604U, .modified = then}}) == data.size());
    CHECK(dir.read("a.bin") == data);
    const FileInfo info = files.stat("a.bin");
    CHECK(info.mode == 0604U);
    CHECK(info.modified == then);

    Torn torn{numbers(600'000), 300'000};
    const Error error = error_from([&] { files.put("a.bin", torn); });
    CHECK(error.message().find("the tape is torn") != std::string_view::npos);
    CHECK(dir.read("a.bin") == data);
    CHECK(all_names(dir) == std::vector<std::string>{"a.bin"});
    CHECK(error_from([&] { files.put("a.bin", *source, {.mode = WriteMode::create}); }).reason() == Reason::exists);

    source->seek(0);
    const auto kept = std::shared_ptr<ByteSource>{source};
    CHECK(outcome<std::uint64_t>([&](Callback<std::uint64_t> callback) { return files.async_put("b.bin", kept, {}, 10s, std::move(callback)); }) ==
          data.size());
    CHECK(dir.read("b.bin") == data);
}

TEST_CASE("a transfer that broke off is gone on with where its part ends, and only then has its name", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    const std::string data = numbers(600'000);
    dir.write("a.bin", "old");

    Torn torn{data, 300'000};
    error_from([&] { files.put("a.bin", torn, {.resume = true}); });
    CHECK(dir.read("a.bin") == "old");
    CHECK(files.list().size() == 1);  // parts are not listed
    CHECK(std::filesystem::file_size(dir / file::part_name("a.bin")) == 300'000);

    const auto source = text_source(data);
    std::uint64_t first = 0;
    const auto progress = [&](std::uint64_t done, std::optional<std::uint64_t>) { first = first == 0 ? done : first; };
    CHECK(files.put("a.bin", *source, {.resume = true, .progress = progress}) == 300'000);
    CHECK(first > 300'000);
    CHECK(dir.read("a.bin") == data);
    CHECK(all_names(dir) == std::vector<std::string>{"a.bin"});
}

TEST_CASE("a part that is longer than the source, or a source that cannot be begun in its middle, is begun anew", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    dir.write(file::part_name("a"), "much too long");
    const auto source = text_source("short");
    CHECK(files.put("a", *source, {.resume = true}) == 5);
    CHECK(dir.read("a") == "short");

    dir.write(file::part_name("b"), "xx");
    bool given = false;
    const auto once = function_source([&](char* to, std::size_t) {
        if (given) return std::size_t{0};
        given = true;
        *to = 'y';
        return std::size_t{1};
    });
    CHECK(files.put("b", *once, {.resume = true}) == 1);
    CHECK(dir.read("b") == "y");
}

TEST_CASE("two transfers that can be resumed do not write into one part", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    bool tried = false;
    const auto source = function_source([&](char*, std::size_t) {
        const auto other = text_source("other");
        const Error error = error_from([&] { files.put("a", *other, {.resume = true}); });
        CHECK(error.reason() == Reason::exists);
        CHECK(error.message().find("under way") != std::string_view::npos);
        tried = true;
        return std::size_t{0};
    });
    files.put("a", *source, {.resume = true});
    CHECK(tried);
    CHECK(dir.read("a").empty());
}

TEST_CASE("in place, a file is written under its own name from the beginning", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    dir.write("a", "a long old text");
    const auto inode = [&] {
        struct stat info {};
        ::stat((dir / "a").c_str(), &info);
        return info.st_ino;
    };
    const auto before = inode();
    files.write("a", "new", WriteMode::in_place);
    CHECK(dir.read("a") == "new");
    CHECK(inode() == before);
    Torn torn{"0123456789", 4};
    error_from([&] { files.put("a", torn, {.mode = WriteMode::in_place}); });
    CHECK(dir.read("a") == "0123");
    files.write("b", "made", WriteMode::in_place);
    CHECK(dir.read("b") == "made");
}

TEST_CASE("an append that fails takes back its own bytes only", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    const auto append = [&](const std::string& text) {
        const int fd = ::open((dir / "log").c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
        REQUIRE(::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()));
        ::close(fd);
    };
    dir.write("log", "first\n");
    int turn = 0;
    const auto source = function_source([&](char* to, std::size_t) -> std::size_t {
        if (++turn > 1) throw std::runtime_error{"the tape is torn"};
        append("of another\n");  // before our first byte
        *to = 'x';
        return 1;
    });
    error_from([&] { files.put("log", *source, {.mode = WriteMode::append}); });
    CHECK(dir.read("log") == "first\nof another\nx");

    Torn torn{"0123456789", 4};
    error_from([&] { files.put("log", torn, {.mode = WriteMode::append}); });
    CHECK(dir.read("log") == "first\nof another\nx");
}

TEST_CASE("a visit tells each entry once and ends where the visitor has enough", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    for (int i = 0; i < 1000; ++i) dir.write(std::to_string(i), "x");
    std::vector<std::string> seen;
    files.visit({}, [&](FileInfo entry) {
        CHECK(entry.size == 1);
        seen.push_back(std::move(entry.name));
        return true;
    });
    std::sort(seen.begin(), seen.end());
    CHECK(seen.size() == 1000);
    CHECK(std::adjacent_find(seen.begin(), seen.end()) == seen.end());
    int count = 0;
    files.visit({}, [&](FileInfo) { return ++count < 7; });
    CHECK(count == 7);
    CHECK(error_from([&] { files.visit({}, [](FileInfo) -> bool { throw std::runtime_error{"no more"}; }); }).message().find("no more") !=
          std::string_view::npos);
}

TEST_CASE("attributes are changed one by one, links made and looked at themselves", "[file][streams]") {
    const TempDir dir;
    auto files = client_of(dir);
    dir.write("a", "text");
    files.set_attributes("a", {.mode = 0600U});
    CHECK(files.stat("a").mode == 0600U);
    const auto then = std::chrono::system_clock::time_point{1'234'567'890s};
    files.set_attributes("a", {.modified = then});
    CHECK(files.stat("a").modified == then);
    CHECK(files.stat("a").mode == 0600U);

    files.make_symlink("a", "link");
    CHECK(files.stat_link("link").type == FileType::symlink);
    CHECK(files.stat_link("link").target == "a");
    CHECK(files.stat("link").type == FileType::file);
    CHECK(error_from([&] { files.make_symlink("b", "link"); }).reason() == Reason::exists);
    files.make_hard_link("a", "same");
    CHECK(files.read("same") == "text");
    CHECK(error_from([&] { files.make_hard_link("a", "same"); }).reason() == Reason::exists);
    CHECK(error_from([&] { files.make_hard_link("none", "other"); }).reason() == Reason::not_found);
    CHECK(error_from([&] { files.set_attributes("none", {.mode = 0600U}); }).reason() == Reason::not_found);
}
