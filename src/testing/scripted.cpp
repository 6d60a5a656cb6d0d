// SPDX-License-Identifier: Apache-2.0
#include <qconn/testing/scripted.hpp>

#include <atomic>
#include <map>
#include <optional>
#include <utility>

namespace qconn::testing {

namespace {

Value ask(const RemoteEnd& end, const std::string& connection, Deadline deadline, const std::function<bool()>& given_up = {}) {
    const Answer answer = end.next_call();
    end.wait(answer, connection, deadline, given_up);
    if (!answer.is_ok()) throw to_error(answer, connection);
    return answer.value;
}

}  // namespace

/// An asynchronous call.
class ScriptedClient::Call final : public Operation::State {
public:
    explicit Call(RemoteEnd end) : end_{std::move(end)} {}

    void cancel() noexcept override {
        cancelled_ = true;
        end_.wake();
    }
    bool is_cancelled() const noexcept { return cancelled_; }
    bool done() const noexcept override { return done_; }
    void set_done() noexcept { done_ = true; }

private:
    const RemoteEnd end_;
    std::atomic<bool> cancelled_{false};
    std::atomic<bool> done_{false};
};

ScriptedClient::ScriptedClient(std::string label, RemoteEnd end, Runtime runtime)
    : label_{std::move(label)}, end_{std::move(end)}, runtime_{std::move(runtime)} {}

ScriptedClient::~ScriptedClient() {
    const std::scoped_lock lock{mutex_};
    for (const auto& weak : running_)
        if (const auto call = weak.lock()) call->cancel();
}

Value ScriptedClient::call(Deadline deadline) { return ask(end_, label_, deadline); }

Operation ScriptedClient::async_call(Deadline deadline, Callback<Value> callback) {
    const auto call = std::make_shared<Call>(end_);
    {
        const std::scoped_lock lock{mutex_};
        std::erase_if(running_, [](const auto& weak) { return weak.expired(); });
        running_.push_back(call);
    }
    const auto done = std::make_shared<Callback<Value>>(under_way(std::move(callback)));
    runtime_.post_blocking([call, done, end = end_, label = label_, deadline] {
        std::optional<Result<Value>> result;
        try {
            result.emplace(ask(end, label, deadline, [&call] { return call->is_cancelled(); }));
        } catch (const Error& e) { result.emplace(e); }
        call->set_done();
        (*done)(std::move(*result));
    });
    return Operation{call};
}

struct Scripted::State {
    std::mutex mutex;
    std::map<std::string, RemoteEnd, std::less<>> ends;
};

Scripted::Scripted() : state_{std::make_shared<State>()} {}

RemoteEnd Scripted::operator[](std::string_view connection) const {
    const std::scoped_lock lock{state_->mutex};
    return state_->ends.try_emplace(std::string{connection}).first->second;
}

Scheme Scripted::scheme() const {
    Scheme scheme;
    scheme.names = {"scripted"};
    scheme.family = "scripted";
    scheme.title = "Scripted";
    scheme.help = "A remote end in a test, which does what a script says.";
    scheme.example_url = "scripted://shop";
    scheme.clients = client_types<ScriptedClient>({"ScriptedClient"});
    scheme.make_client = [self = *this](const ResolvedDefinition& definition, const Runtime& runtime) {
        return std::make_shared<ScriptedClient>(definition.name, self[definition.name], runtime);
    };
    return instead_of(scheme);
}

Scheme Scripted::instead_of(const Scheme& other) const {
    Scheme scheme = other;
    scheme.module = nullptr;
    scheme.make_ping = [self = *this](const ResolvedDefinition& definition, PingDepth, const Runtime&) -> PingPlan {
        return BlockingPing{[end = self[definition.name], name = definition.name](Deadline deadline) -> PingEvidence {
            const Answer answer = end.next_ping();
            end.wait(answer, name, deadline);
            if (!answer.is_ok()) throw to_error(answer, name);
            return "as the script says";
        }};
    };
    return scheme;
}

Catalogue Scripted::catalogue() const {
    Catalogue catalogue = builtin_catalogue();
    catalogue.add(scheme());
    return catalogue;
}

Catalogue Scripted::catalogue_instead() const {
    Catalogue catalogue;
    for (const Scheme* one : builtin_catalogue().schemes()) catalogue.add(instead_of(*one));
    catalogue.add(scheme());
    return catalogue;
}

Definition Scripted::definition(std::string_view name) {
    Definition definition;
    definition.name = name;
    definition.url = "scripted://" + std::string{name};
    return definition;
}

}  // namespace qconn::testing
