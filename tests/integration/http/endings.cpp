// SPDX-License-Identifier: Apache-2.0
// Every call cancelled, timed out and its client destroyed in every phase: it ends at once, tells the phase, and leaves nothing behind.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstdlib>

#include "http_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/fd_count.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// A peer that stops answering in one phase, and how to get there.
struct Stuck {
    Phase phase;
    HttpOptions options;
    HttpRequest request{};
};

/// All the peers that are needed, kept for the whole test.
struct Peers {
    BlackHole black_hole;
    SilentServer silent;
    ScriptedServer half_body{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this much"};
    ScriptedServer redirecting{[](int, int request) {
        return std::optional<std::string>{request == 0 ? "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n" : ""};
    }};

    std::vector<Stuck> all() {
        const std::string silent_address = "127.0.0.1:" + std::to_string(silent.port());
        std::vector<Stuck> out;
        out.push_back({Phase::connect, options("http://127.0.0.1:" + std::to_string(black_hole.port()) + "/")});
        Stuck proxy{Phase::proxy, options("https://shop.invalid/")};
        proxy.options.proxy = Proxy::parse("http://" + silent_address);
        out.push_back(proxy);
        out.push_back({Phase::tls, options("https://" + silent_address + "/")});
        out.push_back({Phase::head, options("http://" + silent_address + "/")});
        out.push_back({Phase::body, options(half_body.url())});
        out.push_back({Phase::redirect, options(redirecting.url())});
        return out;
    }
};

/// Long enough for every phase to be reached on a busy machine.
constexpr auto k_settle = 150ms;
/// What "at once" is allowed to mean there.
constexpr auto k_at_once = 500ms;

void check_error(const Error& error, const Stuck& stuck, Reason reason) {
    CHECK(to_string(error.phase()) == to_string(stuck.phase));
    CHECK(to_string(error.reason()) == to_string(reason));
    CHECK(error.name() == (reason == Reason::cancelled ? "CANCELLED" : "HTTP-CLIENT-TIMEOUT"));
    CHECK(error.connection() == "shop");
}

Clock::duration timed(const std::function<void()>& work) {
    const auto start = Clock::now();
    work();
    return Clock::now() - start;
}

void warm_up(Peers& peers) {
    // Threads, OpenSSL and the like have descriptors of their own that stay.
    for (Stuck& stuck : peers.all()) {
        HttpClient client{stuck.options};
        failure(client, Form::asynchronous, stuck.request, Deadline{50ms});
        failure(client, Form::blocking, stuck.request, Deadline{50ms});
    }
}

}  // namespace

TEST_CASE("a deadline ends a call in every phase", "[http][integration]") {
    const Runtime runtime;
    Peers peers;
    warm_up(peers);
    const std::size_t before = open_descriptors();
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        for (Stuck& stuck : peers.all()) {
            INFO(to_string(stuck.phase) << (form == Form::blocking ? ", blocking" : ", asynchronous"));
            HttpClient client{stuck.options};
            const auto took = timed([&] { check_error(failure(client, form, stuck.request, Deadline{k_settle}), stuck, Reason::timeout); });
            CHECK(took >= k_settle);
            CHECK(took < k_settle + k_at_once);
        }
    }
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}

TEST_CASE("the time-outs of the options end a call in every phase", "[http][integration]") {
    const Runtime runtime;
    Peers peers;
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        for (Stuck& stuck : peers.all()) {
            INFO(to_string(stuck.phase) << (form == Form::blocking ? ", blocking" : ", asynchronous"));
            const bool connecting = stuck.phase == Phase::connect || stuck.phase == Phase::proxy || stuck.phase == Phase::tls;
            (connecting ? stuck.options.connect_timeout : stuck.options.timeout) = 200ms;
            HttpClient client{stuck.options};
            Error error{Errc::timeout, "", ""};
            const auto took = timed([&] { error = failure(client, form, stuck.request); });
            check_error(error, stuck, Reason::timeout);
            CHECK(error.retryable());
            CHECK(error.message().find(connecting ? "connect_timeout" : "option timeout") != std::string::npos);
            CHECK(took >= 200ms);
            CHECK(took < 200ms + k_at_once);
        }
    }
}

TEST_CASE("a time-out of the call wins over that of the options", "[http][integration]") {
    const SilentServer silent;
    HttpClient client{options("http://127.0.0.1:" + std::to_string(silent.port()) + "/")};
    HttpRequest request;
    request.timeout = 100ms;
    CHECK(timed([&] { CHECK(failure(client, Form::blocking, request).reason() == Reason::timeout); }) < 100ms + k_at_once);
}

