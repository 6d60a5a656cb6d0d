// SPDX-License-Identifier: Apache-2.0
/// Keys that go along with each request as a header.
#pragma once

#include <string>
#include <string_view>

#include "schemes/rest_kind.hpp"

namespace qconn::schemes {

/// Adds `apikey`.
inline void add_api_key_option(RestTable& table) {
    OptionSpec& spec = table.add("apikey", OptionType::string, "Key of the API, sent with each request", nullptr);
    spec.sensitive = true;
    spec.example = "${env:API_KEY}";
    spec.check = [](const Value& v) { return v.as_string().empty() ? std::string{"it is empty"} : std::string{}; };
}

/// Sends it under that name, where it is given.
inline void set_api_key(RestSettings& settings, const ResolvedDefinition& definition, std::string_view header) {
    const Value& key = option_of(definition, "apikey");
    if (key.is_string()) settings.headers.set(header, std::string{key.as_string()});
}

}  // namespace qconn::schemes
