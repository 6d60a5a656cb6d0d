// SPDX-License-Identifier: Apache-2.0
/// Somebody who sends or gets mail.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <qconn/base/export.hpp>

namespace qconn {

/// RFC 5322 section 3.4. A value type.
struct MailAddress {
    /// The display name, in UTF-8, as a person reads it: no quotes, no encoded words. May be empty.
    std::string name;
    /// `local@domain`, in UTF-8 (RFC 6531).
    std::string address;

    friend bool operator==(const MailAddress&, const MailAddress&) = default;
};

/// Reads addresses as people and headers write them: `Jörg Müller <j@x.example>, "Doe, Jane" <jane@y.example>, other@z.example (Other)`. Groups
/// (`team: a@x, b@y;`) are their members. Names are taken as they stand: encoded words (RFC 2047) are not decoded. Quotes of a local part stay where
/// it needs them.
/// @returns none for an empty text
/// @throws Error SMTP-MESSAGE-ERROR, reason bad_value: what is wrong, and at which byte
QCONN_API std::vector<MailAddress> parse_mail_addresses(std::string_view text);
/// The same where exactly one is meant. @throws Error likewise
QCONN_API MailAddress parse_mail_address(std::string_view text);
/// `"Doe, Jane" <jane@y.example>`, as it is read again by the functions above; for people and logs.
QCONN_API std::string to_text(const MailAddress& address);

}  // namespace qconn
