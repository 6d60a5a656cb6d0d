// SPDX-License-Identifier: Apache-2.0
/// What sources say of HTTP servers.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "import/draft.hpp"
#include "import/fields.hpp"

namespace qconn::importing {

/// Fills in scheme, host, port, path and user from a base URL; user and password of the draft stay where it has them.
/// @param place  of its key
/// @returns false, and tells, where it is no URL of http or https
bool fill_base_url(Fields& fields, Draft& draft, std::string_view url, Place place);

/// A text with `name=value` behind any of the separators, as it is written into the definition: values under names of credentials become secrets.
std::string with_secret_parameters(Fields& fields, std::string_view text, std::string_view separators);

/// Adds to the option `headers`; a value whose name is that of a credential becomes a secret.
/// @param value  as the source has it
void add_header(Fields& fields, Draft& draft, std::string_view name, std::string_view value);
/// @param written  as it is written into the definition
void add_written_header(Draft& draft, std::string_view name, std::string written);
bool is_header_name(std::string_view name) noexcept;

/// What sources say of one service of AWS; texts as they are written into the definition.
struct AwsService {
    std::string_view service;
    std::string region;
    std::string key_id;
    std::optional<std::string> secret;
    std::optional<std::string> token;
    /// As the source has it: a host, or a URL; empty for the one of the service.
    std::string endpoint;
    /// Of the endpoint's key.
    Place place{};
};
/// A connection of the scheme awsrests.
/// @returns false, and tells, where the endpoint is no URL
bool fill_aws(Fields& fields, Draft& draft, const AwsService& aws);

/// A certificate or key as PEM text or as the path of a file goes to `data` or `path`.
void add_pem(Fields& fields, Draft& draft, Fields::Names names, const char* path, const char* data, bool secret);

/// A path on this machine for an option that substitutes environment variables: `~/x` becomes `$HOME/x`.
/// @param environment  the source substitutes `${NAME}` too
std::string home_path(std::string_view path, bool environment = false);

}  // namespace qconn::importing
