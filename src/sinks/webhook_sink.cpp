// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include <qconn/sinks/webhook_sink.hpp>

#include "base/text.hpp"
#include "monitor/backlog.hpp"
#include "net/threads.hpp"
#include "sinks/webhook_body.hpp"

namespace qconn {

namespace {

using Item = monitor::Backlog::Item;
using Source = std::function<std::shared_ptr<HttpClient>()>;

std::string random_run() {
    std::random_device random;
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes += static_cast<char>(random() & 0xFFU);
    return text::to_hex(bytes);
}

/// What the thread, the monitor's listener and the callbacks of posts share.
struct Shared {
    Shared(const SubscribeOptions& events, bool group_alerts) : backlog{limit_only(events), group_alerts} {}
    /// The choice has been made by the monitor.
    static SubscribeOptions limit_only(const SubscribeOptions& events) {
        SubscribeOptions limit;
        limit.queue = events.queue;
        return limit;
    }

    std::mutex mutex;
    std::condition_variable changed;
    // Guarded by mutex:
    monitor::Backlog backlog;
    WebhookCounts counts;
    std::optional<Deadline> end;  // set once it is to end
};

}  // namespace

struct WebhookSink::Impl {
    Impl(Monitor& monitor, Source its_source, WebhookOptions its_options)
        : options{std::move(its_options)},
          source{std::move(its_source)},
          shared{std::make_shared<Shared>(options.events, monitor.options().group_alerts)} {
        thread = net::Worker{"qconn-webhook", [this] { run(); }};
        try {
            watching = monitor.subscribe(
                [shared = shared](const Event& event) {
                    const std::scoped_lock lock{shared->mutex};
                    shared->counts.skipped += event.skipped + shared->backlog.push(std::make_shared<const Event>(event));
                    shared->changed.notify_all();
                },
                options.events);
        } catch (...) {
            end(std::chrono::milliseconds{0});
            throw;
        }
    }
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        watching.unsubscribe();
        end(options.flush);
    }

    void end(std::chrono::milliseconds within) {
        {
            const std::scoped_lock lock{shared->mutex};
            shared->end = Deadline{within};
            shared->changed.notify_all();
        }
        thread.join(Deadline{});
    }

    void run() {
        std::unique_lock lock{shared->mutex};
        for (;;) {
            shared->changed.wait(lock, [this] { return shared->end || !in_hand.empty() || !shared->backlog.empty(); });
            if (shared->end && (shared->end->has_passed() || (in_hand.empty() && shared->backlog.empty()))) break;
            while (in_hand.size() < room && !shared->backlog.empty()) in_hand.push_back(shared->backlog.pop());
            in_post = std::min(in_hand.size(), room);
            const auto failure = post(lock);
            if (failure)
                failed(*failure, lock);
            else
                taken(lock);
        }
        const std::size_t left = in_hand.size() + shared->backlog.size();
        lock.unlock();
        if (left > 0) tell(LogLevel::warning, "webhook-ended", std::to_string(left) + " events were not posted before the webhook ended");
    }

    /// Without the lock meanwhile. @returns why it failed
    std::optional<Error> post(std::unique_lock<std::mutex>& lock) {
        struct Outcome {
            bool came{false};
            std::optional<Error> error{};
        };
        const auto outcome = std::make_shared<Outcome>();  // guarded by the mutex; the callback may come when nobody waits any more
        const auto end = shared->end;
        const std::uint64_t not_told = shared->counts.dropped - told_dropped;
        dropped_in_post = shared->counts.dropped;
        lock.unlock();
        std::shared_ptr<HttpClient> client;
        Operation operation;
        std::optional<Error> failure;
        try {
            client = source();
            HttpRequest request;
            request.method = "POST";
            request.path = options.path;
            request.headers.set("Content-Type", "application/json");
            request.repeatable = true;
            request.body = sinks::webhook_body(run_id, not_told, {in_hand.begin(), in_hand.begin() + static_cast<std::ptrdiff_t>(in_post)});
            operation = client->async_request(std::move(request), earlier(Deadline{options.timeout}, end.value_or(Deadline{})),
                                              [shared = shared, outcome](Result<HttpResponse> result) {
                                                  const std::scoped_lock inner{shared->mutex};
                                                  outcome->came = true;
                                                  if (!result) outcome->error = result.error();
                                                  shared->changed.notify_all();
                                              });
        } catch (const Error& e) { failure = e; } catch (const std::exception& e) {
            failure = make_error(Errc::system, std::string{"posting events failed: "} + e.what());
        }
        lock.lock();
        if (failure) return failure;
        // Told to end, it still waits as long as that allows.
        while (!outcome->came && !(shared->end && shared->end->has_passed())) {
            if (shared->end)
                shared->changed.wait_until(lock, shared->end->when());
            else
                shared->changed.wait(lock);
        }
        if (outcome->came) return outcome->error;
        lock.unlock();
        operation.cancel();
        client.reset();
        lock.lock();
        return make_error(Errc::cancelled, "the webhook ended before its last post was answered");
    }

