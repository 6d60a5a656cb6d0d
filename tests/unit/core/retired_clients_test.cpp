// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <qconn/base/error.hpp>

#include "core/retired_clients.hpp"
#include "registry_scheme.hpp"
#include "support/catch.hpp"
#include "support/outcomes.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// What its calls end with is said by the test.
struct World {
    std::mutex mutex;
    std::deque<Callback<int>> calls;  // guarded by mutex, as the next
    std::vector<std::thread::id> destroyed_on;
    std::vector<std::string> logged;

    std::size_t destroyed() {
        const std::scoped_lock lock{mutex};
        return destroyed_on.size();
    }
    void answer() {
        std::unique_lock lock{mutex};
        Callback<int> call = std::move(calls.front());
        calls.pop_front();
        lock.unlock();
        call(1);
    }
};

class WaitingClient final : public Client {
public:
    explicit WaitingClient(std::shared_ptr<World> world) : world_{std::move(world)} {}
    ~WaitingClient() override {
        const std::scoped_lock lock{world_->mutex};
        world_->destroyed_on.push_back(std::this_thread::get_id());
    }
    std::string_view label() const noexcept override { return "waiting"; }
    void async_wait(Callback<int> callback) {
        const std::scoped_lock lock{world_->mutex};
        world_->calls.push_back(under_way(std::move(callback)));
    }

private:
    std::shared_ptr<World> world_;
};

struct House {
    House() {
        catalogue.add([this] {
            Scheme scheme = fake_scheme("wait", std::make_shared<FakeWorld>());
            scheme.clients = client_types<WaitingClient>({"WaitingClient"});
            scheme.make_client = [world = world](const ResolvedDefinition&, const Runtime&) { return std::make_shared<WaitingClient>(world); };
            return scheme;
        }());
        registry.emplace(RegistryOptions{.catalogue = &catalogue, .runtime = runtime});
        registry->add(FakeRegistry::definition("a", "wait://host0"));
    }
    void replace(int number) { registry->update(FakeRegistry::definition("a", "wait://host" + std::to_string(number))); }

    std::shared_ptr<World> world = std::make_shared<World>();
    Runtime runtime{RuntimeOptions{.log = Log{LogLevel::warning, [world = world](const LogRecord& record) {
                                                  const std::scoped_lock lock{world->mutex};
                                                  world->logged.emplace_back(record.event);
                                              }}}};
    Catalogue catalogue;
    std::optional<Registry> registry;
};

}  // namespace

TEST_CASE("a client that was replaced stays until its calls have ended", "[registry]") {
    House house;
    const auto ref = house.registry->get<WaitingClient>("a");
    Outcomes<int> outcomes;
    ref->async_wait(outcomes.callback());
    ref->async_wait(outcomes.callback());

    house.replace(1);
    CHECK(house.world->destroyed() == 0);
    CHECK(house.registry->retired_clients() == 1);
    CHECK(house.registry->info("a").retired_clients == 1);
    house.world->answer();
    CHECK(house.world->destroyed() == 0);
    house.world->answer();

    CHECK(outcomes.count() == 2);
    CHECK(house.registry->retired_clients() == 0);
    CHECK(house.registry->info("a").retired_clients == 0);
    CHECK(wait_until([&] { return house.world->destroyed() == 1; }, 10s));
}

TEST_CASE("a client without calls goes with its definition", "[registry]") {
    House house;
    const auto ref = house.registry->get<WaitingClient>("a");
    ref->async_wait({});
    house.world->answer();
    house.replace(1);
    CHECK(house.world->destroyed() == 1);
    CHECK(house.registry->retired_clients() == 0);
}

TEST_CASE("a client stays for its calls when its connection is disabled or removed", "[registry]") {
    House house;
    house.registry->get<WaitingClient>("a")->async_wait({});
    house.registry->disable("a");
    CHECK(house.registry->retired_clients() == 1);
    house.registry->remove("a");
    CHECK(house.world->destroyed() == 0);
    house.world->answer();
    CHECK(wait_until([&] { return house.world->destroyed() == 1; }, 10s));
}

TEST_CASE("the end of the registry is the end of the clients that it kept", "[registry]") {
    House house;
    house.registry->get<WaitingClient>("a")->async_wait({});
    house.replace(1);
    house.registry->get<WaitingClient>("a")->async_wait({});
    house.registry.reset();
    CHECK(house.world->destroyed() == 2);
    house.world->answer();  // those that end late find nothing to let go of
    house.world->answer();
}

TEST_CASE("whoever pins a client that was replaced can begin calls on it", "[registry]") {
    House house;
    auto pinned = house.registry->get<WaitingClient>("a").pin();
    house.replace(1);
    CHECK(house.registry->retired_clients() == 0);
    pinned->async_wait({});
    pinned.reset();
    CHECK(house.registry->retired_clients() == 1);
    house.world->answer();
    CHECK(wait_until([&] { return house.world->destroyed() == 1; }, 10s));
}

TEST_CASE("a callback that holds its client may be the last to let go of it", "[registry]") {
    House house;
    auto pinned = house.registry->get<WaitingClient>("a").pin();
    WaitingClient& client = *pinned;
    client.async_wait([pinned = std::move(pinned)](const Result<int>&) {});
    house.replace(1);
    house.world->answer();
    CHECK(wait_until([&] { return house.world->destroyed() == 1; }, 10s));
    const std::scoped_lock lock{house.world->mutex};
    CHECK(house.world->destroyed_on.front() != std::this_thread::get_id());  // not inside its own call
}

TEST_CASE("of the former clients of one connection the newest sixteen are kept", "[registry]") {
    House house;
    const auto ref = house.registry->get<WaitingClient>("a");
    for (std::size_t i = 0; i < core::RetiredClients::k_most + 2; ++i) {
        ref->async_wait({});
        house.replace(static_cast<int>(i) + 1);
    }
    CHECK(house.registry->retired_clients() == core::RetiredClients::k_most);
    CHECK(wait_until([&] { return house.world->destroyed() == 2; }, 10s));
    const std::scoped_lock lock{house.world->mutex};
    CHECK(house.world->logged == std::vector<std::string>{"retired-clients", "retired-clients"});
}

TEST_CASE("a client of open ends with its owner, whatever runs on it", "[registry]") {
    House house;
    auto own = house.registry->open<WaitingClient>("a");
    own->async_wait({});
    own.reset();
    CHECK(house.world->destroyed() == 1);
    CHECK(house.registry->retired_clients() == 0);
}
