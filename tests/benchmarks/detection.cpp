// SPDX-License-Identifier: Apache-2.0
// How soon a monitor sees what happens: deaths, hangs, recoveries, many at once, a process that was stopped; and how evenly it pings. The targets
// live in a process of their own, each on an address of its own, which does to them what it is told and notes when it was asked.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <vector>

#include <qconn/monitor/monitor.hpp>

#include "benchmarks/measure.hpp"
#include "benchmarks/target_scheme.hpp"

namespace {

using namespace qconn;
using namespace std::chrono_literals;

constexpr std::uint16_t k_port = 18'085;
constexpr std::string_view k_answer = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok";

double ms(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

// ---- the targets -------------------------------------------------------------------------------------------------------------------------------

class Targets {
public:
    Targets(int control, int count) : control_{control}, poll_{epoll_create1(EPOLL_CLOEXEC)}, all_(static_cast<std::size_t>(count)) {
        for (int i = 0; i < count; ++i) open(i);
        watch(control_, {-1, control_});
    }

    [[noreturn]] void run() {
        std::array<epoll_event, 256> events{};
        for (;;) {
            const int wait = late_.empty() ? -1 : std::max(0, static_cast<int>(ms(late_.front().when - Clock::now())) + 1);
            const int ready = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), wait);
            while (!late_.empty() && late_.front().when <= Clock::now()) {
                if (peers_.count(late_.front().fd) != 0) answer(late_.front().fd);
                late_.pop_front();
            }
            for (int i = 0; i < ready; ++i) {
                const int fd = events[static_cast<std::size_t>(i)].data.fd;
                if (fd == control_) {
                    obey();
                } else if (const auto listener = listeners_.find(fd); listener != listeners_.end()) {
                    accept_at(listener->second);
                } else if (peers_.count(fd) != 0) {
                    read_from(fd);
                }
            }
        }
    }

private:
    struct Target {
        int listener{-1};
        bool frozen{false};
        std::set<int> streams;
        Clock::time_point asked{};
    };
    struct Late {
        Clock::time_point when;
        int fd;
    };
    struct Watched {
        int target;
        int fd;
    };

