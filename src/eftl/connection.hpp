// SPDX-License-Identifier: Apache-2.0
/// Carries out what an Engine wants, on one loop; and takes what any thread wants to it.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/eftl/eftl_options.hpp>
#include <qconn/net/runtime.hpp>

#include "eftl/engine.hpp"
#include "eftl/settings.hpp"
#include "net/runtime_impl.hpp"
#include "net/timer.hpp"
#include "net/waiting.hpp"
#include "websocket/connection.hpp"

namespace qconn::eftl {

/// @note Thread-safe, but for what is marked as the loop's. Lives as long as anything is under way; shut() ends that.
class Connection final : public std::enable_shared_from_this<Connection>, private Host {
    struct Key {};

public:
    static std::shared_ptr<Connection> make(EftlOptions options, const Runtime& runtime);
    Connection(Key, std::shared_ptr<const Settings> settings, const Runtime& runtime);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override;

    const EftlOptions& options() const noexcept { return settings_->options; }
    const std::string& label() const noexcept { return settings_->options.label; }
    /// For blocking calls. @throws Error INVALID-ARGUMENT on an I/O thread of the runtime
    void refuse_on_loop() const;
    void set_handlers(EftlHandlers handlers);
    /// What a callback is to be put into so that the client knows of its operation, for handles that are no clients. Until shut().
    void set_wrapper(UniqueFunction<Callback<Answer>(Callback<Answer>)> wrapper);
    Callback<Answer> wrapped(Callback<Answer> callback);

    Operation connect(bool again, Deadline deadline, Callback<EftlSession> callback);
    Operation disconnect(Deadline deadline, Callback<void> callback);
    EftlState state() const noexcept { return state_.load(std::memory_order_acquire); }
    EftlSession session() const;
    std::string client_id() const;

    /// @param frame  an open one (frame.hpp) @param waits  for room, rather than to end with EFTL-BUSY: only of blocking calls
    Operation submit(Kind kind, std::string frame, Deadline deadline, Callback<Answer> callback);
    /// Whether there is room for one of that size now; for blocking calls, which wait for it.
    bool has_room(std::size_t size) const noexcept;
    Operation room(Deadline deadline, Callback<void> callback);
    Operation flush(Deadline deadline, Callback<void> callback);
    std::size_t in_flight() const noexcept { return in_flight_.load(std::memory_order_relaxed); }
    /// @throws Error EFTL-MESSAGE-TOO-LARGE, EFTL-UNSUPPORTED by what the last server said
    void tell(std::string frame);

    Operation subscribe(EftlSubscription subscription, Deadline deadline, Callback<std::string> callback);
    Operation receive(std::string_view id, Deadline deadline, Callback<EftlMessage> callback);
    void acknowledge(const EftlMessage& message, bool all);
    void unsubscribe(std::string_view id, bool keep_durable);
    void unsubscribe_all(bool keep_durable);
    void stop(std::string_view id);
    void start(std::string_view id);
    std::vector<std::string> subscriptions() const;

    /// Everything ends as cancelled, handlers are not called any more, and a running one is waited for.
    void shut() noexcept;

private:
    class Link;
    class Submission;
    template <class T>
    using Wait = net::Waiting<Connection, T>;
    template <class Owner, class T>
    friend class net::Waiting;

    /// Messages that nobody took yet, and those who wait for some.
    struct Queue {
        std::deque<EftlMessage> messages;
        std::list<std::shared_ptr<Wait<EftlMessage>>> waiting;
    };
    /// What other threads may know of a subscription.
    struct Known {
        EftlAck ack{EftlAck::automatic};
        bool consumes{true};
    };

    /// Runs it on the loop, in the order of the calls.
    void post(UniqueFunction<void()> command);
    Error labelled(Error error) const;
    bool admit(std::size_t size) noexcept;
    void release(std::size_t size);
    void require_protocol(std::string_view what) const;
    Known known(std::string_view id, std::string_view what) const;
    Known forget(std::string_view id, std::string_view what);

    // The loop's:
    void run_commands();
    void settled();
    net::Loop& loop() const noexcept { return *loop_; }
    static Error stopped(bool cancelled, std::string_view what);
    void callback_threw(const char* what) const;
    void rearm();
    void wake_flush();
    void ensure_connection(Clock::time_point now);
    void begin_receive(const std::string& id, const std::shared_ptr<Wait<EftlMessage>>& wait);
    void hand_out(Queue& queue);
    void taken();
    void end_queues(const Error& why);
    void end_queue(const std::string& id, const Error& why);
    void resolve_waits();
    void log(LogLevel level, std::string_view event, const std::string& text) const;
    template <class Call>
    void tell_user(Call&& call) noexcept;

    // Host:
    void dial(std::size_t server) override;
    void send(std::string_view frame) override;
    void send_and_tell(std::string_view frame, UniqueFunction<void(const Error*)> done) override;
    void close(std::uint16_t code, std::string_view reason) override;
    void drop(std::uint16_t code) override;
    void leave(std::uint16_t code) override;
    void on_state(EftlState state) override;
    void on_welcome(Welcome kind, const EftlSession& session) override;
    void on_disconnect(int code, const std::string& reason) override;
    void on_error(int code, const std::string& reason) override;
    void on_subscribed(const Subscribed& subscription) override;
    void on_subscription_error(const Subscribed& subscription, int code, const std::string& reason, bool gone) override;
    void on_message(const Subscribed& subscription, EftlMessage message) override;

    // Of links:
    void link_opened(const Link* link);
    void link_brought(const Link* link, std::string_view text);
    void link_ended(const Link* link, websocket::End end);

    const std::shared_ptr<const Settings> settings_;
    const Runtime runtime_;
    const std::shared_ptr<net::Loop> loop_;
    std::atomic<EftlState> state_{EftlState::disconnected};
    std::atomic<std::size_t> in_flight_{0};
    std::atomic<std::size_t> bytes_{0};

    mutable std::mutex mutex_;
    // Guarded by mutex_:
    std::vector<UniqueFunction<void()>> commands_;
    bool scheduled_{false};
    std::shared_ptr<const EftlHandlers> handlers_;
    UniqueFunction<Callback<Answer>(Callback<Answer>)> wrapper_;
    EftlSession session_;
    std::map<std::string, Known, std::less<>> known_;
    std::vector<std::string> order_;

    std::mutex calling_;  // held while a handler runs
    std::atomic<bool> silenced_{false};

    // The loop's:
    std::mt19937_64 random_;
    Engine engine_;
    std::unique_ptr<Link> link_;
    std::unique_ptr<net::Timer> timer_;
    Clock::time_point armed_{Clock::time_point::max()};
    bool flush_posted_{false};
    bool asked_to_disconnect_{false};
    bool over_{false};
    bool paused_{false};
    std::size_t unread_{0};
    std::map<std::string, Queue, std::less<>> queues_;
    std::list<std::shared_ptr<Wait<void>>> room_waits_;
    std::list<std::shared_ptr<Wait<void>>> flush_waits_;
};

}  // namespace qconn::eftl
