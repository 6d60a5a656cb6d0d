// SPDX-License-Identifier: Apache-2.0
/// An engine with a host that notes what it is told, and a clock that stands.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "eftl/engine.hpp"

namespace qconn::test {

using namespace std::chrono_literals;

/// Everything that an engine does, as lines in order: "-> FRAME", "state connected", "message 1 {...}".
struct NotedHost final : eftl::Host {
    void dial(std::size_t server) override { lines.push_back("dial " + std::to_string(server)); }
    void send(std::string_view frame) override { lines.push_back("-> " + std::string{frame}); }
    void send_and_tell(std::string_view frame, UniqueFunction<void(const Error*)> done) override {
        lines.push_back("-> " + std::string{frame});
        done(nullptr);
    }
    void close(std::uint16_t code, std::string_view) override { lines.push_back("close " + std::to_string(code)); }
    void drop(std::uint16_t code) override { lines.push_back("drop " + std::to_string(code)); }
    void leave(std::uint16_t code) override { lines.push_back("leave " + std::to_string(code)); }

    void on_state(EftlState state) override { lines.push_back("state " + std::string{to_string(state)}); }
    void on_welcome(eftl::Welcome kind, const EftlSession& session) override {
        constexpr const char* k_kinds[] = {"connect", "reconnect", "recover"};
        lines.push_back(std::string{"on_"} + k_kinds[static_cast<std::size_t>(kind)] + (session.resumed ? " resumed" : ""));
    }
    void on_disconnect(int code, const std::string& reason) override { lines.push_back("on_disconnect " + std::to_string(code) + ' ' + reason); }
    void on_error(int code, const std::string& reason) override { lines.push_back("on_error " + std::to_string(code) + ' ' + reason); }
    void on_subscribed(const eftl::Subscribed& s) override { lines.push_back("on_subscribe " + s.id); }
    void on_subscription_error(const eftl::Subscribed& s, int code, const std::string& reason, bool gone) override {
        lines.push_back("on_subscription_error " + s.id + ' ' + std::to_string(code) + ' ' + reason + (gone ? " gone" : ""));
    }
    void on_message(const eftl::Subscribed& s, EftlMessage message) override {
        lines.push_back("message " + s.id + ' ' + message.to_json());
        messages.push_back(std::move(message));
    }

    /// What was noted since the last call.
    std::vector<std::string> take() { return std::exchange(lines, {}); }

    std::vector<std::string> lines;
    std::vector<EftlMessage> messages;
};

/// The engine, the time, and what most tests begin with.
struct EngineBench {
    explicit EngineBench(eftl::EngineOptions options = {}) : engine{std::move(options), host, [this] { return random; }} {}

    static constexpr const char* k_welcome =
        R"({"op":2,"client_id":"C1","id_token":"T1","timeout":60,"heartbeat":20,"max_size":0,"_qos":"true","protocol":1,"stop_supported":"true"})";
    static constexpr const char* k_welcome_resumed =
        R"({"op":2,"client_id":"C1","id_token":"T2","timeout":60,"heartbeat":20,"max_size":0,"_qos":"true","protocol":1,"_resume":"true","stop_supported":"true"})";

    void connected(const char* welcome = k_welcome) {
        engine.connect(now, [](const Result<EftlSession>&) {});
        engine.link_up(now);
        engine.received(welcome, now);
        host.take();
    }
    /// Lost, and logged in anew.
    void back(const char* welcome) {
        engine.link_down(1006, {}, nullptr, now);
        made_anew(welcome);
    }
    /// The wait after a loss is over, and the next attempt is let in.
    void made_anew(const char* welcome) {
        now = engine.next_deadline();
        engine.tick(now);
        engine.link_up(now);
        engine.received(welcome, now);
    }
    void received(const std::string& frame) {
        engine.received(frame, now);
        engine.flush_acks();
    }
    std::string subscribed(EftlSubscription what = {}, bool consumes = true) {
        std::string id = engine.next_id();
        engine.subscribe(id, std::move(what), consumes, now, Clock::time_point::max(), [](const Result<std::string>&) {});
        received(R"({"op":4,"id":")" + id + "\"}");
        host.take();
        return id;
    }
    /// The outcome goes to `outcomes`: "1 ok", "1 ok {...}", "1 EFTL-...".
    std::int64_t submit(eftl::Kind kind, std::string frame, Clock::time_point deadline = Clock::time_point::max()) {
        const int number = ++submitted;
        return engine.submit(kind, std::move(frame), now, deadline, [this, number](Result<eftl::Answer> result) {
            std::string line = std::to_string(number) + ' ';
            if (!result)
                line += result.error().name();
            else
                line += *result ? "ok " + (*result)->to_json() : "ok";
            outcomes.push_back(std::move(line));
        });
    }
    std::int64_t publish(std::int64_t n, Clock::time_point deadline = Clock::time_point::max()) {
        EftlMessage message;
        message.set_long("n", n);
        return submit(eftl::Kind::publish, eftl::publish_frame(message), deadline);
    }
    std::vector<std::string> took() { return std::exchange(outcomes, {}); }

    NotedHost host;
    double random{0.5};
    Clock::time_point now{Clock::time_point{} + 1h};
    eftl::Engine engine;
    int submitted{0};
    std::vector<std::string> outcomes;
};

using Lines = std::vector<std::string>;

}  // namespace qconn::test
