// SPDX-License-Identifier: Apache-2.0
// Every call of each client cancelled, timed out and its client destroyed in every phase: it ends at once, tells the phase, and leaves nothing
// behind.
#include <fcntl.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cstdlib>
#include <future>

#include <qconn/rest/rest_client.hpp>
#include <qconn/rpc/rpc_client.hpp>

#include "http_fixture.hpp"
#include "support/black_hole.hpp"
#include "support/fd_count.hpp"
#include "support/name_service.hpp"
#include "support/tcp_table.hpp"

using namespace qconn;
using namespace qconn::test;
using namespace std::chrono_literals;

namespace {

/// A peer that stops answering in one phase.
struct Stuck {
    Phase phase;
    HttpOptions options;
    /// Whether that many calls have come so far.
    std::function<bool(int calls)> reached;
    /// How many at the same time that can tell apart.
    int most{2};
};

/// All the peers that are needed.
struct Peers {
    explicit Peers(const BlackHole& hole) : black_hole{hole} {}

    const BlackHole& black_hole;
    const std::size_t connecting_already{count_ends_towards(black_hole.port(), TcpState::syn_sent)};
    ScriptedServer silent_proxy{""};
    ScriptedServer silent_tls{""};
    ScriptedServer silent{""};
    ScriptedServer half_body{"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this much"};
    ScriptedServer redirecting{[](int, int request) {
        return std::optional<std::string>{request == 0 ? "HTTP/1.1 302 Found\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n" : ""};
    }};

    std::vector<Stuck> all() {
        const auto address = [](std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); };
        std::vector<Stuck> out;
        out.push_back({Phase::connect, options("http://" + address(black_hole.port()) + "/"), [this](int calls) {
                           return count_ends_towards(black_hole.port(), TcpState::syn_sent) >= connecting_already + static_cast<std::size_t>(calls);
                       }});
        out.push_back({Phase::proxy, options("https://shop.invalid/"), [this](int calls) { return silent_proxy.requests() >= calls; }});
        out.back().options.proxy = Proxy::parse("http://" + address(silent_proxy.port()));
        out.push_back(
            {Phase::tls, options("https://" + address(silent_tls.port()) + "/"), [this](int calls) { return silent_tls.heard() >= calls; }});
        out.push_back({Phase::head, options(silent.url()), [this](int calls) { return silent.requests() >= calls; }});
        out.push_back(
            {Phase::body, options(half_body.url()), [this](int calls) { return half_body.requests() >= calls && all_is_read(half_body.port()); }});
        out.push_back({Phase::redirect, options(redirecting.url()), [this](int calls) { return redirecting.requests() >= 2 * calls; }});
        return out;
    }
};

/// A client whose calls are tried.
struct Kind {
    std::string_view name;
    std::unique_ptr<HttpClient> (*make)(const HttpOptions&);
    /// @throws Error
    void (*call)(HttpClient&, Deadline);
    Operation (*start)(HttpClient&, Deadline, Callback<void>);
};

template <class T>
Callback<T> without_value(Callback<void> callback) {
    return [callback = std::make_shared<Callback<void>>(std::move(callback))](Result<T> result) {
        (*callback)(result ? Result<void>{} : Result<void>{result.error()});
    };
}

/// A POST like any other would be no reason to try again once it was sent.
const RpcCall k_rpc_call{.method = "x", .repeatable = true};

const Kind k_kinds[] = {
    {"HttpClient", [](const HttpOptions& o) { return std::make_unique<HttpClient>(o); }, [](HttpClient& c, Deadline d) { c.request({}, d); },
     [](HttpClient& c, Deadline d, Callback<void> callback) { return c.async_request({}, d, without_value<HttpResponse>(std::move(callback))); }},
    {"RestClient",
     [](const HttpOptions& o) -> std::unique_ptr<HttpClient> {
         RestOptions rest;
         static_cast<HttpOptions&>(rest) = o;
         return std::make_unique<RestClient>(rest);
     },
     [](HttpClient& c, Deadline d) { dynamic_cast<RestClient&>(c).call({}, d); },
     [](HttpClient& c, Deadline d, Callback<void> callback) {
         return dynamic_cast<RestClient&>(c).async_call({}, d, without_value<RestResponse>(std::move(callback)));
     }},
    {"RpcClient",
     [](const HttpOptions& o) -> std::unique_ptr<HttpClient> {
         RpcOptions rpc;
         static_cast<HttpOptions&>(rpc) = o;
         return std::make_unique<RpcClient>(rpc);
     },
     [](HttpClient& c, Deadline d) { dynamic_cast<RpcClient&>(c).call(k_rpc_call, d); },
     [](HttpClient& c, Deadline d, Callback<void> callback) {
         return dynamic_cast<RpcClient&>(c).async_call(k_rpc_call, d, without_value<Value>(std::move(callback)));
     }},
};