    void watch(int fd, Watched what) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = what.fd;
        epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event);
    }
    void open(int i) {
        Target& one = all_[static_cast<std::size_t>(i)];
        const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        const int on = 1;
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(k_port);
        inet_pton(AF_INET, bench::target_address(i).c_str(), &address.sin_addr);
        if (bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || listen(fd, 64) != 0) {
            std::perror("a target");
            _exit(1);
        }
        one.listener = fd;
        listeners_[fd] = i;
        watch(fd, {i, fd});
    }
    void close_target(int i) {
        Target& one = all_[static_cast<std::size_t>(i)];
        listeners_.erase(one.listener);
        ::close(one.listener);
        one.listener = -1;
        for (const int fd : one.streams) {
            const linger at_once{1, 0};
            setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            peers_.erase(fd);
            ::close(fd);
        }
        one.streams.clear();
    }
    void accept_at(int i) {
        Target& one = all_[static_cast<std::size_t>(i)];
        const int fd = accept4(one.listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) return;
        one.streams.insert(fd);
        peers_[fd] = i;
        watch(fd, {i, fd});
        if (!requests_) note(i);
    }
    void read_from(int fd) {
        std::array<char, 2048> block{};
        const int i = peers_[fd];
        Target& one = all_[static_cast<std::size_t>(i)];
        const ssize_t got = recv(fd, block.data(), block.size(), 0);
        if (got <= 0) {
            if (got < 0 && errno == EAGAIN) return;
            one.streams.erase(fd);
            peers_.erase(fd);
            ::close(fd);
            return;
        }
        note(i);
        if (one.frozen) return;
        if (delay_.count() > 0)
            late_.push_back({Clock::now() + delay_, fd});
        else
            answer(fd);
    }
    static void answer(int fd) { [[maybe_unused]] const auto sent = send(fd, k_answer.data(), k_answer.size(), MSG_NOSIGNAL); }
    /// That target was asked now.
    void note(int i) {
        const auto now = Clock::now();
        Target& one = all_[static_cast<std::size_t>(i)];
        if (one.asked != Clock::time_point{}) gap_ = std::max(gap_, now - one.asked);
        one.asked = now;
        ++slots_[now.time_since_epoch() / 10ms];
        ++asked_;
    }
    void reset() {
        for (Target& one : all_) one.asked = {};
        gap_ = {};
        slots_.clear();
        asked_ = 0;
        begun_ = Clock::now();
        busy_ = bench::process_seconds();
    }
    void obey() {
        std::array<char, 65'536> block{};
        const ssize_t got = read(control_, block.data(), block.size());
        if (got <= 0) _exit(0);
        std::istringstream lines{std::string{block.data(), static_cast<std::size_t>(got)}};
        std::string word;
        int number = 0;
        while (lines >> word >> number) {
            Target& one = all_[static_cast<std::size_t>(word == "delay" || word == "requests" ? 0 : number)];
            if (word == "kill") close_target(number);
            if (word == "revive") open(number);
            if (word == "freeze") one.frozen = true;
            if (word == "thaw") one.frozen = false;
            if (word == "delay") delay_ = std::chrono::milliseconds{number};
            if (word == "requests") requests_ = number != 0;
            if (word == "reset") reset();
            if (word == "stop_parent") {
                kill(getppid(), SIGSTOP);
                std::this_thread::sleep_for(std::chrono::seconds{number});
                kill(getppid(), SIGCONT);
            }
            if (word == "stats") {
                std::uint64_t busiest = 0;
                for (const auto& [slot, count] : slots_) busiest = std::max(busiest, count);
                const double slots = slots_.empty() ? 1 : static_cast<double>(slots_.rbegin()->first - slots_.begin()->first + 1);
                char text[128];
                std::snprintf(text, sizeof text, "%.0f %llu %.3f %.2f\n", ms(gap_), static_cast<unsigned long long>(busiest),
                              static_cast<double>(asked_) / slots, (bench::process_seconds() - busy_) / ms(Clock::now() - begun_) * 1000);
                reply(text);
                continue;
            }
            reply("ok\n");
        }
    }
    void reply(std::string_view text) { [[maybe_unused]] const auto sent = write(control_, text.data(), text.size()); }

    int control_;
    int poll_;
    std::vector<Target> all_;
    std::unordered_map<int, int> listeners_;
    std::unordered_map<int, int> peers_;
    std::deque<Late> late_;
    std::chrono::milliseconds delay_{0};
    bool requests_{false};
    Clock::duration gap_{};
    std::map<Clock::rep, std::uint64_t> slots_;
    std::uint64_t asked_{0};
    Clock::time_point begun_{};
    double busy_{0};
};

/// The process with the targets, from here.
class Remote {
public:
    explicit Remote(int count) {
        int ends[2];
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) std::abort();
        if (fork() == 0) {
            ::close(ends[0]);
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            Targets{ends[1], count}.run();
        }
        ::close(ends[1]);
        fd_ = ends[0];
        tell("reset", 0);  // all are there
    }
    Remote(const Remote&) = delete;
    Remote& operator=(const Remote&) = delete;
    ~Remote() { ::close(fd_); }

    /// @returns just before it was told
    Clock::time_point tell(const std::string& word, int number) {
        const auto when = Clock::now();
        ask(word, number);
        return when;
    }
    std::string ask(const std::string& word, int number) {
        const std::string line = word + ' ' + std::to_string(number) + '\n';
        if (write(fd_, line.data(), line.size()) < 0) std::abort();
        std::string text;
        for (char c = 0; read(fd_, &c, 1) == 1 && c != '\n';) text += c;
        return text;
    }
    void send(const std::string& lines) {
        if (write(fd_, lines.data(), lines.size()) < 0) std::abort();
    }
    void answers(int count) {
        for (char c = 0; count > 0 && read(fd_, &c, 1) == 1;) count -= c == '\n' ? 1 : 0;
    }

private:
    int fd_;
};

