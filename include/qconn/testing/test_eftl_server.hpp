// SPDX-License-Identifier: Apache-2.0
/// An eFTL server in the process of the test, with faults on demand. For builds with WebSocket.
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

#include <qconn/base/deadline.hpp>
#include <qconn/base/export.hpp>
#include <qconn/base/secret.hpp>
#include <qconn/eftl/eftl_error.hpp>
#include <qconn/eftl/eftl_message.hpp>
#include <qconn/eftl/eftl_options.hpp>
#include <qconn/testing/unexpected.hpp>

namespace qconn::testing {

/// What a TestEftlServer is like. A value type.
struct TestEftlServerOptions {
    /// The path that it serves; others are not found (404).
    std::string channel{"/channel"};
    /// Who is let in. Both empty: everybody.
    std::string username{};
    Secret password{};
    /// 0: a server of old, without requests and close_subscription().
    int protocol{1};
    /// False: it confirms no publish, and waits for no acknowledgement.
    bool quality_of_service{true};
    bool stop_supported{true};
    /// Time between its signs of life; zero: none. And what it tells its clients of how long it may be silent.
    std::chrono::milliseconds heartbeat{240'000};
    std::chrono::milliseconds timeout{600'000};
    /// Largest frame that it takes, in bytes; a larger one ends the connection with 1009. 0: no limit.
    std::int64_t max_size{0};
    /// Messages that a client without a number of its own gets before it has to acknowledge some. 0: no limit.
    std::size_t max_pending_acks{0};
};

/// What a refusal says. A value type.
struct EftlRefusal {
    /// See eftl_code.
    int code{0};
    std::string reason{};
};

/// How a TestEftlServer misbehaves. A value type; with the default it does not.
struct EftlFaults {
    /// Status of HTTP that handshakes are answered with; 0: they are taken.
    int refuse_handshake{0};
    /// Log-ins end with that close code.
    std::optional<EftlRefusal> refuse_log_in{};
    /// Log-ins are never answered.
    bool ignore_log_in{false};
    /// Log-ins find no session of before.
    bool forget_sessions{false};
    /// All of them are answered with that error, and nothing else comes of them.
    std::optional<EftlRefusal> refuse_publish{};
    std::optional<EftlRefusal> refuse_request{};
    std::optional<EftlRefusal> refuse_subscribe{};
    std::optional<EftlRefusal> refuse_map{};
    /// Publishes, requests, replies and operations of maps are carried out and not answered. A client that sends one again later gets its answer
    /// then.
    bool withhold_answers{false};
    /// Nothing is read, taken or sent any more; connections stand. Goes on where it was when this is over.
    bool silent{false};
    /// What it sends leaves after that time.
    std::chrono::milliseconds delay{0};
    /// Its messages come in fragments of so many bytes. 0: whole.
    std::size_t fragment{0};
    /// Connections end, without a close frame, when so many frames of theirs have been answered; the log-in is the first. Each anew.
    std::optional<std::size_t> drop_after{};
};

/// A subscription that a server has. A value type.
struct TestEftlSubscription {
    std::string client_id{};
    std::string id{};
    /// Matcher, durable, type, key and ack.
    EftlSubscription what{};
    bool stopped{false};
    /// Messages that were delivered and not acknowledged.
    std::size_t unacknowledged{0};
};

/// An eFTL server on a free port of 127.0.0.1, without TLS, for tests of programs that use EftlClient: subscriptions with matchers, durable ones of
/// every type, acknowledgements, requests and replies, key-value maps, and sessions that outlive their connection. It keeps everything in memory and
/// judges nobody; what it does in another way than TIBCO's server is what that leaves open. Works in a thread of its own, without qconn's runtime and
/// without its code for WebSocket, so that a fault of the one is not hidden by the other.
///
/// What a message of the test's own is to it: publish() is another client's publish. A message may have 99 messages inside each other.
/// @note Thread-safe. Functions given to answer() are called on the server's thread, and may use the server, but not wait for it.
class QCONN_API TestEftlServer {
public:
    /// @throws std::system_error where there is no free port
    explicit TestEftlServer(TestEftlServerOptions options = {}, EftlFaults faults = {});
    TestEftlServer(const TestEftlServer&) = delete;
    TestEftlServer& operator=(const TestEftlServer&) = delete;
    /// Resets the connections that stand.
    ~TestEftlServer();

    std::uint16_t port() const noexcept;
    /// "ws://127.0.0.1:PORT/channel", for clients and for the option `urls`.
    std::string url() const;
    /// Options of a client that is let in, and that is back within 50 ms after a loss.
    EftlOptions client() const;

    // ---- faults ----

    /// In the place of those before; holds when it has returned.
    void set(EftlFaults faults);
    /// No faults.
    void clear() { set({}); }
    /// RST to every client now. What it has for them stays, until forget_sessions().
    void drop();
    /// Closes every connection so; see eftl_code. With 1012 clients come back, with other codes they do not.
    void close(int code, std::string_view reason = {});
    /// Sends that text, which may be anything, to all clients.
    void send(std::string_view text);
    /// Reports an error to all clients that belongs to nothing that they did.
    void report(int code, std::string_view reason = {});
    /// Forgets what it has for clients without a connection: their next log-in is not resumed. Durables stay.
    void forget_sessions();

    // ---- what came from clients ----

    /// What was published and requested, of that the messages that match, in order. EftlMessage::is_request() tells which is which. What was refused
    /// is not there, and what a client sent again after a loss is there once.
    std::vector<EftlMessage> messages(const EftlMatcher& matcher = {}) const;
    /// The same, when there are so many at least. @throws Unexpected at the deadline, saying what came instead
    std::vector<EftlMessage> expect(std::size_t count, const EftlMatcher& matcher = {}, Deadline deadline = std::chrono::seconds{10}) const;
    /// Messages that clients have acknowledged, in that order, with what they were delivered by in their receipts.
    std::vector<EftlMessage> acknowledged(const EftlMatcher& matcher = {}) const;
    std::vector<EftlMessage> expect_acknowledged(std::size_t count, const EftlMatcher& matcher = {},
                                                 Deadline deadline = std::chrono::seconds{10}) const;
    /// Forgets what came so far, for messages() and acknowledged().
    void forget_messages();
    /// Those of all sessions, in the order in which they were made.
    std::vector<TestEftlSubscription> subscriptions() const;
    /// Clients that are logged in now, and log-ins that were let in so far.
    std::size_t sessions() const;
    std::size_t log_ins() const;
    /// Waits until that holds; looks at it whenever something has come. For example `[&] { return server.sessions() == 2; }`.
    /// @returns false where the deadline came first
    bool wait_until(const std::function<bool()>& condition, Deadline deadline = std::chrono::seconds{10}) const;

    // ---- what goes to clients ----

    /// To all subscriptions that match, durable ones without a subscriber too.
    void publish(const EftlMessage& message);
    /// Publishes a request, and waits for the reply. @throws Unexpected
    EftlMessage request(const EftlMessage& message, Deadline deadline = std::chrono::seconds{10});
    /// From now on requests that match are replied to with what the function makes of them, and go to no subscription. One that throws replies
    /// nothing. Of two that match the later one counts.
    void answer(EftlMatcher matcher, std::function<EftlMessage(const EftlMessage& request)> reply);
    /// Messages that wait in durables of that name.
    std::size_t waiting(std::string_view durable) const;

    // ---- maps ----

    std::optional<EftlMessage> map_value(std::string_view map, std::string_view key) const;
    void set_map_value(std::string_view map, std::string_view key, const EftlMessage& value);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace qconn::testing
