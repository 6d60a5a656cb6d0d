// SPDX-License-Identifier: Apache-2.0
// Bodies that are not held in memory, forms with files, downloads that are gone on with, cookies.
#include <sys/mount.h>
#include <sys/stat.h>

#include <qconn/http/authenticator.hpp>
#include <qconn/http/body.hpp>
#include <qconn/http/download.hpp>
#include <qconn/http/multipart.hpp>
#include <qconn/testing/fault_proxy.hpp>

#include "base/json.hpp"
#include "http_fixture.hpp"
#include "support/text.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// Different everywhere.
std::string large_text(std::size_t lines = 60'000) {
    std::string text;
    for (std::size_t i = 0; i < lines; ++i) text += std::to_string(i * 7919) + " line\n";
    return text;
}

std::shared_ptr<ByteSink> into(std::string& text) {
    return function_sink([&text](std::string_view bytes) { text.append(bytes); });
}

HttpRequest put(const std::string& path, std::shared_ptr<ByteSource> source) {
    return {.method = "PUT", .path = path, .body_from = std::move(source)};
}

/// Throws when it is read for the second time.
class BrokenSource final : public ByteSource {
public:
    std::optional<std::uint64_t> size() const override { return 1'000'000; }
    std::size_t read(char* to, std::size_t most) override {
        if (reads_++ > 0) throw std::runtime_error{"the tape is torn"};
        std::fill_n(to, most, 'x');
        return most;
    }
    bool seek(std::uint64_t) override { return true; }

private:
    int reads_{0};
};

class BrokenSink final : public ByteSink {
public:
    void write(std::string_view) override { throw make_error(Errc::limit, "the shelf is full"); }
};

}  // namespace

