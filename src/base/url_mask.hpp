// SPDX-License-Identifier: Apache-2.0
/// mask_url for those who can tell that a query value is no secret.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace qconn {

/// As mask_url. @param is_open  whether a query value under a credential's name is shown all the same
std::string mask_url(std::string_view text, const std::function<bool(std::string_view value)>& is_open);

}  // namespace qconn
