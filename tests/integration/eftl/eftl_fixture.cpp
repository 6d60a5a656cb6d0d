// SPDX-License-Identifier: Apache-2.0
#include "integration/eftl/eftl_fixture.hpp"

#include <utility>

namespace qconn::test {

namespace {

RestOptions control_of(const Server& server) {
    RestOptions options;
    options.url = "http://" + server.address2();
    options.timeout = 30s;
    return options;
}

/// Those that no test has at the moment.
std::vector<std::unique_ptr<Server>>& idle() {
    static std::vector<std::unique_ptr<Server>> servers;
    return servers;
}

std::unique_ptr<Server> server_with(const std::vector<std::string>& environment) {
    if (!environment.empty() || idle().empty()) return std::make_unique<Server>("eftl", ServerOptions{.environment = environment});
    auto out = std::move(idle().back());
    idle().pop_back();
    return out;
}

}  // namespace

EftlBus::EftlBus(std::vector<std::string> environment)
    : held_{server_with(environment)}, server{*held_}, shared_{environment.empty()}, control_{control_of(server)} {
    if (shared_) post("reset", Map{});
}

EftlBus::~EftlBus() {
    if (shared_ && server.is_running()) idle().push_back(std::move(held_));
}

std::string EftlBus::url(bool tls) const { return (tls ? "wss://localhost:" : "ws://127.0.0.1:") + std::to_string(server.port()) + "/channel"; }

EftlOptions EftlBus::options(bool tls) const {
    EftlOptions options;
    options.label = "bus";
    options.servers = EftlServer::parse_list(url(tls));
    options.username = std::string{k_user};
    options.password = Secret{k_password};
    options.auto_reconnect_max_delay = 50ms;
    if (tls) options.tls.ca_file = tls_file("ca.crt");
    return options;
}

Value EftlBus::get(const std::string& path) { return control_.get(path, 30s).body; }
Value EftlBus::post(const std::string& path, const Value& body) { return control_.post(path, body, 30s).body; }

std::string EftlBus::breaches() {
    std::string out;
    const Value all = get("breaches");
    for (const Value& one : all["breaches"].as_list()) out += to_text(one) + '\n';
    return out;
}

void EftlBus::inject(const std::string& type, int count, int rate) {
    Map what{{"body", Map{{"type", type}}}, {"counter", "n"}, {"count", count}};
    if (rate > 0) what.set("rate", rate);
    post("publish", Value{std::move(what)});
}

EftlMessage numbered(std::string_view type, std::int64_t n) {
    EftlMessage message;
    message.set_string("type", type).set_long("n", n);
    return message;
}

Deadline soon() { return Deadline{20s}; }

}  // namespace qconn::test
