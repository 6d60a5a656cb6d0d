// SPDX-License-Identifier: Apache-2.0
// What a client can do, at real servers and by every way.
#include <sys/stat.h>

#include <filesystem>
#include <string>

#include <qconn/file/transfer.hpp>
#include <qconn/file/tree.hpp>

#include "fixture.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/overheard.hpp"
#include "support/patterns.hpp"
#include "support/temp_dir.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

std::shared_ptr<ByteSink> into_text(std::string& text) {
    return function_sink([&text](std::string_view bytes) { text += bytes; });
}

std::string names_of(const std::vector<FileInfo>& all) {
    std::string text;
    for (const FileInfo& one : all) text += one.name + '|';
    return text;
}

}  // namespace

TEST_CASE("files are written, listed, read, moved and removed by every way to a server", "[ftp][integration]") {
    for (const FtpWay& way : ftp_ways()) {
        INFO((way.vsftpd ? "vsftpd, " : "ProFTPD, ") << way.name);
        FtpClient client{options_for(way)};

        client.write("a.txt", "hello");
        client.write("empty", "");
        client.write("b c.txt", std::string(70'000, 'x'));
        CHECK(client.read("a.txt") == "hello");
        CHECK(client.read("empty").empty());
        CHECK(client.read("b c.txt").size() == 70'000);
        const auto all = client.list();
        CHECK(names_of(all) == "a.txt|b c.txt|empty|");
        CHECK(all.at(0).size == 5);
        CHECK(all.at(0).type == FileType::file);
        CHECK(all.at(0).modified.has_value());
        CHECK(names_of(client.list({}, "*.txt")) == "a.txt|b c.txt|");

        client.write("a.txt", "hello again");
        CHECK(client.read("a.txt") == "hello again");
        client.write("a.txt", ", and more", WriteMode::append);
        CHECK(client.read("a.txt") == "hello again, and more");
        const Error there = error_of([&] { client.write("a.txt", "x", WriteMode::create); });
        CHECK(there.reason() == Reason::exists);
        client.write("in place", "1", WriteMode::in_place);
        CHECK(client.read("in place") == "1");

        const FileInfo info = client.stat("a.txt");
        CHECK(info.name == "a.txt");
        CHECK(info.type == FileType::file);
        CHECK(info.size == 21);
        CHECK(info.modified.has_value());
        CHECK(client.stat({}).type == FileType::directory);

        client.make_directory("d/e/f");
        client.make_directory("d/e/f");
        CHECK(client.stat("d/e").type == FileType::directory);
        client.move("a.txt", "d/e/g.txt");
        CHECK(client.read("d/e/g.txt") == "hello again, and more");
        CHECK(error_of([&] { client.move("empty", "d/e/g.txt"); }).reason() == Reason::exists);
        client.move("empty", "d/e/g.txt", true);
        CHECK(client.read("d/e/g.txt").empty());
        CHECK(names_of(client.list("d/e")) == "f|g.txt|");
        CHECK(client.names("d/e").size() == 2);
        CHECK(error_of([&] { client.remove("d/e"); }).reason() == Reason::exists);
        client.remove("d/e/g.txt");
        client.remove("d/e/f");
        client.remove("d/e");
        CHECK(client.list("d").empty());

        for (const Error& error : {error_of([&] { client.read("nothing"); }), error_of([&] { client.stat("nothing"); }),
                                   error_of([&] { client.remove("nothing"); }), error_of([&] { client.list("nothing"); }),
                                   error_of([&] { client.move("nothing", "x"); }), error_of([&] { client.write("nothing/x", "1"); })}) {
            INFO(error.what());
            CHECK(error.reason() == Reason::not_found);
            CHECK(error.connection() == "files");
        }
        CHECK(client.read("in place") == "1");  // the session is usable after each
    }
}

TEST_CASE("a part of a file comes, from there and at most that much", "[ftp][integration]") {
    const std::string text = large_text(1'000'000);
    for (const FtpTls security : {FtpTls::none, FtpTls::required}) {
        FtpClient client{options_for(FtpWay{"", security})};
        client.write("large", text);
        const auto part = [&](std::uint64_t from, std::uint64_t most) {
            std::string got;
            std::uint64_t first = 0;
            GetOptions how{from, most, [&](std::uint64_t done, std::optional<std::uint64_t> all) {
                               if (first == 0) first = done;
                               CHECK(all == text.size());
                           }};
            const std::uint64_t came = client.get("large", *into_text(got), how);
            CHECK(came == got.size());
            CHECK(first >= from);
            return got;
        };
        CHECK(part(0, 10) == text.substr(0, 10));
        CHECK(part(999'990, 100) == text.substr(999'990));
        CHECK(part(500'000, 300'000) == text.substr(500'000, 300'000));
        CHECK(part(1'000'000, 10).empty());
        CHECK(part(2'000'000, 10).empty());
        CHECK(client.read("large") == text);
    }
}

TEST_CASE("a transfer that failed is gone on with where it stopped, and the file is identical", "[ftp][integration]") {
    const std::string text = large_text(3'000'000);
    for (const FtpWay& way : {FtpWay{"", FtpTls::none}, FtpWay{"", FtpTls::required}, FtpWay{"", FtpTls::none, FtpDataMode::passive, true}}) {
        FtpClient client{options_for(way)};
        /// Fails once in its middle.
        class Torn final : public ByteSource {
        public:
            explicit Torn(std::string_view t) : text_{t} {}
            std::optional<std::uint64_t> size() const override { return text_.size(); }
            std::size_t read(char* to, std::size_t most) override {
                if (!torn_ && at_ > text_.size() / 2) {
                    torn_ = true;
                    throw make_error(Errc::system, "the tape is torn");
                }
                const std::size_t n = std::min({most, text_.size() - at_, std::size_t{100'000}});
                text_.copy(to, n, at_);
                at_ += n;
                return n;
            }
            bool seek(std::uint64_t position) override {
                at_ = static_cast<std::size_t>(position);
                return true;
            }

        private:
            std::string_view text_;
            std::size_t at_{0};
            bool torn_{false};
        };
        Torn source{text};
        CHECK(error_of([&] { client.put("resumed", source, {.resume = true}); }).message().find("the tape is torn") != std::string_view::npos);
        CHECK(client.list().empty());
        const auto second = client.put("resumed", source, {.resume = true});
        CHECK(second < text.size());
        CHECK(client.read("resumed") == text);
        CHECK(names_of(client.list()) == "resumed|");

        // Without resume nothing stays.
        Torn again{text};
        CHECK_THROWS_AS(client.put("other", again), Error);
        CHECK(client.names().size() == 1);
        CHECK(error_of([&] { client.stat("other"); }).reason() == Reason::not_found);
    }
}

TEST_CASE("names keep their blanks, letters and dashes", "[ftp][integration]") {
    for (const bool vs : {false, true}) {
        FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vs})};
        const std::vector<std::string> names{"-l", "-rf *", " two  blanks ", "Grüße 日本.txt", "a;b=c", "quote\"s", "per%20cent", "tilde~"};
        for (const std::string& name : names) {
            INFO(name);
            client.write(name, name);
            CHECK(client.read(name) == name);
            CHECK(client.stat(name).size == name.size());
        }
        auto sorted = names;
        std::sort(sorted.begin(), sorted.end());
        std::vector<std::string> listed;
        for (const auto& one : client.list()) listed.push_back(one.name);
        CHECK(listed == sorted);
        client.make_directory("-d x");
        client.write("-d x/-y", "1");
        CHECK(names_of(client.list("-d x")) == "-y|");
        for (const std::string& name : names) client.remove(name);
        CHECK(client.list().size() == 1);
    }
}

TEST_CASE("a path that would be more than one command is not sent", "[ftp][integration]") {
    FtpClient client{options_for(FtpWay{""})};
    for (const char* path : {"a\r\nDELE b", "a\nb", "a\rb"}) {
        CHECK(error_of([&] { client.read(path); }).name() == "FTP-PATH-ERROR");
        CHECK(error_of([&] { client.move("x", path); }).name() == "FTP-PATH-ERROR");
        CHECK(error_of([&] { client.list(path); }).name() == "FTP-PATH-ERROR");
        CHECK(error_of([&] { client.command(path); }).name() == "FTP-PATH-ERROR");
    }
    CHECK(error_of([] {
              FtpOptions options;
              options.host = "h";
              options.path = "a\r\nDELE b";
              FtpClient bad{options};
          }).name() == "FTP-URL-ERROR");
}

TEST_CASE("what a server cannot change is left out where a file is put, and refused where it is asked for", "[ftp][integration]") {
    const std::chrono::system_clock::time_point then{std::chrono::sys_days{std::chrono::year{2020} / 2 / 29}};
    const TempDir here;
    const std::string file = here.write("f", "of this machine");
    for (const bool vsftpd : {false, true}) {
        FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vsftpd})};
        const auto source = text_source("x");
        client.put("g", *source, {.attributes = {.uid = 1, .gid = 1, .modified = then}});
        CHECK(client.read("g") == "x");
        CHECK(put_file(client, file, "f") == 15);
        CHECK(client.read("f") == "of this machine");
        CHECK((*client.stat("g").modified == then) == !vsftpd);  // it has no MFMT
    }
    FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, true})};
    client.write("f", "x");
    CHECK(error_of([&] { client.set_attributes("f", {.modified = then}); }).reason() == Reason::unsupported);
}

