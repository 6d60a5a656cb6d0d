// SPDX-License-Identifier: Apache-2.0
// That the contract's suite sees what is broken: the scheme http, with one fault at a time.
#include <fcntl.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include <qconn/http/http_client.hpp>

#include "contract/connection_contract.hpp"
#include "support/black_hole.hpp"
#include "support/catch.hpp"
#include "support/free_port.hpp"
#include "support/http_use.hpp"
#include "support/server.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

const Scheme& good_scheme() { return *builtin_catalogue().find("http"); }

/// A contract that is kept, to be broken.
class Bench {
public:
    Bench() {
        const std::string local = "http://127.0.0.1:";
        contract.up = {"http://" + nginx_.address() + "/hello.txt"};
        contract.changed = {"http://" + nginx_.address() + "/1k.txt"};
        contract.use = http_get("");
        contract.answer = "hello\n";
        contract.changed_answer = std::string(1024, 'x');
        contract.refused = Down{{local + std::to_string(free_port())}, Phase::connect, Reason::refused};
        contract.silent = Absent{"tried with the others"};
        contract.wrong_password = Down{{"http://u:wrong@" + nginx_.address() + "/auth/hello.txt"}, Phase::auth, Reason::denied, PingDepth::auth};
        contract.bad_certificate = Absent{"without TLS there is no certificate"};
        contract.slow = SlowUse{.sample = {local + std::to_string(silent_.port())}, .reached = [this](int calls) {
                                    return count_ends_towards(silent_.port(), TcpState::established) >= static_cast<std::size_t>(calls);
                                }};
    }

    /// The promises that are broken, by name.
    std::set<std::string> broken() {
        // One option will do.
        std::erase_if(scheme.options, [](const OptionSpec& option) { return option.name != "timeout" && option.name != "headers"; });
        Catalogue catalogue;
        catalogue.add(scheme);
        contract.catalogue = &catalogue;
        std::set<std::string> names;
        all_ = broken_promises(contract);
        for (const Broken& one : all_) names.insert(one.promise);
        UNSCOPED_INFO(to_text(all_));
        return names;
    }

    Scheme scheme{good_scheme()};
    ConnectionContract contract;

private:
    Server nginx_{"nginx"};
    SilentServer silent_;
    std::vector<Broken> all_;
};

using Names = std::set<std::string>;

/// Does not say that its calls are under way.
class Careless : public Client {
public:
    explicit Careless(std::shared_ptr<Client> good) : good_{std::move(good)} {}
    std::string_view label() const noexcept override { return good_->label(); }
    Client& good() const noexcept { return *good_; }

private:
    std::shared_ptr<Client> good_;
};

}  // namespace

TEST_CASE("the suite finds nothing where nothing is broken", "[contract][integration]") { CHECK(Bench{}.broken() == Names{}); }

TEST_CASE("the suite sees parts of the contract that are left out", "[contract][integration]") {
    Bench bench;
    bench.contract.bad_certificate = {};
    bench.contract.slow = {};
    bench.contract.silent = Absent{};
    CHECK(bench.broken() == Names{"every part is described"});
}

TEST_CASE("the suite sees a ping that is up whatever happens", "[contract][integration]") {
    Bench bench;
    bench.scheme.make_ping = [](const ResolvedDefinition&, PingDepth, const Runtime&) -> PingPlan {
        return BlockingPing{[](Deadline) { return PingEvidence{"fine"}; }};
    };
    CHECK(bench.broken() == Names{"down with phase and reason"});
}

TEST_CASE("the suite sees a ping that fails with another phase, and at one depth", "[contract][integration]") {
    Bench bench;
    bench.scheme.make_ping = [](const ResolvedDefinition& definition, PingDepth depth, const Runtime& runtime) -> PingPlan {
        if (depth != PingDepth::full) return good_scheme().make_ping(definition, depth, runtime);
        return BlockingPing{[](Deadline) -> PingEvidence {
            throw Error{Errc::system, "ODD-ERROR", "out of order"}.with_phase(Phase::protocol).with_reason(Reason::refused);
        }};
    };
    CHECK(bench.broken() == Names{"up at every depth"});
    std::get<Down>(bench.contract.refused).depth = PingDepth::full;
    CHECK(bench.broken() == Names{"up at every depth", "down with phase and reason"});
}