/// What came of the calls of one trial.
struct Trial {
    std::vector<Error> errors;
    std::string problem;
};

/// Far less than what would end a call by itself.
constexpr auto k_at_once = 5s;

/// The error of one call that nobody stops.
std::optional<Error> error_of(const Kind& kind, Form form, HttpClient& client, Deadline deadline) {
    try {
        if (form == Form::blocking) {
            kind.call(client, deadline);
            return std::nullopt;
        }
        Outcomes<void> outcomes;
        kind.start(client, deadline, outcomes.callback());
        if (!outcomes.wait(1)) return std::nullopt;
        outcomes.results().front().value();
    } catch (const Error& error) { return error; }
    return std::nullopt;
}

/// Of a limit of the call or of its options. Begins with a short one, which on a busy machine may end a call before it is where it should be.
Trial by_limit(const Kind& kind, Form form, const Stuck& stuck, bool of_the_options) {
    Trial trial;
    for (auto limit = 80ms; limit < k_at_once; limit *= 2) {
        HttpOptions options = stuck.options;
        if (of_the_options) (stuck.phase < Phase::head ? options.connect_timeout : options.timeout) = limit;
        const auto client = kind.make(options);
        const auto start = Clock::now();
        const std::optional<Error> error = error_of(kind, form, *client, of_the_options ? Deadline{} : Deadline{limit});
        const auto took = Clock::now() - start;
        if (!error) return {{}, "it did not fail"};
        trial.errors = {*error};
        if (took < limit) trial.problem = "it ended too early";
        if (took > limit + k_at_once) trial.problem = "it ended too late";
        if (error->phase() == stuck.phase || !trial.problem.empty()) break;
    }
    const std::string_view words = trial.errors.front().message();
    const std::string_view named = !of_the_options ? "the deadline" : stuck.phase < Phase::head ? "option connect_timeout" : "option timeout";
    if (words.find(named) == words.npos) trial.problem = "it does not name " + std::string{named};
    if (!trial.errors.front().retryable()) trial.problem = "it is not worth another try";
    return trial;
}

Trial by_deadline(const Kind& kind, Form form, const Stuck& stuck) { return by_limit(kind, form, stuck, false); }
Trial by_options(const Kind& kind, Form form, const Stuck& stuck) { return by_limit(kind, form, stuck, true); }

/// The end of asynchronous calls that somebody stops.
template <class Stop>
Trial after(Outcomes<void>& outcomes, std::size_t calls, const Stuck& stuck, Stop stop) {
    if (!wait_until([&] { return stuck.reached(static_cast<int>(calls)); })) return {{}, "they do not come so far"};
    if (outcomes.count() != 0) return {{}, "one of them ended by itself"};
    const auto start = Clock::now();
    stop();
    if (!outcomes.wait(calls)) return {{}, "not all of them ended"};
    Trial trial;
    if (Clock::now() - start > k_at_once) trial.problem = "they ended too late";
    for (const auto& result : outcomes.results()) {
        if (!result) trial.errors.push_back(result.error());
    }
    if (trial.errors.size() != calls) trial.problem = "not each of them failed once";
    return trial;
}

Trial by_cancelling(const Kind& kind, Form, const Stuck& stuck) {
    const auto client = kind.make(stuck.options);
    Outcomes<void> outcomes;
    Operation operation = kind.start(*client, {}, outcomes.callback());
    Trial trial = after(outcomes, 1, stuck, [&] {
        operation.cancel();
        operation.cancel();
    });
    if (!operation.done()) trial.problem = "it is not done";
    operation.cancel();
    if (outcomes.count() != 1) trial.problem = "it was cancelled twice";
    return trial;
}

