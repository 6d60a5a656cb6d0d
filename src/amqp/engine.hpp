// SPDX-License-Identifier: Apache-2.0
/// What an AMQP 1.0 client does on one connection, without sockets, clocks or threads: bytes go in, bytes and events come out.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include <qconn/amqp/amqp_error.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/result.hpp>
#include <qconn/base/secret.hpp>

#include "amqp/delivery_ring.hpp"
#include "amqp/performative.hpp"
#include "amqp/ring.hpp"

namespace qconn::amqp {

/// One way to log in. Of those that the peer offers the first is taken.
struct SaslMechanism {
    std::string name;
    Secret response{};  ///< the initial one
};

struct EngineOptions {
    std::string container_id{};
    std::string hostname{};
    std::uint32_t max_frame_size{256 * 1024};
    std::uint16_t channel_max{0xffff};
    /// Longest silence of the peer; zero: any. The half of it is what the peer is told (2.4.5).
    std::chrono::milliseconds idle_time_out{0};
    /// Empty: no SASL layer at all.
    std::vector<SaslMechanism> mechanisms{};
    std::vector<std::string> offered_capabilities{};
    std::vector<std::string> desired_capabilities{};
    /// An encoded map; empty: none.
    std::string properties{};
    /// Bytes that may wait to be written before messages wait in their place.
    std::size_t most_output{256 * 1024};
};

struct SessionOptions {
    std::uint32_t incoming_window{2048};  ///< in frames
    std::uint32_t outgoing_window{2048};
    std::uint32_t handle_max{k_uint_max};
};

struct LinkOptions {
    std::string name{};
    bool receiver{false};
    std::uint8_t snd_settle_mode{2};
    /// Encoded termini.
    std::string source{};
    std::string target{};
    std::uint64_t max_message_size{0};
    std::vector<std::string> desired_capabilities{};
    std::string properties{};
    /// Of a receiver: kept at this by itself once it has fallen to the threshold. 0: only grant() gives some.
    std::uint32_t credit{0};
    std::uint32_t threshold{0};
};

/// A message that came. The views are good for the call.
struct Incoming {
    std::uint32_t delivery_id{0};
    std::string_view tag{};
    std::uint32_t format{0};
    bool settled{false};
    std::string_view payload{};
};

/// What becomes of it.
enum class Answer : std::uint8_t {
    accepted,  ///< at once, in one range with others
    later,     ///< by Engine::answer()
};

/// What the peer says of a message.
struct Outcome {
    Descriptor kind{Descriptor::none};  ///< none: settled without a state
    Raw state{};
};

struct TransferInfo {
    /// The owner's number for on_outcome().
    std::uint64_t number{0};
    bool settled{false};
    std::uint32_t format{0};
    /// An encoded delivery state; empty: none. At most 256 bytes.
    std::string_view state{};
};

enum class Sent : std::uint8_t {
    whole,
    partly,   ///< to be called again with the same message, after on_sendable()
    blocked,  ///< nothing; likewise
};

/// Who is told what happens. From inside each of them the engine may be called, except for received(), written(), and tick().
class Host {
public:
    virtual ~Host() = default;
    virtual void on_open(const Open& remote) = 0;
    virtual void on_begun(std::uint32_t session) = 0;
    /// The number is of no use any more, nor are those of its links, which are not told one by one.
    virtual void on_ended(std::uint32_t session, const AmqpCondition& why) = 0;
    /// A refused link too: on_detached() follows then.
    virtual void on_attached(std::uint32_t link, const Attach& remote) = 0;
    /// The number is of no use any more. @param closed  the peer has destroyed it, else it can be attached again
    virtual void on_detached(std::uint32_t link, bool closed, const AmqpCondition& why) = 0;
    /// Something of what kept transfer() from sending is over.
    virtual void on_sendable(std::uint32_t link) = 0;
    /// The peer has nothing for the credit that was given.
    virtual void on_drained(std::uint32_t link) = 0;
    virtual Answer on_delivery(std::uint32_t link, const Incoming& message) = 0;
    /// Of a message that was sent settled: it has been handed to the system (kind none).
    virtual void on_outcome(std::uint32_t link, std::uint64_t number, const Outcome& outcome) = 0;
    /// The connection is over, or there is none; what is in output() is still to be written. Nothing follows. @param why  null: it was closed as
    /// asked for
    virtual void on_end(const Error* why) = 0;
    /// Of each frame, where trace() was asked for: its body without the payload of messages; empty: a heartbeat.
    virtual void on_frame(bool /*out*/, std::uint16_t /*channel*/, Descriptor /*what*/, std::string_view /*body*/, std::size_t /*payload*/) {}
};

/// What can be seen of a link.
struct LinkState {
    std::uint32_t credit{0};
    std::uint32_t delivery_count{0};
    std::uint32_t available{0};
    std::uint32_t unsettled{0};
    std::uint16_t channel{0};
    std::uint32_t handle{0};
};

/// @note One thread at a time. Errors that it makes have no connection's name.
class Engine {
public:
    Engine(EngineOptions options, Host& host);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;
    ~Engine();

