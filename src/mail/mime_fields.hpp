// SPDX-License-Identifier: Apache-2.0
/// What stands in header fields, without I/O: values with parameters, addresses, dates, ids.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <qconn/mail/mail_address.hpp>
#include <qconn/mail/parsed_mail.hpp>

namespace qconn::mail {

/// Without the line ends of folds.
std::string unfolded(std::string_view raw);

/// The value before the first parameter, in lower case, without comments and white space: "text/plain", "attachment".
std::string head_of(std::string_view raw);

using Parameters = std::vector<std::pair<std::string, std::string>>;
/// Names in lower case, pieces of RFC 2231 put together, values decoded to UTF-8. The first of a name counts, an extended one before plain ones.
Parameters parameters_of(std::string_view raw);

/// As it is written, which is what lines are compared with; nothing where there is none.
std::optional<std::string> boundary_of(std::string_view raw);

std::vector<MailAddress> addresses_of(std::string_view raw);
std::optional<MailDate> date_of(std::string_view raw);
/// What stands in angle brackets; where there are none, words.
std::vector<std::string> message_ids_of(std::string_view raw);

/// What a file may be called: without directories and control characters.
std::string base_name_of(std::string name);

}  // namespace qconn::mail
