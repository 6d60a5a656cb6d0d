// SPDX-License-Identifier: Apache-2.0
// An application of three services and two jobs over the connections of a directory: what stops and starts when, as a timeline.
//
//     order_house DIRECTORY
//
// The directory has definitions of shop, stock, bank, notices, partner, partner-files, inbox and ledger. Ends at SIGINT or SIGTERM, in order. Every
// line is an event of the monitor; the last column is what is at fault, or why.
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <map>
#include <qconn/qconn.hpp>
#include <vector>

using namespace std::chrono_literals;

namespace {

/// What the application consists of. "payments" offers the ledger, so what needs that stops before it and starts after it.
struct PartSpec {
    qconn::InterfaceKind kind;
    std::string name;
    std::vector<std::string> needs;
    std::vector<std::string> uses;  // runs without them too
    std::vector<std::string> provides;
};
const std::vector<PartSpec> k_parts{
    {qconn::InterfaceKind::service, "storefront", {"shop", "stock"}, {"notices"}, {}},
    {qconn::InterfaceKind::service, "payments", {"bank"}, {}, {"ledger"}},
    {qconn::InterfaceKind::service, "notifier", {"notices"}, {"shop"}, {}},
    {qconn::InterfaceKind::job, "restock", {"stock", "partner", "inbox"}, {}, {}},
    {qconn::InterfaceKind::job, "reconcile", {"ledger", "partner-files"}, {}, {}},
};

/// A part while it runs. Here would be its threads and its work.
class Part {
public:
    explicit Part(const PartSpec& spec) : spec_{spec} {}

    void start() { turn(true); }
    void stop() { turn(false); }

private:
    void turn(bool on) {
        // The monitor never calls two functions of one interface at once, nor one twice in a row.
        if (runs_.exchange(on) == on) std::cerr << "MISTAKE: " << spec_.name << (on ? " was running\n" : " was not running\n");
    }

    const PartSpec spec_;
    std::atomic<bool> runs_{true};
};

/// "17 down bank (connect, refused)"; one listener is never called twice at once, so the lines are whole.
void print(const qconn::Event& event) {
    std::cout << event.seq << ' ' << to_string(event.kind) << ' ' << event.name;
    if (event.kind == qconn::EventKind::down) std::cout << " (" << to_string(event.phase) << ", " << to_string(event.reason) << ')';
    if (event.kind == qconn::EventKind::outage) {
        for (std::size_t i = 0; i < event.members.size(); ++i) std::cout << (i == 0 ? ": " : ", ") << event.members[i];
    }
    std::cout << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: order_house DIRECTORY\n";
        return 2;
    }
    // Blocked before the library starts threads, so that only sigwait below sees them.
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);

    try {
        qconn::Registry registry;
        registry.load(argv[1]);

        std::map<std::string, Part> parts;  // outlive the monitor, which calls them
        qconn::Monitor monitor{registry, {.interval = 500ms, .timeout = 5s, .fast = 100ms}};
        const auto watching = monitor.subscribe(print);
        std::vector<qconn::Interface> interfaces;
        for (const PartSpec& spec : k_parts) {
            Part& part = parts.try_emplace(spec.name, spec).first->second;
            qconn::InterfaceOptions options;
            options.kind = spec.kind;
            options.name = spec.name;
            options.start = [&part] { part.start(); };
            options.stop = [&part] { part.stop(); };
            options.provides = spec.provides;
            qconn::Interface& added = interfaces.emplace_back(monitor.add_interface(std::move(options)));
            for (const std::string& connection : spec.needs) added.depend(connection);
            for (const std::string& connection : spec.uses) added.depend(connection, qconn::Dependency::optional);
        }
        monitor.start();

        int number = 0;
        sigwait(&signals, &number);
        const bool stopped = monitor.stop_interfaces(10s);
        monitor.stop();
        monitor.drain(10s);
        std::cout << (stopped ? "all stopped" : "some did not stop") << std::endl;
        return stopped ? 0 : 1;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