    // ---- what the owner wants ----

    /// Once, when the transport stands.
    void start(Clock::time_point now);
    /// @returns its number; an Error where the peer takes no more of them
    Result<std::uint32_t> begin(const SessionOptions& options);
    /// Of a session that has begun.
    Result<std::uint32_t> attach(std::uint32_t session, const LinkOptions& options);
    /// on_detached() follows.
    void detach(std::uint32_t link, bool closed, const AmqpCondition& why = {});
    /// on_ended() follows.
    void end(std::uint32_t session, const AmqpCondition& why = {});
    /// on_end() follows.
    void close(const AmqpCondition& why = {});

    /// Whether a transfer of a new message would not be blocked.
    bool can_send(std::uint32_t link) const noexcept;
    Sent transfer(std::uint32_t link, std::string_view message, const TransferInfo& info);
    /// A message of which transfer() has sent a part is not to be sent.
    void abort_transfer(std::uint32_t link);

    /// Adds credit of a receiver. @param drain  the peer is to use it now, or to give it back
    void grant(std::uint32_t link, std::uint32_t more, bool drain = false);
    /// Takes credit back without draining, for peers that break when they drain; on_drained() follows.
    void recall(std::uint32_t link);
    /// Also from inside on_delivery(), for its message.
    /// @param state  encoded @returns false: it was settled, or its link is gone
    bool answer(std::uint32_t session, std::uint32_t delivery_id, std::string_view state);
    /// Asks for the answer of the peer's state of the session: on any frame it is known to be alive.
    void echo(std::uint32_t session);

    // ---- what happened ----

    /// @returns how many of the bytes were taken: what is left is to be given again, with more behind it
    std::size_t received(std::string_view bytes, Clock::time_point now);
    /// Bytes that the frame that is being waited for has, as far as is known; for the size of a buffer.
    std::size_t wanted() const noexcept { return wanted_; }
    /// The peer has closed its side.
    void received_end();
    /// What was put off until all that has come was looked at.
    void flush();
    std::string_view output() const noexcept { return std::string_view{out_}.substr(out_at_); }
    void written(std::size_t size, Clock::time_point now);
    void tick(Clock::time_point now);
    Clock::time_point next_deadline() const noexcept;

    // ---- looking ----

