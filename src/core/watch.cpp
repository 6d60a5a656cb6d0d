// SPDX-License-Identifier: Apache-2.0
#include <qconn/core/watch.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "core/store.hpp"
#include "core/watched_places.hpp"
#include "net/fd_watch.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"

namespace qconn::core {

/// What the system tells arrives on one I/O thread, which keeps the times; file systems are asked and files read on the blocking pool. A descriptor's
/// and a timer's callback hold it weakly, work under way holds it.
class Watcher : public std::enable_shared_from_this<Watcher> {
public:
    Watcher(const std::shared_ptr<Store>& store, WatchOptions options)
        : store_{store},
          options_{checked(std::move(options))},
          runtime_{store->runtime()},
          loop_{runtime_.impl().loop().shared_from_this()},
          places_{DefinitionSuffixes::of(store->options())} {}
    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;
    ~Watcher() = default;

    void start() {
        if (!options_.notified) {
            polls_ = true;
        } else if (const int error = places_.open(); error != 0) {
            tell_polling("no inotify: " + std::generic_category().message(error));
        }
        follow();
        // What is loaded later, and what the files of a reload lead to.
        subscription_ = store_.lock()->subscribe([weak = weak_from_this()](const RegistryChange& change) {
            const auto self = weak.lock();
            if (!self || change.kind != RegistryChange::Kind::reloaded || self->stopped_) return;
            if (const unsigned purposes = self->follow(); purposes != 0) self->touch(purposes);
        });
        loop_->post([self = shared_from_this()] { self->begin(); });
    }

    void stop() noexcept {
        {
            std::unique_lock lock{call_mutex_};
            if (stopped_.exchange(true)) return;
            // An I/O thread waits for nobody: on_reload may itself wait for what only that thread can do.
            if (!runtime_.on_io_thread())
                called_.wait(lock, [this] { return calling_ == std::thread::id{} || calling_ == std::this_thread::get_id(); });
        }
        subscription_.unsubscribe();
        try {
            loop_->post([self = shared_from_this()] { self->io_.reset(); });
        } catch (const std::exception&) {
            // Nothing begins any more all the same; what waits goes with the loop.
        }
    }

    bool polls() const noexcept { return polls_; }

private:
    static WatchOptions checked(WatchOptions options) {
        options.debounce = std::max(options.debounce, std::chrono::milliseconds{0});
        options.poll = std::max(options.poll, k_least_poll);
        return options;
    }

    static constexpr std::chrono::milliseconds k_least_poll{10};

    struct Io {
        explicit Io(net::Loop& loop) : quiet{loop}, poll{loop} {}
        std::optional<net::FdWatch> told;
        net::Timer quiet;
        net::Timer poll;
    };

    /// What has to be read again.
    enum Purpose : unsigned { k_definitions = 1, k_settings = 2 };

    static std::vector<std::string> watched(const Store& store) {
        std::vector<std::string> paths = store.paths();
        for (std::string& file : store.secret_files()) paths.push_back(std::move(file));
        return paths;
    }

    /// @returns for what something is watched that was not before
    unsigned follow() {
        const auto store = store_.lock();
        if (!store || places_.descriptor() < 0) return 0;
        std::vector<WatchedPlaces::Wanted> wanted;
        for (std::string& path : watched(*store)) wanted.push_back({std::move(path), k_definitions});
        if (const std::string& state = store->options().state_file; !state.empty()) wanted.push_back({state, k_settings});
        const auto changed = places_.follow(wanted);
        if (!changed.untold.empty()) tell_polling(changed.untold);
        return changed.added;
    }

    void tell_polling(const std::string& why) {
        if (polls_.exchange(true)) return;
        runtime_.log().write({LogLevel::warning, {}, "watch-polls", why + ": looking for changed definitions from time to time instead", {}});
        loop_->post([self = shared_from_this()] { self->poll(); });
    }

    // On the loop's thread:

    void begin() {
        if (stopped_) return;
        io_.emplace(*loop_);
        if (places_.descriptor() >= 0) {
            io_->told.emplace(*loop_, places_.descriptor());
            wait();
        }
        poll();
        changed(k_definitions | k_settings);
    }