TEST_CASE("cancelling ends a call in every phase, with one callback", "[http][integration]") {
    const Runtime runtime;
    Peers peers;
    warm_up(peers);
    const std::size_t before = open_descriptors();
    for (Stuck& stuck : peers.all()) {
        INFO(to_string(stuck.phase));
        HttpClient client{stuck.options};
        Outcomes outcomes;
        Operation operation = client.async_request(stuck.request, {}, outcomes.callback());
        std::this_thread::sleep_for(k_settle);
        CHECK(outcomes.count() == 0);
        CHECK_FALSE(operation.done());
        const auto took = timed([&] {
            operation.cancel();
            operation.cancel();
            REQUIRE(outcomes.wait(1));
        });
        CHECK(took < k_at_once);
        REQUIRE_FALSE(outcomes.results().front());
        check_error(outcomes.results().front().error(), stuck, Reason::cancelled);
        CHECK(operation.done());
        operation.cancel();
        CHECK(outcomes.count() == 1);
    }
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}

TEST_CASE("destroying a client ends its asynchronous calls in every phase", "[http][integration]") {
    const Runtime runtime;
    Peers peers;
    warm_up(peers);
    const std::size_t before = open_descriptors();
    for (Stuck& stuck : peers.all()) {
        INFO(to_string(stuck.phase));
        Outcomes outcomes;
        auto client = std::make_unique<HttpClient>(stuck.options);
        client->async_request(stuck.request, {}, outcomes.callback());
        client->async_request(stuck.request, {}, outcomes.callback());
        std::this_thread::sleep_for(k_settle);
        CHECK(timed([&] {
                  client.reset();
                  REQUIRE(outcomes.wait(2));
              }) < k_at_once);
        for (const auto& result : outcomes.results()) {
            REQUIRE_FALSE(result);
            check_error(result.error(), stuck, Reason::cancelled);
        }
    }
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}

TEST_CASE("destroying a client ends its blocking calls in every phase", "[http][integration]") {
    const Runtime runtime;
    Peers peers;
    warm_up(peers);
    const std::size_t before = open_descriptors();
    for (Stuck& stuck : peers.all()) {
        INFO(to_string(stuck.phase));
        auto client = std::make_unique<HttpClient>(stuck.options);
        std::optional<Error> seen;
        std::thread caller{[&seen, &stuck, used = client.get()] {
            try {
                used->request(stuck.request);
            } catch (const Error& error) { seen = error; }
        }};
        std::this_thread::sleep_for(k_settle);
        const auto took = timed([&] {
            client.reset();
            caller.join();
        });
        CHECK(took < k_at_once);
        REQUIRE(seen);
        check_error(*seen, stuck, Reason::cancelled);
    }
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}

TEST_CASE("a client may be destroyed from its own callback, and with a call never begun", "[http][integration]") {
    Outcomes outcomes;
    auto client = std::make_shared<HttpClient>(options(url(nginx())));
    HttpRequest request;
    request.path = "hello.txt";
    HttpClient& alias = *client;
    alias.async_request(request, {},
                        [client = std::move(client), callback = std::make_shared<Callback<HttpResponse>>(outcomes.callback())](auto result) mutable {
                            client.reset();
                            (*callback)(std::move(result));
                        });
    REQUIRE(outcomes.wait(1));
    CHECK(outcomes.results().front());

    Outcomes at_once;
    {
        HttpClient brief{options(url(nginx()))};
        for (int i = 0; i < 20; ++i) brief.async_request(request, {}, at_once.callback());
    }
    REQUIRE(at_once.wait(20));
}

TEST_CASE("a callback never comes from inside the call, and what it throws harms nothing", "[http][integration]") {
    HttpClient client{options(url(nginx()))};
    std::atomic<bool> inside{true};
    std::atomic<bool> seen_inside{false};
    Outcomes outcomes;
    HttpRequest broken;
    broken.path = "/a\r\nb";
    client.async_request(broken, {}, [&, callback = std::make_shared<Callback<HttpResponse>>(outcomes.callback())](auto result) {
        CHECK_FALSE(result.has_value());
        seen_inside = inside.load() && std::this_thread::get_id() == std::thread::id{};
        (*callback)(std::move(result));
        throw std::runtime_error{"on purpose"};
    });
    inside = false;
    REQUIRE(outcomes.wait(1));
    CHECK_FALSE(seen_inside);
    HttpRequest good;
    good.path = "hello.txt";
    client.async_request(good, {}, nullptr);
    CHECK(call(client, Form::asynchronous, good).status == 200);
}