// ---- the monitor -------------------------------------------------------------------------------------------------------------------------------

/// A monitor of so many targets, with the times at which each went down and came up.
class Watcher {
public:
    /// @param one_host  all connect to the first target
    Watcher(std::string_view kind, int targets, MonitorOptions options, bool one_host = false)
        : schemes_{bench::target_scheme(kind)}, registry_{of(schemes_)} {
        for (int i = 0; i < targets; ++i) {
            Definition definition;
            definition.name = std::to_string(i);
            definition.url = "bench://" + bench::target_address(one_host ? 0 : i) + ':' + std::to_string(k_port);
            registry_.add(std::move(definition));
        }
        monitor_.emplace(registry_, options);
        subscription_ = monitor_->subscribe(
            [this](const Event& event) {
                const std::lock_guard lock{mutex_};
                if (event.kind == EventKind::down) downs_[event.name] = event.mono;
                if (event.kind == EventKind::up) ups_[event.name] = event.mono;
                if (event.kind == EventKind::outage) ++outages_;
                changed_.notify_all();
            },
            {.queue = 0});
        monitor_->start();
        wait([&] { return ups_.size() == static_cast<std::size_t>(targets); }, 60s);
    }

    Monitor& monitor() { return *monitor_; }
    std::size_t outages() {
        const std::lock_guard lock{mutex_};
        return outages_;
    }
    void forget() {
        const std::lock_guard lock{mutex_};
        downs_.clear();
        ups_.clear();
    }
    std::optional<Clock::time_point> down(int i, Clock::duration longest) { return at(downs_, i, longest); }
    std::optional<Clock::time_point> up(int i, Clock::duration longest) { return at(ups_, i, longest); }
    std::size_t downs() {
        const std::lock_guard lock{mutex_};
        return downs_.size();
    }

private:
    static RegistryOptions of(const Catalogue& catalogue) {
        RegistryOptions options;
        options.catalogue = &catalogue;
        return options;
    }
    template <class Done>
    bool wait(Done done, Clock::duration longest) {
        std::unique_lock lock{mutex_};
        return changed_.wait_for(lock, longest, done);
    }
    std::optional<Clock::time_point> at(std::map<std::string, Clock::time_point>& times, int i, Clock::duration longest) {
        const std::string name = std::to_string(i);
        if (!wait([&] { return times.count(name) != 0; }, longest)) return std::nullopt;
        const std::lock_guard lock{mutex_};
        return times[name];
    }

    const Catalogue schemes_;
    Registry registry_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::map<std::string, Clock::time_point> downs_;
    std::map<std::string, Clock::time_point> ups_;
    std::size_t outages_{0};
    std::optional<Monitor> monitor_;
    Subscription subscription_;
};

void say(const char* what, const std::vector<double>& times, const char* aim) {
    if (times.empty()) {
        std::printf("%-58s nothing was seen\n", what);
        return;
    }
    std::printf("%-58s p50 %6.0f ms, max %6.0f ms  (%s)\n", what, bench::median(times), *std::max_element(times.begin(), times.end()), aim);
    std::fflush(stdout);
}

MonitorOptions every(std::chrono::milliseconds interval) {
    MonitorOptions options;
    options.interval = interval;
    options.timeout = 5s;
    return options;
}

/// So many deaths, one after the other at random moments; the recoveries too.
void deaths(Remote& remote, const char* what, std::string_view kind, const MonitorOptions& options, int count, const char* aim,
            const char* recovery_aim = nullptr) {
    Watcher watcher{kind, count, options};
    std::mt19937 random{7};
    std::uniform_int_distribution<int> pause{20, 120};
    std::vector<Clock::time_point> when(static_cast<std::size_t>(count));
    watcher.forget();
    for (int i = 0; i < count; ++i) {
        when[static_cast<std::size_t>(i)] = remote.tell("kill", i);
        std::this_thread::sleep_for(std::chrono::milliseconds{pause(random)});
    }
    std::vector<double> times;
    for (int i = 0; i < count; ++i)
        if (const auto seen = watcher.down(i, 60s)) times.push_back(ms(*seen - when[static_cast<std::size_t>(i)]));
    say(what, times, aim);
    watcher.forget();
    for (int i = 0; i < count; ++i) {
        when[static_cast<std::size_t>(i)] = remote.tell("revive", i);
        if (recovery_aim != nullptr) std::this_thread::sleep_for(std::chrono::milliseconds{pause(random)});
    }
    if (recovery_aim == nullptr) return;
    times.clear();
    for (int i = 0; i < count; ++i)
        if (const auto seen = watcher.up(i, 60s)) times.push_back(ms(*seen - when[static_cast<std::size_t>(i)]));
    say("  recovery seen", times, recovery_aim);
}

