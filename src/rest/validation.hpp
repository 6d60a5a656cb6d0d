// SPDX-License-Identifier: Apache-2.0
/// Calls held against the description of the API, and made from it.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <qconn/rest/rest_client.hpp>

#include "http/settings.hpp"

namespace qconn::rest {

/// A call that is known to be an operation of the description, or that there is no description.
struct Described {
    std::shared_ptr<const openapi::Document> document;
    const openapi::Operation* operation{nullptr};
};

/// The URL that a client of these options asks.
std::string url_of(const RestOptions& options);

/// A call, and what it is as values where the description made it.
struct OperationCall {
    RestCall call;
    const openapi::Operation* operation{nullptr};
    openapi::Request values;
};
/// @throws Error RESTCLIENT-ERROR, INVALID-ARGUMENT, SERIALIZATION-ERROR
OperationCall make_call(const RestOptions& options, std::string_view id, const Map& arguments);

/// @param made     the request that the call became
/// @param planned  what make_call() gave; null: the operation is found by method and path
/// @throws Error REQUEST-VALIDATION-ERROR
Described check_request(const RestOptions& options, const RestCall& call, const HttpRequest& made, const OperationCall* planned);
/// @throws Error RESPONSE-VALIDATION-ERROR
void check_response(const Described& described, const RestResponse& response, const http::Settings& settings);

}  // namespace qconn::rest
