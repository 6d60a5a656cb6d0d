// SPDX-License-Identifier: Apache-2.0
/// What an AMQP client, its sessions and its links can be told, and what can be seen of them.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/amqp/amqp_error.hpp>
#include <qconn/amqp/amqp_message.hpp>
#include <qconn/amqp/amqp_value.hpp>
#include <qconn/base/error.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/net/endpoint.hpp>
#include <qconn/net/socket_options.hpp>
#include <qconn/net/tls.hpp>

namespace qconn {

namespace amqp {
class Transaction;
}  // namespace amqp
class AmqpTransaction;
class CallQueue;
class TokenSource;

/// How to log in (part 5 of the specification).
enum class AmqpSasl : std::uint8_t {
    automatic,  ///< PLAIN with user name and password; EXTERNAL with a client certificate and no password; else ANONYMOUS
    none,       ///< no SASL layer: the peer knows by other means, or does not ask
    anonymous,
    plain,
    external,  ///< by the client certificate
    xoauth2,   ///< the password is a bearer token
};

/// What becomes of messages that were sent and not settled when a connection breaks.
enum class AmqpResend : std::uint8_t {
    report,  ///< their outcome is unknown, and told as AMQP-OUTCOME-UNKNOWN: none comes twice
    resend,  ///< they are sent again when there is a connection: none is lost, some may come twice
};

/// How a connection that broke is made anew, with its sessions and links. A value type.
struct AmqpReconnect {
    bool enabled{true};
    /// Wait before the first try; twice as long before each further one, up to max_delay. Of each wait the half is certain, the rest random.
    std::chrono::milliseconds delay{1'000};
    std::chrono::milliseconds max_delay{30'000};
    /// Tries in a row, each over all hosts; 0: no limit. A connection that stood for longer than max_delay begins anew.
    int attempts{0};
    AmqpResend resend{AmqpResend::report};
};

struct AmqpHost {
    std::string host{};
    /// 0: 5672, with TLS 5671; over WebSocket 80, and 443.
    std::uint16_t port{0};
    friend bool operator==(const AmqpHost&, const AmqpHost&) = default;
};

/// A value type; checked when a client is made.
struct AmqpOptions {
    /// For messages; the name of the connection.
    std::string label{};
    /// At least one. Tried in this order, and again from the first whenever the connection is lost.
    std::vector<AmqpHost> hosts{};
    /// TLS from the start (amqps).
    bool use_tls{false};
    /// Over WebSocket (OASIS AMQP WebSocket Binding 1.0), at this path: "/", "/$servicebus/websocket". Empty: not. Not in a qconn that was built
    /// without WebSocket.
    std::string websocket_path{};

    AmqpSasl sasl{AmqpSasl::automatic};
    std::string username{};
    Secret password{};
    /// Where tokens for the log-in come from, in the place of the password: by XOAUTH2, or, with sasl plain, as the password of PLAIN, as RabbitMQ
    /// has it. One that the peer refuses is renewed once. Null: none.
    std::shared_ptr<TokenSource> tokens{};
    /// PLAIN: to act for another user. Empty: the one who logs in.
    std::string authorization_id{};

    TlsOptions tls{};
    std::optional<Proxy> proxy{};
    SocketOptions socket{};

    /// Names this client for the peer. Empty: a random one.
    std::string container_id{};
    /// The `hostname` of open and of the log-in, with which some peers choose a virtual host. Empty: the host's name.
    std::string virtual_host{};

    /// Longest time to have a connection: name, TCP, proxy, TLS, log-in, open. Zero: no limit.
    std::chrono::milliseconds connect_timeout{15'000};
    /// Of blocking calls without a deadline of their own: longest time without an answer. Zero: no limit.
    std::chrono::milliseconds timeout{60'000};
    /// Longest silence of the peer, which is told to send an empty frame twice in that time. Zero: any. At least 1 s.
    std::chrono::milliseconds idle_timeout{60'000};

    /// Largest frame that the peer may send, 512 to 4294967295 bytes. Memory of that size is only used where such frames come.
    std::uint32_t max_frame_size{256 * 1024};
    /// Sessions on the connection, 1 to 65536.
    std::uint32_t max_sessions{65'536};
    /// Links on each session, 1 to 4294967295.
    std::uint32_t max_links_per_session{4'294'967'295U};
    /// Of each session, in frames.
    std::uint32_t incoming_window{2'048};
    std::uint32_t outgoing_window{2'048};
    /// Largest message that is received; larger ones detach their link. Zero: any.
    std::uint64_t max_message_size{std::uint64_t{64} * 1024 * 1024};

    /// Bytes of messages that wait in each sender, to be sent or for their outcome. Above, blocking calls wait, asynchronous ones end with AMQP-BUSY.
    /// A single one may be larger.
    std::size_t max_unsettled_bytes{std::size_t{16} * 1024 * 1024};
    /// Messages that are sent without a message-id get a random UUID.
    bool generate_message_id{false};
    AmqpReconnect reconnect{};
    /// What calls all handlers: AmqpHandlers, on_message, on_outcome, on_ready; one queue may do that for several clients. Null: the client's I/O
    /// thread. Callbacks of asynchronous calls are for CallQueue::wrap(). A client that is destroyed on its I/O thread does not wait for
    /// a handler that is running.
    std::shared_ptr<CallQueue> events{};
    /// Calls that need a connection make one. False: they end with AMQP-NOT-CONNECTED where there is none.
    bool connect_on_use{true};

    /// Of messages sent and received by name (`qconn call`) that are told no other. The client itself makes no use of it: links name their own.
    std::string address{};

    std::vector<std::string> offered_capabilities{};
    std::vector<std::string> desired_capabilities{};
    /// Of open; keys become symbols. "product" and "version" are added.
    AmqpMap properties{};
};

/// An end of a link (part 3, 3.5.3 and 3.5.4): where messages come from or go to. A value type.
struct AmqpTerminus {
    enum class Durability : std::uint32_t { none, configuration, unsettled_state };
    enum class Expiry : std::uint8_t { link_detach, session_end, connection_close, never };

    /// The node's name. Empty: none, which is a null address.
    std::string address{};
    Durability durability{Durability::none};
    Expiry expiry{Expiry::session_end};
    std::chrono::seconds timeout{0};
    /// The peer makes a node, whose address is in AmqpLinkInfo then.
    bool dynamic{false};
    AmqpMap dynamic_node_properties{};
    std::vector<std::string> capabilities{};

    // Of a source only:

    /// "move" or "copy"; empty: the peer's choice.
    std::string distribution_mode{};
    /// Names to described values: see AmqpTerminus::selector().
    AmqpMap filter{};
    /// What becomes of messages that are settled without an outcome; null: the peer's choice.
    AmqpValue default_outcome{};
    std::vector<std::string> outcomes{};

    /// An entry of `filter`: only messages for which that expression is true (apache.org:selector-filter:string).
    QCONN_API static std::pair<AmqpValue, AmqpValue> selector(std::string_view expression);
};

enum class AmqpSettleMode : std::uint8_t {
    unsettled,  ///< each message waits for its outcome: at least once
    settled,    ///< none does: at most once
    mixed,      ///< as each message says
};

/// What became of a message. A value type, cheap to copy.
class QCONN_API AmqpOutcome {
public:
    enum class State : std::uint8_t {
        accepted,
        rejected,  ///< it is bad, or not wanted: condition() may say why
        released,  ///< it was not and will not be handled
        modified,  ///< likewise, and it was changed
        settled,   ///< nothing more is known: it was sent settled, or the peer settled it without an outcome
    };

    AmqpOutcome() noexcept = default;
    explicit AmqpOutcome(State state) noexcept : state_{state} {}
    static AmqpOutcome accepted() noexcept { return AmqpOutcome{State::accepted}; }
    static AmqpOutcome rejected(AmqpCondition condition = {});
    static AmqpOutcome released() noexcept { return AmqpOutcome{State::released}; }
    /// @param delivery_failed     counts as an attempt that failed
    /// @param undeliverable_here  not to this receiver again
    /// @param annotations         to be merged with the message's; keys are symbols
    static AmqpOutcome modified(bool delivery_failed = false, bool undeliverable_here = false, AmqpMap annotations = {});

    State state() const noexcept { return state_; }
    bool is_accepted() const noexcept { return state_ == State::accepted; }
    /// Of rejected; empty where none was given.
    const AmqpCondition& condition() const noexcept;
    bool delivery_failed() const noexcept;
    bool undeliverable_here() const noexcept;
    const AmqpMap& message_annotations() const noexcept;
    /// The same, in a transaction: for the answer to a message that was received, which counts when the transaction is committed. Where the
    /// transaction has ended before the answer is on its way, the message is released instead.
    AmqpOutcome in(const AmqpTransaction& transaction) const;
    const std::shared_ptr<amqp::Transaction>& transaction() const noexcept;
    /// As on the wire.
    void encode(std::string& to) const;
    /// "rejected: amqp:not-allowed (no such colour)"
    std::string shown() const;

    friend QCONN_API bool operator==(const AmqpOutcome& a, const AmqpOutcome& b) noexcept;

private:
    struct Detail;
    State state_{State::settled};
    std::shared_ptr<const Detail> detail_;
};
QCONN_API std::string_view to_string(AmqpOutcome::State state) noexcept;

/// A message that came, while the handler of its receiver runs. Nothing of it is decoded before it is asked for; all views end with the call.
/// @note For the handler's thread.
class QCONN_API AmqpDelivery {
public:
    virtual ~AmqpDelivery() = default;
    virtual const std::string& link() const noexcept = 0;
    virtual const std::string& session() const noexcept = 0;
    /// It needs no outcome.
    virtual bool is_settled() const noexcept = 0;
    virtual std::string_view tag() const noexcept = 0;
    virtual std::uint32_t message_format() const noexcept = 0;
    /// As it came.
    virtual std::string_view bytes() const noexcept = 0;
    /// A string body, or the only data section; empty for other bodies. @throws Error AMQP-DECODE-ERROR
    virtual std::string_view text() const = 0;
    /// All of it. @throws Error AMQP-DECODE-ERROR
    virtual AmqpMessage message() const = 0;

    /// What the peer is told when the handler returns; accepted, where nothing is said. A handler that throws rejects with amqp:internal-error.
    virtual void set_outcome(AmqpOutcome outcome) = 0;
    void reject(std::string_view condition = {}, std::string_view description = {});
    void release() { set_outcome(AmqpOutcome::released()); }
    /// Not now: the peer is told by the returned function, which may be called on any thread, once. It does nothing where the connection that the
    /// message came by has ended: the peer delivers it again then. Until then the message counts against the credit.
    virtual std::function<void(AmqpOutcome)> answer_later() = 0;
};

/// A message that was taken from a receiver without a handler.
struct AmqpReceived {
    AmqpMessage message{};
    bool settled{false};
    /// As AmqpDelivery::answer_later(): to be called for a message that is not settled, unless the receiver accepts by itself.
    std::function<void(AmqpOutcome)> answer{};
};

struct AmqpSenderOptions {
    /// Unique among the client's links. Empty: a made-up one.
    std::string name{};
    /// The session that it belongs to, which is begun where there is none. Empty: a common one.
    std::string session{};
    AmqpTerminus target{};
    AmqpTerminus source{};
    AmqpSettleMode settle_mode{AmqpSettleMode::mixed};
    /// Of messages for which nothing is said, with settle_mode mixed.
    bool settled{false};
    std::vector<std::string> desired_capabilities{};
    AmqpMap properties{};

    // Called on the client's I/O thread, or by AmqpOptions::events, one at a time. On the I/O thread they must not block, and may call the client's
    // asynchronous functions. What they throw is logged.

    /// Of each message that was sent with AmqpSender::try_send() and a number, and of those whose outcome is unknown an error.
    std::function<void(std::uint64_t number, const AmqpOutcome& outcome, const Error* error)> on_outcome{};
    /// Messages can be sent now: the link has credit, where it had none.
    std::function<void()> on_ready{};
};

struct AmqpReceiverOptions {
    enum class Mode : std::uint8_t {
        automatic,  ///< the peer always has credit
        fetch,      ///< only while AmqpReceiver::fetch() waits
    };
    std::string name{};
    std::string session{};
    AmqpTerminus source{};
    AmqpTerminus target{};
    AmqpSettleMode settle_mode{AmqpSettleMode::mixed};
    Mode mode{Mode::automatic};
    /// Messages that may be on their way, or wait for an answer of ours.
    std::uint32_t credit{1'024};
    /// When so much is left the peer is given credit again, as far as messages were answered, in parts of at least a quarter of the difference.
    std::uint32_t threshold{256};
    /// Messages that are taken by receive() and fetch() are accepted then. False: by AmqpReceived::answer.
    bool auto_accept{true};
    std::vector<std::string> desired_capabilities{};
    AmqpMap properties{};
    /// Takes the messages; called as the handlers of a sender. Empty: they wait for receive().
    std::function<void(AmqpDelivery& delivery)> on_message{};
};

/// What can be seen of a link. A value type.
struct AmqpLinkInfo {
    std::string name{};
    std::string session{};
    bool is_receiver{false};
    bool is_open{false};
    /// The peer's: of a dynamic node its address.
    std::string address{};
    AmqpSettleMode settle_mode{AmqpSettleMode::mixed};  ///< as agreed
    std::uint64_t max_message_size{0};                  ///< that the peer takes; 0: any
    std::uint32_t credit{0};
    std::uint32_t delivery_count{0};
    std::uint32_t available{0};  ///< that the peer could send if it had credit, by its word
    std::uint32_t unsettled{0};
    std::size_t waiting{0};  ///< of a sender: not yet sent. Of a receiver: not yet taken
    std::size_t waiting_bytes{0};
    std::uint16_t channel{0};
    std::uint32_t handle{0};
    std::uint64_t messages{0};  ///< that have passed in all
};
struct AmqpSessionInfo {
    std::string name{};
    bool is_open{false};
    std::uint16_t channel{0};
    std::uint32_t incoming_window{0};
    std::uint32_t outgoing_window{0};
};

/// A connection that stands. A value type.
struct AmqpInfo {
    std::string host{};
    std::uint16_t port{0};
    std::string container_id{};  ///< the peer's
    AmqpMap properties{};        ///< the peer's: "product" and "version" among them, mostly
    std::uint32_t max_frame_size{0};
    std::uint16_t channel_max{0};
    std::chrono::milliseconds idle_timeout{0};
    std::optional<TlsInfo> tls{};
    int connection{0};  ///< counts from 1
};

/// What happens to the connection; on its I/O thread, where they must not block, or by AmqpOptions::events; one at a time and in order. A value type.
struct AmqpHandlers {
    std::function<void(const AmqpInfo& info)> on_connect{};
    /// @param error  null: it was closed as asked for @param again  an attempt to make it anew follows
    std::function<void(const Error* error, bool again)> on_disconnect{};
    /// A link or session that the peer has ended, or that could not be made again.
    std::function<void(const std::string& link, const Error& error)> on_link_error{};
    /// Each frame, as JSON of its performative; secrets masked. Costs time: for looking into something.
    std::function<void(bool out, std::uint16_t channel, std::string_view performative, std::string_view body, std::size_t payload)> on_frame{};
};

}  // namespace qconn
