// SPDX-License-Identifier: Apache-2.0
/// A scheme that a test adds from outside the library, by its public interface alone.
#pragma once

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/net/ping_plan.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "support/temp_dir.hpp"

namespace qconn::test {

/// What the clients of one test have in common.
struct FakeWorld {
    std::atomic<int> made{0};
    std::atomic<int> alive{0};
    /// Called by the factory before a client is made; may throw.
    std::function<void(const ResolvedDefinition&)> on_make;
};

/// A base that callers may ask for.
class FakeBase : public Client {
public:
    virtual std::string greet() const = 0;
};

/// The real type; a second base makes its pointer differ from that of its Client.
struct FakePadding {
    virtual ~FakePadding() = default;
    int number{42};
};

class FakeClient final : public FakePadding, public FakeBase {
public:
    FakeClient(std::shared_ptr<FakeWorld> world, const ResolvedDefinition& definition)
        : world_{std::move(world)}, label_{definition.name}, host_{definition.url.host}, path_{definition.url.path} {
        if (const Value* colour = definition.options.find("colour")) colour_ = colour->as_string();
        if (const Value* password = definition.options.find("password")) password_ = password->as_string();
        serial_ = ++world_->made;
        ++world_->alive;
    }
    ~FakeClient() override {
        alive_ = false;
        --world_->alive;
    }

    std::string_view label() const noexcept override { return label_; }
    std::string greet() const override { return label_ + "@" + host_ + path_ + " " + colour_; }
    const std::string& password() const noexcept { return password_; }
    int serial() const noexcept { return serial_; }
    bool is_whole() const noexcept { return alive_ && number == 42; }

private:
    std::shared_ptr<FakeWorld> world_;
    std::string label_;
    std::string host_;
    std::string path_;
    std::string colour_;
    std::string password_;
    int serial_{0};
    bool alive_{true};
};

/// Never given out: for type errors.
class OtherClient : public Client {};

inline Scheme fake_scheme(std::string name, const std::shared_ptr<FakeWorld>& world, Sharing sharing = Sharing::parallel) {
    Scheme scheme;
    scheme.default_ports.emplace(name, std::uint16_t{4711});
    scheme.names = {std::move(name)};
    scheme.family = "fake";
    scheme.title = "a fake";
    scheme.sharing = sharing;
    OptionSpec colour;
    colour.name = "colour";
    colour.fallback = "grey";
    colour.help = "what colour";
    colour.aliases = {"hue"};
    OptionSpec timeout;
    timeout.name = "timeout";
    timeout.type = OptionType::integer;
    timeout.unit = Unit::milliseconds;
    timeout.help = "longest silence";
    OptionSpec connect_timeout = timeout;
    connect_timeout.name = "connect_timeout";
    OptionSpec password;
    password.name = "password";
    password.help = "the password";
    password.sensitive = true;
    scheme.options = {colour, timeout, connect_timeout, password};
    scheme.clients = client_types<FakeClient, FakeBase>({"FakeClient", "FakeBase"});
    scheme.make_client = [world](const ResolvedDefinition& definition, const Runtime&) -> std::shared_ptr<Client> {
        if (world->on_make) world->on_make(definition);
        return std::make_shared<FakeClient>(world, definition);
    };
    scheme.make_ping = [](const ResolvedDefinition& definition, PingDepth, const Runtime&) {
        return PingPlan{BlockingPing{[password = definition.options.contains("password") ? std::string{definition.options.at("password").as_string()}
                                                                                         : std::string{}](Deadline) -> PingEvidence {
            if (password == "wrong") throw Error{make_error_code(Errc::system), "FAKE-DENIED", "the password was refused"}.with_phase(Phase::auth);
            return "hello";
        }}};
    };
    return scheme;
}

/// A registry with the schemes "fake" and "single" (exclusive), and a directory.
struct FakeRegistry {
    explicit FakeRegistry(std::size_t io_threads = 1)
        : runtime{RuntimeOptions{.io_threads = io_threads, .blocking_threads = 4, .resolver_threads = 1, .log = Log{LogLevel::off, {}}}} {
        catalogue.add(fake_scheme("fake", world));
        catalogue.add(fake_scheme("single", world, Sharing::exclusive));
        options.catalogue = &catalogue;
        options.runtime = runtime;
        registry.emplace(options);
    }

    /// `name.qconn.yaml` in the directory with one definition.
    std::string write(const std::string& name, const std::string& url, const std::string& more = {}) const {
        return directory.write(name + ".qconn.yaml", text(name, url, more));
    }
    static std::string text(const std::string& name, const std::string& url, const std::string& more = {}) {
        return "type: connection\nname: " + name + "\ndesc: one of a test\nurl: " + url + "\n" + more;
    }
    static Definition definition(const std::string& name, const std::string& url) {
        Definition definition;
        definition.name = name;
        definition.url = url;
        return definition;
    }

    TempDir directory;
    std::shared_ptr<FakeWorld> world = std::make_shared<FakeWorld>();
    Runtime runtime;
    Catalogue catalogue;
    RegistryOptions options;
    std::optional<Registry> registry;
};

/// The name of the Error that a call throws; empty where it throws none.
template <class F>
std::string thrown_name(F&& f) {
    try {
        f();
    } catch (const Error& error) { return std::string{error.name()}; }
    return {};
}
template <class F>
std::string thrown_text(F&& f) {
    try {
        f();
    } catch (const Error& error) { return error.what(); }
    return {};
}

/// Collects changes; waits for them without sleeping.
class Changes {
public:
    explicit Changes(Registry& registry) {
        subscription_ = registry.subscribe([this](const RegistryChange& change) {
            const std::scoped_lock lock{mutex_};
            changes_.push_back(change);
            arrived_.notify_all();
        });
    }
    /// "added a", "updated a reconnects", … once that many have come.
    std::vector<std::string> wait(std::size_t count) {
        std::unique_lock lock{mutex_};
        arrived_.wait_for(lock, std::chrono::seconds{10}, [&] { return changes_.size() >= count; });
        std::vector<std::string> texts;
        for (const RegistryChange& change : changes_) {
            static constexpr std::array k_names{"added",          "updated",      "removed",      "enabled",  "disabled",
                                                "became_invalid", "became_stale", "became_valid", "reloaded", "settings"};
            std::string text = k_names[static_cast<std::size_t>(change.kind)];
            if (!change.name.empty()) text += " " + change.name;
            if (change.reconnects) text += " reconnects";
            texts.push_back(std::move(text));
        }
        changes_.clear();
        return texts;
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::vector<RegistryChange> changes_;
    Subscription subscription_;
};

}  // namespace qconn::test
