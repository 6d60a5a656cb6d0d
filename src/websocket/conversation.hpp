// SPDX-License-Identifier: Apache-2.0
/// What is behind a WebSocketClient: connections one after the other, what waits to be sent and received, calls.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/net/runtime.hpp>
#include <qconn/websocket/websocket_options.hpp>

#include "websocket/call.hpp"
#include "websocket/connection.hpp"
#include "websocket/inbox.hpp"
#include "websocket/settings.hpp"

namespace qconn::websocket {

/// @note Thread-safe, unless something else is said. All that waits lives on one loop.
class Conversation final : public std::enable_shared_from_this<Conversation>, private Handler {
    struct Key {};

public:
    /// @throws Error WEBSOCKET-OPTION-ERROR, WEBSOCKET-URL-ERROR, TLS-OPTION-ERROR
    static std::shared_ptr<Conversation> make(WebSocketOptions options, const Runtime& runtime);
    Conversation(Key, std::shared_ptr<const Settings> settings, net::Loop& loop, Runtime runtime);
    Conversation(const Conversation&) = delete;
    Conversation& operator=(const Conversation&) = delete;
    ~Conversation() override;

    const WebSocketOptions& options() const noexcept { return settings_->options; }
    const Runtime& runtime() const noexcept { return runtime_; }
    /// @throws Error INVALID-ARGUMENT where a connection was begun; WEBSOCKET-OPTION-ERROR
    void set_handlers(WebSocketHandlers handlers);
    bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }
    std::size_t queued() const noexcept { return queued_.load(std::memory_order_relaxed); }

    Operation connect(Deadline deadline, Callback<WebSocketInfo> callback);
    /// How far a message has to be for its call to be over.
    enum class Until : std::uint8_t {
        queued,   ///< and the call waits for room
        written,  ///< and the call is refused where there is no room
    };
    Operation send(WebSocketKind kind, std::string data, Until until, Deadline deadline, Callback<void> callback);
    bool try_send(WebSocketKind kind, std::string_view data);
    Operation send_from(WebSocketKind kind, std::shared_ptr<ByteSource> source, Deadline deadline, Callback<std::uint64_t> callback);
    /// The source is read on the calling thread, which waits.
    std::uint64_t send_from_here(WebSocketKind kind, ByteSource& source, Deadline deadline);
    Operation flush(Deadline deadline, std::size_t at_most, Callback<void> callback);
    /// A whole message that is there, without waiting. Nothing where others wait for it.
    std::optional<WebSocketMessage> take();
    Operation receive(Deadline deadline, Callback<WebSocketMessage> callback);
    Operation receive_to(std::shared_ptr<ByteSink> sink, Deadline deadline, Callback<WebSocketReceived> callback);
    WebSocketReceived receive_here(ByteSink& sink, Deadline deadline);
    Operation ping(Deadline deadline, Callback<std::chrono::nanoseconds> callback);
    Operation close(std::uint16_t code, std::string reason, Deadline deadline, Callback<WebSocketClose> callback);
    /// For good: no handler is called once this has returned.
    void shut_down() noexcept;

private:
    struct Item {
        WebSocketKind kind{WebSocketKind::text};
        std::string data;
        bool counted{true};  // in queued_: it was accepted; else it waits for room
        std::shared_ptr<CallOf<void>> call{};  // null: nobody waits for it
        Deadline deadline{};
    };
    struct Flush {
        std::size_t at_most;
        std::shared_ptr<CallOf<void>> call;
    };
    class Streamed;  // where the parts of a message come from, and what it comes to
    class LoopStreamed;
    class ThreadStreamed;
    class Setup;
    class MessageReceiver;
    class SinkReceiver;
    class PipeReceiver;

    void on_open(const WebSocketInfo& info) override;
    void on_message(WebSocketKind kind, std::string_view data) override;
    void on_part(WebSocketKind kind, std::string_view part, bool last) override;
    void on_pong(std::chrono::nanoseconds round_trip) override;
    void on_ping() override;
    void on_end(End end) override;

    std::string what(std::string_view doing) const;
    Error closed_error() const;
    Error cancelled_error() const;
    Error too_long() const;
    Error stream_error(std::string_view before, const std::exception_ptr& thrown) const;
    bool has_room(std::size_t size) const noexcept;
    template <class T, class Work>
    Operation start(const std::shared_ptr<CallOf<T>>& call, Work work);
    bool enqueue(Item item);
    Operation start_stream(const std::shared_ptr<Streamed>& stream, const std::shared_ptr<CallOf<std::uint64_t>>& call, Deadline deadline);
    // On the loop:
    /// @param now  also where one failed and the next try comes later
    void need_connection(bool now = false);
    void give_up_unwanted();
    void drain();
    void hand_over(Item item);
    void put(Item item);
    void on_sent(std::size_t size);
    void release_held();
    void refuse_held(const Error& error);
    void check_flushes();
    void next_stream();
    void want_part();
    void give_part(const std::shared_ptr<Streamed>& stream, std::string data, bool last);
    void end_stream(const Streamed* streamed, const Error& error);
    void feed_receivers();
    void start_receiver(const std::shared_ptr<Receiver>& receiver, Deadline deadline);
    void end_receiver(const std::shared_ptr<Receiver>& receiver, Error error);
    void check_unread();
    void fail_all(const Error& error);
    void try_again_later(const Error& error);
    void do_close(std::uint16_t code, const std::string& reason, std::shared_ptr<CallOf<WebSocketClose>> call);
    void shut_down_here();
    void tell(const WebSocketEvent& event);
    void write_logs(const WebSocketEvent& event);
    template <class F>
    void call_user(F&& call);

    const std::shared_ptr<const Settings> settings_;
    std::atomic<bool> pulls_;  // neither on_message nor on_part takes messages
    const std::shared_ptr<net::Loop> loop_;
    const Runtime runtime_;
    std::atomic<bool> open_{false};
    std::atomic<std::size_t> queued_{0};

    std::mutex outbox_mutex_;  // of what follows
    std::vector<Item> outbox_;
    bool drain_posted_{false};

    Inbox inbox_;
    std::atomic<std::size_t> receivers_waiting_{0};  // from the moment of the call on
    std::atomic<bool> reading_paused_{false};

    // The loop's:
    WebSocketHandlers handlers_;
    bool begun_{false};
    std::shared_ptr<Connection> connection_;
    bool shut_{false};
    bool closed_here_{false};
    bool ever_open_{false};
    int attempts_{0};
    Clock::time_point stands_since_{};
    net::Timer retry_timer_;
    bool retry_waits_{false};
    WebSocketInfo info_;
    std::optional<Error> unseen_error_;
    std::vector<Item> draining_;
    std::deque<Item> held_;  // there is no connection, or no room
    std::vector<std::shared_ptr<CallOf<WebSocketInfo>>> connects_;
    std::vector<Flush> flushes_;
    std::vector<std::shared_ptr<CallOf<std::chrono::nanoseconds>>> pings_;
    std::vector<std::shared_ptr<CallOf<WebSocketClose>>> closes_;
    std::deque<std::shared_ptr<Streamed>> streams_;  // the first one is under way
    std::deque<std::shared_ptr<Receiver>> receivers_;
};

}  // namespace qconn::websocket
