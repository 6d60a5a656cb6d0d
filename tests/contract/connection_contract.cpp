// SPDX-License-Identifier: Apache-2.0
#include "contract/connection_contract.hpp"

#include <algorithm>
#include <future>
#include <iostream>
#include <iterator>
#include <mutex>
#include <optional>
#include <set>
#include <sstream>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <typeindex>
#include <utility>

#include <qconn/core/plan.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/monitor/monitor.hpp>

#include "support/callers.hpp"
#include "support/document.hpp"
#include "support/event_log.hpp"
#include "support/fd_count.hpp"
#include "support/outcomes.hpp"
#include "support/temp_dir.hpp"
#include "support/wait.hpp"

namespace qconn::test {

namespace {

using namespace std::chrono_literals;

/// Far less than what a slow call would take by itself, and enough for a loaded machine.
constexpr auto k_at_once = 5s;
/// For what takes a moment.
constexpr auto k_enough = 30s;
/// For what has been told to end. A thread that hangs in the system's resolver has that long to come back.
constexpr auto k_to_end = 10s;
/// Calls of each form between two changes of a definition.
constexpr int k_rounds = 5;

using Part = std::variant<std::monostate, Absent, Down>;
constexpr std::pair<std::string_view, Part ConnectionContract::*> k_downs[] = {{"refused", &ConnectionContract::refused},
                                                                               {"silent", &ConnectionContract::silent},
                                                                               {"wrong_password", &ConnectionContract::wrong_password},
                                                                               {"bad_certificate", &ConnectionContract::bad_certificate}};

template <class... T>
std::string words(const T&... parts) {
    std::string text;
    (text.append(parts), ...);
    return text;
}

/// Collects what is broken of one promise.
class Report {
public:
    Report(std::string_view promise, std::vector<Broken>& all) : promise_{promise}, all_{all} {}
    bool check(bool kept, const std::string& how) {
        if (!kept) all_.push_back({std::string{promise_}, how});
        return kept;
    }

private:
    std::string_view promise_;
    std::vector<Broken>& all_;
};

/// @throws std::runtime_error where the sample is no definition
Definition definition_of(const std::string& name, const Sample& sample) {
    const std::string text = document(name, sample.url, sample.options);
    ParsedDefinitions parsed = parse_definitions(text, name + ".qconn.yaml");
    if (parsed.definitions.size() != 1) throw std::runtime_error{"a sample is no definition:\n" + text};
    return std::move(parsed.definitions.front());
}

/// What is logged.
class LogText {
public:
    LogSink sink() {
        return [state = state_](const LogRecord& record) {
            const std::scoped_lock lock{state->mutex};
            state->text.append(record.connection).append(" ").append(record.text).append("\n");
            for (const auto& [name, value] : record.fields) state->text.append(name).append("=").append(value).append("\n");
        };
    }
    std::string text() const {
        const std::scoped_lock lock{state_->mutex};
        return state_->text;
    }

private:
    struct State {
        std::mutex mutex;
        std::string text;
    };
    std::shared_ptr<State> state_{std::make_shared<State>()};
};

/// A registry on a runtime of its own over a directory of definitions.
struct House {
    explicit House(const ConnectionContract& contract)
        : registry{std::in_place, RegistryOptions{.catalogue = contract.catalogue, .runtime = runtime}} {}

    void write(const Definition& definition) const { directory.write(definition.name + ".qconn.yaml", to_yaml(definition)); }
    void write(const std::string& name, const Sample& sample) const { write(definition_of(name, sample)); }
    LoadReport load() { return std::exchange(loaded, true) ? registry->reload() : registry->load(directory.path()); }
    /// Its own client of a definition that is written and loaded now.
    std::shared_ptr<Client> client(const std::string& name, const Sample& sample) {
        write(name, sample);
        load();
        return registry->open<Client>(name);
    }

