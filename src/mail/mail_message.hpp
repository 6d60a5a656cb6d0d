// SPDX-License-Identifier: Apache-2.0
/// From a MailMessage to what is sent.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/byte_stream.hpp>
#include <qconn/mail/mail_message.hpp>

namespace qconn::mail {

/// A message that has been checked, and can be read.
struct ComposedMessage {
    std::shared_ptr<ByteSource> content;
    std::string sender;                   ///< of the envelope, where nothing else is said
    std::vector<std::string> recipients;  ///< To, Cc, Bcc, each once
    std::string message_id;               ///< without brackets
    bool utf8_headers{false};             ///< an address in a header needs SMTPUTF8
};

/// What is random or of the moment in it.
struct ComposeSeed {
    std::chrono::system_clock::time_point now;
    std::string random;  ///< hexadecimal digits; boundaries and the Message-ID are made of them
    static ComposeSeed make();
};

/// @param from  where the message names no sender
/// @throws Error SMTP-MESSAGE-ERROR; SYSTEM-ERROR where a file cannot be opened
ComposedMessage compose(const MailMessage& message, const MailAddress& from, const ComposeSeed& seed);

/// `Fri, 27 Nov 2026 14:05:32 +0000`
std::string mail_date(std::chrono::system_clock::time_point time);
/// By the extension of a file's name; application/octet-stream where that says nothing.
std::string_view content_type_of(std::string_view name) noexcept;

}  // namespace qconn::mail
