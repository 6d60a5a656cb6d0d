// SPDX-License-Identifier: Apache-2.0
/// What an eFTL client does, without sockets, clocks or threads: what happened goes in, frames and events come out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/operation.hpp>
#include <qconn/eftl/eftl_message.hpp>
#include <qconn/eftl/eftl_options.hpp>

#include "eftl/frame.hpp"

namespace qconn::eftl {

/// What kind of answer is waited for.
enum class Kind : std::uint8_t { publish, request, reply, map_set, map_get, map_remove };

/// Nothing, or the message that a request or map_get brought.
using Answer = std::optional<EftlMessage>;
using Answered = UniqueFunction<void(Result<Answer>)>;

/// A subscription as its owner sees it.
struct Subscribed {
    std::string id;
    EftlSubscription what;
    /// on_message takes the messages; false: they wait somewhere until Engine::consumed() is told of them.
    bool consumes{true};
};

enum class Welcome : std::uint8_t { first, manual, automatic };

/// Who carries out what an Engine wants. None of these may call the engine from inside, but on_message consumed().
class Host {
public:
    virtual ~Host() = default;
    /// To begin a link with that server of the list: link_up() or link_down() follow.
    virtual void dial(std::size_t server) = 0;
    /// A frame on the link that is up.
    virtual void send(std::string_view frame) = 0;
    /// The same; tells when it has been handed to the system, or will not be (an Error).
    virtual void send_and_tell(std::string_view frame, UniqueFunction<void(const Error*)> done) = 0;
    /// What was sent goes out, then a close frame; link_down() follows.
    virtual void close(std::uint16_t code, std::string_view reason) = 0;
    /// The link, or the dial, ends at once. No link_down() follows. @param code  of the close frame, where one can be sent without waiting; 0: none
    virtual void drop(std::uint16_t code) = 0;
    /// As close(), but nobody waits for its end: no link_down() follows.
    virtual void leave(std::uint16_t code) = 0;