    bool is_open() const noexcept { return stage_ == Stage::open; }
    bool is_over() const noexcept { return stage_ == Stage::over; }
    /// Where it stands, for errors.
    Phase phase() const noexcept;
    std::size_t sessions() const noexcept { return sessions_in_use_; }
    LinkState link_state(std::uint32_t link) const noexcept;
    std::uint64_t max_message_size(std::uint32_t link) const noexcept { return links_[link].remote_max_message_size; }
    std::uint32_t max_frame_size() const noexcept { return remote_max_frame_size_; }
    /// What the peer's close gave as its reason, where that crossed ours: on_end() has no error then.
    const AmqpCondition& close_reason() const noexcept { return close_reason_; }
    void trace(bool on) noexcept { trace_ = on; }
    /// The peer is known to send more than it has credit for: four times as much as a link keeps is taken.
    void allow_excess(bool yes) noexcept { allows_excess_ = yes; }

private:
    enum class Stage : std::uint8_t { idle, sasl_header, sasl_mechanisms, sasl_outcome, header, opening, open, closing, over };
    enum class SessionStage : std::uint8_t { unused, beginning, mapped, ending, refused };
    enum class LinkStage : std::uint8_t { unused, attaching, attached, detaching, refused };
    struct Session;
    struct Link;
    struct SentDelivery {
        std::uint32_t link{0};
        std::uint64_t number{0};
    };
    /// Answers that go out as one disposition.
    struct Range {
        std::uint32_t first{0};
        std::uint32_t last{0};
        bool any{false};
    };
    struct Session {
        SessionStage stage{SessionStage::unused};
        std::uint16_t remote_channel{0};
        std::uint32_t next_outgoing_id{0};
        std::uint32_t next_delivery_id{0};
        std::uint32_t remote_incoming_window{0};
        std::uint32_t remote_handle_max{k_uint_max};
        std::uint32_t next_incoming_id{0};
        std::uint32_t incoming_left{0};  // frames that the peer may still send
        SessionOptions options{};
        AmqpCondition why{};  // where this side ended it
        bool flow_due{false};
        bool touched{false};  // in touched_sessions_
        Range accepted{};     // of what was received
        Range settled{};      // of what was sent, where the peer left it to us to settle
        DeliveryRing<SentDelivery> outgoing{};
        std::unordered_map<std::uint32_t, std::uint32_t> unanswered{};  // delivery-id to link
        std::unordered_map<std::string, std::uint32_t> attaching{};     // role and name to link
        std::vector<std::uint32_t> by_handle{};                         // link + 1
        std::unordered_map<std::uint32_t, std::uint32_t> by_remote{};   // the peer's handles to links
        std::vector<std::uint32_t> by_remote_small{};                   // link + 1, for handles below k_small_handles
    };
    struct Link {
        LinkStage stage{LinkStage::unused};
        bool receiver{false};
        bool refused_by_peer{false};
        bool in_delivery{false};  // a message is under way, in more than one frame
        bool drop{false};         // the one that comes is not wanted
        bool draining{false};     // of a sender: the peer wants its credit used up or given back
        bool asked_to_drain{false};
        bool recalling{false};
        bool flow_due{false};
        bool waits{false};   // in waiting_
        bool closed{false};  // how we detached
        bool partial_settled{false};
        std::uint32_t session{0};
        std::uint32_t handle{0};
        std::uint32_t remote_handle{0};
        std::uint32_t delivery_count{0};
        std::uint32_t credit{0};
        std::uint32_t available{0};
        std::uint32_t target_credit{0};
        std::uint32_t threshold{0};
        std::uint32_t excess{0};     // messages that came without credit since it was last given
        std::uint32_t may_cross{0};  // messages that may still come for credit that was recalled
        std::uint32_t unanswered{0};
        std::uint32_t unsettled{0};
        std::uint32_t delivery_id{0};  // of the message that is under way
        std::uint32_t partial_format{0};
        std::uint32_t next_tag{0};
        std::size_t progress{0};  // of the message that is being sent
        std::uint64_t max_message_size{0};
        std::uint64_t remote_max_message_size{0};
        std::unique_ptr<AmqpCondition> why{};  // where this side detached it
        std::string partial{};
        std::string partial_tag{};
    };
    /// A sender's settled messages up to a number are with the system when that many bytes have been written.
    struct Mark {
        std::uint64_t offset{0};
        std::uint32_t link{0};
        std::uint64_t first{0};
        std::uint64_t last{0};
    };

