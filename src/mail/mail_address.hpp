// SPDX-License-Identifier: Apache-2.0
/// Addresses as commands and headers need them.
#pragma once

#include <string_view>

namespace qconn::mail {

/// Whether it is `local@domain` as RFC 5321 and 6531 have it, and nothing else.
bool is_address(std::string_view text) noexcept;
/// A byte above 127: only servers with SMTPUTF8 take such an address.
bool needs_utf8(std::string_view address) noexcept;

}  // namespace qconn::mail