TEST_CASE("trees: what transfers have left goes with its directory, and a newer copy counts where a server keeps no times", "[ftp][integration]") {
    const TempDir here;
    const std::string file = here.write("f", "of this machine");
    for (const bool vsftpd : {false, true}) {
        CAPTURE(vsftpd);
        FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vsftpd})};
        client.make_directory("left");
        client.write("left/.qconn-0123456789abcdef.tmp", "x", WriteMode::in_place);
        CHECK(client.list("left").empty());
        CHECK(client.list("left", ".qconn-*").size() == 1);
        CHECK(remove_tree(client, "left") == 2);

        std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now());
        CHECK(put_tree(client, here.path(), "tree").files == 1);
        std::filesystem::last_write_time(file, std::filesystem::file_time_type::clock::now() - std::chrono::hours{24 * 400});
        TreeOptions options;
        options.only_changed = true;
        CHECK(put_tree(client, here.path(), "tree", options).files == (vsftpd ? 0 : 1));
        CHECK(put_tree(client, here.path(), "tree", options).unchanged == 1);
        CHECK(remove_tree(client, "tree") == 2);
    }
}

TEST_CASE("a file that is put where a directory is, is refused as that", "[ftp][integration]") {
    for (const bool vsftpd : {false, true}) {
        FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vsftpd})};
        client.make_directory("d");
        const auto source = text_source("x");
        const Error error = error_of([&] { client.put("d", *source); });
        CHECK(error.reason() == Reason::bad_value);
        CHECK(has(error.what(), "it is a directory"));
        CHECK(client.list().size() == 1);
        CHECK(client.list("d").empty());
    }
}

