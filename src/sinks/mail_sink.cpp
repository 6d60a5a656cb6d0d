// SPDX-License-Identifier: Apache-2.0
#include <qconn/sinks/mail_sink.hpp>

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <utility>

#include "mail/mail_address.hpp"
#include "mail/mail_message.hpp"
#include "mail/smtp_error.hpp"
#include "monitor/backlog.hpp"
#include "net/threads.hpp"
#include "sinks/back_off.hpp"
#include "sinks/mail_text.hpp"

namespace qconn {

namespace {

using Item = monitor::Backlog::Item;
using Source = std::function<std::shared_ptr<SmtpClient>()>;

/// What the thread, the monitor's listener and the callbacks of sendings share.
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
    MailSinkCounts counts;
    std::optional<Deadline> end;  // set once it is to end
};

MailSinkOptions checked(MailSinkOptions options) {
    if (options.to.empty()) throw mail::message_error("a mail sink has nobody to send mail to");
    for (const MailAddress& one : options.to) {
        if (!mail::is_address(one.address)) throw mail::message_error("\"" + one.address + "\" is no address that a mail sink could send to");
    }
    if (!options.from.address.empty() && !mail::is_address(options.from.address))
        throw mail::message_error("\"" + options.from.address + "\" is no address that a mail sink could send from");
    if (options.events.kinds.empty()) options.events.kinds = {EventKind::alert, EventKind::alert_cleared};
    options.most = std::max<std::size_t>(options.most, 1);
    return options;
}

}  // namespace