Trial by_destroying(const Kind& kind, Form form, const Stuck& stuck) {
    auto client = kind.make(stuck.options);
    Outcomes<void> outcomes;
    std::vector<std::thread> callers;
    for (int i = 0; i < stuck.most; ++i) {
        if (form == Form::asynchronous)
            kind.start(*client, {}, outcomes.callback());
        else
            callers.emplace_back([&kind, used = client.get(), callback = outcomes.callback()]() mutable {
                const std::optional<Error> error = error_of(kind, Form::blocking, *used, {});
                callback(error ? Result<void>{*error} : Result<void>{});
            });
    }
    Trial trial = after(outcomes, static_cast<std::size_t>(stuck.most), stuck, [&] { client.reset(); });
    for (std::thread& caller : callers) caller.join();
    return trial;
}

struct Ending {
    std::string_view name;
    Reason reason;
    bool needs_operation;  // nothing but the asynchronous form has one
    Trial (*run)(const Kind&, Form, const Stuck&);
};

constexpr Ending k_endings[] = {
    {"a deadline", Reason::timeout, false, by_deadline},
    {"a time-out of the options", Reason::timeout, false, by_options},
    {"cancelling", Reason::cancelled, true, by_cancelling},
    {"destroying the client", Reason::cancelled, false, by_destroying},
};

/// Tries one ending of one form of one client in all the phases at the same time.
void try_ending(const Ending& ending, const Kind& kind, Form form, const std::vector<Stuck>& phases) {
    std::vector<std::future<Trial>> trials;
    for (const Stuck& stuck : phases) {
        trials.push_back(std::async(std::launch::async, [&ending, &kind, form, &stuck] { return ending.run(kind, form, stuck); }));
    }
    for (std::size_t i = 0; i < phases.size(); ++i) {
        const Trial trial = trials[i].get();
        CAPTURE(ending.name, kind.name, form == Form::blocking, to_string(phases[i].phase));
        CHECK(trial.problem == "");
        CHECK_FALSE(trial.errors.empty());
        for (const Error& error : trial.errors) {
            CAPTURE(error.what());
            CHECK(to_string(error.phase()) == to_string(phases[i].phase));
            CHECK(to_string(error.reason()) == to_string(ending.reason));
            CHECK(error.name() == (ending.reason == Reason::cancelled ? "CANCELLED" : "HTTP-CLIENT-TIMEOUT"));
            CHECK(error.connection() == "shop");
        }
    }
}

/// @param phases  makes them anew for each trial
template <class Phases>
void try_all(Phases phases) {
    for (const Ending& ending : k_endings) {
        for (const Kind& kind : k_kinds) {
            for (const Form form : {Form::blocking, Form::asynchronous}) {
                if (ending.needs_operation && form == Form::blocking) continue;
                phases([&](const std::vector<Stuck>& all) { try_ending(ending, kind, form, all); });
            }
        }
    }
}

}  // namespace

TEST_CASE("a deadline, a time-out, a cancellation and the end of the client end a call in every phase", "[http][rest][integration]") {
    const Runtime runtime;
    const BlackHole black_hole;
    const auto in_all_phases = [&black_hole](const auto& work) {
        Peers peers{black_hole};
        work(peers.all());
    };
    // Threads, OpenSSL and the like have descriptors of their own that stay.
    in_all_phases([](const std::vector<Stuck>& phases) {
        for (const Form form : {Form::blocking, Form::asynchronous}) try_ending(k_endings[0], k_kinds[0], form, phases);
    });
    const std::size_t before = open_descriptors();
    try_all(in_all_phases);
    CHECK(wait_until([&] { return open_descriptors() <= before; }));
}

TEST_CASE("a time-out of the call wins over that of the options", "[http][integration]") {
    const SilentServer silent;
    HttpClient client{options("http://127.0.0.1:" + std::to_string(silent.port()) + "/")};
    HttpRequest request;
    request.timeout = 100ms;
    CHECK(failure(client, Form::blocking, request, Deadline{20s}).message().find("silent for 100 ms") != std::string_view::npos);
}

