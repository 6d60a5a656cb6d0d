// SPDX-License-Identifier: Apache-2.0
/// What SASL mechanisms say (RFC 4422), before any protocol wraps it: bytes, not base64.
#pragma once

#include <string_view>

#include <qconn/base/secret.hpp>

namespace qconn::sasl {

/// PLAIN (RFC 4616): who to act as (empty: as oneself), who, and the password, with NULs between.
/// @throws Error INVALID-ARGUMENT where a part holds NUL
Secret plain(std::string_view authorization_id, std::string_view username, std::string_view password);

/// CRAM-MD5 (RFC 2195): the answer to a challenge.
Secret cram_md5(std::string_view challenge, std::string_view username, std::string_view password);

/// XOAUTH2, as Google and Microsoft have it. The server answers a refusal with a challenge (JSON), to which an empty response is due.
Secret xoauth2(std::string_view username, std::string_view token);

}  // namespace qconn::sasl