void hangs(Remote& remote, int count) {
    MonitorOptions options = every(1s);
    options.timeout = 1s;
    Watcher watcher{"http", count, options};
    watcher.forget();
    std::vector<Clock::time_point> when;
    for (int i = 0; i < count; ++i) {
        when.push_back(remote.tell("freeze", i));
        std::this_thread::sleep_for(37ms);
    }
    std::vector<double> times;
    for (int i = 0; i < count; ++i)
        if (const auto seen = watcher.down(i, 30s)) times.push_back(ms(*seen - when[static_cast<std::size_t>(i)]));
    say("a target hangs, interval 1 s, time-out 1 s", times, "p50 at most 2700");
    for (int i = 0; i < count; ++i) remote.tell("thaw", i);
}

void many_at_once(Remote& remote, int targets) {
    Watcher watcher{"tcp", targets, every(1s)};
    watcher.forget();
    std::string lines;
    int killed = 0;
    for (int i = 0; i < targets; i += 10, ++killed) lines += "kill " + std::to_string(i) + '\n';
    const auto when = Clock::now();
    remote.send(lines);
    remote.answers(killed);
    std::vector<double> times;
    for (int i = 0; i < targets; i += 10)
        if (const auto seen = watcher.down(i, 30s)) times.push_back(ms(*seen - when));
    say("10 % of 10,000 die at once: each one seen", times, "last at most 1300");
    for (int i = 0; i < targets; i += 10) remote.tell("revive", i);
}

/// How evenly, how completely.
void rhythm(Remote& remote, const char* what, std::string_view kind, int targets, int delay) {
    remote.tell("requests", kind == "tcp" ? 0 : 1);
    remote.tell("delay", delay);
    Watcher watcher{kind, targets, every(1s)};
    std::this_thread::sleep_for(3s);
    const auto pings = [&] {
        const MonitorCounts counts = watcher.monitor().counts();
        return counts.pings_ok + counts.pings_failed + counts.pings_inconclusive;
    };
    remote.tell("reset", 0);
    const auto before = pings();
    const auto begin = Clock::now();
    const double cpu = bench::process_seconds();
    std::this_thread::sleep_for(10s);
    const double busy = (bench::process_seconds() - cpu) / ms(Clock::now() - begin) * 1000;
    const auto done = static_cast<double>(pings() - before);
    const double due = targets * ms(Clock::now() - begin) / 1000;
    std::istringstream stats{remote.ask("stats", 0)};
    double gap = 0;
    double busiest = 0;
    double mean = 1;
    double theirs = 0;
    stats >> gap >> busiest >> mean >> theirs;
    std::printf(
        "%-58s %.2f %% of the due pings done, longest gap %.0f ms, busiest 10 ms %.1f x the mean, %.0f %% of a core and the targets %.0f %%  "
        "(99.9, 1050, 3.5)\n",
        what, 100 * done / due, gap, busiest / mean, 100 * busy, 100 * theirs);
    std::fflush(stdout);
    remote.tell("delay", 0);
}