TEST_CASE("mode and time of a file are set, of the one that is put too", "[ftp][integration]") {
    FtpClient client{options_for(FtpWay{""})};
    const std::chrono::system_clock::time_point then{std::chrono::sys_days{std::chrono::year{2020} / 2 / 29}};
    const auto source = text_source("x");
    client.put("f", *source, {.attributes = {.mode = 0600, .modified = then}});
    CHECK(client.stat("f").mode == 0600U);
    CHECK(client.stat("f").modified == then);
    client.set_attributes("f", {.mode = 0640, .modified = then + 24h});
    CHECK(client.list().at(0).mode == 0640U);
    CHECK(client.list().at(0).modified == then + 24h);
    CHECK(error_of([&] { client.set_attributes("f", {.uid = 1}); }).reason() == Reason::unsupported);
    CHECK(client.command("SITE CHMOD 644 f").code == 200);
    CHECK(client.command("SITE NONSENSE").code == 500);
    CHECK(error_of([&] { client.command("RETR f"); }).reason() == Reason::bad_value);
    CHECK(error_of([&] { client.free_space(); }).reason() == Reason::unsupported);
}

TEST_CASE("links are told from what they lead to", "[ftp][integration]") {
    const FtpOptions options = options_for(FtpWay{""});
    FtpClient client{options};
    client.write("target", "12345");
    const std::string folder = (proftpd().directory() / "home/") + options.path;
    REQUIRE(::symlink("target", (folder + "/link").c_str()) == 0);
    REQUIRE(::symlink("nowhere", (folder + "/broken").c_str()) == 0);
    CHECK(client.stat_link("link").type == FileType::symlink);
    CHECK(client.stat("link").size == 5);
    CHECK(client.stat("link").type == FileType::file);
    CHECK(client.read("link") == "12345");
    CHECK(error_of([&] { client.stat("broken"); }).reason() == Reason::not_found);
    CHECK(error_of([&] { client.stat_link("nothing"); }).reason() == Reason::not_found);
}

