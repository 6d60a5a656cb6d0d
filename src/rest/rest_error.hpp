// SPDX-License-Identifier: Apache-2.0
/// Errors of the REST family, made in one place.
#pragma once

#include <string>
#include <string_view>

#include <qconn/base/error.hpp>
#include <qconn/rest/rest_client.hpp>

#include "http/settings.hpp"

namespace qconn::rest {

/// An Error of this family with the name documented at the code.
Error make_rest_error(RestErrc code, std::string message, Phase phase, Reason reason);

using FaultOf = decltype(RestOptions::fault_of);

/// What a failing status means: the API's own form of errors, `err` and `desc`, the text, or the status alone.
/// @param plain     the HTTP client's error for it
/// @param fault_of  RestOptions::fault_of
/// @param shown     the URL for messages
/// @param advice    for the end of the sentence; part of `plain` already
Error response_error(const Error& plain, const HttpResponse& response, const FaultOf& fault_of, std::string_view assume_charset,
                     std::string_view shown, std::string_view advice = {});

/// The same error without the client's secrets, which a server may repeat in its `err` and its text. A name that held one becomes
/// REST-RESPONSE-ERROR.
Error redacted(const Error& error, const http::Settings& settings);

}  // namespace qconn::rest