TEST_CASE("bodies go from files and functions to a server, with and without a known size, in both forms", "[http][integration][bodies]") {
    const TempDir dir;
    const std::string text = large_text();
    dir.write("large.txt", text);
    const std::string file = (dir / "large.txt");
    for (const bool tls : {false, true}) {
        for (const char* version : {"1.1", "2"}) {
            for (const Form form : {Form::blocking, Form::asynchronous}) {
                INFO(version << (tls ? " over TLS" : ""));
                if (!tls && std::string_view{version} == "2") continue;  // nginx has it over TLS only
                HttpOptions options = tls ? tls_options("/") : test::options(url(nginx()));
                options.http_version = version;
                HttpClient client{options};
                std::uint64_t told = 0;
                const HttpResponse sent =
                    call(client, form, put("up.txt", file_source(file, [&](std::uint64_t done, std::optional<std::uint64_t> all) {
                                               told = done;
                                               CHECK(all == text.size());
                                           })));
                CHECK(sent.status / 100 == 2);
                CHECK(sent.info.bytes_sent == text.size());
                CHECK(told == text.size());
                CHECK(nginx().directory().read("www/up.txt") == text);

                std::size_t at = 0;
                const auto read = [&](char* to, std::size_t most) {
                    const std::size_t count = std::min({most, text.size() - at, std::size_t{10'007}});
                    std::copy_n(text.data() + at, count, to);
                    at += count;
                    return count;
                };
                CHECK(call(client, form, put("chunks.txt", function_source(read))).status / 100 == 2);
                CHECK(nginx().directory().read("www/chunks.txt") == text);

                std::string got;
                const HttpResponse received = call(client, form, {.path = "gzip/up.txt", .body_to = into(got)});
                CHECK(received.body.empty());
                CHECK(received.headers.get("Content-Encoding") == "gzip");
                CHECK(got == text);
                // The connection is as good as before.
                CHECK(call(client, form, {.path = "hello.txt"}).body == "hello\n");
                CHECK(call(client, form, {.method = "PUT", .path = "small.txt", .body = "small"}).status / 100 == 2);
                CHECK(nginx().directory().read("www/small.txt") == "small");
            }
        }
    }
}

TEST_CASE("a body is sent once more where it can be, and the call says where it cannot", "[http][integration][bodies]") {
    const TempDir dir;
    dir.write("body.txt", "the body");
    const std::string file = (dir / "body.txt");
    HttpClient client{options(url(nginx()))};
    HttpRequest request = put("redirect/307", file_source(file));
    CHECK(has(client.request(request).body, "the body"));

    // The server takes the body before it sends the client elsewhere.
    ScriptedServer elsewhere{"HTTP/1.1 307 Temporary Redirect\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n"};
    HttpClient sent_on{options(elsewhere.url())};
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        const auto one_byte = function_source(
            [](char* to, std::size_t) {
                *to = 'x';
                return std::size_t{1};
            },
            1);
        const Error error = failure(sent_on, form, put("here", one_byte));
        CHECK(error.name() == "HTTP-CLIENT-BODY-ERROR");
        CHECK(has(error.message(), "cannot be rewound"));
    }

    std::atomic<int> asked{0};
    ScriptedServer unsteady{[&](int, int) {
        return std::optional<std::string>{++asked == 1 ? "HTTP/1.1 503 no\r\nContent-Length: 4\r\n\r\nwait"
                                                       : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone"};
    }};
    HttpOptions again = options(unsteady.url());
    again.retry.attempts = 2;
    again.retry.backoff = 1ms;
    HttpClient retrying{again};
    std::string got;
    CHECK(retrying.request({.method = "PUT", .path = "x", .body_from = file_source(file), .body_to = into(got)}).info.retries == 1);
    CHECK(got == "done");
    CHECK(has(unsteady.received(), "the body"));
}

TEST_CASE("what a source or a sink throws is the error of the call, and harms no other", "[http][integration][bodies]") {
    HttpClient client{options(url(nginx()))};
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        const Error torn = failure(client, form, put("torn.txt", std::make_shared<BrokenSource>()));
        CHECK(torn.name() == "HTTP-CLIENT-BODY-ERROR");
        CHECK(has(torn.message(), "the tape is torn"));
        const Error full = failure(client, form, {.path = "numbers.txt", .body_to = std::make_shared<BrokenSink>()});
        CHECK(full.name() == "LIMIT-EXCEEDED");
        CHECK(call(client, form, {.path = "hello.txt"}).body == "hello\n");

        // Failing answers stay what they are.
        std::string got;
        const Error missing = failure(client, form, {.path = "status/404", .body_to = into(got)});
        CHECK(got.empty());
        CHECK(has(missing.detail<HttpErrorDetail>()->response.body, "404"));
        CHECK(failure(client, form, {.method = "PUT", .path = "x", .body = "x", .body_from = std::make_shared<BrokenSource>()}).name() ==
              "HTTP-CLIENT-OPTION-ERROR");
    }
    CHECK_THROWS_AS(file_source("/nowhere/x"), Error);
    CHECK_THROWS_AS(file_source("/"), Error);
}

TEST_CASE("a form with files arrives as it was put together", "[http][integration][bodies]") {
    const TempDir dir;
    const std::string text = large_text(5000);
    dir.write("große \"Liste\".txt", text);
    dir.write("empty.bin", "");
    Multipart form;
    form.field("order", "17").field("note", "Grüße\r\nund mehr", "text/plain; charset=utf-8");
    form.file("picture", "a\"b.png", std::string{"\xff\0PNG", 5}, "image/png");
    form.file_from("list", (dir / "große \"Liste\".txt"), "text/plain").file_from("none", (dir / "empty.bin"));
    HttpRequest request{.path = "post"};
    form.apply(request);
    CHECK(request.method == "POST");
    HttpClient client{options(url(httpbin()))};
    for (const Form how : {Form::blocking, Form::asynchronous}) {
        const Value seen = json::decode(call(client, how, request).body).value();
        CHECK(seen["form"]["order"].as_string() == "17");
        CHECK(seen["form"]["note"].as_string() == "Grüße\r\nund mehr");
        CHECK(seen["files"]["list"].as_string() == text);
        CHECK(has(seen["files"]["picture"].as_string(), "base64"));
        CHECK(seen["files"]["none"].as_string().empty());
    }
    CHECK_THROWS_AS(form.file_from("x", "/nowhere/x"), Error);
    CHECK_THROWS_AS(form.field("x", "y", "text\r\nX: y"), Error);
}

TEST_CASE("a download that is cut off goes on where it was, and only if the file is the same", "[http][integration][bodies]") {
    const TempDir dir;
    const std::string text = large_text();
    nginx().directory().write("www/download.txt", text);
    ::chmod((nginx().directory() / "www/download.txt").c_str(), 0644);
    const std::string file = (dir / "got.txt");

    {
        HttpClient client{options(url(nginx()))};
        std::uint64_t told = 0;
        DownloadOptions plain;
        plain.progress = [&](std::uint64_t done, std::optional<std::uint64_t> all) {
            told = done;
            CHECK(all == text.size());
        };
        CHECK(download(client, "download.txt", file, plain).status == 200);
        CHECK(dir.read("got.txt") == text);
        CHECK(told == text.size());
        CHECK_FALSE(std::filesystem::exists(dir / "got.txt.part"));
        CHECK_FALSE(std::filesystem::exists(dir / "got.txt.part.tag"));
        std::filesystem::remove(file);
    }

    // Every connection is cut after so many bytes.
    testing::Faults cut;
    cut.close_after = text.size() / 3 + 400;
    testing::FaultProxy proxy{nginx().port(), cut};
    HttpClient client{options("http://" + proxy.address())};
    CHECK(download(client, "download.txt", file).status == 206);
    CHECK(dir.read("got.txt") == text);
    std::filesystem::remove(file);

    // A client that tries again by itself asks for the same range once more; the download goes on from there.
    HttpOptions tries = options("http://" + proxy.address());
    tries.retry.attempts = 2;
    tries.retry.backoff = 1ms;
    HttpClient trying{tries};
    CHECK(download(trying, "download.txt", file).status == 206);
    CHECK(dir.read("got.txt") == text);
    std::filesystem::remove(file);

    DownloadOptions once;
    once.continuations = 0;
    CHECK_THROWS_AS(download(client, "download.txt", file, once), Error);
    CHECK_FALSE(std::filesystem::exists(file));
    const auto part = std::filesystem::file_size(dir / "got.txt.part");
    CHECK(part > 0);
    CHECK(part < text.size());
    const std::string log = log_of(nginx(), "/download.txt");
    proxy.set({});
    once.resume = true;
    CHECK(download(client, "download.txt", file, once).status == 206);
    CHECK(dir.read("got.txt") == text);

    // It has changed meanwhile: from the beginning.
    proxy.set(cut);
    std::filesystem::remove(file);
    once.resume = false;
    CHECK_THROWS_AS(download(client, "download.txt", file, once), Error);
    const std::string other = "other\n" + text;
    nginx().directory().write("www/download.txt", other);
    proxy.set({});
    once.resume = true;
    CHECK(download(client, "download.txt", file, once).status == 200);
    CHECK(dir.read("got.txt") == other);

    // All of it was there, but for the last step.
    dir.write("got.txt.part", other);
    HttpClient direct{options(url(nginx()))};
    dir.write("got.txt.part.tag", direct.head("download.txt").headers.find("ETag")->c_str());
    CHECK(download(direct, "download.txt", file, once).status == 416);
    CHECK(dir.read("got.txt") == other);

    CHECK_THROWS_AS(download(direct, "download.txt", "/nowhere/x"), Error);
    CHECK_THROWS_AS(download(direct, "status/404", (dir / "no.txt")), Error);
    CHECK_FALSE(std::filesystem::exists(dir / "no.txt"));
}

TEST_CASE("a disk that is full under a download is said to be so, and no half file is left in its place", "[http][integration][bodies]") {
    const TempDir dir;
    const std::string small = dir / "small";
    REQUIRE(::mkdir(small.c_str(), 0755) == 0);
    if (::mount("none", small.c_str(), "tmpfs", 0, "size=256k") != 0) {
        WARN("no right to mount a small file system: not tested");
        return;
    }
    nginx().directory().write("www/download.txt", large_text());
    HttpClient client{options(url(nginx()))};
    try {
        download(client, "download.txt", small + "/got.txt");
        FAIL_CHECK("it fitted");
    } catch (const Error& error) {
        CHECK(error.name() == "SYSTEM-ERROR");
        CHECK(error.reason() == Reason::disk_full);
    }
    CHECK_FALSE(std::filesystem::exists(small + "/got.txt"));
    ::umount2(small.c_str(), MNT_DETACH);
}

TEST_CASE("cookies are kept where they are wanted, for all calls of one client", "[http][integration][bodies]") {
    HttpOptions with = options(url(httpbin()));
    with.cookies = true;
    HttpClient client{with};
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        const std::string name = form == Form::blocking ? "one" : "two";
        const Value seen = json::decode(call(client, form, {.path = "cookies/set?" + name + "=1"}).body).value();
        CHECK(seen["cookies"][name].as_string() == "1");
    }
    CHECK(json::decode(client.get("cookies").body).value()["cookies"].as_map().size() == 2);
    HttpClient without{options(url(httpbin()))};
    CHECK(json::decode(without.get("cookies/set?one=1").body).value()["cookies"].as_map().empty());
    HttpClient other{with};
    CHECK(json::decode(other.get("cookies").body).value()["cookies"].as_map().empty());
}
