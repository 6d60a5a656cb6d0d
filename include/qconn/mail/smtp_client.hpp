// SPDX-License-Identifier: Apache-2.0
/// Sends mail through an SMTP server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/client.hpp>
#include <qconn/base/deadline.hpp>
#include <qconn/base/result.hpp>
#include <qconn/mail/mail_message.hpp>
#include <qconn/mail/smtp_error.hpp>
#include <qconn/mail/smtp_options.hpp>
#include <qconn/net/dialogue_log.hpp>
#include <qconn/net/runtime.hpp>

namespace qconn {

/// What is to be told of the delivery, and to whom it is told (RFC 3461). Sets of these can be joined by `|`.
enum class SmtpNotify : std::uint8_t {
    unset = 0,  ///< what the servers on the way do by themselves
    never = 1,
    success = 2,
    failure = 4,
    delay = 8,
};
constexpr SmtpNotify operator|(SmtpNotify a, SmtpNotify b) noexcept {
    return static_cast<SmtpNotify>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// What a delivery report has of the message.
enum class SmtpReturn : std::uint8_t { unset, full, headers };

/// Delivery reports (RFC 3461). Where any of it is set, a server that has no DSN refuses the message: SMTP-UNSUPPORTED.
struct SmtpReports {
    SmtpNotify notify{SmtpNotify::unset};
    SmtpReturn content{SmtpReturn::unset};
    /// An identifier that reports bring back.
    std::string envelope_id{};
    friend bool operator==(const SmtpReports&, const SmtpReports&) = default;
};

/// How one message is sent. A value type.
struct SmtpSendOptions {
    /// Where some recipients are refused, the others get the message, and the receipt says who did not. False: nobody does, and the call fails.
    bool partial{false};
    /// Where failures are reported to (MAIL FROM): an address. Unset: the message's sender. Empty: nowhere (`<>`), for reports themselves.
    std::optional<std::string> return_path{};
    SmtpReports reports{};
};

/// To whom a message goes, apart from what it says. A value type.
struct SmtpEnvelope {
    struct Recipient {
        std::string address{};
        /// Of this one only; unset: as for the message.
        SmtpNotify notify{SmtpNotify::unset};
        /// Whom the message was for before it was forwarded (ORCPT); an address. Empty: not told.
        std::string original{};
    };
    /// An address; empty: `<>`.
    std::string sender{};
    /// At least one.
    std::vector<Recipient> recipients{};
    bool partial{false};
    SmtpReports reports{};
    /// The message has bytes above 127: it needs 8BITMIME.
    bool eight_bit{false};
    /// Its headers have UTF-8 in them: it needs SMTPUTF8. (Addresses that need it are found.)
    bool utf8_headers{false};
};

/// What the server said to a message that it took.
struct SmtpReceipt {
    /// To the message itself; most servers tell the number in their queue: "250 OK id=1tG…".
    Reply reply{};
    /// Enhanced status code of that: "2.0.0". Empty: none.
    std::string status{};
    /// One for each recipient, in order: To, Cc, Bcc.
    std::vector<SmtpRecipientAnswer> recipients{};
    /// As it stands in the message, without brackets; empty after send_raw().
    std::string message_id{};
    /// Bytes of the message.
    std::uint64_t bytes{0};

    /// Every recipient was accepted. False only with SmtpSendOptions::partial.
    bool complete() const noexcept;
};

/// What a server says that it can do (RFC 5321 section 4.1.1.1).
struct SmtpServerInfo {
    std::string greeting{};
    bool pipelining{false};
    bool eight_bit{false};
    bool smtputf8{false};
    bool dsn{false};
    bool enhanced_status{false};
    /// Unset: it has no SIZE. Zero: it has no fixed limit.
    std::optional<std::uint64_t> max_size{};
    /// "PLAIN", "LOGIN", …
    std::vector<std::string> auth{};
    std::optional<TlsInfo> tls{};
};

/// Hands mail over to a server (RFC 5321, 6409).
///
/// Sessions are made when they are needed, kept for further messages and closed after a time; each carries one call at a time. A kept one that the
/// server has closed meanwhile is replaced without the caller noticing, as long as nothing was said in it for the message. Where the server has
/// PIPELINING, what needs no answer before what comes next is sent together, also across the messages of send_all().
///
/// An error says in SmtpErrorDetail::sent what is known of the message: `no`, it was not taken; `unknown`, it was sent to its end and the answer did
/// not come (SMTP-OUTCOME-UNKNOWN, or CANCELLED). retryable() is true for refusals for now (4xx) and for connections that broke before the end, never
/// where the outcome is unknown.
///
/// @note Thread-safe; up to max_sessions calls run beside each other, others wait. Blocking calls do their I/O on the calling thread, asynchronous
/// ones on a thread of the runtime, where attachments are read too. A call that is cancelled, or whose deadline passes, ends at once. Blocking calls
/// are refused on the runtime's I/O threads. Destroying the client ends all calls as cancelled.
class QCONN_API SmtpClient final : public Client, public DialogueSource {
public:
    /// Nothing is connected yet. @throws Error SMTP-URL-ERROR, SMTPCLIENT-INVALID-AUTHENTICATION, SMTP-MESSAGE-ERROR (`from`), TLS-OPTION-ERROR
    explicit SmtpClient(SmtpOptions options, Runtime runtime = {});
    ~SmtpClient() override;

    std::string_view label() const noexcept override;
    const SmtpOptions& options() const noexcept;
    void set_dialogue_listener(DialogueListener listener) override;

    /// Connects and logs in, unless that has been done. @returns what the server can do
    SmtpServerInfo connect(Deadline deadline = {});
    /// Sends one message.
    /// @throws Error of this family (SmtpErrc), of the network, of TLS; TIMEOUT, CANCELLED
    SmtpReceipt send(const MailMessage& message, const SmtpSendOptions& options = {}, Deadline deadline = {});
    /// Sends several over one session. One that fails does not hold up the others; where the connection breaks, and cannot be made again, what is
    /// left has that as its error.
    /// @returns one for each message, in order
    std::vector<Result<SmtpReceipt>> send_all(std::span<const MailMessage> messages, const SmtpSendOptions& options = {}, Deadline deadline = {});
    /// Sends what is a whole message already (RFC 5322). Line ends become CRLF, and dots are stuffed; nothing else is changed.
    SmtpReceipt send_raw(const SmtpEnvelope& envelope, ByteSource& content, Deadline deadline = {});
    /// Whether the server knows an address (VRFY); most servers say nothing about that. @returns the reply, also one that refuses
    Reply verify(std::string_view address, Deadline deadline = {});
    /// Says QUIT in sessions that nobody uses and waits for the answers; they are made anew when they are needed.
    void disconnect(Deadline deadline = {});

    Operation async_connect(Deadline deadline, Callback<SmtpServerInfo> callback);
    Operation async_send(MailMessage message, SmtpSendOptions options, Deadline deadline, Callback<SmtpReceipt> callback);
    Operation async_send_all(std::vector<MailMessage> messages, SmtpSendOptions options, Deadline deadline,
                             Callback<std::vector<Result<SmtpReceipt>>> callback);
    Operation async_send_raw(SmtpEnvelope envelope, std::shared_ptr<ByteSource> content, Deadline deadline, Callback<SmtpReceipt> callback);
    Operation async_verify(std::string address, Deadline deadline, Callback<Reply> callback);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace qconn
