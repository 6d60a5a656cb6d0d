// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <utility>

#include <qconn/base/client.hpp>

#include "support/catch.hpp"

using namespace qconn;

namespace {

class Plain final : public Client {
public:
    std::string_view label() const noexcept override { return "plain"; }
    Callback<int> begin(Callback<int> callback = {}) const { return under_way(std::move(callback)); }
};

}  // namespace

TEST_CASE("a client without operations is idle", "[client]") {
    Plain client;
    client.begin()(1);
    CHECK_FALSE(client.when_idle([] { FAIL("nobody asked"); }));
}

TEST_CASE("a client is idle once the last of its operations has ended, also after the client", "[client]") {
    std::optional<Plain> client{std::in_place};
    int idle = 0;
    Callback<int> called = client->begin([&](Result<int>) { CHECK(idle == 0); });
    auto dropped = std::make_optional(client->begin());
    CHECK(client->when_idle([&] { ++idle; }));
    client.reset();

    called(1);
    CHECK(idle == 0);
    dropped.reset();
    CHECK(idle == 1);
}

TEST_CASE("what a callback holds goes before its operation has ended, also when it throws", "[client]") {
    Plain client;
    bool idle = false;
    struct Holds {
        explicit Holds(bool& flag) : idle{&flag} {}
        Holds(Holds&& other) noexcept : idle{std::exchange(other.idle, nullptr)} {}
        Holds& operator=(Holds&&) = delete;
        ~Holds() {
            if (idle) CHECK_FALSE(*idle);
        }
        bool* idle;
    };
    Callback<int> callback = client.begin([holds = Holds{idle}](const Result<int>&) { throw 1; });
    CHECK(client.when_idle([&] { idle = true; }));
    CHECK_THROWS_AS(callback(1), int);
    CHECK(idle);
}
