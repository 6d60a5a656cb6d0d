// SPDX-License-Identifier: Apache-2.0
/// Where in a definition secrets may stand.
#pragma once

#include <optional>
#include <string_view>

#include <qconn/base/value.hpp>

namespace qconn {
struct OptionSpec;
struct Scheme;
}  // namespace qconn

namespace qconn::core {

/// The option of that name or alias. @param scheme  may be null, as what is returned
const OptionSpec* spec_of(const Scheme* scheme, std::string_view name);
/// Whether a member of a map that is not secret as a whole is one: `Authorization` among headers.
bool names_secret_member(std::string_view name);
/// A map that is written as text, as the check would take it.
std::optional<Map> map_of(const OptionSpec* spec, std::string_view text);

}  // namespace qconn::core
