// SPDX-License-Identifier: Apache-2.0
/// Somebody who sends or gets mail.
#pragma once

#include <string>

namespace qconn {

/// RFC 5322 section 3.4. A value type.
struct MailAddress {
    /// The display name, in UTF-8, as a person reads it: no quotes, no encoded words. May be empty.
    std::string name;
    /// `local@domain`, in UTF-8 (RFC 6531).
    std::string address;

    friend bool operator==(const MailAddress&, const MailAddress&) = default;
};

}  // namespace qconn
