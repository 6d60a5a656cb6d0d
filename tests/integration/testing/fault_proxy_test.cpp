// SPDX-License-Identifier: Apache-2.0
// The fault proxy in front of a real server, seen by a client that is no part of the library.
#include <cerrno>
#include <optional>
#include <string>
#include <thread>

#include <qconn/testing/fault_proxy.hpp>

#include "support/catch.hpp"
#include "support/fd_count.hpp"
#include "support/free_port.hpp"
#include "support/raw_socket.hpp"
#include "support/server.hpp"
#include "support/wait.hpp"

using namespace qconn::test;
using namespace std::chrono_literals;
using qconn::testing::Door;
using qconn::testing::FaultProxy;
using qconn::testing::Faults;

namespace {

constexpr auto k_enough = 20s;
constexpr auto k_silence = 200ms;
const std::string k_get = "GET /hello.txt HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string k_good = "HTTP/1.1 200";

/// A server behind a proxy.
struct Scene {
    Server nginx{"nginx"};
    FaultProxy proxy{nginx.port()};

    std::string ask(std::chrono::milliseconds limit = k_enough, std::size_t enough = 12) const {
        return RawSocket{proxy.port()}.ask(k_get, limit, enough).substr(0, enough + 3);
    }
    bool is_good() const { return ask().starts_with(k_good); }
};

}  // namespace

TEST_CASE("a fault proxy passes what it is not told to spoil, and counts", "[testing][integration]") {
    const Scene scene;
    const RawSocket one{scene.proxy.port()};
    CHECK(one.ask(k_get, k_enough).starts_with(k_good));
    {
        const RawSocket other{scene.proxy.port()};
        CHECK(other.ask(k_get, k_enough).starts_with(k_good));
        CHECK(scene.proxy.live() == 2);
    }
    CHECK(wait_until([&] { return scene.proxy.live() == 1; }));
    CHECK(scene.proxy.connections() == 2);
    const std::string whole = RawSocket{scene.proxy.port()}.ask("GET /numbers.txt HTTP/1.0\r\n\r\n", k_enough, 1 << 22);
    CHECK(whole.ends_with("EOF"));
    CHECK(whole.size() > 5000);
    CHECK(whole == RawSocket{scene.nginx.port()}.ask("GET /numbers.txt HTTP/1.0\r\n\r\n", k_enough, 1 << 22));
}

TEST_CASE("the door of a fault proxy: refuse, reset, close, silence, and open again on the same port", "[testing][integration]") {
    Scene scene;
    scene.proxy.set({.door = Door::refuse});
    CHECK(RawSocket{scene.proxy.port()}.connect_error(k_enough) == ECONNREFUSED);
    scene.proxy.set({.door = Door::reset});
    CHECK(RawSocket{scene.proxy.port()}.hear(k_enough) == "RST");
    scene.proxy.set({.door = Door::close});
    CHECK(scene.ask() == "EOF");
    scene.proxy.set({.door = Door::silent});
    CHECK(scene.ask(k_silence).empty());
    scene.proxy.set({.door = Door::refuse});
    CHECK(RawSocket{scene.proxy.port()}.connect_error(k_enough) == ECONNREFUSED);
    scene.proxy.clear();
    CHECK(scene.is_good());
    scene.nginx.kill();
    CHECK(RawSocket{scene.proxy.port()}.hear(k_enough) == "RST");
    scene.nginx.start();
    CHECK(scene.is_good());
}

TEST_CASE("a proxy that begins by refusing", "[testing][integration]") {
    const FaultProxy proxy{free_port(), {.door = Door::refuse}};
    CHECK(RawSocket{proxy.port()}.connect_error(k_enough) == ECONNREFUSED);
    CHECK(proxy.connections() == 0);
}

TEST_CASE("connections that stand are cut, stalled and half open", "[testing][integration]") {
    Scene scene;
    const RawSocket kept{scene.proxy.port()};
    REQUIRE(kept.ask(k_get, k_enough).starts_with(k_good));
    kept.hear(k_silence, 100'000);  // the rest of that answer

    SECTION("half open: what was said meanwhile comes when it is over") {
        scene.proxy.set({.half_open = true});
        CHECK(kept.ask(k_get, k_silence).empty());
        CHECK(scene.ask(k_silence).empty());
        scene.proxy.clear();
        CHECK(kept.hear(k_enough).starts_with(k_good));
    }
    SECTION("half open: that the peer has gone is not told") {
        scene.proxy.set({.half_open = true});
        scene.nginx.kill();
        CHECK(kept.hear(k_silence).empty());
        scene.proxy.clear();
        CHECK(kept.hear(k_enough) == "EOF");
    }
    SECTION("stalled: the server hears, the client does not") {
        scene.proxy.set({.stall_after = 0});
        CHECK(kept.ask(k_get, k_silence).empty());
        CHECK(wait_until([&] {
            const std::string log = scene.nginx.directory().read("access.log");
            const auto first = log.find("/hello.txt");
            return log.find("/hello.txt", first + 1) != std::string::npos;
        }));
        scene.proxy.clear();
        CHECK(kept.hear(k_enough).starts_with(k_good));
    }
    SECTION("cut") {
        scene.proxy.cut();
        CHECK(kept.hear(k_enough) == "RST");
        CHECK(scene.proxy.live() == 0);
    }
}

TEST_CASE("faults after so many bytes", "[testing][integration]") {
    Scene scene;
    scene.proxy.set({.stall_after = 5});
    CHECK(scene.ask(k_silence) == "HTTP/");
    scene.proxy.set({.close_after = 5});
    CHECK(scene.ask() == "HTTP/EOF");
    scene.proxy.set({.close_after = 0});
    CHECK(scene.ask() == "EOF");
    scene.proxy.set({.reset_after = 5});
    CHECK(scene.ask().ends_with("RST"));
    scene.proxy.set({.invert_at = 1});
    CHECK(scene.ask().starts_with("H\xabTP/1.1 200"));
}

TEST_CASE("what is slow and comes in pieces is whole", "[testing][integration]") {
    Scene scene;
    scene.proxy.set({.chunk = 1});
    CHECK(scene.is_good());

    scene.proxy.set({.delay = 150ms});
    auto begin = std::chrono::steady_clock::now();
    CHECK(scene.is_good());
    CHECK(std::chrono::steady_clock::now() - begin >= 300ms);  // each way; a slow machine only makes it longer

    scene.proxy.set({.bytes_per_second = 100});
    begin = std::chrono::steady_clock::now();
    CHECK(scene.ask(k_enough, 60).starts_with(k_good));
    CHECK(std::chrono::steady_clock::now() - begin >= 500ms);
}

TEST_CASE("a fault proxy leaves no descriptor and no thread behind", "[testing][integration]") {
    const Server nginx{"nginx"};
    std::thread{[] {}}.join();  // a sanitizer has a thread of its own from the first one on
    const auto descriptors = open_descriptors();
    const auto threads = count_threads();
    {
        FaultProxy proxy{nginx.port()};
        const RawSocket one{proxy.port()};
        CHECK(one.ask(k_get, k_enough).starts_with(k_good));
        proxy.set({.door = Door::silent});
        const RawSocket other{proxy.port()};
        CHECK(wait_until([&] { return proxy.live() == 2; }));
    }
    CHECK(open_descriptors() == descriptors);
    CHECK(count_threads() == threads);
}