TEST_CASE("a mirror does not enter links to directories, nor remove behind them", "[ftp][integration]") {
    const TempDir here;
    here.write("uploads/new", "n");
    const FtpOptions options = options_for(FtpWay{""});
    FtpClient client{options};
    for (const char* name : {"data", "www"}) client.make_directory(name);
    client.write("data/kept", "x");
    const std::string folder = (proftpd().directory() / "home/") + options.path;
    REQUIRE(::symlink("../data", (folder + "/www/uploads").c_str()) == 0);
    TreeOptions mirror;
    mirror.remove_others = true;
    CHECK(error_of([&] { put_tree(client, here.path(), "www", mirror); }).reason() == Reason::exists);
    CHECK(client.read("data/kept") == "x");

    // A link that the original has no name for goes itself.
    const TempDir empty;
    CHECK(put_tree(client, empty.path(), "www", mirror).removed == 1);
    CHECK(client.list("www").empty());
    CHECK(client.read("data/kept") == "x");
}

TEST_CASE("links are made where the server can", "[ftp][integration]") {
    const FtpOptions options = options_for(FtpWay{""});
    FtpClient client{options};
    client.write("target", "12345");
    client.make_symlink("target", "link");
    CHECK(client.stat_link("link").type == FileType::symlink);
    CHECK(client.read("link") == "12345");
    CHECK(error_of([&] { client.make_symlink("target", "link"); }).reason() == Reason::exists);
    CHECK(error_of([&] { client.make_symlink("two words", "other"); }).reason() == Reason::unsupported);
    FtpClient other{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, true})};
    CHECK(error_of([&] { other.make_symlink("target", "link"); }).reason() == Reason::permission);
}

TEST_CASE("text is sent with the line ends of the network and comes with ours", "[ftp][integration]") {
    for (const bool vs : {false, true}) {
        FtpOptions options = options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vs});
        FtpClient binary{options};
        options.ascii = true;
        FtpClient text{options};
        text.write("t", "a\nb\r\nc\n");
        CHECK(text.read("t") == "a\nb\nc\n");
        binary.write("u", "a\nb\n");
        CHECK(text.read("u") == "a\nb\n");
    }
}