TEST_CASE("a blocking call on an I/O thread is refused", "[http][integration]") {
    const Runtime runtime;
    HttpClient client{options(url(nginx())), runtime};
    std::atomic<bool> refused{false};
    std::atomic<bool> over{false};
    runtime.post([&] {
        try {
            client.get("hello.txt");
        } catch (const Error& error) { refused = error.name() == "INVALID-ARGUMENT"; }
        over = true;
    });
    REQUIRE(wait_until([&] { return over.load(); }));
    CHECK(refused);
}

TEST_CASE("a slow answer that goes on is not silent", "[http][integration]") {
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpOptions patient = options(url(nginx()));
        patient.timeout = 400ms;
        HttpClient client{patient};
        HttpRequest request;
        request.path = "chunked";  // five pieces, 200 ms apart
        CHECK(call(client, form, request).status == 200);
        request.path = "delay/1";
        CHECK(failure(client, form, request).phase() == Phase::head);
    }
}

TEST_CASE("no descriptor of a client reaches a child", "[http][integration]") {
    HttpClient client{options(url(nginx()))};
    client.get("hello.txt");
    HttpRequest request;
    request.path = "hello.txt";
    call(client, Form::asynchronous, request);
    for (const std::string& line : list_descriptors()) {
        const int fd = std::atoi(line.c_str());
        if (fd <= 2 || line.find("socket:") == std::string::npos) continue;
        INFO(line);
        CHECK((::fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
    }
}

TEST_CASE("a name service that never answers holds up nothing", "[http][integration]") {
    const TempDir directory;
    const std::string resolv = directory.write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:30 attempts:5\n");
    const std::string hosts = directory.write("nsswitch.conf", "hosts: files dns\n");
    const std::string self = "/proc/" + std::to_string(::getpid()) + "/exe";
    const std::string command = "unshare -n -m sh -c 'ip link set lo up && mount --bind " + resolv + " /etc/resolv.conf && mount --bind " + hosts +
                                " /etc/nsswitch.conf && exec " + self + " [silent-dns]'";
    if (std::system("unshare -n -m true 2>/dev/null") != 0) {
        WARN("no right to make a network namespace here: not tested");
        return;
    }
    CHECK(std::system(command.c_str()) == 0);
}

TEST_CASE("calls in the phase resolve", "[.][silent-dns]") {
    const int dns = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(53);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(::bind(dns, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    const Stuck stuck{Phase::resolve, options("http://shop.example.test/")};
    const Runtime runtime;

    for (const Form form : {Form::blocking, Form::asynchronous}) {
        HttpClient client{stuck.options};
        CHECK(timed([&] { check_error(failure(client, form, {}, Deadline{k_settle}), stuck, Reason::timeout); }) < k_settle + k_at_once);
        HttpOptions limited = stuck.options;
        limited.connect_timeout = 200ms;
        HttpClient other{limited};
        CHECK(timed([&] { check_error(failure(other, form, {}), stuck, Reason::timeout); }) < 200ms + k_at_once);
    }
    {
        HttpClient client{stuck.options};
        Outcomes outcomes;
        Operation operation = client.async_request({}, {}, outcomes.callback());
        std::this_thread::sleep_for(k_settle);
        CHECK(timed([&] {
                  operation.cancel();
                  REQUIRE(outcomes.wait(1));
              }) < k_at_once);
        check_error(outcomes.results().front().error(), stuck, Reason::cancelled);
    }
    {
        auto client = std::make_unique<HttpClient>(stuck.options);
        Outcomes outcomes;
        client->async_request({}, {}, outcomes.callback());
        std::optional<Error> seen;
        std::thread caller{[&seen, used = client.get()] {
            try {
                used->get("");
            } catch (const Error& error) { seen = error; }
        }};
        std::this_thread::sleep_for(k_settle);
        CHECK(timed([&] {
                  client.reset();
                  caller.join();
                  REQUIRE(outcomes.wait(1));
              }) < k_at_once);
        check_error(outcomes.results().front().error(), stuck, Reason::cancelled);
        REQUIRE(seen);
        check_error(*seen, stuck, Reason::cancelled);
    }
    // One stuck look-up holds up no other call of the same client.
    HttpClient client{stuck.options};
    Outcomes outcomes;
    client.async_request({}, {}, outcomes.callback());
    SilentServer silent;
    HttpRequest elsewhere;
    elsewhere.path = "http://127.0.0.1:" + std::to_string(silent.port()) + "/";
    CHECK(timed([&] { CHECK(failure(client, Form::asynchronous, elsewhere, Deadline{k_settle}).phase() == Phase::head); }) < k_settle + k_at_once);
    ::close(dns);
}