TEST_CASE("the suite sees a secret that is told", "[contract][integration]") {
    Bench bench;
    bench.scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) {
        const Secret password = definition.url.password.value_or(Secret{"none"});
        runtime.log().write({.level = LogLevel::info, .connection = {}, .event = "made", .text = password.reveal(), .fields = {}});
        return good_scheme().make_client(definition, runtime);
    };
    CHECK(bench.broken() == Names{"no text shows a secret"});
}

TEST_CASE("the suite sees an option that no client is made with", "[contract][integration]") {
    Bench bench;
    bench.scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) {
        if (definition.options.find("headers") != nullptr) throw Error{Errc::system, "ODD-ERROR", "no headers, please"};
        return good_scheme().make_client(definition, runtime);
    };
    CHECK(bench.broken() == Names{"options are kept and make a client"});
}

TEST_CASE("the suite sees a call that cannot be cancelled", "[contract][integration]") {
    Bench bench;
    const Use good = bench.contract.use;
    bench.contract.use.asynchronous = [good](Client& client, Deadline deadline, Callback<std::string> callback) {
        good.asynchronous(client, deadline.is_never() ? Deadline{8s} : deadline, std::move(callback));
        return Operation{};
    };
    CHECK(bench.broken().contains("cancelling ends a slow call"));
}

TEST_CASE("the suite sees a call that ignores its deadline", "[contract][integration]") {
    Bench bench;
    const Use good = bench.contract.use;
    bench.contract.use.blocking = [good](Client& client, Deadline deadline) {
        return good.blocking(client, deadline.is_never() ? deadline : Deadline{deadline.remaining() + 6s});
    };
    CHECK(bench.broken() == Names{"a deadline ends a slow call"});
}

TEST_CASE("the suite sees a second callback", "[contract][integration]") {
    Bench bench;
    const Use good = bench.contract.use;
    bench.contract.use.asynchronous = [good](Client& client, Deadline deadline, Callback<std::string> callback) {
        auto shared = std::make_shared<Callback<std::string>>(std::move(callback));
        return good.asynchronous(client, deadline, [shared](Result<std::string> result) {
            (*shared)(result);
            if (!result && result.error().reason() == Reason::timeout) (*shared)(result);
        });
    };
    CHECK(bench.broken() == Names{"a deadline ends a slow call"});
}

TEST_CASE("the suite sees calls that end when a reload replaces their client", "[contract][integration]") {
    Bench bench;
    bench.scheme.clients = client_types<Careless>({"Careless"});
    bench.scheme.make_client = [](const ResolvedDefinition& definition, const Runtime& runtime) {
        return std::make_shared<Careless>(good_scheme().make_client(definition, runtime));
    };
    const Use good = bench.contract.use;
    bench.contract.use.blocking = [good](Client& client, Deadline deadline) {
        return good.blocking(dynamic_cast<Careless&>(client).good(), deadline);
    };
    bench.contract.use.asynchronous = [good](Client& client, Deadline deadline, Callback<std::string> callback) {
        return good.asynchronous(dynamic_cast<Careless&>(client).good(), deadline, std::move(callback));
    };
    const Names broken = bench.broken();
    CHECK(broken.contains("a reload ends no call"));
    for (const std::string& name : broken) CHECK((name == "a reload ends no call" || name == "reloads are followed"));
}

TEST_CASE("the suite sees a client that stays the old one, and one that is never closed", "[contract][integration]") {
    Bench bench;
    const auto first = std::make_shared<std::map<std::string, std::shared_ptr<Client>>>();
    bench.scheme.make_client = [first](const ResolvedDefinition& definition, const Runtime& runtime) {
        if (definition.name != "used") return good_scheme().make_client(definition, runtime);
        auto& client = (*first)[definition.name];
        if (!client) client = good_scheme().make_client(definition, runtime);
        return client;
    };
    CHECK(bench.broken() == Names{"reloads are followed", "nothing is left"});
    first->clear();
}

TEST_CASE("the suite sees a descriptor that is left", "[contract][integration]") {
    Bench bench;
    bench.scheme.make_client = [opened = 0](const ResolvedDefinition& definition, const Runtime& runtime) mutable {
        if (++opened == 10) ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        return good_scheme().make_client(definition, runtime);
    };
    CHECK(bench.broken() == Names{"nothing is left"});
}
