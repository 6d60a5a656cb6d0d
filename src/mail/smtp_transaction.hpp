// SPDX-License-Identifier: Apache-2.0
/// Messages over a session, one after the other and, where the server allows it, one into the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/base/result.hpp>
#include <qconn/mail/smtp_client.hpp>

#include "mail/smtp_session.hpp"
#include "net/call.hpp"
#include "net/session_pool.hpp"
#include "net/task.hpp"

namespace qconn::mail {

/// A message and to whom it goes.
struct Outgoing {
    SmtpEnvelope envelope;
    std::shared_ptr<ByteSource> content;
    std::string message_id{};
};

/// @throws Error SMTP-MESSAGE-ERROR where it can be sent by nobody
void check_envelope(const SmtpEnvelope& envelope);
/// @throws Error SMTP-MESSAGE-ERROR, SYSTEM-ERROR
Outgoing outgoing_of(const MailMessage& message, const SmtpSendOptions& options, const MailAddress& from);

/// The commands for an envelope, as this server wants them, without DATA.
/// @param size  of the message, where that is known
/// @throws Error SMTP-SIZE-ERROR, SMTP-UNSUPPORTED
std::vector<std::string> envelope_commands(const net::Job& job, const SmtpEnvelope& envelope, std::optional<std::uint64_t> size,
                                           const SmtpServerInfo& info);

/// Several messages on their way; they are made when it is their turn.
struct SmtpBatch {
    /// What stands before a message's end.
    struct Turn;

    SmtpBatch(std::size_t count, std::function<Outgoing(std::size_t)> make);
    SmtpBatch(const SmtpBatch&) = delete;
    SmtpBatch& operator=(const SmtpBatch&) = delete;
    ~SmtpBatch();

    std::function<Outgoing(std::size_t)> make;
    /// One for each message, once it is decided.
    std::vector<std::optional<Result<SmtpReceipt>>> results;
    /// The message after those that are decided or under way.
    std::size_t next{0};
    /// That message, where it has been made and nothing of it was said.
    std::shared_ptr<Outgoing> made;
};

/// All of them, over as many sessions as it takes. Does not throw what is about one message or the connection; those are results.
/// @throws Error CANCELLED and TIMEOUT of the call are results too, of the messages that they met
net::Task<bool> send_batch(std::shared_ptr<net::SessionPool<SmtpSession>> pool, std::shared_ptr<net::Call> call, std::shared_ptr<SmtpBatch> batch);

}  // namespace qconn::mail
