// SPDX-License-Identifier: Apache-2.0
/// What a monitor tells, sent as mail.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <qconn/base/export.hpp>
#include <qconn/base/log.hpp>
#include <qconn/core/registry.hpp>
#include <qconn/mail/smtp_client.hpp>
#include <qconn/monitor/monitor.hpp>

namespace qconn {

struct MailSinkOptions {
    /// At least one.
    std::vector<MailAddress> to{};
    /// Empty address: the sender of the connection (SmtpOptions::from).
    MailAddress from{};
    /// Which events, of which connections; several sinks can tell different people of different ones. No kinds: alerts and their ends.
    SubscribeOptions events{};
    /// Before what the subject says.
    std::string subject_prefix{"[qconn]"};
    /// From the first event on others are waited for so long, so that what happens together is one mail.
    std::chrono::milliseconds collect{10'000};
    /// Time between the beginnings of two mails, at least.
    std::chrono::milliseconds interval{60'000};
    /// Most events that a mail tells one by one; it says how many more there were.
    std::size_t most{200};
    /// Longest time of a whole sending.
    std::chrono::milliseconds timeout{60'000};
    /// Wait after a first failure; it doubles with each further one, up to the longest.
    std::chrono::milliseconds retry{10'000};
    std::chrono::milliseconds longest_retry{600'000};
    /// How long the destructor goes on sending what waits. Zero: not at all.
    std::chrono::milliseconds flush{5'000};
    /// Where it is told that mails fail, and that they are taken again. Default: the log of the process.
    Log log{};
};

/// What a mail sink has done since it was made. A snapshot.
struct MailSinkCounts {
    std::uint64_t mails{0};      ///< that were taken
    std::uint64_t failures{0};   ///< sendings that were not, or whose outcome is unknown
    std::uint64_t delivered{0};  ///< events that mails told, one by one or as a number
    std::uint64_t skipped{0};    ///< events that were left out as too many waited
    std::size_t waiting{0};      ///< events
    std::string error{};         ///< what() of the last failure; empty since a mail was taken
};

/// Sends mail about events: of all that come within `collect` one, so that an outage of a hundred connections is one mail, and not more often than
/// each `interval`. What cannot be sent is sent later, together with what has come meanwhile: at least once, as a sending whose outcome is unknown is
/// done again, under the same Message-ID unless more has come. Recipients that the server refuses are logged; the others get the mail. Mails are sent
/// on a thread of its own; the monitor waits for nothing. The connection may be watched by the same monitor.
/// @note Thread-safe, but for the destructor. Monitor, registry and sink may go in any order.
class QCONN_API MailSink {
public:
    /// By a connection of a registry, which is looked up for each mail: `registry.get<SmtpClient>("outgoing-mail")`.
    /// @throws Error SMTP-MESSAGE-ERROR where `to` is empty, or one of the addresses is none
    MailSink(Monitor& monitor, Ref<SmtpClient> connection, MailSinkOptions options);
    MailSink(Monitor& monitor, std::shared_ptr<SmtpClient> client, MailSinkOptions options);
    MailSink(const MailSink&) = delete;
    MailSink& operator=(const MailSink&) = delete;
    /// Takes no more events, tries at once to send those that wait, and ends after `flush` at the latest. How many it left is logged.
    ~MailSink();

    MailSinkCounts counts() const;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace qconn