    virtual void on_state(EftlState state) = 0;
    virtual void on_welcome(Welcome kind, const EftlSession& session) = 0;
    virtual void on_disconnect(int code, const std::string& reason) = 0;
    virtual void on_error(int code, const std::string& reason) = 0;
    virtual void on_subscribed(const Subscribed& subscription) = 0;
    /// @param gone  the engine has forgotten it
    virtual void on_subscription_error(const Subscribed& subscription, int code, const std::string& reason, bool gone) = 0;
    virtual void on_message(const Subscribed& subscription, EftlMessage message) = 0;
};

struct EngineOptions {
    std::size_t servers{1};
    /// For messages, one for each.
    std::vector<std::string> shown{};
    std::vector<std::string> users{};
    std::vector<Secret> passwords{};
    std::vector<std::string> client_ids{};
    std::string client_version{};
    std::int64_t max_pending_acks{0};
    std::chrono::milliseconds login_timeout{15'000};
    int attempts{256};
    std::chrono::milliseconds max_delay{30'000};
    bool shuffle{true};
    EftlResend resend{EftlResend::always};
};

/// The wait before the walk through the list that follows `round` others.
/// @param random  0 to 1
std::chrono::milliseconds reconnect_delay(int round, std::chrono::milliseconds most, double random) noexcept;

/// @note One thread at a time. Every function that can make something happen gets the time that it is. Completions are called from inside, and may
/// call the engine.
class Engine {
public:
    /// @param random  0 to 1, without 1
    Engine(EngineOptions options, Host& host, UniqueFunction<double()> random);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    // ---- what the owner wants ----

    /// The completion comes with the welcome, or when all attempts have failed. Where there is a connection: EFTL-ALREADY-CONNECTED.
    /// @returns a number for cancel_connect()
    std::uint64_t connect(Clock::time_point now, UniqueFunction<void(Result<EftlSession>)> done);
    /// Ends that wait; where nobody waits any more, and nothing was kept, an attempt to connect for the first time too.
    void cancel_connect(std::uint64_t number, Error why);
    /// Once with a deadline: what is open then ends.
    void disconnect(Clock::time_point deadline, UniqueFunction<void()> done);
    /// Everything ends with that, nothing more is told to the host but drop().
    void abandon(const Error& why);

    /// @param frame  an open one (frame.hpp) @returns its number for cancel(); 0 where it ended at once
    std::int64_t submit(Kind kind, std::string frame, Clock::time_point now, Clock::time_point deadline, Answered done);
    /// The answer is not waited for any more.
    void cancel(std::int64_t seq, Error why);
    /// Sent now or after the next welcome; no answer comes.
    void tell(std::string frame);

    /// @param id  from next_id(), in its order
    void subscribe(std::string id, EftlSubscription what, bool consumes, Clock::time_point now, Clock::time_point deadline,
                   UniqueFunction<void(Result<std::string>)> done);
    std::string next_id() { return std::to_string(++last_id_); }
    /// While its first answer is waited for: it is forgotten, and closed at the server.
    void cancel_subscribe(std::string_view id, Error why);
    void unsubscribe(std::string_view id, bool keep_durable);
    void stop(std::string_view id);
    void start(std::string_view id);
    void acknowledge(const EftlReceipt& receipt, bool all_up_to);
    /// Of a subscription that does not consume by itself: the owner has given the message out.
    void consumed(const EftlReceipt& receipt);

    // ---- what happened ----

    /// The handshake is done.
    void link_up(Clock::time_point now);
    /// The link ended, or none came about.
    /// @param code  of the close frame that came; 1006: none came
    void link_down(int code, std::string_view reason, const Error* error, Clock::time_point now);
    /// A whole text message.
    void received(std::string_view text, Clock::time_point now);
    /// No more has come for the moment: what was consumed is acknowledged.
    void flush_acks();
    /// Whether flush_acks() has something to do.
    bool has_acks() const noexcept { return !unacknowledged_.empty(); }
    /// The time of next_deadline() has come.
    void tick(Clock::time_point now);
    Clock::time_point next_deadline() const noexcept;
    /// The owner did not read for a while: silence until now was its own.
    void was_deaf(Clock::time_point now) noexcept { last_received_ = now; }

    // ---- looking ----

    EftlState state() const noexcept { return state_; }
    const EftlSession& session() const noexcept { return session_; }
    std::string client_id() const;
    std::size_t in_flight() const noexcept { return pending_.size(); }
    std::size_t subscriptions() const noexcept { return subscriptions_.size(); }
    /// Entries of the list of deadlines, for a test that it does not grow.
    std::size_t timers() const noexcept { return deadlines_.size(); }

private:
    enum class Flow : std::uint8_t { started, stopped, starting };
    struct Pending {
        Kind kind{Kind::publish};
        std::string frame;
        std::size_t tail{0};  // where its number begins
        bool sent{false};
        Clock::time_point deadline;
        Answered done;
    };
    struct Subscription {
        Subscribed own;
        Flow flow{Flow::started};
        std::int64_t last_seq{0};
        std::int64_t highest_here{0};     // that came by this link, repeats too
        std::deque<std::int64_t> open{};  // delivered, and not consumed or acknowledged; rising
        std::int64_t to_acknowledge{0};   // up to; 0: nothing
        Clock::time_point deadline;       // of its first answer
        UniqueFunction<void(Result<std::string>)> done{};
    };
    struct Deadlined {
        Clock::time_point when;
        std::int64_t number;
        bool subscription;
        friend bool operator<(const Deadlined& a, const Deadlined& b) noexcept { return a.when > b.when; }  // the earliest on top
    };
    struct Waiting {
        std::uint64_t number;
        UniqueFunction<void(Result<EftlSession>)> done;
    };
    using Subscriptions = std::map<std::int64_t, Subscription>;  // by number, so in the order in which they were made

    void set_state(EftlState state);
    bool is_kept() const noexcept { return state_ == EftlState::connecting || state_ == EftlState::reconnecting; }
    bool can_talk() const noexcept { return state_ == EftlState::connected || (state_ == EftlState::disconnecting && !said_goodbye_); }
    /// Why something is refused in this state.
    Error not_connected(std::string_view what) const;
    /// What ended the last link, or kept it from coming about; empty where one stands or nothing is known.
    std::string trouble() const;

    void walk(Clock::time_point now);
    void next_server(Clock::time_point now);
    void attempt_failed(Clock::time_point now);
    void lost(int code, std::string_view reason, Clock::time_point now);
    void finish(int code, const std::string& reason, const Error& why);
    void go_silent(Clock::time_point now);
    void broken(std::string_view what, int number, std::uint16_t close_code, Clock::time_point now);

    void on_frame(ServerFrame& frame, Clock::time_point now);
    void on_welcome(const ServerFrame& frame, Clock::time_point now);
    void on_answer(const ServerFrame& frame);
    void on_event(ServerFrame& frame);
    void on_subscribed(const ServerFrame& frame);
    void on_unsubscribed(const ServerFrame& frame);
    void on_server_error(const ServerFrame& frame, Clock::time_point now);

    void resubscribe();
    void resend();
    void send_pending(Pending& pending);
    std::optional<Error> unfit(Kind kind, std::size_t size) const;
    void complete(std::int64_t seq, Result<Answer> result);
    void fail_all(const Error& why, bool with_subscriptions);
    void drained();
    void goodbye();
    void remember(Clock::time_point deadline, std::int64_t number, bool subscription);
    void expire(Clock::time_point now);
    void mark(Subscription& subscription, std::int64_t seq);
    Subscriptions::iterator find(std::string_view id) noexcept;
    static std::int64_t number_of(std::string_view id) noexcept;

    EngineOptions options_;
    Host& host_;
    UniqueFunction<double()> random_;

    EftlState state_{EftlState::disconnected};
    bool link_up_{false};  // a log-in may be sent, or was
    bool ever_connected_{false};
    bool automatic_{false};  // the connection that is being made follows a loss
    bool said_goodbye_{false};
    bool shuffled_{false};
    std::vector<std::size_t> order_;
    std::size_t at_{0};  // in order_
    int rounds_{0};
    bool garbled_{false};  // the link ends because what came by it was no eFTL
    bool served_{false};   // a message that is no repeat, or the answer to one, has come by this link
    Clock::time_point let_in_at_{};
    EftlSession session_;
    std::string id_token_;
    std::uint64_t session_began_{0};  // the link of the first log-in of this session

    Clock::time_point login_deadline_{Clock::time_point::max()};
    Clock::time_point retry_at_{Clock::time_point::max()};
    Clock::time_point drain_deadline_{Clock::time_point::max()};
    Clock::time_point last_received_{};
    bool suspected_{false};  // silent for too long; looked at once more before that counts
    Clock::time_point suspected_at_{};

    int last_code_{1006};
    std::string last_reason_;
    std::string server_words_;  // of an error frame since the last dial
    int server_code_{0};
    std::string failures_;  // of this walk, for messages
    std::optional<Error> last_error_;

    std::int64_t last_seq_{0};
    std::map<std::int64_t, Pending> pending_;
    std::int64_t last_id_{0};
    Subscriptions subscriptions_;
    std::vector<std::int64_t> unacknowledged_;  // subscriptions with to_acknowledge
    std::vector<std::string> later_;            // told while there was no connection
    std::vector<std::string> leavings_;         // ends of subscriptions, likewise: only for a session that is kept
    std::vector<Deadlined> deadlines_;          // a heap; entries of what has ended stay for a while
    std::vector<Waiting> connects_;
    std::uint64_t last_connect_{0};
    std::vector<UniqueFunction<void()>> disconnects_;
    ServerFrame frame_;
};

}  // namespace qconn::eftl
