// SPDX-License-Identifier: Apache-2.0
// Services that depend on connections: stopped when one of theirs goes down, started again when it is back.
//
//     supervised_services DIRECTORY CONNECTION [CONNECTION...]
//
// Each connection gets a small worker thread that "works" with it. Ends at SIGINT or SIGTERM.
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <iostream>
#include <mutex>
#include <qconn/qconn.hpp>
#include <thread>

using namespace std::chrono_literals;

namespace {

/// One line at a time: stop and start run on threads of the library's.
void say(const std::string& text) {
    static std::mutex mutex;
    const std::lock_guard lock{mutex};
    std::cout << text << std::endl;
}

/// Something of the application that needs a connection while it runs.
class Worker {
public:
    explicit Worker(std::string name) : name_{std::move(name)} {}

    void start() {
        thread_ = std::jthread{[this](const std::stop_token& stop) {
            while (!stop.stop_requested()) {
                ++rounds_;  // here would be calls of the connection's client
                std::this_thread::sleep_for(10ms);
            }
        }};
        say(name_ + " started");
    }
    void stop() {
        thread_ = {};  // asks it to end and waits, which this callback may do
        say(name_ + " stopped");
    }

private:
    const std::string name_;
    std::atomic<long> rounds_{0};
    std::jthread thread_;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        std::cerr << "usage: supervised_services DIRECTORY CONNECTION...\n";
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

        std::vector<std::unique_ptr<Worker>> workers;  // outlive the monitor, which calls them
        qconn::Monitor monitor{registry, {.interval = 500ms, .timeout = 2s, .fast = 100ms}};
        const auto watching = monitor.subscribe([](const qconn::Event& event) {
            say("event: " + event.name + " " + std::string{to_string(event.kind)} + (event.error.empty() ? "" : ": " + event.error));
        });

        std::vector<qconn::Interface> interfaces;
        for (int i = 2; i < argc; ++i) {
            const std::string connection = argv[i];
            Worker* worker = workers.emplace_back(std::make_unique<Worker>("service of " + connection)).get();
            worker->start();
            interfaces.push_back(monitor.add_interface({.kind = qconn::InterfaceKind::service,
                                                        .name = "service of " + connection,
                                                        .start = [worker] { worker->start(); },
                                                        .stop = [worker] { worker->stop(); }}));
            interfaces.back().depend(connection);
        }
        monitor.start();

        int number = 0;
        sigwait(&signals, &number);
        monitor.stop();
        say("ending");
        return 0;
    } catch (const qconn::Error& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