void stopped(Remote& remote, int targets) {
    remote.tell("requests", 1);
    remote.tell("delay", 200);
    MonitorOptions options = every(1s);
    options.timeout = 1s;
    options.fall = 1;
    Watcher watcher{"http", targets, options};
    watcher.forget();
    remote.tell("reset", 0);
    remote.tell("stop_parent", 3);
    std::this_thread::sleep_for(4s);
    std::istringstream stats{remote.ask("stats", 0)};
    double gap = 0;
    double busiest = 0;
    stats >> gap >> busiest;
    std::printf("%-58s %zu false alarms, busiest 10 ms after it %.0f pings of %d  (0; 30 of 1,000)\n", "stopped for 3 s, fall 1, answers 200 ms late",
                watcher.downs(), busiest, targets);
    std::fflush(stdout);
    remote.tell("delay", 0);
}

/// Connections to one server, which dies; each with an interface that depends on it.
void dependents(Remote& remote, int count) {
    remote.tell("requests", 0);
    Watcher watcher{"tcp", count, every(1s), true};
    watcher.forget();
    std::mutex mutex;
    std::condition_variable changed;
    std::vector<Clock::time_point> stops;
    std::vector<Interface> interfaces;
    for (int i = 0; i < count; ++i) {
        InterfaceOptions options;
        options.name = "service " + std::to_string(i);
        options.stop = [&] {
            const std::lock_guard lock{mutex};
            stops.push_back(Clock::now());
            changed.notify_all();
        };
        interfaces.push_back(watcher.monitor().add_interface(std::move(options)));
        interfaces.back().depend(std::to_string(i));
    }
    const std::size_t outages = watcher.outages();
    const auto when = remote.tell("kill", 0);
    {
        std::unique_lock lock{mutex};
        changed.wait_for(lock, 30s, [&] { return stops.size() == static_cast<std::size_t>(count); });
    }
    std::vector<double> after_death;
    for (const auto stop : stops) after_death.push_back(ms(stop - when));
    say("1,000 die with 1,000 dependents: each stop called", after_death, "all seen and stopped within 1200 + 1000");
    std::vector<double> after_verdict;
    for (int i = 0; i < count; ++i)
        if (const auto seen = watcher.down(i, 5s)) after_verdict.push_back(ms(*seen - when));
    // It is told when nobody has joined it for a second; whatever comes in the next one is too many.
    std::this_thread::sleep_for(3s);
    if (!after_verdict.empty() && !stops.empty())
        std::printf("%-58s %.0f ms after the last verdict; %zu outages were told, %zu alerts stand  (1000; 1, 1)\n", "  the last stop",
                    ms(*std::max_element(stops.begin(), stops.end()) - when) - *std::max_element(after_verdict.begin(), after_verdict.end()),
                    watcher.outages() - outages, watcher.monitor().alerts().size());
    const auto begin = Clock::now();
    const auto statuses = watcher.monitor().statuses();
    std::printf("%-58s %.2f ms\n", "  a snapshot of them", ms(Clock::now() - begin));
    interfaces.clear();
    remote.tell("revive", 0);
}

}  // namespace

/// @param argv  a part of the names of the measurements that are wanted; none: all
int main(int argc, char** argv) {
    const std::string_view part = argc > 1 ? argv[1] : "";
    const auto is_wanted = [&](std::string_view name) { return name.find(part) != std::string_view::npos; };
    signal(SIGPIPE, SIG_IGN);
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    constexpr int k_many = 10'000;
    Remote remote{k_many};
    if (is_wanted("deaths")) {
        deaths(remote, "refused, fresh connections, interval 1 s", "tcp", every(1s), 200, "at most 650, 1200", "p50 at most 600");
        deaths(remote, "refused, kept connections, interval 1 s", "kept", every(1s), 200, "at most 110, 150");
        deaths(remote, "refused, kept connections, interval 10 s", "kept", every(10s), 100, "at most 1010: a quick recheck and 10 ms");
    }
    if (is_wanted("hangs")) hangs(remote, 100);
    if (is_wanted("many")) many_at_once(remote, k_many);
    if (is_wanted("rhythm")) rhythm(remote, "10,000 each second, kept connections", "kept", k_many, 0);
    if (is_wanted("late")) rhythm(remote, "10,000 each second, fresh connections, answers 200 ms late", "http", k_many, 200);
    if (is_wanted("stopped")) stopped(remote, 1000);
    if (is_wanted("dependents")) dependents(remote, 1000);
}