    void taken(std::unique_lock<std::mutex>& lock) {
        WebhookCounts& counts = shared->counts;
        ++counts.posts;
        counts.delivered += in_post;
        counts.error.clear();
        told_dropped = dropped_in_post;
        in_hand.erase(in_hand.begin(), in_hand.begin() + static_cast<std::ptrdiff_t>(in_post));
        room = std::min(room * 2, std::max<std::size_t>(options.batch, 1));
        if (const int before = std::exchange(failures, 0); before > 0)
            tell(lock, LogLevel::info, "webhook-recovered", "events are posted again after " + std::to_string(before) + " failures");
    }

    void failed(const Error& error, std::unique_lock<std::mutex>& lock) {
        const bool ending = shared->end.has_value();  // before it is told of: the end may come meanwhile
        Item refused;
        ++shared->counts.failures;
        shared->counts.error = error.what();
        switch (sinks::judge(error, in_post)) {
            case sinks::Verdict::halve: room = std::max<std::size_t>(in_post / 2, 1); return;
            case sinks::Verdict::refuse:
                ++shared->counts.dropped;
                refused = in_hand.front();
                in_hand.erase(in_hand.begin());
                tell(lock, LogLevel::error, "webhook-refused", "event " + std::to_string(refused->seq) + " was dropped: " + error.what());
                return;
            case sinks::Verdict::again: break;
        }
        if (++failures == 1 && !ending)
            tell(lock, LogLevel::warning, "webhook-failed", std::string{"events could not be posted and will be tried again: "} + error.what());
        const Deadline next{sinks::back_off(failures, options.retry, options.longest_retry)};
        // The end cuts one wait short for a last attempt, and after that lasts as long as it was given.
        while (!next.has_passed() && shared->end.has_value() == ending && !(ending && shared->end->has_passed()))
            shared->changed.wait_until(lock, ending ? earlier(next, *shared->end).when() : next.when());
    }

    void tell(LogLevel level, std::string_view event, const std::string& text) const {
        options.log.write({level, {}, event, text, {{"run", run_id}}});
    }
    void tell(std::unique_lock<std::mutex>& lock, LogLevel level, std::string_view event, const std::string& text) const {
        lock.unlock();
        tell(level, event, text);
        lock.lock();
    }

    const WebhookOptions options;
    const Source source;
    const std::shared_ptr<Shared> shared;
    const std::string run_id{random_run()};
    std::vector<Item> in_hand;  // oldest first; changed by the thread alone, under the mutex; the first in_post are on their way or have failed
    // Of the thread alone:
    std::size_t in_post{0};
    std::size_t room{std::max<std::size_t>(options.batch, 1)};  // most in one post: fewer after the server has refused as many
    std::uint64_t told_dropped{0};
    std::uint64_t dropped_in_post{0};
    int failures{0};  // in a row

    net::Worker thread;
    Subscription watching;
};

WebhookSink::WebhookSink(Monitor& monitor, Ref<HttpClient> connection, WebhookOptions options)
    : impl_{std::make_unique<Impl>(
          monitor, [connection = std::move(connection)] { return connection.pin(); }, std::move(options))} {}
WebhookSink::WebhookSink(Monitor& monitor, std::shared_ptr<HttpClient> client, WebhookOptions options)
    : impl_{std::make_unique<Impl>(
          monitor, [client = std::move(client)] { return client; }, std::move(options))} {}
WebhookSink::WebhookSink(Monitor& monitor, HttpOptions server, WebhookOptions options)
    : WebhookSink{monitor, std::make_shared<HttpClient>(std::move(server)), std::move(options)} {}
WebhookSink::~WebhookSink() = default;

WebhookCounts WebhookSink::counts() const {
    const std::scoped_lock lock{impl_->shared->mutex};
    WebhookCounts counts = impl_->shared->counts;
    counts.waiting = impl_->in_hand.size() + impl_->shared->backlog.size();
    return counts;
}

}  // namespace qconn