    TempDir directory;
    LogText log;
    Runtime runtime{RuntimeOptions{.log = Log{LogLevel::debug, log.sink()}}};
    std::shared_ptr<void> hold;
    std::optional<Registry> registry;
    bool loaded{false};
};

std::string text_of(const PingResult& result) {
    std::string text = result.error ? result.error->what() : "ok";
    for (const PingStep& step : result.steps) text += words("\n", to_string(step.phase), ": ", step.evidence);
    return text;
}

/// Either form of a call.
Result<std::string> outcome(const Use& use, bool blocking, Client& client, Deadline deadline) {
    try {
        if (blocking) return use.blocking(client, deadline);
        Outcomes<std::string> outcomes;
        use.asynchronous(client, deadline, outcomes.callback());
        if (outcomes.wait(1)) return outcomes.results().front();
        return Error{Errc::system, "NO-CALLBACK", "the callback did not come"};
    } catch (const Error& error) { return error; }
}

/// The forms that there are: blocking or not.
std::vector<bool> forms(const Use& use) { return use.asynchronous ? std::vector<bool>{true, false} : std::vector<bool>{true}; }
std::string_view name_of_form(bool blocking) { return blocking ? "the blocking call" : "the asynchronous call"; }

// ---- Open, ping, options, secrets ----

void is_described(const ConnectionContract& contract, Report& report) {
    for (const auto& [name, part] : k_downs) {
        const Part& stated = contract.*part;
        report.check(!std::holds_alternative<std::monostate>(stated), words(name, " is not given, nor said to be absent"));
        if (const auto* absent = std::get_if<Absent>(&stated)) report.check(!absent->why.empty(), words(name, " is absent without a reason"));
    }
    report.check(!std::holds_alternative<std::monostate>(contract.slow), "slow is not given, nor said to be absent");
    report.check(contract.answer != contract.changed_answer, "the changed definition answers as the other");
}

void opens(const ConnectionContract& contract, Report& report) {
    House house{contract};
    for (const auto& [sample, answer] : {std::pair{contract.up, contract.answer}, std::pair{contract.changed, contract.changed_answer}}) {
        const auto client = house.client("open", sample);
        report.check(client->label() == "open", words("the client's label is '", client->label(), "', not the connection's name"));
        for (const bool blocking : forms(contract.use)) {
            const auto seen = outcome(contract.use, blocking, *client, k_enough);
            report.check(seen && *seen == answer, words(name_of_form(blocking), " of ", sample.url, ": ", seen ? *seen : seen.error().what()));
        }
    }
}

void is_up(const ConnectionContract& contract, Report& report) {
    House house{contract};
    house.write("up", contract.up);
    house.load();
    for (const PingDepth depth : {PingDepth::standard, PingDepth::connect, PingDepth::tls, PingDepth::auth, PingDepth::full}) {
        const PingResult result = house.registry->ping("up", depth, k_enough, true);
        report.check(result.ok && !result.error && !result.inconclusive, words("depth ", to_string(depth), ": ", text_of(result)));
        report.check(!result.steps.empty(), words("depth ", to_string(depth), ": no step is told"));
    }
}

void is_down(const ConnectionContract& contract, Report& report) {
    for (const auto& [what, part] : k_downs) {
        const auto* down = std::get_if<Down>(&(contract.*part));
        if (down == nullptr) continue;
        House house{contract};
        const std::string name{what};
        house.write(name, down->sample);
        house.load();
        const auto expected = words(what, ", expected ", to_string(down->phase), " ", to_string(down->reason), ": ");

        const auto begun = Clock::now();
        const PingResult result = house.registry->ping(name, down->depth, down->limit, true);
        report.check(Clock::now() - begun < down->limit + k_at_once, expected + "its ping took too long");
        if (!report.check(!result.ok && !result.inconclusive && result.error, expected + text_of(result))) continue;
        const Error& error = *result.error;
        const auto seen = words(to_string(error.phase()), " ", to_string(error.reason()), ", ", error.what());
        report.check(error.phase() == down->phase && error.reason() == down->reason, expected + seen);
        report.check(error.connection() == name && !error.name().empty(), expected + "connection or name is missing: " + seen);

        Monitor monitor{*house.registry, MonitorOptions{.interval = 0ms, .timeout = down->limit, .fall = 1, .depth = down->depth}};
        EventLog events;
        const auto listening = monitor.subscribe(events.listener());
        monitor.start();
        monitor.ping(name, k_enough);
        const bool told = wait_until([&] { return events.has(EventKind::down, name); }, k_enough);
        const Event event = events.last(EventKind::down, name);
        report.check(told && event.phase == down->phase && event.reason == down->reason, expected + "the monitor tells " + event.error);
    }
}

const Catalogue& catalogue_of(const ConnectionContract& contract) { return contract.catalogue ? *contract.catalogue : builtin_catalogue(); }

const Scheme& scheme_of(const ConnectionContract& contract) {
    const Scheme* found = catalogue_of(contract).find(definition_of("x", contract.up).scheme());
    if (found == nullptr) throw std::runtime_error{"the catalogue does not know the scheme of " + contract.up.url};
    return *found;
}

/// Those that are tried one by one.
std::vector<OptionSpec> own_options(const ConnectionContract& contract) {
    std::vector<OptionSpec> own = scheme_of(contract).options;
    const Scheme* base = contract.options_beyond.empty() ? nullptr : catalogue_of(contract).find(contract.options_beyond);
    if (base == nullptr) return own;
    std::erase_if(own, [base](const OptionSpec& one) {
        return std::any_of(base->options.begin(), base->options.end(), [&one](const OptionSpec& other) {
            return other.name == one.name && other.type == one.type && other.fallback == one.fallback && other.fallback_text == one.fallback_text &&
                   other.example == one.example && other.aliases == one.aliases && other.sensitive == one.sensitive;
        });
    });
    return own;
}

/// That option over those that the connection needs; a reference to a secret is no value yet.
Definition with_option(const ConnectionContract& contract, const OptionSpec& option) {
    Definition out = definition_of(option.name, contract.up);
    if (const auto found = contract.samples.find(option.name); found != contract.samples.end()) {
        const Sample& sample = found->second;
        if (!sample.url.empty()) return definition_of(option.name, sample);
        for (const auto& [name, value] : definition_of(option.name, {contract.up.url, sample.options}).options) out.options.set(name, value);
    } else {
        const bool reference = option.example.is_string() && option.example.as_string().find("${") != std::string_view::npos;
        out.options.set(option.name, reference ? Value{"sample"} : option.example);
    }
    return out;
}

void is_read_back(const Definition& definition, Report& report) {
    const std::string text = to_yaml(definition);
    const ParsedDefinitions parsed = parse_definitions(text, "written.qconn.yaml");
    report.check(parsed.diagnostics.empty() && parsed.definitions.size() == 1 && parsed.definitions.front() == definition,
                 "it is not read back as it was:\n" + text);
}

void keeps_options(const ConnectionContract& contract, Report& report) {
    const Scheme& scheme = scheme_of(contract);
    Definition everything = definition_of("everything", {scheme.example_url});
    for (const OptionSpec& option : scheme.options) everything.options.set(option.name, option.example);
    is_read_back(everything, report);
    Diagnostics findings;
    catalogue_of(contract).check(everything, findings);
    for (const Diagnostic& one : findings)  // those are of examples that exclude each other
        report.check(one.code == "unused-option" || one.code == "conflicting-options", "of all examples: " + render(one));

    const std::vector<OptionSpec> single = own_options(contract);
    report.check(!single.empty() || !contract.options_beyond.empty(), "no option is tried");
    House house{contract};
    for (const OptionSpec& option : single) {
        const Definition definition = with_option(contract, option);
        is_read_back(definition, report);
        house.write(definition);
    }
    house.load();
    for (const OptionSpec& option : single) {
        const std::string& name = option.name;
        const ConnectionInfo info = house.registry->info(name);
        if (!report.check(info.validity == Validity::valid, words("option ", name, ": ", info.problem))) continue;
        const Definition written = with_option(contract, option);
        const Definition loaded = house.registry->definition(name);
        const Value* given = written.options.find(name);
        const Value* value = loaded.options.find(name);
        report.check(given && value && *given == *value, words("option ", name, " is loaded with another value"));
        try {
            report.check(house.registry->open<Client>(name) != nullptr, words("option ", name, ": no client"));
        } catch (const Error& error) { report.check(false, words("option ", name, ": ", error.what())); }
    }
}

std::optional<Value> canary_for(const OptionSpec& option) {
    if (!option.sensitive) return std::nullopt;
    switch (option.type) {
        case OptionType::map: return Value{Map{{"X-Key", k_canary}}};
        case OptionType::list: return Value{List{k_canary}};
        case OptionType::string:
        case OptionType::data:
        case OptionType::any: return Value{k_canary};
        default: return std::nullopt;
    }
}

/// With a user and the canary for a password.
std::string url_with_canary(std::string url) {
    const std::size_t start = url.find("://") + 3;
    const std::size_t at = url.find('@', start);
    if (at < url.find('/', start)) url.erase(start, at + 1 - start);
    return url.insert(start, words("edi:", k_canary, "@"));
}

/// The canary in every place: in each sensitive option alone, in all of them, and in the URL.
std::vector<Definition> with_canaries(const ConnectionContract& contract) {
    std::vector<Definition> all;
    const auto add = [&all](Definition definition) {
        definition.name = "canary-" + std::to_string(all.size());
        all.push_back(std::move(definition));
    };
    std::vector<Sample> bases{contract.up};
    for (const auto& [what, part] : k_downs) {
        if (const auto* down = std::get_if<Down>(&(contract.*part))) bases.push_back(down->sample);
    }
    const std::vector<OptionSpec> single = own_options(contract);
    const auto is_single = [&single](const OptionSpec& option) {
        return std::any_of(single.begin(), single.end(), [&](const OptionSpec& one) { return one.name == option.name; });
    };
    for (const Sample& base : bases) {
        const Definition plain = definition_of("x", base);
        Definition by_url = plain;
        by_url.url = url_with_canary(plain.url);
        Definition by_all = by_url;
        for (const OptionSpec& option : scheme_of(contract).options) {
            const auto canary = canary_for(option);
            if (!canary) continue;
            by_all.options.set(option.name, *canary);
            if (&base != &bases.front() || !is_single(option)) continue;
            Definition alone = plain;
            alone.options.set(option.name, *canary);
            add(std::move(alone));
        }
        add(std::move(by_url));
        add(std::move(by_all));
    }
    for (const Sample& sample : contract.with_canary) add(definition_of("x", sample));
    return all;
}

/// Everything that is told of one connection.
std::string told_of(House& house, const ConnectionContract& contract, Monitor& monitor, const std::string& name) {
    constexpr auto limit = 500ms;
    const ConnectionInfo info = house.registry->info(name);
    std::string told = words(info.url, info.description, info.problem, qconn::to_text(info.options), "\n");
    const auto note = [&told](const auto& work) {
        try {
            work();
        } catch (const Error& error) { told += words(error.what(), "\n"); }
    };
    for (const PingDepth depth : {PingDepth::standard, PingDepth::full})
        note([&] { told += text_of(house.registry->ping(name, depth, limit, true)) + "\n"; });
    note([&] { told += text_of(monitor.ping(name, limit)) + "\n"; });
    told += monitor.status(name).error;
    note([&] {
        const auto client = house.registry->open<Client>(name);
        told += client->label();
        for (const bool blocking : forms(contract.use)) {
            const auto seen = outcome(contract.use, blocking, *client, limit);
            if (!seen) told += words(seen.error().what(), "\n");
        }
    });
    return told;
}

void keeps_secrets(const ConnectionContract& contract, Report& report) {
    House house{contract};
    std::vector<Definition> all = with_canaries(contract);
    for (const Definition& definition : all) house.write(definition);
    std::string told;
    const auto add_findings = [&told](const Diagnostics& findings) {
        for (const Diagnostic& one : findings) told += render(one);
    };
    add_findings(house.load().diagnostics);
    {
        EventLog events;
        Monitor monitor{*house.registry, MonitorOptions{.interval = 0ms, .timeout = 500ms, .fall = 1}};
        const auto listening = monitor.subscribe(events.listener());
        monitor.start();
        for (const Definition& definition : all) told += told_of(house, contract, monitor, definition.name);
        for (const Alert& alert : monitor.alerts()) told += alert.text;
        for (const Event& event : events.events()) told += words(event.error, "\n");
    }
    for (Definition& definition : all) {
        for (const OptionSpec& option : scheme_of(contract).options) {
            if (Value* value = definition.options.find(option.name); option.sensitive && value && value->is_string()) *value = words(k_canary, "-2");
        }
        house.write(definition);
    }
    const Plan plan = house.registry->plan();
    for (const Plan::Connection& connection : plan.connections) {
        told += connection.problem;
        for (const Plan::Change& change : connection.changes)
            told += words(change.what, ": ", qconn::to_text(change.before), " ", qconn::to_text(change.after), "\n");
    }
    add_findings(plan.diagnostics);
    told += house.log.text();
    std::istringstream lines{told};
    for (std::string line; std::getline(lines, line);) report.check(line.find(k_canary) == std::string::npos, line);
}

// ---- Slow calls ----

/// A client of a peer that does not answer.
struct Slow {
    Slow(const ConnectionContract& all, const SlowUse& slow) : contract{all}, slow_use{slow}, house{all} {
        if (slow.hold) house.hold = slow.hold(house.runtime);
        client = house.client("slow", slow.sample);
    }