TEST_CASE("a client may be destroyed from its own callback, and with a call never begun", "[http][integration]") {
    Responses outcomes;
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

    Responses at_once;
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
    Responses outcomes;
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
    const auto passed = run_in_own_network("[inside]");
    if (!passed) WARN("skipped: no right to make namespaces");
    CHECK(passed.value_or(true));
}

TEST_CASE("calls in the phase resolve", "[.inside]") {
    if (!has_own_network()) return;
    NameService dns;
    const Runtime runtime;

    int name = 0;
    const auto next_url = [&name] {
        return "http://shop-" + std::to_string(++name) + ".example.test/";
    };  // whoever asks for the same name waits for the same answer
    try_all([&](const auto& work) {
        // One call: calls that wait for one answer are not told apart.
        work({Stuck{Phase::resolve, options(next_url()), [&dns](int) { return dns.was_asked(); }, 1}});
        dns.answer(3);
    });

    // One stuck look-up holds up no other call of the same client.
    HttpClient client{options(next_url())};
    Responses outcomes;
    client.async_request({}, {}, outcomes.callback());
    SilentServer silent;
    HttpRequest elsewhere;
    elsewhere.path = "http://127.0.0.1:" + std::to_string(silent.port()) + "/";
    elsewhere.timeout = 100ms;
    CHECK(failure(client, Form::asynchronous, elsewhere, Deadline{20s}).phase() == Phase::head);
    CHECK(outcomes.count() == 0);
    dns.answer(3);
    REQUIRE(outcomes.wait(1));

    // A name service that fails is told from a name that it does not know, by what it says and not by how long that takes.
    for (const auto& [code, reason] : {std::pair{char{3}, Reason::unknown_host}, std::pair{char{2}, Reason::resolver}}) {
        for (const Form form : {Form::blocking, Form::asynchronous}) {
            HttpClient asking{options(next_url())};
            auto error = std::async(std::launch::async, [&asking, form] { return error_of(k_kinds[0], form, asking, {}); });
            REQUIRE(wait_until([&dns] { return dns.was_asked(); }));
            while (error.wait_for(1ms) != std::future_status::ready) dns.answer(code);
            const std::optional<Error> seen = error.get();
            REQUIRE(seen);
            INFO(seen->what());
            CHECK(to_string(seen->phase()) == "resolve");
            CHECK(to_string(seen->reason()) == to_string(reason));
            CHECK(seen->retryable());
        }
    }

    // All addresses of a name are tried, also the name of a proxy.
    ScriptedServer server{"HTTP/1.1 204 OK\r\n\r\n"};
    for (const Form form : {Form::blocking, Form::asynchronous}) {
        for (const bool by_proxy : {false, true}) {
            std::string url = next_url();
            url.back() = ':';
            HttpOptions there = options(url + std::to_string(server.port()) + "/");
            if (by_proxy) {
                there.proxy = Proxy::parse(there.url);
                there.url = "http://far.example.test/";
            }
            HttpClient asking{there};
            for (int i = 0; i < 2; ++i) {
                auto error = std::async(std::launch::async, [&asking, form] { return error_of(k_kinds[0], form, asking, Deadline{20s}); });
                while (error.wait_for(1ms) != std::future_status::ready) {
                    CHECK((i == 0 || !dns.was_asked()));  // not for a kept connection
                    dns.answer(0, "\x09\x01");
                }
                CHECK_FALSE(error.get());
            }
        }
    }
    CHECK(server.connections() == 4);

    // Look-ups that are given up keep a bounded number of threads.
    bool refused = false;
    for (int i = 0; i < 100 && !refused; ++i) {
        HttpClient asking{options(next_url())};
        const std::optional<Error> error = error_of(k_kinds[0], i % 2 == 0 ? Form::blocking : Form::asynchronous, asking, Deadline{20ms});
        REQUIRE(error);
        refused = error->reason() == Reason::resolver;
    }
    CHECK(refused);
}
