// SPDX-License-Identifier: Apache-2.0
#include "net/resolver.hpp"

#include <atomic>
#include <condition_variable>
#include <future>
#include <map>
#include <mutex>

#include <qconn/base/deadline.hpp>

#include "net/runtime_impl.hpp"
#include "support/catch.hpp"
#include "support/loop.hpp"
#include "support/wait.hpp"

using namespace qconn;
using namespace qconn::net;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// A name service whose answers are let go one by one.
class Names {
public:
    Resolver::Lookup lookup() {
        return [this](const std::string& host) { return answer(host); };
    }
    void open(const std::string& host) {
        const std::scoped_lock lock{mutex_};
        open_[host] = true;
        changed_.notify_all();
    }
    void shut(const std::string& host) {
        const std::scoped_lock lock{mutex_};
        open_[host] = false;
    }
    void fail(const std::string& host, Reason reason) {
        const std::scoped_lock lock{mutex_};
        failing_[host] = reason;
    }
    int asked(const std::string& host) {
        const std::scoped_lock lock{mutex_};
        return asked_[host];
    }
    void wait_until_asked(const std::string& host) {
        std::unique_lock lock{mutex_};
        if (!changed_.wait_for(lock, k_enough, [&] { return asked_[host] > 0; })) throw std::runtime_error{"never asked for " + host};
    }

private:
    Resolved answer(const std::string& host) {
        std::unique_lock lock{mutex_};
        ++asked_[host];
        changed_.notify_all();
        changed_.wait_for(lock, k_enough, [&] { return open_[host]; });
        if (const auto failing = failing_.find(host); failing != failing_.end()) return {nullptr, failing->second, "that is how it is"};
        if (host == "unknown") return {nullptr, Reason::unknown_host, "Name or service not known"};
        return {std::make_shared<const std::vector<Address>>(1, Address::literal("127.0.0.9").value())};
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, bool> open_;
    std::map<std::string, int> asked_;
    std::map<std::string, Reason> failing_;
};

struct Fixture {
    Names names;
    Runtime runtime{RuntimeOptions{}};
    Loop& loop{runtime.impl().loop()};

    struct Asked {
        std::unique_ptr<Resolver::Query> query;
        std::future<Resolved> answer;
    };
    Asked ask(Resolver& resolver, const std::string& host) {
        auto promise = std::make_shared<std::promise<Resolved>>();
        Asked asked;
        asked.answer = promise->get_future();
        asked.query =
            on_loop(loop, [&] { return resolver.resolve(host, loop, [promise](Resolved resolved) { promise->set_value(std::move(resolved)); }); });
        return asked;
    }
    void give_up(Asked& asked) {
        on_loop(loop, [&] { asked.query.reset(); });
    }
};

Resolved wait_for(std::future<Resolved>& answer) {
    REQUIRE(answer.wait_for(k_enough) == std::future_status::ready);
    return answer.get();
}

}  // namespace

TEST_CASE_METHOD(Fixture, "literals need no look-up", "[net][resolver]") {
    Resolver resolver{1, names.lookup()};

    const auto addresses = resolver.at_hand("::1");

    REQUIRE(addresses);
    CHECK(addresses->front().to_string() == "[::1]:0");
    CHECK(names.asked("::1") == 0);
}

TEST_CASE_METHOD(Fixture, "one look-up serves all who ask at the same time, and those who ask soon after", "[net][resolver]") {
    Resolver resolver{4, names.lookup()};
    auto first = ask(resolver, "a");
    auto second = ask(resolver, "a");
    names.wait_until_asked("a");
    auto third = ask(resolver, "a");

    names.open("a");

    CHECK(wait_for(first.answer).addresses);
    CHECK(wait_for(second.answer).addresses);
    CHECK(wait_for(third.answer).addresses);
    CHECK(resolver.at_hand("a"));
    auto later = ask(resolver, "a");
    CHECK(wait_for(later.answer).addresses);
    CHECK(names.asked("a") == 1);

    resolver.forget("a");
    CHECK_FALSE(resolver.at_hand("a"));
    auto anew = ask(resolver, "a");
    CHECK(wait_for(anew.answer).addresses);
    CHECK(names.asked("a") == 2);
}

TEST_CASE_METHOD(Fixture, "failures are told with their reason and not kept", "[net][resolver]") {
    Resolver resolver{1, names.lookup()};
    names.open("unknown");

    auto first = ask(resolver, "unknown");
    const auto failed = wait_for(first.answer);
    auto second = ask(resolver, "unknown");
    wait_for(second.answer);

    CHECK(failed.reason == Reason::unknown_host);
    CHECK(failed.words == "Name or service not known");
    CHECK(names.asked("unknown") == 2);
}