    void wait() {
        io_->told->wait(net::Ready::read, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->stopped_ || !self->io_) return;
            if (const unsigned purposes = self->places_.take(); purposes != 0) self->changed(purposes);
            self->wait();
        });
    }

    void changed(unsigned purposes) {
        if (!io_) return;
        purposes_ |= purposes;
        if (!first_) first_ = Clock::now();
        if (reloading_) return;
        io_->quiet.arm(earlier(Deadline{options_.debounce}, Deadline{*first_ + options_.at_most}), [weak = weak_from_this()] {
            if (const auto self = weak.lock(); self && !self->stopped_) self->reload();
        });
    }

    void reload() {
        reloading_ = true;
        first_.reset();
        runtime_.post_blocking([self = shared_from_this(), purposes = std::exchange(purposes_, 0U)] {
            self->reload_now(purposes);
            self->loop_->post([self] {
                self->reloading_ = false;
                if (self->first_ && !self->stopped_) self->changed(0);
            });
        });
    }

    void poll() {
        if (!io_ || !polls_ || polling_) return;
        polling_ = true;
        io_->poll.arm(Deadline{options_.poll}, [weak = weak_from_this()] {
            const auto self = weak.lock();
            if (!self || self->stopped_) return;
            self->runtime_.post_blocking([self] {
                const bool other = self->looks_other();
                self->loop_->post([self, other] {
                    self->polling_ = false;
                    if (self->stopped_) return;
                    if (other) self->changed(k_definitions);
                    self->poll();
                });
            });
        });
    }

    // On the blocking pool:

    void touch(unsigned purposes) {
        loop_->post([self = shared_from_this(), purposes] {
            if (!self->stopped_) self->changed(purposes);
        });
    }

    bool looks_other() {
        const auto store = store_.lock();
        if (!store) return false;
        store->reload_settings();  // costs no more than to look whether they have changed
        const std::uint64_t now = WatchedPlaces::snapshot(watched(*store), DefinitionSuffixes::of(store->options()));
        return std::exchange(snapshot_, now) != now || now == 0;
    }

    void reload_now(unsigned purposes) {
        if (stopped_) return;
        const auto store = store_.lock();
        if (!store) return;  // the registry has gone
        try {
            follow();  // first: what changes while files are read is told then
            if ((purposes & k_settings) != 0) store->reload_settings();
            if ((purposes & k_definitions) == 0 || store->paths().empty()) return;
            const LoadReport report = store->reload();
            store->refresh_secret_files();
            if (options_.on_reload) tell(report);
        } catch (const std::exception& error) {
            runtime_.log().write({LogLevel::error, {}, "watch-reload", std::string{"reloading changed definitions: "} + error.what(), {}});
        }
    }

    void tell(const LoadReport& report) {
        {
            const std::scoped_lock lock{call_mutex_};
            if (stopped_) return;
            calling_ = std::this_thread::get_id();
        }
        const auto end = [this](void*) noexcept {
            {
                const std::scoped_lock lock{call_mutex_};
                calling_ = {};
            }
            called_.notify_all();
        };
        const std::unique_ptr<void, decltype(end)> at_end{this, end};
        options_.on_reload(report);
    }

    const std::weak_ptr<Store> store_;
    const WatchOptions options_;
    const Runtime runtime_;
    const std::shared_ptr<net::Loop> loop_;
    WatchedPlaces places_;
    Subscription subscription_;
    std::atomic<bool> stopped_{false};
    std::atomic<bool> polls_{false};
    std::mutex call_mutex_;
    std::condition_variable called_;
    std::thread::id calling_;    // who is in on_reload; guarded by call_mutex_
    std::uint64_t snapshot_{0};  // of the one look under way
    // Of the loop's thread:
    std::optional<Io> io_;
    std::optional<Clock::time_point> first_;  // of the changes that are not read yet
    unsigned purposes_{0};                    // of those
    bool reloading_{false};
    bool polling_{false};
};

}  // namespace qconn::core

namespace qconn {

Watch::Watch(std::shared_ptr<core::Watcher> watcher) noexcept : watcher_{std::move(watcher)} {}
Watch::Watch(Watch&&) noexcept = default;
Watch& Watch::operator=(Watch&& other) noexcept {
    if (this != &other) {
        stop();
        watcher_ = std::move(other.watcher_);
    }
    return *this;
}
Watch::~Watch() { stop(); }

void Watch::stop() noexcept {
    if (watcher_) watcher_->stop();
}
bool Watch::polls() const noexcept { return watcher_ && watcher_->polls(); }

Watch Registry::watch(const WatchOptions& options) {
    const auto watcher = std::make_shared<core::Watcher>(std::static_pointer_cast<core::Store>(impl_), options);
    watcher->start();
    return Watch{watcher};
}
Watch Registry::watch() { return watch(WatchOptions{}); }

}  // namespace qconn