    Operation begin(Deadline deadline = {}) { return contract.use.asynchronous(*client, deadline, outcomes.callback()); }
    void reach(int calls, Report& report) {
        const auto& reached = slow_use.reached;
        report.check(!reached || wait_until([&] { return reached(calls); }, k_enough), "its calls do not come so far");
        report.check(outcomes.count() == 0, "a call ended by itself");
    }
    /// All of them come, once each, soon after `stopped`.
    void expect(std::size_t calls, Reason reason, Clock::time_point stopped, std::string_view what, Report& report) {
        if (!report.check(outcomes.wait(calls), words(what, ": not every call ended"))) return;
        report.check(Clock::now() - stopped < k_at_once, words(what, ": it waited for the peer"));
        for (const auto& result : outcomes.results()) expect(result, reason, what, report);
    }
    static void expect(const Result<std::string>& result, Reason reason, std::string_view what, Report& report) {
        if (!report.check(!result, words(what, ": it was answered"))) return;
        const Error& error = result.error();
        report.check(error.reason() == reason && error.connection() == "slow" && !error.name().empty(),
                     words(what, ", expected ", to_string(reason), ": ", to_string(error.reason()), ", ", error.what()));
    }

    const ConnectionContract& contract;
    const SlowUse& slow_use;
    Outcomes<std::string> outcomes;
    House house;
    std::shared_ptr<Client> client;
};

/// Tries `work` on a slow client, then sees that no callback came a second time until everything had gone.
template <class Work>
void with_slow(const ConnectionContract& contract, Report& report, Work work) {
    const auto* slow_use = std::get_if<SlowUse>(&contract.slow);
    if (slow_use == nullptr) return;
    std::optional<Slow> slow{std::in_place, contract, *slow_use};
    Outcomes<std::string> outcomes = slow->outcomes;
    const std::size_t calls = work(*slow);
    slow.reset();
    report.check(outcomes.wait_for_the_last(), "a callback is kept when its client is gone");
    report.check(outcomes.count() == calls, words(std::to_string(calls), " calls had ", std::to_string(outcomes.count()), " callbacks"));
}

void cancels(const ConnectionContract& contract, Report& report) {
    if (!contract.use.asynchronous) return;
    with_slow(contract, report, [&](Slow& slow) {
        Operation early = slow.begin();
        early.cancel();
        slow.expect(1, Reason::cancelled, Clock::now(), "cancelled as soon as it was begun", report);
        slow.outcomes.forget();

        Operation operation = slow.begin();
        slow.reach(1, report);
        report.check(!operation.done(), "it is done before it ended");
        const auto stopped = Clock::now();
        operation.cancel();
        operation.cancel();
        slow.expect(1, Reason::cancelled, stopped, "cancelled", report);
        report.check(operation.done(), "it is not done when it has ended");
        operation.cancel();
        early.cancel();
        return std::size_t{1};
    });
}

void heeds_deadlines(const ConnectionContract& contract, Report& report) {
    constexpr auto limit = 200ms;
    with_slow(contract, report, [&](Slow& slow) -> std::size_t {
        if (slow.slow_use.blocking_ignores_deadline.empty()) {
            const auto begun = Clock::now();
            auto call = std::async(std::launch::async, [&] { return outcome(contract.use, true, *slow.client, limit); });
            if (call.wait_for(k_enough) != std::future_status::ready)
                std::cerr << "a blocking call with a deadline of " << limit.count() << " ms has not ended: " << slow.slow_use.sample.url << std::endl;
            const auto result = call.get();
            const auto took = Clock::now() - begun;
            report.check(took < limit + k_at_once, "the blocking call waited for the peer");
            report.check(took >= limit, "the blocking call ended before its deadline");
            Slow::expect(result, Reason::timeout, "the blocking call", report);
        }
        if (!contract.use.asynchronous) return 0;
        const auto begun = Clock::now();
        slow.begin(limit);
        slow.expect(1, Reason::timeout, begun + limit, "the asynchronous call", report);
        report.check(Clock::now() - begun >= limit, "the asynchronous call ended before its deadline");
        return 1;
    });
}

void ends_with_its_client(const ConnectionContract& contract, Report& report) {
    with_slow(contract, report, [&](Slow& slow) -> std::size_t {
        std::vector<std::thread> callers;
        int calls = 0;
        for (int i = 0; i < 2; ++i) {
            if (contract.use.asynchronous && ++calls > 0) slow.begin();
            if (!slow.slow_use.blocking_holds_client.empty()) continue;
            ++calls;
            callers.emplace_back([&contract, client = slow.client.get(), callback = slow.outcomes.callback()]() mutable {
                callback(outcome(contract.use, true, *client, {}));
            });
        }
        if (calls > 0) slow.reach(calls, report);
        const auto stopped = Clock::now();
        slow.client.reset();
        slow.expect(static_cast<std::size_t>(calls), Reason::cancelled, stopped, "its client has gone", report);
        for (std::thread& caller : callers) caller.join();
        return static_cast<std::size_t>(calls);
    });
}

/// A ping under way ends with its monitor.
void closes_a_ping(const ConnectionContract& contract, const Down& silent, Report& report) {
    Outcomes<PingResult> pings;
    {
        House house{contract};
        house.write("silent", silent.sample);
        house.load();
        std::optional<Monitor> monitor{std::in_place, *house.registry, MonitorOptions{.interval = 0ms, .timeout = 10min, .depth = silent.depth}};
        monitor->start();
        monitor->async_ping("silent", {}, pings.callback());
        const auto stopped = Clock::now();
        monitor.reset();
        report.check(pings.wait(1), "the ping did not end with the monitor");
        report.check(Clock::now() - stopped < k_at_once, "the monitor waited for the peer");
    }
    report.check(pings.count() == 1, "the ping had more than one callback");
}

void closes(const ConnectionContract& contract, Report& report) {
    if (const auto* silent = std::get_if<Down>(&contract.silent)) closes_a_ping(contract, *silent, report);
    if (!contract.use.asynchronous) return;
    with_slow(contract, report, [&](Slow& slow) {
        slow.begin();
        slow.reach(1, report);
        const auto stopped = Clock::now();
        slow.house.registry.reset();
        report.check(Clock::now() - stopped < k_at_once, "the registry waited for the peer");
        report.check(slow.outcomes.count() == 0, "the registry took a client with it that is held");
        slow.client.reset();
        slow.expect(1, Reason::cancelled, stopped, "registry and client have gone", report);
        return std::size_t{1};
    });
}

// ---- Reload ----

/// Calls that were begun through a Ref, on a client that nobody pins.
void spares_calls(const ConnectionContract& contract, Report& report) {
    if (!contract.use.asynchronous || scheme_of(contract).sharing == Sharing::exclusive) return;
    with_slow(contract, report, [&](Slow& slow) {
        Registry& registry = *slow.house.registry;
        slow.client.reset();
        const auto ref = registry.get<Client>("slow");
        Operation one = contract.use.asynchronous(*ref.pin(), {}, slow.outcomes.callback());
        const Operation other = contract.use.asynchronous(*ref.pin(), {}, slow.outcomes.callback());
        slow.reach(2, report);

        slow.house.write("slow", contract.changed);
        report.check(slow.house.load().updated == 1, "the reload took nothing over");
        report.check(registry.retired_clients() == 1, "the former client was not kept for its calls");
        const auto seen = outcome(contract.use, true, *ref.pin(), k_enough);
        report.check(seen && *seen == contract.changed_answer, words("a call after the reload: ", seen ? *seen : seen.error().what()));
        registry.remove("slow");
        // A call is held a moment longer than until its callback.
        const bool one_left = wait_until([&] { return registry.retired_clients() == 1; }, 2s);
        report.check(one_left && slow.outcomes.count() == 0, "a call ended with the removal");

        auto stopped = Clock::now();
        one.cancel();
        slow.expect(1, Reason::cancelled, stopped, "cancelled on a former client", report);
        report.check(registry.retired_clients() == 1 && !other.done(), "one call ended the other");
        stopped = Clock::now();
        slow.house.registry.reset();
        slow.expect(2, Reason::cancelled, stopped, "the registry has gone", report);
        return std::size_t{2};
    });
}

void follows_reloads(const ConnectionContract& contract, Report& report) {
    if (scheme_of(contract).sharing == Sharing::exclusive) return;
    House house{contract};
    house.write("used", contract.up);
    house.load();
    const auto held = house.registry->get<Client>("used");
    Callers callers{*house.registry, "used", contract.use, k_enough};
    auto go_on = [&, rounds = 0]() mutable {
        rounds += k_rounds;
        return report.check(wait_until([&] { return callers.rounds() >= rounds; }, k_enough), "calls do not go on");
    };
    if (!go_on()) return;

    for (int i = 0; i < 12; ++i) {
        const bool changed = i % 2 == 0;
        const Sample& sample = changed ? contract.changed : contract.up;
        if (i < 8) {
            house.write("used", sample);
            const LoadReport loaded = house.registry->reload();
            report.check(loaded.ok() && loaded.updated == 1, "the reload took nothing over");
        } else {
            house.registry->update(definition_of("used", sample));
        }
        const auto seen = outcome(contract.use, true, *held.pin(), k_enough);
        if (!report.check(seen && *seen == (changed ? contract.changed_answer : contract.answer),
                          words("a held Ref after a ", i < 8 ? "reload: " : "update: ", seen ? *seen : seen.error().what())))
            break;
        if (!go_on()) return;
    }
    const Tally tally = callers.tally();
    for (const auto& [answer, count] : tally.answers)
        report.check(answer == contract.answer || answer == contract.changed_answer, "a call got neither the old nor the new answer: " + answer);
    for (const auto& [kind, text] : tally.texts) report.check(false, "a call failed: " + text);

    house.registry->remove("used");
    if (!report.check(wait_until([&] { return callers.tally().failures.size() > tally.failures.size(); }, k_enough), "calls outlive a removal"))
        return;
    for (const auto& [kind, text] : callers.tally().texts) {
        if (!tally.texts.contains(kind)) report.check(text.find("CONNECTION-REMOVED") != std::string::npos, "a call after the removal: " + text);
    }
}

// ---- All of them ----

struct Promise {
    std::string_view name;
    void (*run)(const ConnectionContract&, Report&);
};

constexpr Promise k_promises[] = {
    {"every part is described", is_described},
    {"a definition opens and its client answers", opens},
    {"up at every depth", is_up},
    {"down with phase and reason", is_down},
    {"options are kept and make a client", keeps_options},
    {"no text shows a secret", keeps_secrets},
    {"cancelling ends a slow call", cancels},
    {"a deadline ends a slow call", heeds_deadlines},
    {"slow calls end with their client", ends_with_its_client},
    {"closing waits for no peer", closes},
    {"a reload ends no call", spares_calls},
    {"reloads are followed", follows_reloads},
};

void run(const Promise& promise, const ConnectionContract& contract, std::vector<Broken>& all) {
    Report report{promise.name, all};
    try {
        promise.run(contract, report);
    } catch (const std::exception& error) { report.check(false, words("it threw ", error.what())); }
}

/// What the process has, to compare.
struct Left {
    std::vector<std::string> descriptors{list_descriptors()};
    std::vector<std::string> threads{list_threads()};