TEST_CASE_METHOD(Fixture, "a name service that fails takes no known address away", "[net][resolver]") {
    Resolver resolver{2, names.lookup()};
    names.open("a");
    auto first = ask(resolver, "a");
    CHECK_FALSE(wait_for(first.answer).stale);
    resolver.forget("a");
    names.fail("a", Reason::resolver);

    auto kept = ask(resolver, "a");
    const Resolved old = wait_for(kept.answer);
    REQUIRE(old.addresses);
    CHECK(old.addresses->front().to_string() == "127.0.0.9:0");
    CHECK(old.stale);
    CHECK(old.words == "that is how it is");
    CHECK_FALSE(resolver.at_hand("a"));  // it is asked for anew each time
    CHECK(names.asked("a") == 2);

    names.fail("a", Reason::unknown_host);  // an answer
    auto gone = ask(resolver, "a");
    CHECK(wait_for(gone.answer).reason == Reason::unknown_host);
    names.fail("a", Reason::resolver);
    auto nothing = ask(resolver, "a");
    CHECK(wait_for(nothing.answer).reason == Reason::resolver);
}

TEST_CASE_METHOD(Fixture, "a known address is used again where the name service is silent, and the late answer after that", "[net][resolver]") {
    Resolver resolver{1, names.lookup(), 20ms};
    names.open("a");
    auto first = ask(resolver, "a");
    wait_for(first.answer);
    resolver.forget("a");
    names.shut("a");

    auto kept = ask(resolver, "a");
    CHECK(wait_for(kept.answer).stale);
    give_up(kept);
    CHECK(resolver.hung() == 1);
    auto again = ask(resolver, "a");  // joins the look-up that hangs
    CHECK(wait_for(again.answer).stale);
    CHECK(names.asked("a") == 2);

    auto waits = ask(resolver, "a");
    names.open("a");
    CHECK(wait_for(waits.answer).addresses);
    REQUIRE(test::wait_until([&] { return resolver.at_hand("a") != nullptr; }, k_enough));
    for (auto* one : {&again, &waits}) give_up(*one);
}

TEST_CASE_METHOD(Fixture, "who gives up is not called, and the thread that hangs is replaced", "[net][resolver]") {
    Resolver resolver{1, names.lookup()};
    auto silent = ask(resolver, "silent");
    names.wait_until_asked("silent");

    give_up(silent);

    CHECK(resolver.hung() == 1);
    CHECK_THROWS_AS(silent.answer.get(), std::future_error);  // its promise went unkept with the callback
    // The one thread hangs and may not be replaced: its place is what limits the number of hung ones.
    auto refused = ask(resolver, "b");
    CHECK(wait_for(refused.answer).reason == Reason::resolver);

    names.open("silent");
    REQUIRE(test::wait_until([&] { return resolver.hung() == 0; }, k_enough));
    CHECK(resolver.at_hand("silent"));  // the late answer serves the next attempt
    names.open("b");
    auto works = ask(resolver, "b");
    CHECK(wait_for(works.answer).addresses);
}

TEST_CASE_METHOD(Fixture, "a hung look-up does not hold up another name", "[net][resolver]") {
    Resolver resolver{2, names.lookup()};
    names.open("b");
    auto silent = ask(resolver, "silent");
    names.wait_until_asked("silent");
    give_up(silent);

    auto other = ask(resolver, "b");

    CHECK(wait_for(other.answer).addresses);
    auto again = ask(resolver, "silent");  // joins the one that hangs
    CHECK(resolver.hung() == 0);
    names.open("silent");
    CHECK(wait_for(again.answer).addresses);
    CHECK(names.asked("silent") == 1);
}

TEST_CASE_METHOD(Fixture, "a look-up that is given up before its turn is not made", "[net][resolver]") {
    Resolver resolver{1, names.lookup()};
    auto busy = ask(resolver, "busy");
    names.wait_until_asked("busy");
    auto queued = ask(resolver, "queued");

    give_up(queued);
    names.open("busy");
    wait_for(busy.answer);
    names.open("last");
    auto last = ask(resolver, "last");
    wait_for(last.answer);

    CHECK(names.asked("queued") == 0);
    CHECK(resolver.hung() == 0);
}

TEST_CASE_METHOD(Fixture, "a resolver may go while look-ups hang", "[net][resolver]") {
    auto kept = std::make_shared<Names>();
    auto resolver = std::make_unique<Resolver>(1, [kept](const std::string& host) { return kept->lookup()(host); });
    auto asked = ask(*resolver, "silent");
    kept->wait_until_asked("silent");
    give_up(asked);

    resolver.reset();
    kept->open("silent");

    CHECK_THROWS_AS(asked.answer.get(), std::future_error);
}

TEST_CASE("the system's resolver knows this machine, and tells unknown names from a broken service", "[net][resolver]") {
    const auto local = Resolver::system_lookup("localhost");
    REQUIRE(local.addresses);
    CHECK_FALSE(local.addresses->empty());

    CHECK(Resolver::system_lookup("").reason == Reason::unknown_host);
    CHECK(Resolver::system_lookup(std::string{"a\0b", 3}).reason == Reason::unknown_host);
}
