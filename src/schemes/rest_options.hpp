// SPDX-License-Identifier: Apache-2.0
/// What definitions of all kinds of REST APIs can say.
#pragma once

#include <optional>

#include <qconn/auth/oauth2.hpp>
#include <qconn/core/option.hpp>
#include <qconn/core/scheme.hpp>
#include <qconn/http/oauth2.hpp>
#include <qconn/rest/rest_client.hpp>

#include "schemes/convert.hpp"
#include "schemes/http_ping.hpp"

namespace qconn::schemes {

/// What a client is made of, and what makes its tokens.
struct RestSettings : RestOptions {
    OAuth2Options oauth2;
    TokenUse token_use;
};
using RestTable = OptionTable<RestSettings>;

/// The options of `rest`.
void add_rest_options(RestTable& table);

/// The request that the options ping_… name; none where they do not.
std::optional<PingCall> ping_call(const ResolvedDefinition& definition, const RestOptions& options);
/// What is wrong with those, taken together.
void check_ping_options(const Definition& definition, Findings& findings);

}  // namespace qconn::schemes