    /// Names what is there now and was not before.
    std::string more() const {
        if (wait_until([&] { return open_descriptors() <= descriptors.size() && count_threads() <= threads.size(); }, k_to_end)) return {};
        std::string text;
        const auto add = [&text](const std::vector<std::string>& now, const std::vector<std::string>& before) {
            std::vector<std::string> added;
            std::set_difference(now.begin(), now.end(), before.begin(), before.end(), std::back_inserter(added));
            for (const std::string& one : added) text += one + "; ";
        };
        add(list_descriptors(), descriptors);
        add(list_threads(), threads);
        return text;
    }
};

}  // namespace

std::vector<Broken> broken_promises(const ConnectionContract& contract) {
    // What is made once a process by what these clients are built on, OpenSSL for one, or by ThreadSanitizer with the first thread, is made now.
    static std::set<std::pair<std::type_index, bool>> made;
    const auto& clients = scheme_of(contract).clients;
    const std::type_index client = clients.empty() ? typeid(Client) : *clients.front().type;
    if (made.emplace(client, std::holds_alternative<Down>(contract.bad_certificate)).second) {
        std::vector<Broken> ignored;
        std::thread{[] {}}.join();
        for (const Promise& promise : {k_promises[1], k_promises[2], k_promises[3]}) run(promise, contract, ignored);
    }

    std::vector<Broken> all;
    for (const Promise& promise : k_promises) {
        const Left before;
        run(promise, contract, all);
        const std::string left = before.more();
        if (!left.empty()) all.push_back({"nothing is left", words("after '", promise.name, "': ", left)});
    }
    return all;
}

std::string to_text(const std::vector<Broken>& all) {
    std::string text;
    for (const Broken& one : all) text += words(one.promise, ": ", one.how, "\n");
    return text;
}

}  // namespace qconn::test