    void send_header(std::uint8_t protocol);
    void send_open();
    std::size_t begin_frame(std::uint16_t channel, std::uint8_t type = 0);
    void end_frame(std::size_t begin);
    void send_flow(Session& session, std::uint16_t channel, Link* link, bool echo = false);
    void send_disposition(std::uint16_t channel, bool receiver, std::uint32_t first, std::uint32_t last, std::string_view state);
    void send_detach(Link& link, bool closed, const AmqpCondition& why);
    void send_end(std::uint32_t session, const AmqpCondition& why);
    void refuse_attach(std::uint32_t session, const Attach& attach);

    bool on_protocol_header(std::string_view header);
    void on_sasl(std::string_view body);
    void on_frame(std::uint16_t channel, std::string_view body);
    void on_open(const Raw& raw);
    void on_begin(std::uint16_t channel, const Raw& raw);
    void on_attach(std::uint32_t session, const Raw& raw);
    void on_flow(std::uint32_t session, const Raw& raw);
    void on_transfer(std::uint32_t session, const Raw& raw, std::string_view payload);
    void on_disposition(std::uint32_t session, const Raw& raw);
    void on_detach(std::uint32_t session, const Raw& raw);
    void on_end(std::uint32_t session, const Raw& raw);
    void on_close(const Raw& raw);

    void deliver(std::uint32_t link, const Incoming& message);
    void accept(Session& session, std::uint32_t delivery_id);
    void top_up(Link& link, std::uint32_t id);
    void extend(Session& session, std::uint32_t id, Range& range, std::uint32_t delivery_id);
    void touch(std::uint32_t session);
    void flush_session(std::uint32_t session);
    void wait_for_room(std::uint32_t link);
    void wake_senders();
    void drop_link(std::uint32_t link);
    void drop_session(std::uint32_t session);
    std::uint32_t find_session(std::uint16_t remote_channel) const noexcept;
    std::uint32_t find_link(const Session& session, std::uint32_t remote_handle) const noexcept;
    void map_remote(Session& session, std::uint32_t remote_handle, std::uint32_t link);
    void unmap_remote(Session& session, std::uint32_t remote_handle);

    /// The peer has broken the protocol: says so, and ends.
    void breach(std::string_view condition, std::string what);
    void session_breach(std::uint32_t session, std::string_view condition, std::string what);
    void link_breach(std::uint32_t link, std::string_view condition, std::string what);
    void over(const Error* why);
    Clock::duration heartbeat() const noexcept;

    EngineOptions options_;
    Host& host_;
    Stage stage_{Stage::idle};
    bool trace_{false};
    bool allows_excess_{false};
    std::string out_;
    std::size_t out_at_{0};
    std::uint64_t out_total_{0};  // bytes that were written and taken from out_
    std::size_t wanted_{8};
    std::size_t mechanism_{0};
    std::uint32_t remote_max_frame_size_{512};
    std::uint16_t remote_channel_max_{0xffff};
    AmqpCondition close_reason_{};
    std::chrono::milliseconds remote_idle_{0};
    Clock::time_point last_received_{};
    Clock::time_point last_sent_{};
    bool suspected_{false};
    std::vector<std::unique_ptr<Session>> sessions_;  // by local channel
    std::size_t sessions_in_use_{0};
    std::vector<std::uint32_t> by_channel_;  // session + 1, by the peer's channel
    std::deque<Link> links_;                 // which stay where they are while others are added
    std::vector<std::uint32_t> free_links_;
    std::vector<std::uint32_t> touched_sessions_;
    std::vector<std::uint32_t> flows_due_;  // links
    std::vector<std::uint32_t> waiting_;    // senders that were blocked
    std::vector<std::uint32_t> waking_;
    Ring<Mark> marks_;
    struct {
        std::uint32_t session{0};
        std::uint32_t delivery_id{0};
        bool open{false};
    } delivering_;  // to the host, and not answered
};

}  // namespace qconn::amqp
