// SPDX-License-Identifier: Apache-2.0
/// A scheme whose remote ends live in the test: `remote://anything`, pinged by a blocking ping that answers as told.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <qconn/core/registry.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/monitor/monitor.hpp>

#include "support/event_log.hpp"

namespace qconn::test {

/// The remote ends, by name of connection. Thread-safe.
class World {
public:
    using Answer = std::function<PingEvidence(const std::string& password)>;

    static PingEvidence good(const std::string&) { return "fine"; }
    static PingEvidence bad(const std::string&) {
        throw make_error(Errc::system, "connecting was refused").with_phase(Phase::connect).with_reason(Reason::refused);
    }

    void set(const std::string& name, Answer answer) {
        const std::scoped_lock lock{mutex_};
        answers_[name] = std::move(answer);
    }
    void set_up(const std::string& name, bool up) { set(name, up ? good : bad); }
    /// What preparing a ping of it does, for example throw.
    void set_plan(const std::string& name, std::function<void()> plan) {
        const std::scoped_lock lock{mutex_};
        plans_[name] = std::move(plan);
    }
    void plan(const std::string& name) {
        std::function<void()> plan;
        {
            const std::scoped_lock lock{mutex_};
            if (const auto found = plans_.find(name); found != plans_.end()) plan = found->second;
        }
        if (plan) plan();
    }
    int pings(const std::string& name) const {
        const std::scoped_lock lock{mutex_};
        const auto found = pings_.find(name);
        return found == pings_.end() ? 0 : found->second;
    }
    /// Pings wait in their middle until open() is called.
    void shut() {
        const std::scoped_lock lock{mutex_};
        shut_ = true;
    }
    void open() {
        const std::scoped_lock lock{mutex_};
        shut_ = false;
        opened_.notify_all();
    }

    PingEvidence ping(const std::string& name, const std::string& password) {
        Answer answer = good;
        {
            std::unique_lock lock{mutex_};
            ++pings_[name];
            opened_.wait(lock, [this] { return !shut_; });
            if (const auto found = answers_.find(name); found != answers_.end()) answer = found->second;
        }
        return answer(password);
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable opened_;
    std::map<std::string, Answer> answers_;
    std::map<std::string, std::function<void()>> plans_;
    std::map<std::string, int> pings_;
    bool shut_{false};
};

/// What such a connection is to its users.
class RemoteClient final : public Client {
public:
    explicit RemoteClient(std::string label) : label_{std::move(label)} {}
    std::string_view label() const noexcept override { return label_; }
    /// A call that is answered, or is refused.
    void use(bool answered) const {
        observed([&] {
            if (!answered) World::bad({});
        });
    }

private:
    std::string label_;
};

inline Catalogue remote_catalogue(const std::shared_ptr<World>& world) {
    Scheme scheme;
    scheme.names = {"remote"};
    scheme.family = "remote";
    scheme.title = "A remote end in a test";
    scheme.help = "For tests.";
    scheme.example_url = "remote://somewhere";
    scheme.default_ports = {{"remote", std::uint16_t{1}}};
    OptionSpec password;
    password.name = "password";
    password.help = "What it wants to hear.";
    password.sensitive = true;
    scheme.options = {password};
    scheme.clients = client_types<RemoteClient>({"RemoteClient"});
    scheme.make_client = [](const ResolvedDefinition& definition, const Runtime&) { return std::make_shared<RemoteClient>(definition.name); };
    scheme.make_ping = [world](const ResolvedDefinition& definition, PingDepth, const Runtime&) -> PingPlan {
        world->plan(definition.name);
        std::string secret;
        if (const Value* value = definition.options.find("password")) secret = value->as_string();
        return BlockingPing{[world, name = definition.name, secret](Deadline) { return world->ping(name, secret); }};
    };
    Catalogue catalogue;
    catalogue.add(std::move(scheme));
    return catalogue;
}

inline Definition remote(const std::string& name, const std::string& password = {}) {
    Definition definition;
    definition.name = name;
    definition.url = "remote://" + name;
    if (!password.empty()) definition.options.set("password", password);
    return definition;
}

}  // namespace qconn::test
