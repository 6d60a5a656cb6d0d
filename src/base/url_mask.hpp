// SPDX-License-Identifier: Apache-2.0
/// mask_url for those who can tell that a query value is no secret, and the names that it goes by.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace qconn {

/// Whether a query parameter, header or setting of that name holds a credential by the rules of mask_url (docs/definitions.md has the words).
bool names_credential(std::string_view parameter);

/// As mask_url.
/// @param is_open       whether a query value under a credential's name is shown all the same
/// @param user_is_name  a user without a password is shown
std::string mask_url(std::string_view text, const std::function<bool(std::string_view value)>& is_open, bool user_is_name = false);

}  // namespace qconn