struct MailSink::Impl {
    Impl(Monitor& monitor, Source its_source, MailSinkOptions its_options)
        : options{checked(std::move(its_options))},
          source{std::move(its_source)},
          shared{std::make_shared<Shared>(options.events, monitor.options().group_alerts)} {
        thread = net::Worker{"qconn-mail", [this] { run(); }};
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

    /// Until then, or until it is to end.
    void wait_until(std::unique_lock<std::mutex>& lock, Deadline when) {
        while (!when.has_passed() && !shared->end) shared->changed.wait_until(lock, when.when());
    }

    void run() {
        std::unique_lock lock{shared->mutex};
        Deadline next{Clock::time_point::min()};
        for (;;) {
            shared->changed.wait(lock, [this] { return shared->end || !in_hand.empty() || !shared->backlog.empty(); });
            if (in_hand.empty() && !shared->end) {
                wait_until(lock, Deadline{options.collect});
                wait_until(lock, next);
            }
            if (shared->end && (shared->end->has_passed() || (in_hand.empty() && shared->backlog.empty()))) break;
            const bool more = !shared->backlog.empty();
            while (!shared->backlog.empty()) in_hand.push_back(shared->backlog.pop());
            if (in_hand.empty()) continue;  // what had come has cancelled out
            next = Deadline{options.interval};
            if (more || message_id.empty()) message_id = new_id();
            const bool ending = shared->end.has_value();
            const auto failure = send(lock);
            if (!failure) {
                taken(lock);
                continue;
            }
            ++shared->counts.failures;
            shared->counts.error = failure->what();
            if (++failures == 1 && !ending)
                tell(lock, LogLevel::warning, "mail-sink-failed",
                     std::string{"mail about events could not be sent and will be tried again: "} + failure->what());
            const Deadline again{sinks::back_off(failures, options.retry, options.longest_retry)};
            if (!ending)
                wait_until(lock, again);  // the end cuts it short for a last attempt
            else
                while (!again.has_passed() && !shared->end->has_passed()) shared->changed.wait_until(lock, earlier(again, *shared->end).when());
        }
        const std::size_t left = in_hand.size() + shared->backlog.size();
        lock.unlock();
        if (left > 0) tell(LogLevel::warning, "mail-sink-ended", std::to_string(left) + " events were not mailed before the sink ended");
    }

    std::string new_id() const {
        const std::string& address = options.from.address;
        const std::size_t at = address.rfind('@');
        const std::string domain = at == std::string::npos || mail::needs_utf8(address) || address[at + 1] == '[' ? "qconn" : address.substr(at + 1);
        return mail::ComposeSeed::make().random + '@' + domain;
    }

    /// Without the lock meanwhile. @returns why it failed
    std::optional<Error> send(std::unique_lock<std::mutex>& lock) {
        struct Outcome {
            bool came{false};
            std::optional<Error> error{};
            std::string refused{};
        };
        const auto outcome = std::make_shared<Outcome>();  // guarded by the mutex; the callback may come when nobody waits any more
        const auto end = shared->end;
        lock.unlock();
        std::shared_ptr<SmtpClient> client;
        Operation operation;
        std::optional<Error> failure;
        try {
            client = source();
            MailMessage mail = sinks::mail_of(in_hand, options.most, options.subject_prefix);
            mail.from = options.from;
            mail.to = options.to;
            mail.message_id = message_id;
            SmtpSendOptions how;
            how.partial = true;
            operation = client->async_send(std::move(mail), how, earlier(Deadline{options.timeout}, end.value_or(Deadline{})),
                                           [shared = shared, outcome](Result<SmtpReceipt> result) {
                                               const std::scoped_lock inner{shared->mutex};
                                               outcome->came = true;
                                               if (!result) {
                                                   outcome->error = result.error();
                                               } else {
                                                   for (const auto& one : result->recipients) {
                                                       if (!one.accepted()) outcome->refused += one.address + " (" + one.reply.text() + ") ";
                                                   }
                                               }
                                               shared->changed.notify_all();
                                           });
        } catch (const Error& e) { failure = e; } catch (const std::exception& e) {
            failure = make_error(Errc::system, std::string{"mailing events failed: "} + e.what());
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
        if (outcome->came) {
            if (!outcome->refused.empty())
                tell(lock, LogLevel::warning, "mail-sink-refused", "mail about events was not taken for " + outcome->refused);
            return outcome->error;
        }
        lock.unlock();
        operation.cancel();
        client.reset();
        lock.lock();
        return make_error(Errc::cancelled, "the sink ended before its last mail was answered");
    }

    void taken(std::unique_lock<std::mutex>& lock) {
        MailSinkCounts& counts = shared->counts;
        ++counts.mails;
        counts.delivered += in_hand.size();
        counts.error.clear();
        in_hand.clear();
        message_id.clear();
        if (const int before = std::exchange(failures, 0); before > 0)
            tell(lock, LogLevel::info, "mail-sink-recovered", "events are mailed again after " + std::to_string(before) + " failures");
    }

    void tell(LogLevel level, std::string_view event, const std::string& text) const { options.log.write({level, {}, event, text, {}}); }
    void tell(std::unique_lock<std::mutex>& lock, LogLevel level, std::string_view event, const std::string& text) const {
        lock.unlock();
        tell(level, event, text);
        lock.lock();
    }

    const MailSinkOptions options;
    const Source source;
    const std::shared_ptr<Shared> shared;
    std::vector<Item> in_hand;  // oldest first; changed by the thread alone, under the mutex
    // Of the thread alone:
    std::string message_id;
    int failures{0};  // in a row

    net::Worker thread;
    Subscription watching;
};

MailSink::MailSink(Monitor& monitor, Ref<SmtpClient> connection, MailSinkOptions options)
    : impl_{std::make_unique<Impl>(
          monitor, [connection = std::move(connection)] { return connection.pin(); }, std::move(options))} {}
MailSink::MailSink(Monitor& monitor, std::shared_ptr<SmtpClient> client, MailSinkOptions options)
    : impl_{std::make_unique<Impl>(
          monitor, [client = std::move(client)] { return client; }, std::move(options))} {}
MailSink::~MailSink() = default;

MailSinkCounts MailSink::counts() const {
    const std::scoped_lock lock{impl_->shared->mutex};
    MailSinkCounts counts = impl_->shared->counts;
    counts.waiting = impl_->in_hand.size() + impl_->shared->backlog.size();
    return counts;
}

}  // namespace qconn