TEST_CASE("text whose sizes differ here and there is copied both ways", "[ftp][integration]") {
    const TempDir here;
    const std::string local = here.write("t", "a\r\nb\r\n");
    for (const bool vs : {false, true}) {
        FtpOptions options = options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vs});
        FtpClient binary{options};
        CHECK(binary.has_exact_sizes());
        options.ascii = true;
        FtpClient text{options};
        CHECK_FALSE(text.has_exact_sizes());
        for (const bool resume : {false, true}) {
            put_file(text, local, "t", {.resume = resume, .keep_mode = false});
            CHECK(text.read("t") == "a\nb\n");
            binary.write("windows", "a\r\nb\n");
            here.write("copy.part", "a");  // of an earlier copy; not gone on with
            get_file(text, "windows", here / "copy", {.resume = resume});
            CHECK(here.read("copy") == "a\nb\n");
        }
    }
}

TEST_CASE("a directory with something in it is not removed, and the error says that", "[ftp][integration]") {
    for (const bool vs : {false, true}) {
        FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vs})};
        client.make_directory("d");
        client.write("d/x", "1");
        const Error error = error_of([&] { client.remove("d"); });
        INFO(error.what());
        CHECK(error.reason() == Reason::exists);
        CHECK(has(error.message(), "not empty"));
        CHECK(has(error.message(), "remove_tree"));
        CHECK(error.detail<FtpErrorDetail>()->command == "RMD");
        CHECK(client.read("d/x") == "1");
    }
}

TEST_CASE("a move that fails names its target, and what to do", "[ftp][integration]") {
    for (const bool vs : {false, true}) {
        FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vs})};
        client.write("a", "1");
        client.write("b", "2");
        const Error nowhere = error_of([&] { client.move("a", "gone/a"); });
        INFO(nowhere.what());
        CHECK(nowhere.reason() == Reason::not_found);
        CHECK(has(nowhere.message(), "moving \"a\" to \"gone/a\""));
        CHECK(has(nowhere.message(), "no directory \"gone\""));
        const Error there = error_of([&] { client.move("a", "b"); });
        INFO(there.what());
        CHECK(there.reason() == Reason::exists);
        CHECK(has(there.message(), "overwrite"));
        CHECK(client.read("a") + client.read("b") == "12");
    }
}

TEST_CASE("a pattern of a listing is a shell glob", "[ftp][integration]") {
    for (const bool vs : {false, true}) {
        FtpClient client{options_for(FtpWay{"", FtpTls::none, FtpDataMode::passive, vs})};
        check_patterns(client);
    }
}

