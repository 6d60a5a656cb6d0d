// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <qconn/base/client.hpp>

#include "support/catch.hpp"

using namespace qconn;

namespace {

class Plain final : public Client {
public:
    std::string_view label() const noexcept override { return "plain"; }
    Callback<int> begin(Callback<int> callback = {}) const { return under_way(std::move(callback)); }
    void use(const Error* failure = nullptr) const {
        observed([&] {
            if (failure) throw Error{*failure};
        });
    }
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

TEST_CASE("who observes a client is told what its operations say of the remote end", "[client]") {
    const auto error = [](Phase phase, Reason reason) { return make_error(Errc::system, "it failed").with_phase(phase).with_reason(reason); };
    std::string told;
    std::optional<Plain> client{std::in_place};
    client->observe_uses([&](const Error* failure, const Transfer&) { told += failure ? to_string(failure->reason()) : "answered"; });
    client->observe_uses([&](const Error*, const Transfer&) { FAIL("there is one already"); });
    const auto of = [&](Phase phase, Reason reason) {
        const Error failure = error(phase, reason);
        told.clear();
        CHECK_THROWS_AS(client->use(&failure), Error);
        const std::string blocking = told;
        told.clear();
        client->begin()(failure);
        CHECK(told == blocking);
        return told;
    };

    client->use();
    CHECK(told == "answered");
    CHECK(of(Phase::resolve, Reason::unknown_host) == "unknown-host");
    CHECK(of(Phase::connect, Reason::refused) == "refused");
    CHECK(of(Phase::tls, Reason::certificate_expired) == "certificate-expired");
    CHECK(of(Phase::auth, Reason::denied) == "denied");
    CHECK(of(Phase::head, Reason::timeout) == "timeout");
    CHECK(of(Phase::body, Reason::reset) == "reset");
    CHECK(of(Phase::head, Reason::status) == "answered");
    CHECK(of(Phase::protocol, Reason::not_found) == "answered");
    CHECK(of(Phase::connect, Reason::local).empty());
    CHECK(of(Phase::head, Reason::cancelled).empty());
    CHECK(of(Phase::none, Reason::bad_value).empty());
    CHECK(of(Phase::secret, Reason::timeout).empty());

    Callback<int> late = client->begin();
    client.reset();
    told.clear();
    late(1);
    CHECK(told == "answered");
}
