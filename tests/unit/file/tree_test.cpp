// SPDX-License-Identifier: Apache-2.0
// Files and whole directories between this machine and a connection; what the functions promise with any client, shown with one for files.
#include <qconn/file/tree.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <string>

#include <qconn/file/file_client.hpp>

#include "file/temporary_name.hpp"
#include "support/catch.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

using namespace qconn;
using qconn::test::TempDir;
using qconn::test::wait_until;
using namespace std::chrono_literals;
namespace fs = std::filesystem;

namespace {

FileClient remote_of(const TempDir& dir) { return FileClient{FileOptions{.label = "drop", .path = dir.path()}}; }

Error error_in(const std::function<void()>& call) {
    try {
        call();
    } catch (const Error& error) { return error; }
    FAIL("no Error was thrown");
    std::abort();
}

std::string content(const fs::path& path) {
    std::ifstream in{path, std::ios::binary};
    return {std::istreambuf_iterator<char>{in}, {}};
}

/// All files below a directory with their contents; directories end with '/'.
std::map<std::string, std::string> picture(const std::string& root) {
    std::map<std::string, std::string> all;
    for (const auto& entry : fs::recursive_directory_iterator{root}) {
        const std::string name = fs::relative(entry.path(), root);
        if (entry.is_directory())
            all[name + '/'];
        else
            all[name] = content(entry.path());
    }
    return all;
}

void fill(const TempDir& dir) {
    dir.write("a.csv", "a");
    dir.write("b.txt", "");
    fs::create_directories(dir / "sub/deep/empty");
    dir.write("sub/-x y.csv", "blank");
    dir.write("sub/deep/line\nbreak.csv", std::string(300'000, 'z'));
    for (int i = 0; i < 200; ++i) dir.write("sub/deep/" + std::to_string(i), std::to_string(i));
}

/// A client whose server lies about names or contents, and that cannot set times.
class Hostile final : public FileTransferClient {
public:
    explicit Hostile(const std::string& dir) : files_{FileOptions{.label = "hostile", .path = dir}} {}
    void stop() noexcept override { files_.stop(); }
    std::string_view label() const noexcept override { return "hostile"; }
    std::vector<FileInfo> list(std::string_view path, std::string_view pattern, Deadline deadline) override {
        ++lists;
        if (path == refuses) throw make_error(Errc::system, "no list of that").with_reason(Reason::permission);
        if (endless) {
            FileInfo below;
            below.name = "d";
            below.type = FileType::directory;
            return {below};
        }
        auto all = files_.list(path, pattern, deadline);
        if (honest) return all;
        for (const char* name : {"../evil", "..", "/evil", "", "x/../../evil"}) {
            FileInfo entry;
            entry.name = name;
            entry.type = FileType::file;
            all.push_back(std::move(entry));
        }
        return all;
    }
    void visit(std::string_view path, const FileVisitor& visitor, Deadline deadline) override { files_.visit(path, visitor, deadline); }
    FileInfo stat(std::string_view path, Deadline deadline) override {
        FileInfo info = files_.stat(path, deadline);
        info.size += lie;
        return info;
    }
    std::string read(std::string_view path, Deadline deadline) override { return files_.read(path, deadline); }
    void write(std::string_view path, std::string_view data, WriteMode mode, Deadline deadline) override { files_.write(path, data, mode, deadline); }
    std::uint64_t get(std::string_view path, ByteSink& sink, const GetOptions& options, Deadline deadline) override {
        if (turn++ % 2 == 1 && changes) {
            const std::string other(static_cast<std::size_t>(files_.stat(path).size), '?');
            sink.write(other);
            return other.size();
        }
        return files_.get(path, sink, options, deadline);
    }
    std::uint64_t put(std::string_view path, ByteSource& source, const PutOptions& options, Deadline deadline) override {
        return files_.put(path, source, options, deadline);
    }
    void move(std::string_view from, std::string_view to, bool overwrite, Deadline deadline) override { files_.move(from, to, overwrite, deadline); }
    void remove(std::string_view path, Deadline deadline) override { files_.remove(path, deadline); }
    void make_directory(std::string_view path, Deadline deadline) override { files_.make_directory(path, deadline); }
    FreeSpace free_space(Deadline deadline) override { return files_.free_space(deadline); }
    Operation async_list(std::string, std::string, Deadline, Callback<std::vector<FileInfo>>) override { return {}; }
    Operation async_stat(std::string, Deadline, Callback<FileInfo>) override { return {}; }
    Operation async_read(std::string, Deadline, Callback<std::string>) override { return {}; }
    Operation async_write(std::string, std::string, WriteMode, Deadline, Callback<void>) override { return {}; }
    Operation async_get(std::string, std::shared_ptr<ByteSink>, GetOptions, Deadline, Callback<std::uint64_t>) override { return {}; }
    Operation async_put(std::string, std::shared_ptr<ByteSource>, PutOptions, Deadline, Callback<std::uint64_t>) override { return {}; }
    Operation async_move(std::string, std::string, bool, Deadline, Callback<void>) override { return {}; }
    Operation async_remove(std::string, Deadline, Callback<void>) override { return {}; }
    Operation async_make_directory(std::string, Deadline, Callback<void>) override { return {}; }

    std::size_t useful_transfers() const noexcept override { return useful; }

    std::string refuses{"none"};  ///< a directory that cannot be listed
    bool honest{false};
    bool endless{false};
    std::size_t useful{1};
    std::atomic<int> lists{0};
    std::uint64_t lie{0};
    bool changes{false};
    std::atomic<int> turn{0};

private:
    FileClient files_;
};

}  // namespace

TEST_CASE("a tree goes out and comes back the same, whatever the names in it", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    const TempDir again;
    fill(here);
    auto client = remote_of(there);

    const TreeReport sent = put_tree(client, here.path(), "in/side");
    CHECK(sent.files == 204);
    CHECK(sent.bytes > 300'000);
    CHECK(picture(there / "in/side") == picture(here.path()));
    const TreeReport got = get_tree(client, "in/side", again / "new/folder");
    CHECK(got.files == 204);
    CHECK(got.directories == 4);
    CHECK(picture(again / "new/folder") == picture(here.path()));

    CHECK(remove_tree(client, "in") == 204 + 3 + 2);
    CHECK(picture(there.path()).empty());
}

TEST_CASE("a mirror carries over what is new or changed, and removes what is not there any more", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    fill(here);
    auto client = remote_of(there);
    TreeOptions options;
    options.only_changed = true;
    options.remove_others = true;
    CHECK(put_tree(client, here.path(), "", options).files == 204);
    const TreeReport second = put_tree(client, here.path(), "", options);
    CHECK(second.files == 0);
    CHECK(second.unchanged == 204);

    here.write("a.csv", "longer");
    here.write("sub/new", "n");
    fs::remove_all(here / "sub/deep/empty");
    fs::remove(here / "b.txt");
    there.write("sub/stranger", "s");
    const TreeReport third = put_tree(client, here.path(), "", options);
    CHECK(third.files == 2);
    CHECK(third.removed == 3);
    CHECK(picture(there.path()) == picture(here.path()));
}

TEST_CASE("a pattern chooses files by their names, also of those that a mirror removes", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    fill(there);
    auto client = remote_of(there);
    here.write("kept.txt", "not of this pattern");
    here.write("gone.csv", "x");
    TreeOptions options;
    options.pattern = "*.csv";
    options.remove_others = true;
    CHECK(get_tree(client, "", here.path(), options).files == 3);
    CHECK(fs::exists(here / "kept.txt"));
    CHECK_FALSE(fs::exists(here / "gone.csv"));
    CHECK(content(here / "sub/-x y.csv") == "blank");
}

TEST_CASE("links to files become files, those to directories or to nothing are skipped", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    there.write("a", "text");
    fs::create_directory(there / "folder");
    REQUIRE(::symlink("a", (there / "to_a").c_str()) == 0);
    REQUIRE(::symlink(".", (there / "loop").c_str()) == 0);
    REQUIRE(::symlink("nowhere", (there / "dangling").c_str()) == 0);
    auto client = remote_of(there);
    const TreeReport report = get_tree(client, "", here.path());
    CHECK(report.files == 2);
    CHECK(report.skipped == 2);
    CHECK(content(here / "to_a") == "text");

    // What is removed is the link.
    CHECK(remove_tree(client, "loop") == 1);
    CHECK(fs::exists(there / "a"));
}

TEST_CASE("names that a server sends never lead out of the directory", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    there.write("good", "g");
    Hostile client{there.path()};
    const TreeReport report = get_tree(client, "", here / "in");
    CHECK(report.files == 1);
    CHECK(report.skipped == 5);
    CHECK_FALSE(fs::exists(here / "evil"));
    CHECK(picture(here.path()).size() == 2);
}

TEST_CASE("the first failure ends a tree, or all that can be is carried and the failures are told", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    fill(here);
    there.write("sub/file", "x");
    fs::create_directories(there / "a.csv");  // in the way of a file
    auto client = remote_of(there);
    CHECK(error_in([&] { put_tree(client, here.path(), ""); }).message().find("a.csv") != std::string_view::npos);

    TreeOptions options;
    options.go_on = true;
    options.remove_others = true;
    const TreeReport report = put_tree(client, here.path(), "", options);
    REQUIRE(report.failures.size() == 1);
    CHECK(report.failures[0].path == "a.csv");
    CHECK(report.files == 203);
    CHECK(report.removed == 0);  // only where all went well
    CHECK(fs::exists(there / "sub/file"));
}

TEST_CASE("a directory without a name is refused, one that cannot be made is told", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    here.write("file", "in the way");
    auto client = remote_of(there);
    CHECK(error_in([&] { get_tree(client, "", ""); }).code() == Errc::invalid_argument);
    CHECK(error_in([&] { put_tree(client, "", ""); }).code() == Errc::invalid_argument);
    CHECK(error_in([&] { get_tree(client, "", here / "file/below"); }).name() == "SYSTEM-ERROR");
    const Error missing = error_in([&] { put_tree(client, here / "nowhere", ""); });
    CHECK(missing.name() == "SYSTEM-ERROR");
    CHECK(missing.reason() == Reason::not_found);
    CHECK(error_in([&] { put_tree(client, here / "file", ""); }).name() == "SYSTEM-ERROR");

    there.write("sub/a", "x");
    here.write("sub", "in the way of a directory");
    const Error refused = error_in([&] { get_tree(client, "", here.path()); });
    CHECK(refused.name() == "SYSTEM-ERROR");
    CHECK(refused.message().find("sub") != std::string_view::npos);
}

TEST_CASE("a mirror does not enter links of the copy, and removes nothing behind them", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    there.write("data/kept", "not of this tree");
    fs::create_directory(there / "www");
    REQUIRE(::symlink("../data", (there / "www/uploads").c_str()) == 0);
    there.write("www/stranger", "s");
    here.write("uploads/new", "n");
    here.write("index", "i");
    auto client = remote_of(there);
    TreeOptions options;
    options.remove_others = true;

    const Error refused = error_in([&] { put_tree(client, here.path(), "www", options); });
    CHECK(refused.reason() == Reason::exists);
    CHECK(refused.message().find("\"uploads\"") != std::string_view::npos);
    CHECK(refused.message().find("../data") != std::string_view::npos);
    options.go_on = true;
    const TreeReport report = put_tree(client, here.path(), "www", options);
    REQUIRE(report.failures.size() == 1);
    CHECK(report.failures[0].path == "uploads");
    CHECK(report.files == 1);
    CHECK(report.removed == 0);
    CHECK(fs::exists(there / "www/stranger"));
    CHECK(picture(there / "data") == std::map<std::string, std::string>{{"kept", "not of this tree"}});

    // A link that the original has no name for goes itself, also where the client cannot look at links.
    fs::remove_all(here / "uploads");
    Hostile blind{there.path()};
    blind.honest = true;
    CHECK(put_tree(blind, here.path(), "www", options).removed == 2);
    CHECK_FALSE(fs::exists(fs::symlink_status(there / "www/uploads")));
    CHECK(there.read("data/kept") == "not of this tree");

    // The other way round.
    const TempDir copy;
    copy.write("outside/kept", "k");
    fs::create_directory(copy / "in");
    REQUIRE(::symlink("../outside", (copy / "in/data").c_str()) == 0);
    options.go_on = false;
    CHECK(error_in([&] { get_tree(client, "", copy / "in", options); }).reason() == Reason::exists);
    CHECK(copy.read("outside/kept") == "k");
}

TEST_CASE("with go_on a directory that cannot be listed or made is a failure among others", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    for (const char* name : {"a/file", "b/file", "c/file"}) there.write(name, "x");
    here.write("b", "in the way");
    here.write("stranger", "s");
    Hostile client{there.path()};
    client.honest = true;
    client.refuses = "a";
    TreeOptions options;
    options.go_on = true;
    options.remove_others = true;
    const TreeReport report = get_tree(client, "", here.path(), options);
    REQUIRE(report.failures.size() == 2);
    CHECK(report.failures[0].path == "a");
    CHECK(report.failures[0].error.reason() == Reason::permission);
    CHECK(report.failures[1].path == "b");
    CHECK(report.files == 1);
    CHECK(here.read("c/file") == "x");
    CHECK(fs::exists(here / "stranger"));

    client.refuses = "";  // the root itself
    CHECK(error_in([&] { get_tree(client, "", here.path(), options); }).reason() == Reason::permission);
}

TEST_CASE("an original that was put back to an older version is carried again, unless copies have times of their own", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    here.write("a", "new");
    FileClient local = remote_of(here);
    auto client = remote_of(there);
    TreeOptions options;
    options.only_changed = true;
    CHECK(put_tree(client, here.path(), "", options).files == 1);
    here.write("a", "old");
    local.set_attributes("a", {.modified = std::chrono::system_clock::time_point{1'000'000'000s}});

    // A client that cannot set times: what is newer is a copy.
    Hostile timeless{there.path()};
    timeless.honest = true;
    CHECK(put_tree(timeless, here.path(), "", options).unchanged == 1);
    TreeOptions own_times = options;
    own_times.copy.keep_time = false;
    CHECK(put_tree(client, here.path(), "", own_times).unchanged == 1);
    CHECK(there.read("a") == "new");

    CHECK(put_tree(client, here.path(), "", options).files == 1);
    CHECK(there.read("a") == "old");
    CHECK(put_tree(client, here.path(), "", options).unchanged == 1);
}

TEST_CASE("what transfers have left is removed with its directory, by a mirror only after a day", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    there.write("old/sub/.qconn-0123456789abcdef.tmp", "left");
    there.write("old/.qconn-0123456789abcdef.part", "left");
    auto client = remote_of(there);
    CHECK(client.list("old/sub").empty());
    REQUIRE(client.list("old/sub", ".qconn-*").size() == 1);

    TreeOptions options;
    options.remove_others = true;
    there.write("old/sub/file", "x");
    CHECK(put_tree(client, here.path(), "", options).removed == 1);  // the file
    CHECK(picture(there.path()).size() == 4);
    const auto yesterday = std::chrono::system_clock::now() - 25h;
    client.set_attributes("old/sub/.qconn-0123456789abcdef.tmp", {.modified = yesterday});
    CHECK(put_tree(client, here.path(), "", options).removed == 2);
    CHECK(picture(there.path()).size() == 2);

    CHECK(remove_tree(client, "old") == 2);
    CHECK(picture(there.path()).empty());
    there.write("file", "x");
    CHECK(error_in([&] { remove_tree(client, "none"); }).reason() == Reason::not_found);
}

TEST_CASE("a server with directories without end is left with an Error", "[file][tree]") {
    const TempDir there;
    Hostile client{there.path()};
    client.endless = true;
    int seen = 0;
    const Error walked = error_in([&] { walk(client, "", [&](const std::string&, const FileInfo&) { return ++seen > 0; }); });
    CHECK(walked.name() == "LIMIT-EXCEEDED");
    CHECK(seen == 257);
    CHECK(error_in([&] { remove_tree(client, ""); }).reason() == Reason::limit);
    const TempDir here;
    TreeOptions options;
    options.go_on = true;
    CHECK(get_tree(client, "", here.path(), options).failures.size() == 1);
}

TEST_CASE("who looks on holds up nothing else, and may throw anything", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    for (const char* name : {"a", "b/file", "c/file"}) there.write(name, "x");
    Hostile client{there.path()};
    client.honest = true;
    client.useful = 0;
    TreeOptions options;
    options.progress = [&](const TreeProgress&, std::string_view path) {
        if (path == "a") CHECK(wait_until([&] { return client.lists == 3; }));
        return true;
    };
    CHECK(get_tree(client, "", here.path(), options).files == 3);
    options.progress = [](const TreeProgress&, std::string_view) -> bool { throw 7; };
    CHECK(error_in([&] { get_tree(client, "", here.path(), options); }).name() == "SYSTEM-ERROR");
}

TEST_CASE("who looks on can end it", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    fill(here);
    auto client = remote_of(there);
    TreeOptions options;
    int seen = 0;
    options.progress = [&](const TreeProgress& so_far, std::string_view path) {
        CHECK_FALSE(path.empty());
        CHECK(so_far.files >= 1);
        return ++seen < 10;
    };
    CHECK(error_in([&] { put_tree(client, here.path(), "", options); }).reason() == Reason::cancelled);
    CHECK(seen == 10);
    CHECK(error_in([&] { put_tree(client, here.path(), "", {}, Deadline{Clock::now() - 1s}); }).code() == Errc::timeout);
}

TEST_CASE("a copy is verified before it has its name, and keeps the time of its original", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    there.write("a", "content");
    const auto then = std::chrono::system_clock::time_point{1'000'000'000s};
    remote_of(there).set_attributes("a", {.mode = 0640U, .modified = then});
    Hostile client{there.path()};

    FileCopyOptions options;
    options.keep_mode = true;
    CHECK(get_file(client, "a", here / "a", options) == 7);
    const auto copy = FileClient{FileOptions{.label = {}, .path = here.path()}}.stat("a");
    CHECK(copy.modified == then);
    CHECK(copy.mode == 0640U);

    client.lie = 3;
    const Error shorter = error_in([&] { get_file(client, "a", here / "b"); });
    CHECK(shorter.name() == "TRANSFER-ERROR");
    CHECK(shorter.message().find("7 bytes came, and it has 10") != std::string_view::npos);
    CHECK(shorter.connection() == "hostile");
    client.lie = 0;
    client.changes = true;
    client.turn = 0;
    options.verify = Verify::content;
    CHECK(error_in([&] { get_file(client, "a", here / "b", options); }).message().find("SHA-256") != std::string_view::npos);
    CHECK(picture(here.path()).size() == 1);
}

TEST_CASE("a file that is named as a part of another one is carried as any other", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    there.write("a", std::string(3'000'000, 'a'));
    there.write("a.part", "small");
    there.write("a.part.part", "smaller");
    auto client = remote_of(there);
    CHECK(get_tree(client, "", here.path()).files == 3);
    CHECK(picture(here.path()) == picture(there.path()));

    // Only `a` has changed: the others are there already, and stay.
    there.write("a", std::string(1000, 'b'));
    TreeOptions options;
    options.only_changed = true;
    options.copy.resume = true;
    CHECK(get_tree(client, "", here.path(), options).files == 1);
    CHECK(picture(here.path()) == picture(there.path()));
}

TEST_CASE("get_file follows a link, and refuses what is no regular file before anything is fetched", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    there.write("a", "content");
    auto client = remote_of(there);
    fs::create_directory(here / "folder");
    here.write("folder/real", "old");
    REQUIRE(::symlink("folder/real", (here / "link").c_str()) == 0);
    REQUIRE(::symlink("link", (here / "link_to_link").c_str()) == 0);
    REQUIRE(::symlink("folder/new", (here / "dangling").c_str()) == 0);
    REQUIRE(::symlink("loop", (here / "loop").c_str()) == 0);
    REQUIRE(::mkfifo((here / "pipe").c_str(), 0600) == 0);

    get_file(client, "a", here / "link_to_link");
    CHECK(fs::is_symlink(here / "link_to_link"));
    CHECK(fs::is_symlink(here / "link"));
    CHECK(here.read("folder/real") == "content");
    get_file(client, "a", here / "dangling");
    CHECK(here.read("folder/new") == "content");

    bool came = false;
    FileCopyOptions options;
    options.progress = [&](std::uint64_t, std::optional<std::uint64_t>) { came = true; };
    CHECK(error_in([&] { get_file(client, "a", here / "pipe", options); }).reason() == Reason::unsupported);
    CHECK(fs::is_fifo(here / "pipe"));
    const Error folder = error_in([&] { get_file(client, "a", here / "folder", options); });
    CHECK(folder.name() == "SYSTEM-ERROR");
    CHECK(folder.message().find("Is a directory") != std::string_view::npos);
    CHECK(error_in([&] { get_file(client, "a", here / "loop", options); }).name() == "SYSTEM-ERROR");
    CHECK_FALSE(came);
    CHECK(picture(here / "folder").size() == 2);
}

TEST_CASE("get_file goes on with its part, put_file sends, verifies, and goes on as well", "[file][tree]") {
    const TempDir there;
    const TempDir here;
    const std::string data(500'000, 'd');
    there.write("big", data);
    auto client = remote_of(there);
    here.write(file::part_name("big"), data.substr(0, 400'000));
    FileCopyOptions options;
    options.resume = true;
    options.verify = Verify::content;
    CHECK(get_file(client, "big", here / "big", options) == 100'000);
    CHECK(content(here / "big") == data);
    CHECK(picture(here.path()).size() == 1);

    // A part of something else is found out, and the next call begins anew.
    here.write(file::part_name("big"), std::string(400'000, 'x'));
    CHECK(error_in([&] { get_file(client, "big", here / "big", options); }).name() == "TRANSFER-ERROR");
    CHECK(get_file(client, "big", here / "big", options) == 500'000);

    CHECK(put_file(client, here / "big", "copy", options) == 500'000);
    CHECK(there.read("copy") == data);
    CHECK(sha256_of(client, "copy") == sha256_of(client, "big"));
    there.write("hello", "hello\n");
    CHECK(sha256_of(client, "hello") == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03");
    CHECK(error_in([&] { put_file(client, here / "none", "x"); }).name() == "SYSTEM-ERROR");
}