TEST_CASE("ten thousand entries are listed, as they come too", "[ftp][integration]") {
    const FtpOptions options = options_for(FtpWay{"", FtpTls::required});
    const std::string folder = "home/" + options.path + "/";
    for (int i = 0; i < 10'000; ++i) proftpd().directory().write(folder + "file number " + std::to_string(i), "");
    FtpClient client{options};
    CHECK(client.list().size() == 10'000);
    int seen = 0;
    client.visit({}, [&](FileInfo) { return ++seen < 100; });
    CHECK(seen == 100);
    CHECK(client.stat("file number 9999").size == 0);
}

TEST_CASE("the asynchronous form does the same", "[ftp][integration]") {
    FtpClient client{options_for(FtpWay{"", FtpTls::required})};
    const std::string text = large_text(2'000'000);
    Outcomes<std::uint64_t> put;
    client.async_put("f", text_source(text), {}, 30s, put.callback());
    REQUIRE(put.wait(1));
    CHECK(put.results().front().value() == text.size());
    std::string got;
    Outcomes<std::uint64_t> get;
    client.async_get("f", into_text(got), {}, 30s, get.callback());
    REQUIRE(get.wait(1));
    CHECK(got == text);
    Outcomes<std::vector<FileInfo>> list;
    client.async_list({}, {}, 30s, list.callback());
    REQUIRE(list.wait(1));
    CHECK(names_of(list.results().front().value()) == "f|");
    Outcomes<std::string> missing;
    client.async_read("nothing", 30s, missing.callback());
    REQUIRE(missing.wait(1));
    CHECK(missing.results().front().error().reason() == Reason::not_found);
    Outcomes<void> done;
    client.async_write("w", "1", WriteMode::replace, 30s, done.callback());
    REQUIRE(done.wait(1));
    client.async_move("w", "v", false, 30s, done.callback());
    REQUIRE(done.wait(2));
    client.async_remove("v", 30s, done.callback());
    client.async_make_directory("x/y", 30s, done.callback());
    REQUIRE(done.wait(4));
    for (const auto& one : done.results()) CHECK(one);
}

TEST_CASE("calls run beside each other, and no more sessions are made than may be", "[ftp][integration]") {
    FtpOptions options = options_for(FtpWay{""});
    options.max_sessions = 3;
    FtpClient client{options};
    const std::string text = large_text(300'000);
    Outcomes<void> done;
    for (int i = 0; i < 20; ++i) client.async_write("f" + std::to_string(i), text, WriteMode::replace, 60s, done.callback());
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) threads.emplace_back([&client, &text, i] { client.write("g" + std::to_string(i), text); });
    for (auto& thread : threads) thread.join();
    REQUIRE(done.wait(20));
    for (const auto& one : done.results()) CHECK(one);
    CHECK(client.list().size() == 24);
}

TEST_CASE("over IPv6 too, active and passive", "[ftp][integration]") {
    const Server server{"proftpd", {.environment = {"FTP_IPV6=1"}}};
    for (const auto mode : {FtpDataMode::passive, FtpDataMode::active}) {
        for (const auto security : {FtpTls::none, FtpTls::required}) {
            FtpOptions options = options_for(server, security);
            options.host = "::1";
            options.data_mode = mode;
            FtpClient client{options};
            client.write("six", "6");
            CHECK(client.read("six") == "6");
        }
    }
}

TEST_CASE("the dialogue with an FTP server is seen, but for secrets and files", "[ftp][integration]") {
    for (const FtpWay& way : ftp_ways()) {
        INFO((way.vsftpd ? "vsftpd, " : "ProFTPD, ") << way.name);
        const Overheard overheard;
        FtpOptions options = options_for(way);
        options.log = options.dbglog = true;
        options.on_dialogue = overheard.listener();
        const std::string user = options.password ? options.username : "anonymous";
        {
            FtpClient client{options, overheard.runtime()};
            client.write("seen.txt", "not for the log");
            CHECK(client.read("seen.txt") == "not for the log");
            CHECK(client.list().size() == 1);
        }
        INFO(overheard.lines() + overheard.log());
        CHECK(overheard.has_line("* connected to 127.0.0.1:"));
        CHECK(overheard.has_line("< 220"));
        CHECK(overheard.has_line("> USER " + user + "\n< 331"));
        CHECK(overheard.has_line("> PASS <masked>\n< 230"));
        CHECK(overheard.has_line("* logged in as " + user + (way.security == FtpTls::none ? "\n" : ", under TLSv1.")));
        CHECK(overheard.has_line(way.mode == FtpDataMode::active ? "* a data connection from 127.0.0.1:" : "* a data connection to 127.0.0.1:"));
        CHECK(overheard.has_line("* STOR: 15 bytes"));
        CHECK(overheard.has_line("> RETR seen.txt"));
        CHECK(overheard.has_line("* RETR: 15 bytes"));
        CHECK(overheard.has_line("> QUIT\n* the session has ended"));
        CHECK(overheard.has_record("info ftp-sent > RETR seen.txt"));
        CHECK(overheard.has_record("debug ftp-received < 226"));
        CHECK(overheard.has_record("debug ftp-noted * RETR: 15 bytes"));
        if (options.password) CHECK_FALSE(overheard.shows(options.password->reveal()));
        CHECK_FALSE(overheard.shows("not for the log"));
    }
}
